"""Folders to tars and back, strictly: plain files and folders, nothing else, in both directions.

Used by every operation of the exchange. What comes in is checked whole before a byte is written; a file that exists is
never overwritten, and no link is ever followed. Knows nothing of HTTP.
"""

from __future__ import annotations

import errno
import io
import os
import shutil
import stat
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from hub.exchange.failure import ExchangeFailedError, UnsafeArchiveError
from hub.exchange.language import say

Ignore = Callable[[str, list[str]], Iterable[str]]
"""Like the argument of shutil.copytree: a folder and its names in, the names to leave out."""

MAX_NAME_BYTES = 255
FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True)
class Limits:
    """How much an archive may hold."""

    max_bytes: int
    max_files: int
    max_depth: int


SUBMISSION = Limits(max_bytes=20 * 1024 * 1024, max_files=200, max_depth=6)
INCOMING = Limits(max_bytes=200 * 1024 * 1024, max_files=5000, max_depth=12)


@dataclass(frozen=True)
class Entry:
    """One file of an archive."""

    path: PurePosixPath
    data: bytes


def pack(entries: Sequence[Entry]) -> bytes:
    """Return an uncompressed tar of the files, the same bytes for the same files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:", format=tarfile.PAX_FORMAT) as tar:
        for entry in sorted(entries, key=lambda item: item.path):
            member = tarfile.TarInfo(entry.path.as_posix())
            member.size = len(entry.data)
            member.mode = 0o644
            tar.addfile(member, io.BytesIO(entry.data))
    return buffer.getvalue()


def read_folder(folder: Path, limits: Limits, ignore: Ignore | None = None) -> tuple[list[Entry], list[str]]:
    """Return the files of a folder, and the names of what was left out because it is no plain file.

    Args:
        folder: where to read; links below it are not followed.
        limits: what may be sent.
        ignore: names to leave out without a word.

    Raises:
        ExchangeFailedError: too large, too many files, a name that can't travel, or a file that can't be read.
    """
    entries: list[Entry] = []
    left_out: list[str] = []
    total = 0
    for directory, folders, names in os.walk(folder):
        ignored = set(ignore(directory, folders + names)) if ignore else set()
        below = PurePosixPath(Path(directory).relative_to(folder).as_posix())
        links = [name for name in folders if Path(directory, name).is_symlink()]
        left_out += [str(below / name) for name in links if name not in ignored]
        folders[:] = sorted(name for name in folders if name not in ignored and name not in links)
        for name in sorted(set(names) - ignored):
            path = below / name
            data = _read_plain(Path(directory, name), limits.max_bytes - total, limits)
            if data is None:
                left_out.append(str(path))
                continue
            if len(path.parts) > limits.max_depth or not _is_plain_path(path):
                raise ExchangeFailedError(say("bad_name", name=path), reason="bad_name")
            total += len(data)
            if len(entries) >= limits.max_files:
                raise ExchangeFailedError(
                    say("too_many_files", limit=limits.max_files), reason="too_many_files"
                )
            entries.append(Entry(path, data))
    return entries, left_out


def too_large(limits: Limits) -> ExchangeFailedError:
    """The refusal of a folder above the limit."""
    return ExchangeFailedError(
        say("too_large", limit=max(1, limits.max_bytes // 1_000_000)), reason="too_large"
    )


def _read_plain(path: Path, budget: int, limits: Limits) -> bytes | None:
    """Return the bytes of a plain file, None for anything else; a file above the budget is a ExchangeFailedError."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO, errno.ENOENT):
            return None
        raise ExchangeFailedError(say("unreadable", name=path.name), reason="unreadable") from error
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            return None
        data = file.read(budget + 1)
    if len(data) > budget:
        raise too_large(limits)
    return data


