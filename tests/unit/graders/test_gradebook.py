"""nbgrader's gradebook through its own API: what is registered, what is written, what is never overwritten."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from nbgrader.api import Gradebook

from graders.errors import GradebookError
from graders.gradebook import is_registered, publish_to_gradebook
from graders.pipeline import Books
from graders.source import read_source
from tests.doubles.notebooks import RELEASED, answer, cell, exercise, notebook, write
from tests.doubles.sandbox import ScriptedSandbox

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning", "ignore::ResourceWarning")
ESSAY = {"kind": "markdown", "grade": True, "solution": True, "points": 3}
TASK = {"kind": "markdown", "task": True, "locked": True, "points": 4}
MORE = (cell("model", "essay", **ESSAY), cell("do", "task", **TASK), cell("K = 1", "locked", locked=True))


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'courses' / 'web' / 'gradebook.db'}"


def publish(url: str, folder: Path) -> None:
    publish_to_gradebook(url, "web", "double", read_source(folder))


def grades(url: str, learner: str = "ada") -> dict[str, tuple[Any, Any, bool]]:
    with Gradebook(url, "web") as book:
        return {
            item.name: (item.auto_score, item.manual_score, item.needs_manual_grade)
            for found in book.find_submission("double", learner).notebooks
            for item in found.grades
        }


def test_what_is_registered(url: str, source_dir: Path) -> None:
    write(source_dir, {"double": exercise(*MORE)})
    assert not is_registered(url, "web", "double")
    publish(url, source_dir)
    publish(url, source_dir)
    assert is_registered(url, "web", "double")
    with Gradebook(url, "web") as book:
        found = book.find_notebook("double", "double")
        assert {item.name: item.max_score for item in found.grade_cells} == {
            "double-check": 2.0,
            "essay": 3.0,
        }
        assert {item.name for item in found.solution_cells} == {"double", "essay"}
        assert {item.name: item.max_score for item in found.task_cells} == {"task": 4.0}
        locked = {item.name: item.locked for item in found.source_cells}
        assert locked == {"double": False, "double-check": True, "essay": False, "task": True, "locked": True}
        assert "HIDDEN TESTS" in book.find_source_cell("double-check", "double", "double").source
        assert book.find_assignment("double").course_id == "web"


def test_scores_are_written_and_humans_keep_theirs(url: str, source_dir: Path, grade_answer: Any) -> None:
    write(source_dir, {"double": exercise(*MORE)})
    submitted = answer(RELEASED, cell("Because.", "essay", **ESSAY), cell("do", "task", **TASK))
    grade_answer(submitted, books=Books(url))
    assert grades(url) == {
        "double-check": (2.0, None, False),
        "essay": (None, None, True),
        "task": (None, None, True),
    }
    with Gradebook(url, "web") as book:
        book.find_grade("double-check", "double", "double", "ada").manual_score = 1.5
        book.find_grade("essay", "double", "double", "ada").manual_score = 3.0
        book.db.commit()
    grade_answer(submitted, books=Books(url))
    found = grades(url)
    assert found["double-check"] == (2.0, 1.5, True)
    assert found["essay"] == (None, 3.0, True)


def test_an_empty_answer_is_0_and_says_so(url: str, source_dir: Path, grade_answer: Any) -> None:
    write(source_dir, {"double": exercise(*MORE)})
    grade_answer(answer(RELEASED, cell("YOUR ANSWER HERE", "essay", **ESSAY)), books=Books(url))
    assert grades(url)["essay"] == (0.0, None, False)
    with Gradebook(url, "web") as book:
        assert book.find_comment("essay", "double", "double", "ada").auto_comment == "No response."


def test_an_invalid_submission_writes_zeros(url: str, grade_answer: Any) -> None:
    grade_answer(b"nonsense", books=Books(url))
    assert grades(url) == {"double-check": (0.0, None, False)}


def test_the_servers_time_is_the_submissions(url: str, grade_answer: Any) -> None:
    grade_answer(books=Books(url), received_at_utc="2026-01-02T03:04:05+01:00")
    with Gradebook(url, "web") as book:
        assert str(book.find_submission("double", "ada").timestamp) == "2026-01-02 02:04:05"


def test_a_version_with_other_cells_is_refused_once_people_handed_in(
    url: str, source_dir: Path, grade_answer: Any
) -> None:
    publish(url, source_dir)
    write(source_dir, {"double": exercise(*MORE)})
    publish(url, source_dir)
    grade_answer(books=Books(url))
    write(source_dir, {"double": exercise()})
    with pytest.raises(GradebookError, match=r"double\.ipynb: cells were added or removed"):
        publish(url, source_dir)
    (source_dir / "double.ipynb").unlink()
    write(source_dir, {"other": notebook(*exercise()["cells"])})
    with pytest.raises(GradebookError, match="notebooks were removed"):
        publish(url, source_dir)


def test_a_corrected_check_under_the_same_ids_is_taken(url: str, source_dir: Path, grade_answer: Any) -> None:
    grade_answer(books=Books(url))
    book = exercise()
    book["cells"][3]["metadata"]["nbgrader"]["points"] = 5
    write(source_dir, {"double": book})
    result = grade_answer(books=Books(url), sandbox=ScriptedSandbox())
    assert result.score == 5.0
    assert grades(url)["double-check"] == (5.0, None, False)


def test_a_gradebook_that_cannot_be_opened_is_named(tmp_path: Path, source_dir: Path) -> None:
    (tmp_path / "broken.db").write_bytes(b"this is no database" * 100)
    with pytest.raises(GradebookError, match="the gradebook of web refused"):
        publish(f"sqlite:///{tmp_path / 'broken.db'}", source_dir)
