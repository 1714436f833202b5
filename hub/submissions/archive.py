"""Reads an archive that somebody sent, as untrusted bytes, and gives it back as plain files by path.

Called by the services of submissions and courses before anything is stored. The wire format is an
uncompressed tar. Python's tarfile understands far more than we want (links, devices, sparse files, headers
that redefine headers), so the few record types that ordinary tools write are read here and everything else is
refused with one sentence. Must not know the database or who is sending.
"""

from __future__ import annotations

import io
import os
import re
import tarfile
import unicodedata
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from hub.errors import InvalidSubmissionError, TooLargeError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

BLOCK = 512
MAX_PATH = 240  # characters
MAX_NAME_BYTES = 150  # one component; file systems allow 255
MAX_HEADER_BYTES = 64 * 1024  # one extended header
MAX_LENGTH_DIGITS = 6
HARMLESS_PAX_KEYS = frozenset({"path", "mtime", "atime", "ctime", "uid", "gid", "uname", "gname", "comment"})
# Letters and digits of any script, and the marks that people put into file names; nothing that a shell, a URL or
# another operating system reads differently.
_NAME = re.compile(r"[\w.][\w .()\[\]+,=@#&'!~$%{}^-]*")
RESERVED_ON_WINDOWS = frozenset(
    {"con", "prn", "aux", "nul", *(f"com{n}" for n in range(1, 10)), *(f"lpt{n}" for n in range(1, 10))}
)
# Control, format (bidirectional overrides, zero width), surrogate, private, unassigned, line and paragraph
# separators.
REFUSED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """What one archive may hold. `max_bytes` bounds the sum of the files, `max_depth` the folders above a file."""

    max_bytes: int
    max_files: int
    max_depth: int

    @property
    def wire_bytes(self) -> int:
        """How long the tar itself may be: contents, a header and padding for each entry, end blocks."""
        return self.max_bytes + (self.max_files * 2 + 64) * 3 * BLOCK + 20 * BLOCK


@dataclass(frozen=True, slots=True)
class _Entry:
    path: str
    is_folder: bool
    size: int
    start: int


def read_archive(data: bytes, limits: ArchiveLimits) -> dict[str, bytes]:
    """Return the files of an uncompressed tar by their path, sorted.

    Raises:
        TooLargeError: too many bytes or files, or too deep.
        InvalidSubmissionError: not a tar, a truncated one, or one with anything but plain files and folders
            in it.
    """
    if len(data) > limits.wire_bytes:
        raise too_large(limits)
    files: dict[str, bytes] = {}
    folders: set[str] = set()
    total = entries = 0
    for entry in _entries(data):
        entries += 1
        if entries > limits.max_files * 2:
            raise TooLargeError("There are too many files: at most %(count)s.", count=limits.max_files)
        path = check_path(entry.path, limits.max_depth)
        if entry.is_folder:
            folders.add(path)
            continue
        if path in files:
            raise InvalidSubmissionError("The file %(name)s is there twice.", name=path)
        total += entry.size
        if total > limits.max_bytes:
            raise too_large(limits)
        if len(files) >= limits.max_files:
            raise TooLargeError("There are too many files: at most %(count)s.", count=limits.max_files)
        files[path] = data[entry.start : entry.start + entry.size]
    _check_twins(files, folders - {""})
    return {path: files[path] for path in sorted(files)}


def too_large(limits: ArchiveLimits) -> TooLargeError:
    """Return the error for a body over the limit."""
    return TooLargeError(
        "This is too large: at most %(megabytes)s MB. Remove what you don't need and clear the outputs.",
        megabytes=limits.max_bytes // (1024 * 1024),
    )


def check_path(path: str, max_depth: int) -> str:
    """Return the path in its one normal form ("" for the top folder), or refuse it.

    Raises:
        InvalidSubmissionError: absolute, climbing, or with characters that hide or confuse.
        TooLargeError: more folders inside each other than allowed.
    """
    if any(unicodedata.category(char) in REFUSED_CATEGORIES for char in path):
        raise InvalidSubmissionError(
            "The file name %(name)s has characters that can't be shown.", name=ascii(path)[:120]
        )
    if path.startswith("/") or "\\" in path or ".." in path.split("/") or path[1:2] == ":":
        raise InvalidSubmissionError("The file name %(name)s leads out of the folder.", name=path[:120])
    parts = [part for part in unicodedata.normalize("NFC", path).split("/") if part not in ("", ".")]
    normal = "/".join(parts)
    if len(normal) > MAX_PATH or any(len(part.encode()) > MAX_NAME_BYTES for part in parts):
        raise InvalidSubmissionError("The file name %(name)s is too long.", name=normal[:60] + "…")
    for part in parts:
        if not _NAME.fullmatch(part) or part != part.strip() or part.endswith(".") or _is_reserved(part):
            raise InvalidSubmissionError(
                "The file name %(name)s is not allowed. Please rename it.", name=part
            )
    if len(parts) > max_depth + 1:
        raise TooLargeError(
            "There are too many folders inside each other: at most %(depth)s.", depth=max_depth
        )
    return normal


def _is_reserved(part: str) -> bool:
    return part.partition(".")[0].casefold() in RESERVED_ON_WINDOWS


