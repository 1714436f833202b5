"""A gradebook and a graded notebook as the platform's worker leaves them, made through nbgrader's own API."""

from __future__ import annotations

import json
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbgrader.api import Gradebook

if TYPE_CHECKING:
    from tests.doubles.exchange_api import ExchangeApi, Submitted


@lru_cache(maxsize=1)
def empty_gradebook() -> bytes:
    """A gradebook without rows; making one starts the alembic program, which takes seconds."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "empty.db"
        Gradebook(f"sqlite:///{path}", "web").close()
        return path.read_bytes()


def make_gradebook(
    path: Path, submission: Submitted, *, score: float = 1.0, manual: float | None = None
) -> bytes:
    """Write a gradebook with one graded submission of one notebook with a test cell and a written answer."""
    path.write_bytes(empty_gradebook())
    with Gradebook(f"sqlite:///{path}", submission.course) as book:
        book.add_assignment(submission.slug)
        book.add_notebook(submission.slug, submission.slug)
        book.add_grade_cell("q1", submission.slug, submission.slug, max_score=2, cell_type="code")
        book.add_grade_cell("essay", submission.slug, submission.slug, max_score=3, cell_type="markdown")
        book.add_solution_cell("essay", submission.slug, submission.slug)
        book.add_source_cell("q1", submission.slug, submission.slug, cell_type="code", source="assert x == 1")
        book.add_source_cell("essay", submission.slug, submission.slug, cell_type="markdown", source="Why?")
        book.add_student(submission.learner)
        book.add_submission(
            submission.slug, submission.learner, timestamp=submission.received_at.replace(tzinfo=None)
        )
        grade = book.find_grade("q1", submission.slug, submission.slug, submission.learner)
        grade.auto_score, grade.needs_manual_grade = score, False
        essay = book.find_grade("essay", submission.slug, submission.slug, submission.learner)
        essay.manual_score, essay.needs_manual_grade = manual, manual is None
        book.db.commit()
    return path.read_bytes()


def cell(
    kind: str, source: str, grade_id: str, *, grade: bool, solution: bool, points: int, **more: Any
) -> dict[str, Any]:
    metadata = {
        "grade_id": grade_id,
        "grade": grade,
        "solution": solution,
        "task": False,
        "locked": not solution,
        "points": points,
        "schema_version": 3,
        "cell_type": kind,
    }
    return {"cell_type": kind, "id": grade_id, "metadata": {"nbgrader": metadata}, "source": source, **more}


def make_graded_notebook(*, output: str = "<b>fine</b>", answer: str = "Because.") -> bytes:
    """Return an autograded notebook whose learner wrote an answer and made an output."""
    display = {
        "output_type": "display_data",
        "metadata": {},
        "data": {"text/html": output, "text/plain": "x"},
    }
    cells = [
        cell(
            "code",
            "assert x == 1",
            "q1",
            grade=True,
            solution=False,
            points=2,
            outputs=[display],
            execution_count=1,
        ),
        cell("markdown", answer, "essay", grade=True, solution=True, points=3),
    ]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


def hand_in_and_grade(api: ExchangeApi, path: Path, files: dict[str, bytes]) -> Submitted:
    """Let alice hand in page-one, and grade it."""
    api.add("alice")
    status, _, _ = api.answer(
        "POST",
        "/services/atelier/api/exchange/courses/web/assignments/page-one/submissions",
        {"Authorization": "token token-of-alice"},
        tar_of(files),
    )
    assert status == 201
    submission = api.submitted[-1]
    api.grade(submission, 1.0, feedback={"page-one.html": b"<p>"}, autograded=files)
    api.gradebooks["web"] = make_gradebook(path, submission)
    return submission


def tar_of(files: dict[str, bytes]) -> bytes:
    from tests.doubles.exchange_api import make_tar

    return make_tar(files)
