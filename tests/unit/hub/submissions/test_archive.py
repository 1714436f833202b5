"""An archive is untrusted bytes: what is not a plain file in a plain folder is refused with one sentence."""

from __future__ import annotations

import io
import tarfile
import unicodedata
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.errors import AtelierError, InvalidSubmissionError, TooLargeError
from hub.submissions.archive import (
    ArchiveLimits,
    canonical_tar,
    check_path,
    open_canonical,
    read_archive,
    unpack,
)

if TYPE_CHECKING:
    from pathlib import Path

LIMITS = ArchiveLimits(max_bytes=100_000, max_files=20, max_depth=3)


def tar_of(*entries: tarfile.TarInfo | tuple[str, bytes], fmt: int = tarfile.PAX_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=fmt) as tar:
        for entry in entries:
            if isinstance(entry, tuple):
                info = tarfile.TarInfo(entry[0])
                info.size = len(entry[1])
                tar.addfile(info, io.BytesIO(entry[1]))
            else:
                tar.addfile(entry)
    return buffer.getvalue()


def special(name: str, kind: bytes, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = link
    return info


@pytest.mark.parametrize("fmt", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_plain_files_come_back_whatever_tool_wrote_them(fmt: int) -> None:
    folder = tarfile.TarInfo("./data")
    folder.type = tarfile.DIRTYPE
    long = "data/" + "n" * 120 + ".csv" if fmt != tarfile.USTAR_FORMAT else "data/n.csv"
    got = read_archive(
        tar_of(folder, ("./work.ipynb", b"{}"), (long, b"1,2"), ("data/été.txt", b""), fmt=fmt), LIMITS
    )
    assert got == {"data/été.txt": b"", long: b"1,2", "work.ipynb": b"{}"}
    assert list(got) == sorted(got)


def test_a_file_written_by_pythons_tarfile_with_a_time_is_taken() -> None:
    info = tarfile.TarInfo("a.txt")
    info.mtime = 12.5  # type: ignore[assignment]  # tarfile writes a header of its own for the fraction
    assert read_archive(tar_of(info), LIMITS) == {"a.txt": b""}


@pytest.mark.parametrize(
    "kind",
    [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.CONTTYPE, b"S",
     b"g", b"V", b"K"],
)  # fmt: skip
def test_nothing_but_files_and_folders(kind: bytes) -> None:
    with pytest.raises(InvalidSubmissionError):
        read_archive(tar_of(("a", b""), special("x", kind, "/etc/passwd")), LIMITS)


@pytest.mark.parametrize(
    "name",
    [
        "../x", "a/../../x", "/etc/passwd", "..", "C:\\x", "C:x", "a\\b", "-rf", "--config=x", "a/-rf",
        "new\nline", "tab\t", "bell\x07", "over\u202eride", "zero\u200bwidth", "line\u2028", "private\ue000",
        "CON", "nul.txt", "aux", "dot.", "space ", " space", "n" * 300, "d/" * 150 + "x", "a:b", "a|b", "a*b", "`x`",
        "$(touch x);",
    ],
)  # fmt: skip
def test_names_that_mislead_are_refused(name: str) -> None:
    with pytest.raises(AtelierError) as refusal:
        check_path(name, 3)
    assert refusal.value.status in (413, 422)
    assert len(str(refusal.value)) < 300


def test_names_that_people_use_are_taken() -> None:
    for name in (
        "Mon travail (2).txt",
        "été.csv",
        "データ.csv",
        "a+b=c.txt",
        "it's.md",
        ".hidden",
        "data/x_1.py",
    ):
        assert check_path(name, 3) == name
    assert check_path("./a//b/./c", 3) == "a/b/c"
    assert check_path("./", 3) == ""


def test_one_form_for_accents() -> None:
    assert check_path(unicodedata.normalize("NFD", "été.txt"), 3) == "été.txt"


@pytest.mark.parametrize(
    "names",
    [
        ("a.txt", "A.TXT"),
        ("a.txt", "a.txt"),
        ("é.txt", unicodedata.normalize("NFD", "é.txt")),
        ("a", "a/b"),
        ("a/b", "A/c"),
        ("./a", "a"),
    ],
)
def test_twins_are_refused(names: tuple[str, str]) -> None:
    with pytest.raises(InvalidSubmissionError):
        read_archive(tar_of(*((name, b"") for name in names)), LIMITS)


def test_limits_hold() -> None:
    with pytest.raises(TooLargeError):
        read_archive(tar_of(("a", b"x" * 60_000), ("b", b"x" * 60_000)), LIMITS)
    with pytest.raises(TooLargeError):
        read_archive(tar_of(*((f"f{n}", b"") for n in range(21))), LIMITS)
    with pytest.raises(TooLargeError):
        read_archive(tar_of(("a/b/c/d/e", b"")), LIMITS)
    with pytest.raises(TooLargeError):
        read_archive(b"\0" * (LIMITS.wire_bytes + 1), LIMITS)


def test_many_empty_folders_are_too_many() -> None:
    folders = [special(f"d{n}", tarfile.DIRTYPE) for n in range(50)]
    with pytest.raises(TooLargeError):
        read_archive(tar_of(*folders), LIMITS)


def header(size: bytes, kind: bytes = b"0", name: bytes = b"a") -> bytes:
    raw = bytearray(512)
    raw[: len(name)] = name
    raw[100:108] = b"0000644\0"
    raw[124:136] = size
    raw[156:157] = kind
    raw[257:265] = b"ustar\x0000"
    raw[148:156] = b" " * 8
    raw[148:156] = f"{sum(raw):06o}\0 ".encode()
    return bytes(raw)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not a tar",
        b"PK\x03\x04" + b"x" * 2000,
        b"\x1f\x8b" + b"x" * 2000,
        header(b"77777777777\0"),  # says 8 GB and holds nothing
        header(b"\x80" + b"\xff" * 11),  # a negative size
        header(b"-0000000001\0"),
        header(b"00000000001\0") + b"x" * 511,
        header(b"00000000000\0"),  # no end
        header(b"00000000000\0")[:-1] + b"!" + b"\0" * 1024,  # wrong sum
        header(b"00000000001\0", b"5") + b"x" * 512 + b"\0" * 1024,  # a folder with a body
        header(b"00000000000\0", name=b"\xff\xfe") + b"\0" * 1024,
        b"\0" * 1024 + header(b"00000000000\0"),  # something behind the end
    ],
)
def test_damaged_archives_are_refused(data: bytes) -> None:
    with pytest.raises(InvalidSubmissionError):
        read_archive(data, LIMITS)


