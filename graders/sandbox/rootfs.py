"""The grader image's files, laid out once a machine for the runtime, shared read-only by every sandbox.

Called by runc.py. A cache, keyed by the image's digest, made anew when it is missing. Whoever uses one holds a shared
lock on it; old ones that nobody holds are removed.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from graders.errors import SandboxError

if TYPE_CHECKING:
    import docker

CACHE = Path("/var/cache/atelier/rootfs")
"""Readable by root only: files of an image may be set-uid."""

UNUSED_S = 3600.0
"""One that nobody holds is kept this long: a worker may only be restarting."""

MOUNT_POINTS = ("proc", "dev", "sys", "tmp", "work")


@dataclass(slots=True)
class RootFs:
    """A root file system in use; closing it gives up the lock."""

    path: Path
    _lock: IO[bytes]

    def close(self) -> None:
        """Stop using it."""
        self._lock.close()


def open_rootfs(client: docker.APIClient, image: str, cache: Path = CACHE) -> RootFs:
    """Return the image's files, laid out first where they are not there.

    Args:
        client: the engine.
        image: the image's id (a digest).
        cache: where they are kept.

    Raises:
        SandboxError: the disk is full, or the image can't be exported.
    """
    cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = image.removeprefix("sha256:")[:24]
    lock = (cache / f"{name}.lock").open("ab")
    try:
        target = cache / name
        fcntl.flock(lock, fcntl.LOCK_SH)  # whoever uses it holds this one, and may hold it for long
        if not target.is_dir():
            fcntl.flock(lock, fcntl.LOCK_EX)  # one lays out; the others wait for it instead of doing the same
            if not target.is_dir():
                _lay_out(client, image, target)
            fcntl.flock(lock, fcntl.LOCK_SH)
        os.utime(target)
    except BaseException:
        lock.close()
        raise
    _remove_unused(cache, target)
    return RootFs(target, lock)


def _lay_out(client: docker.APIClient, image: str, target: Path) -> None:
    draft = Path(tempfile.mkdtemp(dir=target.parent, prefix="draft-"))
    container_id = client.create_container_from_config({"Image": image, "Cmd": ["true"]})["Id"]
    try:
        _unpack_export(client, container_id, draft)
        for mount_point in MOUNT_POINTS:
            (draft / mount_point).mkdir(exist_ok=True)
        draft.chmod(0o755)
        draft.rename(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        client.remove_container(container_id, force=True, v=True)


def _unpack_export(client: docker.APIClient, container_id: str, target: Path) -> None:
    """Unpack with tar(1): it keeps owners, modes and hard links, which Python's extraction filters change."""
    tar = subprocess.Popen(
        ["tar", "--extract", "--numeric-owner", "--same-permissions", "--directory", str(target)],
        stdin=subprocess.PIPE,
        env={"PATH": os.defpath},
    )
    assert tar.stdin is not None  # noqa: S101 - asked for above
    try:
        with tar.stdin:
            for piece in client.export(container_id):
                tar.stdin.write(piece)
    except BrokenPipeError:
        pass  # tar has given up; its exit code says so below
    if tar.wait() != 0:
        raise SandboxError("the grader image's files could not be laid out: is the disk full?")


def _remove_unused(cache: Path, current: Path) -> None:
    """Remove what nobody has used for a while, and drafts of processes that died."""
    long_ago = time.time() - UNUSED_S
    for path in cache.iterdir():
        if path == current or not path.is_dir() or path.stat().st_mtime > long_ago:
            continue
        with (cache / f"{path.name}.lock").open("ab") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue  # in use
            shutil.rmtree(path, ignore_errors=True)