def _check_twins(files: Mapping[str, bytes], folders: set[str]) -> None:
    """Refuse names that only differ in upper and lower case, and a file that is also a folder."""
    parents = {str(parent) for path in files for parent in PurePosixPath(path).parents if str(parent) != "."}
    seen: dict[str, str] = {}
    for path in [*files, *sorted(parents | folders)]:
        key = unicodedata.normalize("NFKC", path).casefold()
        if key in seen:
            raise InvalidSubmissionError(
                "The names %(one)s and %(two)s are too much alike.", one=seen[key], two=path
            )
        seen[key] = path


def _entries(data: bytes) -> Iterator[_Entry]:
    """Walk through the tar's records. Every length is checked before it is used."""
    position = 0
    long_name: str | None = None
    while True:
        header = data[position : position + BLOCK]
        if len(header) < BLOCK:
            raise InvalidSubmissionError("The archive is cut off or is not a tar archive.")
        if not header.strip(b"\0"):
            if data[position:].strip(b"\0"):
                raise InvalidSubmissionError("The archive goes on after its end.")
            return
        _check_header(header)
        size = _octal(header[124:136])
        start = position + BLOCK
        if start + size > len(data):
            raise InvalidSubmissionError("The archive is cut off or is not a tar archive.")
        kind = header[156:157]
        position = start + -(-size // BLOCK) * BLOCK
        if kind == b"x":
            long_name = _pax_path(data[start : start + size], long_name)
            continue
        if kind == b"L":
            long_name = _text(data[start : start + min(size, MAX_HEADER_BYTES)].rstrip(b"\0"))
            continue
        name, long_name = (long_name if long_name is not None else _name(header)), None
        if kind not in (b"0", b"\0", b"5"):
            raise InvalidSubmissionError(
                "%(name)s is a link or a special file. Only ordinary files can be handed in.",
                name=ascii(name)[:120],
            )
        is_folder = kind == b"5" or name.endswith("/")
        if is_folder and size:
            raise InvalidSubmissionError("The archive is damaged.")
        yield _Entry(name, is_folder, size, start)


def _check_header(header: bytes) -> None:
    if header[257:262] != b"ustar":
        raise InvalidSubmissionError("The archive is cut off or is not a tar archive.")
    blanked = header[:148] + b" " * 8 + header[156:]
    if sum(blanked) != _octal(header[148:156]):
        raise InvalidSubmissionError("The archive is damaged.")


def _octal(field: bytes) -> int:
    digits = field.strip(b"\0 ")
    if not digits or any(char not in b"01234567" for char in digits):
        # Base-256 numbers start with a high bit: sizes beyond 8 GB, or negative ones.
        raise InvalidSubmissionError("The archive is damaged.")
    return int(digits, 8)


def _name(header: bytes) -> str:
    name = header[:100].split(b"\0", 1)[0]
    # In POSIX archives the name continues in front; GNU's older format keeps other things in that field.
    prefix = header[345:500].split(b"\0", 1)[0] if header[257:265] == b"ustar\x0000" else b""
    return _text(prefix + b"/" + name if prefix else name)


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidSubmissionError("A file name in the archive is not UTF-8 text.") from error


def _pax_path(records: bytes, before: str | None) -> str | None:
    """Return the path that an extended header gives to the next entry; refuse headers that change anything else."""
    if len(records) > MAX_HEADER_BYTES:
        raise InvalidSubmissionError("The archive is damaged.")
    path = before
    while records:
        length_text, _, rest = records.partition(b" ")
        if not length_text.isdigit() or len(length_text) > MAX_LENGTH_DIGITS:
            raise InvalidSubmissionError("The archive is damaged.")
        length = int(length_text)
        record = records[len(length_text) + 1 : length]
        if length > len(records) or length < len(length_text) + 2 or not record.endswith(b"\n") or not rest:
            raise InvalidSubmissionError("The archive is damaged.")
        key, _, value = record[:-1].partition(b"=")
        name = key.decode("utf-8", "replace")
        if name not in HARMLESS_PAX_KEYS and not name.startswith(("SCHILY.", "LIBARCHIVE.")):
            raise InvalidSubmissionError(
                "The archive uses a feature that is not allowed here.", log=name[:80]
            )
        if name == "path":
            path = _text(value)
        records = records[length:]
    return path


def canonical_tar(files: Mapping[str, bytes]) -> bytes:
    """Return the one tar that stands for these files: sorted, no dates, no owners. Equal work, equal bytes."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path in sorted(files):
            entry = tarfile.TarInfo(path)
            entry.size = len(files[path])
            entry.mode = 0o644
            tar.addfile(entry, io.BytesIO(files[path]))
    return buffer.getvalue()


def open_canonical(data: bytes) -> dict[str, bytes]:
    """Return the files of a tar that `canonical_tar` made and the store kept."""
    unbounded = ArchiveLimits(max_bytes=len(data), max_files=max(1, len(data) // BLOCK), max_depth=64)
    return read_archive(data, unbounded)


def unpack(files: Mapping[str, bytes], into: Path) -> None:
    """Write checked files into a fresh folder. A folder that holds anything already is refused.

    Raises:
        FileExistsError: `into` is not empty, or something appeared in it meanwhile.
    """
    into.mkdir(parents=True, exist_ok=True)
    if any(into.iterdir()):
        raise FileExistsError(f"{into} is not empty")
    for path, data in files.items():
        target = into / path
        target.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