@pytest.mark.parametrize(
    "pax",
    [
        {"path": "../../x"},
        {"path": "/etc/passwd"},
        {"size": "99999999999"},
        {"linkpath": "/etc/passwd"},
        {"GNU.sparse.major": "1"},
        {"hdrcharset": "BINARY"},
    ],
)
def test_headers_that_redefine_are_refused(pax: dict[str, str]) -> None:
    info = tarfile.TarInfo("a")
    info.pax_headers = pax
    with pytest.raises(InvalidSubmissionError):
        read_archive(tar_of(info), LIMITS)


@pytest.mark.parametrize(
    "record", [b"5 a=\n", b"99 path=x\n", b"x path=y\n", b"0 path=y\n", b"9999999 p=1\n", b"11 path=x\n"]
)
def test_damaged_headers_are_refused(record: bytes) -> None:
    data = (
        header(f"{len(record):011o}\0".encode(), b"x") + record.ljust(512, b"\0") + header(b"00000000000\0")
    )
    with pytest.raises(InvalidSubmissionError):
        read_archive(data + b"\0" * 1024, LIMITS)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=3000))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    with pytest.raises(AtelierError):
        read_archive(b"x" + data, LIMITS)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_change_to_an_archive_breaks_the_reader(data: st.DataObject) -> None:
    raw = bytearray(tar_of(("one.txt", b"1" * 700), ("été/two.txt", b"2")))
    for _ in range(data.draw(st.integers(1, 8))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        files = read_archive(bytes(raw), LIMITS)
    except AtelierError:
        return
    assert all(not path.startswith(("/", "-")) and ".." not in path.split("/") for path in files)


def test_equal_work_has_equal_bytes() -> None:
    one = canonical_tar({"b.txt": b"2", "été.txt": b"1"})
    info = tarfile.TarInfo("b.txt")
    info.size, info.mtime, info.uid, info.mode = 1, 1_700_000_000, 1000, 0o755
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        tar.addfile(special("été.txt", tarfile.REGTYPE))
        tar.addfile(info, io.BytesIO(b"2"))
    assert canonical_tar(read_archive(one, LIMITS)) == one
    assert canonical_tar(read_archive(buffer.getvalue(), LIMITS) | {"été.txt": b"1"}) == one
    assert open_canonical(one) == {"b.txt": b"2", "été.txt": b"1"}
    assert open_canonical(canonical_tar({})) == {}


def test_unpack_only_into_a_fresh_folder(tmp_path: Path) -> None:
    unpack({"a/b.txt": b"1", "c": b"2"}, tmp_path / "new")
    assert (tmp_path / "new/a/b.txt").read_bytes() == b"1"
    with pytest.raises(FileExistsError):
        unpack({"d": b""}, tmp_path / "new")
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "link").symlink_to(tmp_path)
    with pytest.raises(FileExistsError):
        unpack({"link/x": b""}, tmp_path / "old")
