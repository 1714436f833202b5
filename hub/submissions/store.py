"""Content-addressed files on disk: submissions, published exercises, feedback. Files first, then the
database.

Called by the services of courses and submissions. A blob that `put` has answered for is on the disk, whole,
under its SHA-256; a blob that was never answered for may be there or not, and is never seen in part. Must not
know what the bytes mean.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import tempfile
from pathlib import Path

from hub.errors import NotFoundError, UnavailableError

_DIGEST = re.compile(r"[0-9a-f]{64}")
_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class Store:
    """A folder of immutable blobs, each named by the SHA-256 of its bytes."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, data: bytes) -> str:
        """Keep `data` and return its digest; when this returns, a power cut can't take it away.

        Raises:
            UnavailableError: the disk is full or can't be written; nothing half-written is visible.
        """
        digest = hashlib.sha256(data).hexdigest()
        if self._holds(digest, len(data)):
            return digest
        try:
            self._write(self._path(digest), data)
        except OSError as error:
            raise _unavailable(error) from error
        return digest

    def get(self, digest: str) -> bytes:
        """Return the blob called `digest`, checked against its name.

        Raises:
            NotFoundError: there is none.
            UnavailableError: the disk gives back other bytes than it was given.
        """
        path = self._path(digest)
        try:
            data = path.read_bytes()
        except FileNotFoundError as error:
            raise NotFoundError("This file does not exist.", log=f"no blob {digest}") from error
        except OSError as error:
            raise _unavailable(error) from error
        if hashlib.sha256(data).hexdigest() != digest:
            raise UnavailableError(
                "A stored file is damaged. Your training centre has to restore it.",
                reason="damaged_file",
                log=f"blob {digest} does not match its digest",
            )
        return data

    def has(self, digest: str) -> bool:
        """Return True when the blob is there (it is not read)."""
        return self._path(digest).is_file()

    def _path(self, digest: str) -> Path:
        if not _DIGEST.fullmatch(digest):
            raise NotFoundError("This file does not exist.", log=f"not a digest: {digest[:80]!r}")
        return self._root / digest[:2] / digest

    def _holds(self, digest: str, size: int) -> bool:
        """True when the blob is whole. A damaged one is written again: this heals it.

        The bytes are compared by digest only where the size fits; reading costs less than syncing a second
        copy.
        """
        path = self._path(digest)
        try:
            if path.stat().st_size != size:
                return False
            return hashlib.sha256(path.read_bytes()).hexdigest() == digest
        except OSError:
            return False

    def _write(self, path: Path, data: bytes) -> None:
        self._ensure_folder(path.parent)
        # The temporary file lies in the same folder, so that the rename is one step of the file system.
        handle, temporary = tempfile.mkstemp(prefix=".part-", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).chmod(0o400)
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)

    def _ensure_folder(self, folder: Path) -> None:
        if folder.is_dir():
            return
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _unavailable(error: OSError) -> UnavailableError:
    if error.errno in _NO_SPACE:
        return UnavailableError(
            "The platform's disk is full, so this could not be kept. Nothing of your work is lost: "
            "it is still in your folder. Tell your training centre and send it again later.",
            reason="disk_full",
            log=str(error),
        )
    return UnavailableError(
        "The platform's storage does not answer. Your work is still in your folder: send it again later.",
        reason="storage_unavailable",
        log=str(error),
    )
