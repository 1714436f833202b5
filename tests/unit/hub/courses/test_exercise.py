from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from hub.courses.exercise import assignment_files, load_exercise
from hub.errors import InvalidExerciseError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.hub.courses.conftest import SmallExercise


def test_an_exercise_is_read_whole(small: SmallExercise) -> None:
    exercise = load_exercise(small.folder)
    assert (exercise.track, exercise.slug, list(exercise.notebooks)) == ("maths", "add", ["add"])
    assert (exercise.title("fr"), exercise.summary("nl")) == ("Additionner", "Tel twee getallen op.")
    assert exercise.hints("nl", "sums") == ("Gebruik een teken.",)
    assert exercise.hints("nl") == ("Gebruik +.",)
    assert exercise.message("add(1, 2) gives -1.", "fr") == "add(1, 2) donne -1."
    assert [answer.right for answer in exercise.answers] == [True, False, False, False]


def test_track_and_slug_can_be_given(small: SmallExercise) -> None:
    exercise = load_exercise(small.folder, track="data", slug="sum")
    assert (exercise.track, exercise.slug) == ("data", "sum")


def test_the_source_tree_has_files_beside_the_notebook_and_nothing_for_authors(small: SmallExercise) -> None:
    small.write("files/data/a.csv", "1")
    small.write("checks/hidden/test_add.py", "")
    small.write("generator.py", "")
    small.write("files/__pycache__/x.pyc", "")
    assert sorted(assignment_files(load_exercise(small.folder))) == ["add.ipynb", "data/a.csv", "notes.txt"]


def test_a_plain_nbgrader_folder_is_delivered_whole(small: SmallExercise, tmp_path: Path) -> None:
    folder = tmp_path / "plain"
    folder.mkdir()
    (folder / "problem1.ipynb").write_bytes((small.folder / "add.ipynb").read_bytes())
    (folder / "jupyter.png").write_bytes(b"\x89PNG")
    exercise = load_exercise(folder)
    assert exercise.title("nl") == "plain"
    assert sorted(assignment_files(exercise)) == ["jupyter.png", "problem1.ipynb"]


def test_two_files_of_one_name_are_refused(small: SmallExercise) -> None:
    small.write("files/add.ipynb", "{}")
    with pytest.raises(InvalidExerciseError, match=r"files/add\.ipynb"):
        load_exercise(small.folder)


def test_links_are_refused(small: SmallExercise, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    (small.folder / "files" / "link.txt").symlink_to(tmp_path / "secret")
    with pytest.raises(InvalidExerciseError, match="a link can't be part"):
        assignment_files(load_exercise(small.folder))


def test_a_linked_sheet_is_refused(small: SmallExercise, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("title: x")
    (small.folder / "exercise.yml").unlink()
    (small.folder / "exercise.yml").symlink_to(tmp_path / "secret")
    with pytest.raises(InvalidExerciseError, match="a link can't be part"):
        load_exercise(small.folder)


def test_an_edited_file_must_exist(small: SmallExercise) -> None:
    small.edit("exercise.yml", "edits: [notes.txt]", "edits: [index.html]")
    with pytest.raises(InvalidExerciseError, match=r"edits: index\.html is not in files/"):
        load_exercise(small.folder)


@pytest.mark.parametrize(
    "text", ["", "{}", "[1]", '{"cells": 3, "nbformat": 4, "nbformat_minor": 5}', "no json"]
)
def test_a_broken_notebook_is_named(small: SmallExercise, text: str) -> None:
    small.write("add.ipynb", text)
    with pytest.raises(InvalidExerciseError, match=r"add\.ipynb"):
        load_exercise(small.folder)


@pytest.mark.parametrize(
    ("i18n", "named"),
    [({"de": "x"}, r"i18n\.de"), ({"fr": 3}, r"i18n\.fr"), (["x"], "one key per language")],
)
def test_broken_translations_are_named(small: SmallExercise, i18n: object, named: str) -> None:
    data = json.loads((small.folder / "add.ipynb").read_text())
    data["cells"][0]["metadata"]["atelier"]["i18n"] = i18n
    small.write("add.ipynb", json.dumps(data))
    with pytest.raises(InvalidExerciseError, match=named):
        load_exercise(small.folder)


def test_a_folder_without_a_notebook_says_what_to_write(small: SmallExercise) -> None:
    (small.folder / "add.ipynb").unlink()
    with pytest.raises(InvalidExerciseError, match=r"write add\.ipynb"):
        load_exercise(small.folder)


def test_a_wrong_answer_without_a_score_is_refused(small: SmallExercise) -> None:
    (small.folder / "answers/wrong-minus/expected.yml").unlink()
    with pytest.raises(InvalidExerciseError, match="how many points"):
        load_exercise(small.folder)


def test_an_answer_is_right_or_wrong(small: SmallExercise) -> None:
    small.answer("nearly", "return 3")
    with pytest.raises(InvalidExerciseError, match="begin it with"):
        load_exercise(small.folder)
