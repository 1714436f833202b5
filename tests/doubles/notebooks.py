"""Small exercises and submissions, built in memory."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

HIDDEN = "assert double(21) == 42 and double(-3) == -6"
TEST_SOURCE = f"assert double(2) == 4\n### BEGIN HIDDEN TESTS\n{HIDDEN}\n### END HIDDEN TESTS"
SOLUTION = "def double(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION"
RELEASED = "def double(x):\n    # YOUR CODE HERE\n    raise NotImplementedError()"
RIGHT = "def double(x):\n    return 2 * x"
WRONG = "def double(x):\n    return 0"


def cell(
    text: Any,
    grade_id: str | None = None,
    *,
    kind: str = "code",
    grade: bool = False,
    solution: bool = False,
    locked: bool = False,
    task: bool = False,
    points: float | None = None,
    **metadata: Any,
) -> dict[str, Any]:
    """Return one cell of nbformat 4."""
    if grade_id is not None:
        own: dict[str, Any] = {
            "grade_id": grade_id,
            "grade": grade,
            "solution": solution,
            "locked": locked,
            "schema_version": 3,
        }
        if task:
            own["task"] = True
        if points is not None:
            own["points"] = points
        metadata["nbgrader"] = own
    made = {"cell_type": kind, "metadata": metadata, "source": text}
    return made | {"outputs": [], "execution_count": None} if kind == "code" else made


def notebook(*cells: Any, **more: Any) -> dict[str, Any]:
    """Return a notebook of nbformat 4."""
    kernel = {"name": "python3", "language": "python", "display_name": "Python 3"}
    return {
        "nbformat": 4,
        "nbformat_minor": 4,
        "metadata": {"kernelspec": kernel},
        "cells": list(cells),
        **more,
    }


def solution(text: str = SOLUTION, grade_id: str = "double") -> dict[str, Any]:
    return cell(text, grade_id, solution=True)


def check(text: str = TEST_SOURCE, grade_id: str = "double-check", points: float = 2) -> dict[str, Any]:
    return cell(text, grade_id, grade=True, locked=True, points=points)


def exercise(*extra: Any) -> dict[str, Any]:
    """Return the source of the smallest exercise: one function, one check with a hidden part, 2 points."""
    return notebook(
        cell("# Double\n\nWrite `double`.", kind="markdown"),
        cell("start = 1"),
        solution(),
        check(),
        *extra,
    )


def answer(text: str = RIGHT, *extra: Any) -> dict[str, Any]:
    """Return a submission of it, as fetched and with `text` in the solution cell."""
    visible = "assert double(2) == 4"
    return notebook(
        cell("# Double\n\nWrite `double`.", kind="markdown"),
        cell("start = 1"),
        solution(text),
        check(visible),
        *extra,
    )


def write(folder: Path, notebooks: dict[str, Any], files: dict[str, bytes] | None = None) -> Path:
    """Write notebooks (objects, or bytes as they are) and files into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in notebooks.items():
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        (folder / f"{name}.ipynb").write_bytes(data)
    for path, data in (files or {}).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return folder
