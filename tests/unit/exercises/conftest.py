"""Grades our own exercises in this process: quick, and only fit for work that we wrote ourselves.

Used by the tests of the exercises' content. The sandboxed pipeline has its own tests; here the question is
only whether checks and model answers agree. Cells come from the source, solution cells from the submission,
as in nbgrader. Returns the object that `atelier grade --json` prints.
"""

from __future__ import annotations

import contextlib
import io
import os
from typing import TYPE_CHECKING, Any

import nbformat
import pytest

from hub.courses.exercise import assignment_files, load_exercise

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def grade_in_process() -> Callable[[Path, Path], dict[str, Any]]:
    """Grade a submission folder against an exercise folder, in this process."""
    return _grade_in_process


def _grade_in_process(source: Path, submission: Path) -> dict[str, Any]:
    """Run one submission's cells in order and count the points of the test cells that raise nothing."""
    exercise = load_exercise(source)
    for path, data in assignment_files(exercise).items():
        if path not in exercise.sheet.edits and not path.endswith(".ipynb"):
            (submission / path).write_bytes(data)
    before = os.getcwd()  # noqa: PTH109 - put back below
    os.chdir(submission)
    try:
        notebooks = {
            name: _grade(notebook, submission / f"{name}.ipynb")
            for name, notebook in exercise.notebooks.items()
        }
    finally:
        os.chdir(before)
    return {
        "verdict": "graded",
        "score": sum(one["score"] for one in notebooks.values()),
        "max_score": sum(one["max_score"] for one in notebooks.values()),
        "notebooks": notebooks,
        "warnings": [],
        "seconds": {"total": 0.1},
    }


def _grade(source: Any, file: Path) -> dict[str, Any]:
    submitted = nbformat.read(file, as_version=4)
    theirs = {
        cell.metadata.nbgrader.grade_id: cell.source
        for cell in submitted.cells
        if "nbgrader" in cell.metadata
    }
    names: dict[str, Any] = {"__name__": "__main__"}
    cells: dict[str, Any] = {}
    for cell in source.cells:
        meta = cell.metadata.get("nbgrader")
        if cell.cell_type != "code" or meta is None:
            continue
        said = _run(theirs[meta.grade_id] if meta.solution else cell.source, names)
        if meta.grade and not meta.solution:
            points = float(meta.points)
            cells[meta.grade_id] = {
                "score": 0.0 if said else points,
                "max_score": points,
                "verdict": "failed" if said else "passed",
                "way": "isolated",
                "messages": [said] if said else [],
            }
    return {
        "score": sum(cell["score"] for cell in cells.values()),
        "max_score": sum(cell["max_score"] for cell in cells.values()),
        "cells": cells,
    }


def _run(source: str, names: dict[str, Any]) -> str:
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            exec(compile(source, "<cell>", "exec"), names)  # noqa: S102 - the exercise's own code
        except AssertionError as error:
            return str(error) or "AssertionError"
        except Exception as error:  # noqa: BLE001 - whatever a cell raises is a failed cell
            return f"{type(error).__name__}: {error}"
    return ""
