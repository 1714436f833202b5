"""The exercises that Atelier brings along: complete, translated, and judged as their authors say."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest

from hub.courses.exercise import load_exercise
from hub.courses.exercise_check import grade_points
from hub.courses.exercise_release import release_files
from hub.courses.exercise_trial import check_exercise

Grade = Callable[[Path, Path], dict[str, Any]]
EXERCISES = sorted(
    sheet.parent for sheet in Path(__file__).parents[3].joinpath("exercises").glob("*/*/exercise.yml")
)
IDS = [f"{folder.parent.name}/{folder.name}" for folder in EXERCISES]
every_exercise = pytest.mark.parametrize("folder", EXERCISES, ids=IDS)


@every_exercise
def test_every_rule_holds(folder: Path, grade_in_process: Grade, tmp_path: Path) -> None:
    assert check_exercise(folder, grade_in_process, tmp_path, repeats=1) == []


@every_exercise
@pytest.mark.parametrize("language", ["en", "fr", "nl"])
def test_an_untouched_release_gets_nothing_in_any_language(
    folder: Path, language: str, grade_in_process: Grade, tmp_path: Path
) -> None:
    for path, data in release_files(load_exercise(folder), language).items():
        (tmp_path / path).write_bytes(data)
    assert grade_in_process(folder, tmp_path)["score"] == 0


@every_exercise
def test_it_has_three_to_five_tasks_and_two_steps_of_help_for_each(folder: Path) -> None:
    exercise = load_exercise(folder)
    tasks = grade_points(exercise)
    assert 3 <= len(tasks) <= 5
    assert sum(tasks.values()) == 10
    assert all(len(exercise.hints("nl", task)) >= 2 for task in tasks)


@every_exercise
@pytest.mark.parametrize("language", ["fr", "nl"])
def test_the_release_holds_no_english_sentence_of_the_source(folder: Path, language: str) -> None:
    exercise = load_exercise(folder)
    released = release_files(exercise, language)
    for name, notebook in exercise.notebooks.items():
        text = nbformat.reads(released[f"{name}.ipynb"].decode(), as_version=4)
        shown = "\n".join(cell.source for cell in text.cells)
        english = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
        english += [sentence for sentence in exercise.sheet.messages if sentence in shown]
        assert [sentence for sentence in english if sentence in shown] == []
        assert "YOUR CODE HERE" not in shown


@pytest.mark.parametrize(
    ("exercise", "file", "hidden_in"),
    [
        ("data/clean-table", "bike_counts.csv", {"table"}),
        ("security/find-the-attack", "access.log", {"count-failures", "attacker", "stolen", "report"}),
    ],
)
def test_data_is_what_the_generator_makes(exercise: str, file: str, hidden_in: set[str]) -> None:
    folder = next(path for path, name in zip(EXERCISES, IDS, strict=True) if name == exercise)
    generator = runpy.run_path(str(folder / "generator.py"))
    assert (folder / "files" / file).read_text(encoding="utf-8") == generator["visible_text"]()
    (notebook,) = load_exercise(folder).notebooks.values()
    holding = {
        cell.metadata.nbgrader.grade_id
        for cell in notebook.cells
        if generator["hidden_text"]() in cell.source.replace('""".splitlines()', "")
    }
    assert holding == hidden_in


@every_exercise
def test_addresses_are_from_the_ranges_for_documentation(folder: Path) -> None:
    import re

    allowed = ("192.0.2.", "198.51.100.", "203.0.113.", "126.0.", "537.36", "605.1.15")
    for file in folder.rglob("*"):
        if file.is_file():
            found = re.findall(r"\b\d{1,3}(?:\.\d{1,3}){3}\b", file.read_text(encoding="utf-8"))
            assert all(address.startswith(allowed) for address in found)
