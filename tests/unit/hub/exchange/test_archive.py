"""Tars in both directions: plain files only, nothing outside, nothing overwritten."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.exchange.archive import SUBMISSION, Entry, Limits, pack, place, read_folder, unpack
from hub.exchange.failure import ExchangeFailedError, UnsafeArchiveError


def tar_with(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:") as tar:
        for member, data in members:
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


class TestUnpack:
    def test_files_and_folders(self) -> None:
        data = tar_with(
            (member("b", tarfile.DIRTYPE), b""), (member("./a.txt"), b"A"), (member("b/c.txt"), b"C")
        )
        assert unpack(data) == [Entry(PurePosixPath("a.txt"), b"A"), Entry(PurePosixPath("b/c.txt"), b"C")]

    @pytest.mark.parametrize(
        ("name", "why"),
        [
            ("/etc/passwd", "absolute"),
            ("../x", "outside"),
            ("a/../../x", "outside"),
            ("a/..", "outside"),
            ("a\\b", "unusable"),
            ("a\nb", "unusable"),
            ("x" * 300, "unusable"),
            ("/".join("abcdefghijklmnop"), "deep"),
        ],
    )
    def test_names_that_lead_elsewhere(self, name: str, why: str) -> None:
        with pytest.raises(UnsafeArchiveError, match=why):
            unpack(tar_with((member(name), b"x")))

    @pytest.mark.parametrize(
        "kind",
        [
            tarfile.SYMTYPE,
            tarfile.LNKTYPE,
            tarfile.CHRTYPE,
            tarfile.BLKTYPE,
            tarfile.FIFOTYPE,
            tarfile.CONTTYPE,
        ],
    )
    def test_anything_but_files(self, kind: bytes) -> None:
        data = tar_with((member("x", kind, "/etc/passwd"), b""))
        if kind == tarfile.CONTTYPE:
            assert unpack(data)[0].data == b""
            return
        with pytest.raises(UnsafeArchiveError, match="no plain file"):
            unpack(data)

    def test_file_through_a_link(self, tmp_path: Path) -> None:
        data = tar_with((member("d", tarfile.SYMTYPE, str(tmp_path)), b""), (member("d/x"), b"evil"))
        with pytest.raises(UnsafeArchiveError):
            unpack(data)
        assert not (tmp_path / "x").exists()

    def test_same_name_twice(self) -> None:
        with pytest.raises(UnsafeArchiveError, match="twice"):
            unpack(tar_with((member("a"), b"1"), (member("./a"), b"2")))

    def test_file_that_is_a_folder_too(self) -> None:
        with pytest.raises(UnsafeArchiveError, match="both"):
            unpack(tar_with((member("a"), b"1"), (member("a/b"), b"2")))

    def test_too_much(self) -> None:
        with pytest.raises(UnsafeArchiveError, match="too much"):
            unpack(tar_with((member("a"), b"123"), (member("b"), b"45")), Limits(4, 10, 3))
        with pytest.raises(UnsafeArchiveError, match="too much"):
            unpack(tar_with((member("a"), b""), (member("b"), b"")), Limits(4, 1, 3))

    def test_cut_short(self) -> None:
        with pytest.raises(UnsafeArchiveError):
            unpack(tar_with((member("a"), b"x" * 2000))[:1024])

    @pytest.mark.parametrize("data", [b"no tar at all", b"\x1f\x8b\x08\x00", b"PK\x03\x04"])
    def test_no_tar(self, data: bytes) -> None:
        with pytest.raises(UnsafeArchiveError, match="not a tar"):
            unpack(data * 100)

    @given(st.binary(max_size=2048))
    def test_rubbish_is_refused_or_harmless(self, data: bytes) -> None:
        try:
            entries = unpack(data)
        except UnsafeArchiveError:
            return
        assert all(".." not in entry.path.parts and not entry.path.is_absolute() for entry in entries)


class TestPlace:
    FILES = (Entry(PurePosixPath("a.txt"), b"A"), Entry(PurePosixPath("b/c.txt"), b"C"))

    def test_new_folder(self, tmp_path: Path) -> None:
        place(self.FILES, tmp_path / "web/page")
        assert (tmp_path / "web/page/b/c.txt").read_bytes() == b"C"
        assert [path.name for path in (tmp_path / "web").iterdir()] == ["page"]

    def test_only_what_is_missing(self, tmp_path: Path) -> None:
        (tmp_path / "a.txt").write_text("mine")
        assert place(self.FILES, tmp_path) == [PurePosixPath("b/c.txt")]
        assert (tmp_path / "a.txt").read_text() == "mine"

    def test_never_through_a_link(self, tmp_path: Path) -> None:
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        work = tmp_path / "work"
        work.mkdir()
        (work / "b").symlink_to(elsewhere)
        (work / "a.txt").symlink_to(elsewhere / "new")
        with pytest.raises(ExchangeFailedError, match="in the way"):
            place(self.FILES, work)
        assert list(elsewhere.iterdir()) == []

    def test_file_where_a_folder_should_be(self, tmp_path: Path) -> None:
        (tmp_path / "b").write_text("mine")
        with pytest.raises(ExchangeFailedError, match="in the way"):
            place(self.FILES, tmp_path)

    def test_failure_leaves_no_half_folder(self, tmp_path: Path) -> None:
        clash = (*self.FILES, Entry(PurePosixPath("a.txt/x"), b"never"))
        with pytest.raises(ExchangeFailedError):
            place(clash, tmp_path / "page")
        assert list(tmp_path.iterdir()) == []


class TestReadFolder:
    def test_round_trip(self, tmp_path: Path) -> None:
        place(TestPlace.FILES, tmp_path / "x")
        entries, left_out = read_folder(tmp_path / "x", SUBMISSION)
        assert (tuple(unpack(pack(entries))), left_out) == (TestPlace.FILES, [])

    def test_same_files_same_bytes(self) -> None:
        assert pack(TestPlace.FILES) == pack(tuple(reversed(TestPlace.FILES)))

    def test_what_is_no_plain_file_stays(self, tmp_path: Path) -> None:
        (tmp_path / "link").symlink_to("/etc/hostname")
        (tmp_path / "folder").symlink_to("/etc")
        os.mkfifo(tmp_path / "pipe")
        (tmp_path / "a").write_text("A")
        entries, left_out = read_folder(tmp_path, SUBMISSION)
        assert [str(entry.path) for entry in entries] == ["a"]
        assert sorted(left_out) == ["folder", "link", "pipe"]

    def test_limits(self, tmp_path: Path) -> None:
        (tmp_path / "a").write_bytes(b"12345")
        (tmp_path / "b").write_bytes(b"12345")
        with pytest.raises(ExchangeFailedError, match="too large"):
            read_folder(tmp_path, Limits(9, 10, 3))
        with pytest.raises(ExchangeFailedError, match="too many files"):
            read_folder(tmp_path, Limits(100, 1, 3))
        (tmp_path / "c/d/e").mkdir(parents=True)
        (tmp_path / "c/d/e/f").write_bytes(b"")
        with pytest.raises(ExchangeFailedError, match="can't be submitted"):
            read_folder(tmp_path, Limits(100, 10, 3))
