"""Fixtures for the host side of grading: the smallest exercise, and a way to grade an answer to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from graders.pipeline import Books, grade
from graders.recipe import RecipeBook
from graders.results import GradingJob, GradingResult
from tests.doubles import notebooks
from tests.doubles.sandbox import ScriptedSandbox

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Grade = "Callable[..., GradingResult]"


@pytest.fixture
def source_dir(tmp_path: Path) -> Path:
    return notebooks.write(tmp_path / "source", {"double": notebooks.exercise()}, {"data.csv": b"a,b\n"})


@pytest.fixture
def grade_answer(tmp_path: Path, source_dir: Path) -> Callable[..., GradingResult]:
    def run(
        submitted: Any = None,
        sandbox: ScriptedSandbox | None = None,
        books: Books | None = None,
        files: dict[str, bytes] | None = None,
        **job: Any,
    ) -> GradingResult:
        sandbox = sandbox or ScriptedSandbox()
        names = {"double": submitted if submitted is not None else notebooks.answer()}
        folder = notebooks.write(tmp_path / "submission", names, files)
        work = GradingJob(
            **{
                "submission_id": "s1",
                "course": "web",
                "assignment": "double",
                "learner": "ada",
                "source_dir": source_dir,
                "submission_dir": folder,
                **job,
            }
        )
        return grade(work, sandbox, recipes=RecipeBook(tmp_path / "recipes", sandbox), books=books)

    return run
