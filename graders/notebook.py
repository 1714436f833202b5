"""A notebook that somebody handed in, parsed without trust: only cell types, texts and grade ids are taken.

Called by intake.py. Raises SubmissionError with a sentence for the learner; never a stack trace, whatever the
bytes are. Outputs, execution counts and all other metadata are dropped here and never seen again.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from graders.errors import SubmissionError

MAX_NOTEBOOK_BYTES = 10 * 1024 * 1024
MAX_DEPTH = 100
MAX_CELLS = 1000
MAX_TEXT = 2 * 1024 * 1024
NBFORMAT = 4
CELL_TYPES = frozenset({"code", "markdown", "raw"})

_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)
_GRADE_ID = re.compile(r"[a-zA-Z0-9_\-]{1,200}")


@dataclass(frozen=True, slots=True)
class SubmittedCell:
    """One cell as handed in."""

    cell_type: str
    source: str
    grade_id: str | None = None
    odd_metadata: bool = False  # its metadata had a wrong type and was ignored


@dataclass(frozen=True, slots=True)
class SubmittedNotebook:
    """One notebook as handed in."""

    name: str
    cells: tuple[SubmittedCell, ...]


def parse_notebook(name: str, data: bytes) -> SubmittedNotebook:
    """Parse the bytes of `name`.ipynb.

    Raises:
        SubmissionError: they are no notebook that can be graded.
    """
    file = f"{name}.ipynb"
    if len(data) > MAX_NOTEBOOK_BYTES:
        raise SubmissionError("notebook_too_large", file=file, megabytes=MAX_NOTEBOOK_BYTES // 2**20)
    if not data.strip():
        raise SubmissionError("notebook_empty", file=file)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise SubmissionError("notebook_not_utf8", file=file) from None
    if _depth(data) > MAX_DEPTH:
        raise SubmissionError("notebook_too_deep", file=file)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise SubmissionError("notebook_not_json", file=file) from None
    return SubmittedNotebook(name, _cells(file, value))


def _depth(data: bytes) -> int:
    """Return how deep brackets nest, at most: cheap, and before any parser recurses."""
    if data.count(b"[") + data.count(b"{") <= MAX_DEPTH:
        return 0
    depth = deepest = 0
    for match in _BRACKETS.finditer(data):
        token = match[0]
        if token in b"[{":
            depth += 1
            deepest = max(deepest, depth)
            if deepest > MAX_DEPTH:
                break
        elif token in b"]}":
            depth -= 1
    return deepest


def _cells(file: str, value: Any) -> tuple[SubmittedCell, ...]:
    if not isinstance(value, dict) or type(value.get("nbformat")) is not int:
        raise SubmissionError("notebook_not_a_notebook", file=file)
    if value["nbformat"] != NBFORMAT:
        raise SubmissionError(
            "notebook_wrong_format", file=file, found=min(max(value["nbformat"], -1), 10**6)
        )
    cells = value.get("cells")
    if not isinstance(cells, list):
        raise SubmissionError("notebook_not_a_notebook", file=file)
    if len(cells) > MAX_CELLS:
        raise SubmissionError("notebook_too_many_cells", file=file, cells=len(cells), most=MAX_CELLS)
    parsed = tuple(_cell(file, number, cell) for number, cell in enumerate(cells, start=1))
    if sum(len(cell.source) for cell in parsed) > MAX_TEXT:
        raise SubmissionError("notebook_too_large", file=file, megabytes=MAX_TEXT // 2**20)
    return parsed


def _cell(file: str, number: int, cell: Any) -> SubmittedCell:
    cell_type = cell.get("cell_type") if isinstance(cell, dict) else None
    if not isinstance(cell_type, str) or cell_type not in CELL_TYPES:
        raise SubmissionError("cell_without_type", file=file, number=number)
    source = cell.get("source", "")
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if not isinstance(source, str):
        raise SubmissionError("cell_without_text", file=file, number=number)
    try:
        source.encode("utf-8")
    except UnicodeEncodeError:
        raise SubmissionError("cell_half_character", file=file, number=number) from None
    grade_id, odd = _grade_id(cell.get("metadata", {}))
    return SubmittedCell(cell_type, source.replace("\r\n", "\n").replace("\r", "\n"), grade_id, odd)


def _grade_id(metadata: Any) -> tuple[str | None, bool]:
    if not isinstance(metadata, dict):
        return None, True
    own = metadata.get("nbgrader", {})
    if not isinstance(own, dict):
        return None, True
    grade_id = own.get("grade_id")
    if grade_id is None:
        return None, False
    if not isinstance(grade_id, str) or not _GRADE_ID.fullmatch(grade_id):
        return None, True
    return grade_id, False
