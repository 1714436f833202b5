from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from hub.courses.exercise_check import check_folder

if TYPE_CHECKING:
    from tests.unit.hub.courses.conftest import SmallExercise


def found(small: SmallExercise) -> list[tuple[str, str]]:
    return [(finding.rule, finding.problem) for finding in check_folder(small.folder)[1]]


def test_a_good_exercise_has_no_findings(small: SmallExercise) -> None:
    assert found(small) == []


def test_every_finding_says_where_and_what_to_do(small: SmallExercise) -> None:
    small.edit("exercise.yml", ", nl: Optellen", "")
    (finding,) = check_folder(small.folder)[1]
    assert finding.to_json() == {
        "rule": "languages",
        "where": "exercise.yml, title",
        "problem": "there is no Dutch text",
        "advice": "Write it under the key `nl`.",
        "severity": "error",
    }


def test_an_unreadable_exercise_is_one_finding(small: SmallExercise) -> None:
    small.write("exercise.yml", "title: x\nlevel: 7")
    exercise, (finding,) = check_folder(small.folder)
    assert exercise is None
    assert (finding.rule, finding.where) == ("readable", "exercise.yml")


@pytest.mark.parametrize(
    ("old", "new", "rule", "problem"),
    [
        (", nl: Gebruik +.", "", "languages", "there is no Dutch text"),
        ("fr: Zéro compte aussi., ", "", "languages", "there is no French text"),
        ("{fr: Renvoie la somme., nl: Geeft de som terug.}", "{}", "languages", "there is no French text"),
        ('"Zero counts too."', '"Zero counts."', "messages", "no check says 'Zero counts.'"),
        ("task: sums", "task: sum", "hints", "there is no task 'sum'"),
        (
            "  - text: {en: Use +., fr: Utilisez +., nl: Gebruik +.}\n",
            "",
            "hints",
            "there are fewer than two hints",
        ),
    ],
)
def test_the_sheet_is_complete(small: SmallExercise, old: str, new: str, rule: str, problem: str) -> None:
    small.edit("exercise.yml", old, new)
    assert (rule, problem) in found(small)


@pytest.mark.parametrize(
    ("test", "problem"),
    [
        ("assert add(1, 2) == 3", "the assert says nothing"),
        ('assert add(1, 2) == 3, f"{1} no"', "this message can't be translated"),
        ('assert add(1, 2) == 3, "Something else."', "no translation of 'Something else.'"),
        ('assert 0, "add({first}, 2) gives {got}.".format(first=1)', "got has no value"),
    ],
)
def test_messages_of_checks_can_be_translated(small: SmallExercise, test: str, problem: str) -> None:
    small.notebook(test=test)
    assert ("messages", problem) in found(small)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"grade_id": "add"}, "the id is missing or used twice"),
        ({"points": 0}, "the cell gives no points"),
        ({"grade": False}, "no cell gives points"),
    ],
)
def test_the_notebook_suits_nbgrader(small: SmallExercise, change: dict[str, object], problem: str) -> None:
    data = json.loads((small.folder / "add.ipynb").read_text())
    data["cells"][2]["metadata"]["nbgrader"].update(change)
    small.write("add.ipynb", json.dumps(data))
    assert ("notebook", problem) in found(small)


def test_a_markdown_cell_without_a_translation_is_found(small: SmallExercise) -> None:
    data = json.loads((small.folder / "add.ipynb").read_text())
    del data["cells"][0]["metadata"]["atelier"]["i18n"]["nl"]
    small.write("add.ipynb", json.dumps(data))
    assert found(small) == [("languages", "there is no Dutch text")]


def test_a_file_that_nobody_gets_is_found(small: SmallExercise) -> None:
    small.write("data.csv", "1")
    assert found(small) == [("parts", "this file is not delivered to learners")]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("def add(a, b):\n    return first + second\n", "learners can read the line 'return first + second'"),
        ("### BEGIN SOLUTION", "the release still holds BEGIN SOLUTION"),
    ],
)
def test_a_solution_in_a_starter_file_is_found(small: SmallExercise, text: str, problem: str) -> None:
    small.write("files/notes.txt", text)
    assert found(small) == [("release", problem)]


def test_a_plain_nbgrader_folder_only_lacks_a_sheet(small: SmallExercise) -> None:
    (small.folder / "exercise.yml").unlink()
    for name in ("answers", "files"):
        shutil.rmtree(small.folder / name)
    exercise, (finding,) = check_folder(small.folder)
    assert exercise is not None
    assert (finding.rule, finding.severity) == ("sheet", "warning")


def test_there_are_enough_answers(small: SmallExercise) -> None:
    for name in ("right-plus", "wrong-text"):
        shutil.rmtree(small.folder / "answers" / name)
    assert found(small) == [("answers", "there is no right answer"), ("answers", "there are 2 wrong answers")]


@pytest.mark.parametrize(
    ("path", "text", "problem"),
    [
        ("answers/wrong-minus/other.txt", "x", "learners don't change this file"),
        ("answers/wrong-minus/expected.yml", "score: 3", "more than all points"),
        ("answers/wrong-minus/expected.yml", "score: 0\ncells: {sums: 5}", "sums can't give 5"),
        ("answers/wrong-minus/expected.yml", "score: 0\ncells: {sum: 0}", "sum can't give 0"),
    ],
)
def test_answers_fit_the_exercise(small: SmallExercise, path: str, text: str, problem: str) -> None:
    small.write(path, text)
    assert ("answers", problem) in found(small)
