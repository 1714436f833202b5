"""Chooses what of a learner's folder is their work, and makes sure that its notebooks can be read safely.

Called by the service of submissions when something is handed in. Pure functions over bytes; they know no database.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from hub.errors import InvalidSubmissionError, TooLargeError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

NOTEBOOK_MAX_BYTES = 10 * 1024 * 1024
NOTEBOOK_MAX_DEPTH = 100
NOTEBOOK_MAX_CELLS = 2000
NBFORMAT = 4
NBFORMAT_MINOR_MAX = 20  # 5 today; readers ignore what a newer one adds
_STRING_OR_BRACKET = re.compile(
    rb'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL
)  # possessive: linear on any bytes

# Files that nobody hands in on purpose, or that steer a tool instead of being work. They are left out, not
# refused: they lie about in honest folders. An author who delivers one of these names gets it back.
LEFT_OUT_FOLDERS = frozenset({"__pycache__", "node_modules", "__MACOSX"})
LEFT_OUT_NAMES = frozenset(
    {
        "timestamp.txt",  # nbgrader's; the time is the server's
        "submission_secret.txt",
        "conftest.py",
        "pytest.ini",
        "tox.ini",
        "setup.cfg",
        "sitecustomize.py",
        "usercustomize.py",
        "nbgrader_config.py",
        "nbgrader_config.json",
        "jupyter_config.py",
        "jupyter_server_config.py",
        "jupyter_server_config.json",
        "ipython_config.py",
        "ipython_kernel_config.py",
        "desktop.ini",
        "Thumbs.db",
    }
)


@dataclass(frozen=True, slots=True)
class Intake:
    """What is kept of an archive, and what was left out of it."""

    files: dict[str, bytes]
    left_out: tuple[str, ...]
    missing: tuple[str, ...]  # notebooks of the exercise that are not there


def take_in(
    files: Mapping[str, bytes], notebooks: Collection[str], delivered: Collection[str] = ()
) -> Intake:
    """Choose what of a learner's folder is their work, and check the notebooks in it.

    Args:
        files: the archive's files by path.
        notebooks: names of the exercise's notebooks, without .ipynb.
        delivered: paths that the exercise itself delivers; none of them is left out.

    Raises:
        InvalidSubmissionError: none of the notebooks is there, or one can't be read.
    """
    wanted = {f"{name}.ipynb" for name in notebooks}
    kept: dict[str, bytes] = {}
    left_out: list[str] = []
    for path, data in files.items():
        if path in wanted:
            kept[path] = check_notebook(path, data)
        elif path in delivered or not _is_left_out(path):
            kept[path] = data
        else:
            left_out.append(path)
    missing = tuple(sorted(wanted - kept.keys()))
    if wanted and len(missing) == len(wanted):
        raise InvalidSubmissionError(
            "The notebook %(name)s is not there. Don't rename it: hand in the whole folder of the exercise.",
            name=missing[0],
        )
    return Intake(kept, tuple(left_out), missing)


def _is_left_out(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return (
        any(part.startswith(".") or part in LEFT_OUT_FOLDERS for part in parts)
        or parts[-1] in LEFT_OUT_NAMES
        or path.endswith((".ipynb", ".pyc"))  # another notebook is a scratch pad: no grader reads it
    )


def check_notebook(path: str, data: bytes) -> bytes:
    """Return the notebook's bytes, without a byte order mark, once it is sure that they can be read safely.

    Raises:
        TooLargeError: more bytes than a notebook has.
        InvalidSubmissionError: not JSON, not a notebook of format 4, or built to break readers.
    """
    if len(data) > NOTEBOOK_MAX_BYTES:
        raise TooLargeError(
            "The notebook %(name)s is too large: at most %(megabytes)s MB. Clear its outputs and save it again.",
            name=path,
            megabytes=NOTEBOOK_MAX_BYTES // (1024 * 1024),
        )
    data = data.removeprefix(b"\xef\xbb\xbf")
    if json_depth(data) > NOTEBOOK_MAX_DEPTH:
        raise _damaged(path, "it is nested too deep")
    try:
        notebook = json.loads(data.decode("utf-8"))
        json.dumps(notebook, ensure_ascii=False).encode(
            "utf-8"
        )  # a lone surrogate passes every reader but no writer
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        raise _damaged(path, "it is not JSON in UTF-8") from error
    problem = notebook_problem(notebook)
    if problem:
        raise _damaged(path, problem)
    return data


def _damaged(path: str, problem: str) -> InvalidSubmissionError:
    return InvalidSubmissionError(
        "The notebook %(name)s can't be read. Open it in JupyterLab, save it, and hand it in again.",
        name=path,
        log=f"{path}: {problem}",
    )


def json_depth(data: bytes) -> int:
    """Return how deep brackets are nested, before any parser recurses into them."""
    depth = deepest = 0
    for match in _STRING_OR_BRACKET.finditer(data):
        token = match[0]
        if token in (b"[", b"{"):
            depth += 1
            deepest = max(deepest, depth)
        elif token in (b"]", b"}"):
            depth -= 1
    return deepest


def notebook_problem(notebook: object) -> str | None:  # noqa: PLR0911 - one return for each thing that can be wrong
    """Return what keeps this from being a notebook of format 4, for the log, or None."""
    if not isinstance(notebook, dict):
        return "not an object"
    if type(notebook.get("nbformat")) is not int or notebook["nbformat"] != NBFORMAT:
        return f"nbformat {notebook.get('nbformat')!r:.20}"
    if (
        type(notebook.get("nbformat_minor")) is not int
        or not 0 <= notebook["nbformat_minor"] <= NBFORMAT_MINOR_MAX
    ):
        return "nbformat_minor"
    cells = notebook.get("cells")
    if not isinstance(notebook.get("metadata"), dict) or not isinstance(cells, list):
        return "no metadata or no cells"
    if len(cells) > NOTEBOOK_MAX_CELLS:
        return "too many cells"
    for index, cell in enumerate(cells):
        problem = _cell_problem(cell)
        if problem:
            return f"cell {index}: {problem}"
    return None


def _cell_problem(cell: object) -> str | None:
    if not isinstance(cell, dict) or cell.get("cell_type") not in ("code", "markdown", "raw"):
        return "cell_type"
    source = cell.get("source")
    lines = isinstance(source, list) and all(isinstance(line, str) for line in source)
    if not (lines or isinstance(source, str)):
        return "source"
    if not isinstance(cell.get("metadata"), dict):
        return "metadata"
    outputs = cell.get("outputs", [])
    if not isinstance(outputs, list) or not all(isinstance(output, dict) for output in outputs):
        return "outputs"
    return None
