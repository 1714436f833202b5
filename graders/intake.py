"""The border: a submission's folder, read without trust into memory.

Called by the pipeline. Regular files only, opened without following links, within limits of size, number, depth
and names. What is read here is what is graded: nothing goes back to the folder. Raises SubmissionError with one
clear sentence. It must not know the source.
"""

from __future__ import annotations

import os
import re
import stat
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from graders.errors import SubmissionError
from graders.notebook import SubmittedNotebook, parse_notebook

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES = 20 * 1024 * 1024
MAX_FILES = 200
MAX_DEPTH = 6
MAX_NAME_BYTES = 150
IGNORED = frozenset({".ipynb_checkpoints", "__pycache__", ".DS_Store", ".git", "timestamp.txt"})

_NAME = re.compile(r"[\w.][\w .()\[\]+,=@#&'!~$%{}^-]*", re.UNICODE)
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_OPEN_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Submission:
    """What was handed in, as it is graded."""

    notebooks: dict[str, SubmittedNotebook]
    files: dict[str, bytes] = field(repr=False, default_factory=dict)  # all others, by path


def read_submission(folder: Path, names: frozenset[str]) -> Submission:
    """Read a submission's folder.

    Args:
        folder: where it lies.
        names: the source's notebooks; other notebooks are files like any other.

    Raises:
        SubmissionError: something in it can't be taken; nothing is graded.
    """
    tree = _Reader().read(folder)
    notebooks = {
        name: parse_notebook(name, tree.pop(f"{name}.ipynb"))
        for name in sorted(names)
        if f"{name}.ipynb" in tree
    }
    if not notebooks:
        raise SubmissionError("no_notebook", files=", ".join(f"{name}.ipynb" for name in sorted(names)))
    return Submission(notebooks, tree)


class _Reader:
    """Walks one folder, counting."""

    def __init__(self) -> None:
        self._tree: dict[str, bytes] = {}
        self._folded: set[str] = set()
        self._bytes = 0
        self._entries = 0

    def read(self, folder: Path) -> dict[str, bytes]:
        try:
            top = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError:
            raise SubmissionError("no_folder") from None
        self._walk(top, "", 1)
        return self._tree

    def _walk(self, directory: int, prefix: str, depth: int) -> None:
        """Read one open directory, and close it."""
        try:
            for name in sorted(os.listdir(directory)):
                if name in IGNORED:
                    continue
                self._entries += 1
                if self._entries > MAX_FILES:
                    raise SubmissionError("too_many_files", most=MAX_FILES)
                self._check_name(name, prefix)
                self._take(directory, name, prefix + name, depth)
        finally:
            os.close(directory)

    def _take(self, directory: int, name: str, path: str, depth: int) -> None:
        try:
            kind = os.stat(name, dir_fd=directory, follow_symlinks=False)
            if stat.S_ISDIR(kind.st_mode):
                if depth >= MAX_DEPTH:
                    raise SubmissionError("too_deep", most=MAX_DEPTH)
                below = os.open(name, _OPEN_FLAGS | os.O_DIRECTORY, dir_fd=directory)
                self._walk(below, f"{path}/", depth + 1)
                return
            if not stat.S_ISREG(kind.st_mode) or kind.st_nlink != 1:
                raise SubmissionError("not_a_regular_file", file=_shown(path))
            self._tree[path] = self._contents(directory, name, path)
        except OSError:
            raise SubmissionError("file_unreadable", file=_shown(path)) from None

    def _contents(self, directory: int, name: str, path: str) -> bytes:
        with os.fdopen(os.open(name, _OPEN_FLAGS, dir_fd=directory), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise SubmissionError("not_a_regular_file", file=_shown(path))
            data = file.read(MAX_BYTES - self._bytes + 1)
        self._bytes += len(data)
        if self._bytes > MAX_BYTES:
            raise SubmissionError("too_large", megabytes=MAX_BYTES // 2**20)
        return data

    def _check_name(self, name: str, prefix: str) -> None:
        try:
            size = len(name.encode("utf-8"))
        except UnicodeEncodeError:
            raise SubmissionError("bad_name", file=_shown(name)) from None
        plain = (
            _NAME.fullmatch(unicodedata.normalize("NFC", name))
            and name not in (".", "..")
            and not name.endswith((".", " "))
        )
        folded = unicodedata.normalize("NFC", prefix + name).casefold()
        if not plain or size > MAX_NAME_BYTES or _RESERVED.fullmatch(name) or folded in self._folded:
            raise SubmissionError("bad_name", file=_shown(name))
        self._folded.add(folded)


def _shown(name: str) -> str:
    """Return a file's name as it can be shown: what doesn't print becomes a question mark."""
    return (
        "".join(char if char.isprintable() else "?" for char in name)[:80].encode("utf-8", "replace").decode()
    )
