"""The checker's own directory: the source's files as published, and data files that the learner handed in or made.

Used by replay.py. The learner's process works in another directory, which the checker never opens: what was handed in
comes from the host, what a cell of the learner's wrote crosses as bytes; both only as kinds that hold data, and never
over a file of the source.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import os
import sys
import tempfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from graders.inside import taint
from graders.inside.frames import FrameError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graders.inside.remote import Remote

# No kind that a library would execute on opening: no .py, .pkl, .npy, .ipynb, .so, .pth, .cfg.
SUFFIXES = (
    *(
        ".csv",
        ".tsv",
        ".txt",
        ".json",
        ".html",
        ".htm",
        ".css",
        ".js",
        ".md",
        ".xml",
        ".yml",
        ".yaml",
        ".log",
        ".sql",
    ),
    *(
        ".png",
        ".jpg",
        ".jpeg",
        ".gif",
        ".svg",
        ".parquet",
        ".db",
        ".sqlite",
        ".dat",
        ".out",
        ".ini",
        ".toml",
        "",
    ),
)
_BUDGET_BYTES = 8 << 20


class Workspace:
    """The directory in which the checker's cells run."""

    def __init__(self, files: list[dict[str, Any]]) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="checker-"))
        self._published: set[str] = set()
        for entry in files:
            path = safe_path(entry["path"])
            from_source = entry.get("from") == "source"
            if from_source or path.suffix.lower() in SUFFIXES:
                target = self.root / path
                target.parent.mkdir(parents=True, exist_ok=True)
                content = base64.b64decode(entry["data_b64"])
                target.write_bytes(content)
                if not from_source:
                    _hear(content)
            if from_source:
                self._published.add(str(path))
        self._folder = ""
        self._synced_at = -1

    def enter(self, folder: str) -> None:
        """Make a folder the working directory of the cells to come."""
        self._folder = folder
        self._synced_at = -1
        (self.root / folder).mkdir(parents=True, exist_ok=True)
        os.chdir(self.root / folder)

    @contextlib.contextmanager
    def following(self, remote: Remote) -> Iterator[None]:
        """While a test runs, bring the learner's files over whenever one in this directory is about to be looked at."""
        _following.append((self, remote))
        look = os.stat

        def stat(path: Any, *more: Any, **keywords: Any) -> os.stat_result:
            self._look_at(path, remote)
            return look(path, *more, **keywords)

        os.stat = stat
        try:
            yield
        finally:
            os.stat = look
            _following.pop()

    def _look_at(self, path: Any, remote: Remote) -> None:
        if (
            self._synced_at == remote.runs
            or remote.gone is not None
            or not isinstance(path, (str, os.PathLike))
        ):
            return
        if not os.path.isabs(path) or str(path).startswith(str(self.root)):  # noqa: PTH117 - must not call stat
            self._synced_at = remote.runs
            self.fetch(remote)

    def fetch(self, remote: Remote) -> bool:
        """Bring over the data files that the learner's code made or changed; True when any came.

        Raises:
            LearnerGoneError: the learner's process sent something else.
        """
        reply = remote.request("files", suffixes=list(SUFFIXES), budget=_BUDGET_BYTES)
        if "raised" in reply:
            return False
        try:
            taken = [
                self._take(entry) for entry in _listed(reply.get("files"))
            ]  # all of them, not up to the first
            return any(taken)
        except (FrameError, ValueError, OSError) as error:
            remote.end("tampered", f"malformed files: {type(error).__name__}")

    def _take(self, entry: Any) -> bool:
        if type(entry) is not list or len(entry) != 2 or not all(type(part) is str for part in entry):  # noqa: PLR2004
            raise FrameError("a malformed file")
        path = safe_path(entry[0])
        if path.suffix.lower() not in SUFFIXES:
            raise FrameError("a file of a kind that does not cross")
        whole = str(PurePosixPath(self._folder) / path)
        if whole in self._published:
            return False
        target = self.root / whole
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            content = base64.b64decode(entry[1], validate=True)
            _hear(content)
            target.write_bytes(content)
        except binascii.Error as error:
            raise FrameError("a malformed file") from error
        return True


_following: list[tuple[Workspace, Remote]] = []
_LOOKS = frozenset({"open", "os.listdir", "os.scandir", "glob.glob", "sqlite3.connect"})


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if event in _LOOKS and _following and arguments:
        workspace, remote = _following.pop()  # what fetching itself opens is not looked at
        try:
            workspace._look_at(arguments[0], remote)  # noqa: SLF001 - the hook is this class's own
        finally:
            _following.append((workspace, remote))


def watch_files() -> None:
    """Have Python tell of every file that is opened; for the checker's process alone, once."""
    sys.addaudithook(_audit)


def _hear(content: bytes) -> None:
    taint.heard(b"")
    text = content.decode("utf-8", "replace")
    if taint.may_act(text):
        taint.heard(text)


def _listed(files: Any) -> list[Any]:
    if type(files) is not list or len(files) > 2_000:  # noqa: PLR2004
        raise FrameError("malformed files")
    return files


def safe_path(name: Any) -> PurePosixPath:
    """Check a relative path that stays within its folder.

    Raises:
        ValueError: it does not.
    """
    path = PurePosixPath(name)
    if path.is_absolute() or not path.parts or ".." in path.parts or "\0" in name or len(name) > 500:  # noqa: PLR2004
        raise ValueError(f"not a path within the exercise: {name!r}")
    return path
