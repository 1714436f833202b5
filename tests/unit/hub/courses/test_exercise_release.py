from __future__ import annotations

from typing import TYPE_CHECKING

import nbformat
import pytest

from hub.courses.exercise import load_exercise
from hub.courses.exercise_release import answer_files, reference_files, release_files
from hub.errors import InvalidExerciseError

if TYPE_CHECKING:
    from tests.unit.hub.courses.conftest import SmallExercise


def test_learners_get_neither_solution_nor_hidden_tests(small: SmallExercise) -> None:
    released = release_files(load_exercise(small.folder))
    text = released["add.ipynb"].decode()
    assert sorted(released) == ["add.ipynb", "notes.txt"]
    assert "return first + second" not in text
    assert "Zero counts" not in text
    assert "raise NotImplementedError()" in text


def test_the_release_is_in_the_learners_language(small: SmallExercise) -> None:
    released = release_files(load_exercise(small.folder), "nl")
    cells = nbformat.reads(released["add.ipynb"].decode(), as_version=4).cells
    assert cells[0].source.startswith("# Optellen")
    assert "# HIER KOMT JOUW CODE" in cells[1].source
    assert released["notes.txt"].decode() == "# Geeft de som terug.\n"


def test_the_same_exercise_gives_the_same_bytes(small: SmallExercise) -> None:
    assert release_files(load_exercise(small.folder), "fr") == release_files(
        load_exercise(small.folder), "fr"
    )


def test_a_test_cell_is_locked_and_keeps_its_points(small: SmallExercise) -> None:
    released = release_files(load_exercise(small.folder))
    test = nbformat.reads(released["add.ipynb"].decode(), as_version=4).cells[2]
    assert (test.metadata.nbgrader.points, test.metadata.editable, test.metadata.deletable) == (
        2,
        False,
        False,
    )


def test_an_unfinished_solution_region_is_an_error(small: SmallExercise) -> None:
    small.notebook(solution="def add(a, b):\n    ### BEGIN SOLUTION\n    return a + b")
    with pytest.raises(InvalidExerciseError, match=r"add\.ipynb: ClearSolutions"):
        release_files(load_exercise(small.folder))


def test_an_answer_is_the_release_with_its_files_over_it(small: SmallExercise) -> None:
    small.write("answers/right-plus/notes.txt", "done")
    exercise = load_exercise(small.folder)
    files = answer_files(exercise, exercise.answers[0])
    assert sorted(files) == ["add.ipynb", "notes.txt"]
    assert files["notes.txt"] == b"done"
    assert b"return first + second" in files["add.ipynb"]


def test_the_reference_is_solved_in_its_files_too(small: SmallExercise) -> None:
    small.write("answers/right-plus/notes.txt", "done")
    reference = reference_files(load_exercise(small.folder))
    assert reference["notes.txt"] == b"done"
    assert b"BEGIN SOLUTION" in reference["add.ipynb"]