def unpack(data: bytes, limits: Limits = INCOMING) -> list[Entry]:
    """Return the files of a tar, in its order, all checked.

    Raises:
        UnsafeArchiveError: a link, a device, a path that leads outside, a name twice, too much, or no tar at all.
    """
    entries: list[Entry] = []
    files: set[PurePosixPath] = set()
    folders: set[PurePosixPath] = set()
    total = 0
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as tar:
            for member in tar:
                path = _checked(member, limits)
                if path is None:
                    continue
                folders.update(path.parents)
                if member.isdir():
                    folders.add(path)
                    continue
                total += member.size
                if total > limits.max_bytes or len(entries) >= limits.max_files:
                    raise UnsafeArchiveError("too much in it")
                if path in files:
                    raise UnsafeArchiveError(f"twice: {path}")
                files.add(path)
                source = tar.extractfile(member)
                content = source.read() if source else b""
                if len(content) != member.size:
                    raise UnsafeArchiveError(f"cut short: {path}")
                entries.append(Entry(path, content))
    except (tarfile.TarError, ValueError, EOFError, UnicodeError) as error:
        raise UnsafeArchiveError("not a tar") from error
    clash = files & folders
    if clash:
        raise UnsafeArchiveError(f"both file and folder: {min(clash)}")
    return entries


def _checked(member: tarfile.TarInfo, limits: Limits) -> PurePosixPath | None:
    """Return the path of a harmless member, None for the folder itself."""
    name = member.name
    if member.issparse() or not (member.isreg() or member.isdir()):
        raise UnsafeArchiveError(f"no plain file: {name!r}")
    if name.startswith("/"):
        raise UnsafeArchiveError(f"absolute path: {name!r}")
    if ".." in name.split("/"):
        raise UnsafeArchiveError(f"leads outside: {name!r}")
    path = PurePosixPath(name)
    if not path.parts:
        return None
    if not _is_plain_path(path):
        raise UnsafeArchiveError(f"unusable name: {name!r}")
    if len(path.parts) > limits.max_depth:
        raise UnsafeArchiveError(f"too deep: {name!r}")
    return path


def _is_plain_path(path: PurePosixPath) -> bool:
    return all(
        part not in ("", ".", "..")
        and "\\" not in part
        and part.isprintable()
        and len(part.encode("utf-8", "surrogateescape")) <= MAX_NAME_BYTES
        for part in path.parts
    )


def place(entries: Sequence[Entry], folder: Path) -> list[PurePosixPath]:
    """Write a whole new folder, or only what is missing in one that exists. Returns what was written.

    A new folder appears at once, complete; nothing that exists is ever changed.

    Raises:
        ExchangeFailedError: the disk is full, or something of the person's own is in the way.
    """
    try:
        if not folder.is_symlink() and not folder.exists():
            folder.parent.mkdir(parents=True, exist_ok=True)
            if _place_new(entries, folder):
                return [entry.path for entry in entries]
        return [entry.path for entry in entries if _write_missing(folder, entry)]
    except OSError as error:
        if error.errno in FULL:
            raise ExchangeFailedError(say("disk_full"), reason="disk_full") from error
        raise ExchangeFailedError(say("can_not_write", name=folder.name), reason="can_not_write") from error


def _place_new(entries: Sequence[Entry], folder: Path) -> bool:
    """Write aside, then rename; False when somebody else made the folder in the meantime."""
    aside = Path(tempfile.mkdtemp(prefix=".fetching-", dir=folder.parent))
    try:
        for entry in entries:
            _write_missing(aside, entry)
        aside.chmod(0o755)
        aside.rename(folder)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
            return False
        raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return True


def _write_missing(folder: Path, entry: Entry) -> bool:
    """Write one file unless something of that name exists. Never through a link."""
    parent = folder
    for part in ("", *entry.path.parts[:-1]):
        parent = parent / part if part else parent
        if parent.is_symlink() or (parent.exists() and not parent.is_dir()):
            raise ExchangeFailedError(say("can_not_write", name=entry.path), reason="can_not_write")
        parent.mkdir(exist_ok=True)
    target = parent / entry.path.name
    try:
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
    except FileExistsError:
        return False
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(entry.data)
    except OSError:
        target.unlink(missing_ok=True)
        raise
    return True


def replace(entries: Sequence[Entry], folder: Path) -> None:
    """Put a folder that is ours alone (a copy) in the place of the old one."""
    if folder.is_symlink():
        folder.unlink()
    elif folder.exists():
        shutil.rmtree(folder)
    place(entries, folder)
