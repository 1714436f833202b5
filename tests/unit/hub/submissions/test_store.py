"""Blobs: whole or not there, checked when read, whatever the disk does."""

from __future__ import annotations

import errno
import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from hub.errors import NotFoundError, UnavailableError
from hub.submissions.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def files(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / "store").rglob("*") if path.is_file()]


def test_what_is_put_comes_back(store: Store) -> None:
    digest = store.put(b"work")
    assert digest == hashlib.sha256(b"work").hexdigest()
    assert store.get(digest) == b"work"
    assert store.has(digest)
    assert store.put(b"work") == digest
    assert store.get(store.put(b"")) == b""


def test_it_is_synced_before_it_is_answered_for(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    real_fsync, real_replace = os.fsync, Path.replace

    def fsync(handle: int) -> None:
        synced.append("folder" if Path(f"/proc/self/fd/{handle}").is_dir() else "file")
        real_fsync(handle)

    def replace(self: Path, target: Any) -> Path:
        synced.append("rename")
        return real_replace(self, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    store.put(b"x")
    assert synced[-3:] == ["file", "rename", "folder"]


def test_nothing_there_is_not_found(store: Store) -> None:
    for digest in ("0" * 64, "", "../../etc/passwd", "Z" * 64, "0" * 63 + "\n"):
        with pytest.raises(NotFoundError):
            store.get(digest)


def test_a_damaged_blob_is_noticed_and_healed_by_the_same_work(store: Store, tmp_path: Path) -> None:
    digest = store.put(b"work")
    (path,) = files(tmp_path)
    path.chmod(0o600)
    path.write_bytes(b"wurk")
    with pytest.raises(UnavailableError, match="damaged"):
        store.get(digest)
    assert store.put(b"work") == digest
    assert store.get(digest) == b"work"


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS])
def test_a_disk_that_refuses_leaves_nothing_behind(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    store.put(b"before")

    def refuse(_handle: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(UnavailableError) as refusal:
        store.put(b"work")
    full = code in (errno.ENOSPC, errno.EDQUOT)
    assert refusal.value.reason == ("disk_full" if full else "storage_unavailable")
    assert [path.name for path in files(tmp_path)] == [hashlib.sha256(b"before").hexdigest()]


def test_many_at_once(store: Store, tmp_path: Path) -> None:
    blobs = [str(n % 5).encode() * 1000 for n in range(60)]
    with ThreadPoolExecutor(12) as pool:
        digests = list(pool.map(store.put, blobs))
    assert [store.get(digest) for digest in digests] == blobs
    assert len(files(tmp_path)) == 5
