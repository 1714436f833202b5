"""A small exercise to spoil: one function, one task, three languages, a right answer and three wrong ones."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

SHEET = """\
title: {en: Add, fr: Additionner, nl: Optellen}
summary: {en: Add two numbers., fr: Additionnez deux nombres., nl: Tel twee getallen op.}
edits: [notes.txt]
hints:
  - task: sums
    text: {en: Use a sign., fr: Utilisez un signe., nl: Gebruik een teken.}
  - text: {en: Use +., fr: Utilisez +., nl: Gebruik +.}
messages:
  "add({first}, 2) gives {got}.": {fr: "add({first}, 2) donne {got}.", nl: "add({first}, 2) geeft {got}."}
  "Zero counts too.": {fr: Zéro compte aussi., nl: Nul telt ook.}
comments:
  "Return the sum.": {fr: Renvoie la somme., nl: Geeft de som terug.}
"""
STUB = 'def add(first, second):\n    """Return the sum."""\n'
SOLUTION = STUB + "    ### BEGIN SOLUTION\n    return first + second\n    ### END SOLUTION"
TEST = """\
got = add(1, 2)
assert got == 3, "add({first}, 2) gives {got}.".format(first=1, got=got)
### BEGIN HIDDEN TESTS
assert add(0, 0) == 0, "Zero counts too."
### END HIDDEN TESTS"""


def code_cell(grade_id: str, source: str, **meta: Any) -> dict[str, Any]:
    """Return a code cell of nbgrader's schema 3."""
    nbgrader = {"schema_version": 3, "grade_id": grade_id, "task": False, **meta}
    return {
        "cell_type": "code",
        "id": grade_id,
        "metadata": {"nbgrader": nbgrader},
        "source": source,
        "outputs": [],
        "execution_count": None,
    }


def notebook(solution: str = SOLUTION, test: str = TEST) -> dict[str, Any]:
    """Return the notebook of the small exercise."""
    intro = {"atelier": {"i18n": {"fr": ["# Additionner\n", "Allez-y."], "nl": "# Optellen\nBegin maar."}}}
    return {
        "cells": [
            {"cell_type": "markdown", "id": "intro", "metadata": intro, "source": "# Add\nGo on."},
            code_cell("add", solution, grade=False, locked=False, solution=True),
            code_cell("sums", test, grade=True, locked=True, solution=False, points=2),
        ],
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


class SmallExercise:
    """The folder of the small exercise, and ways to spoil it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.write("exercise.yml", SHEET)
        self.write("add.ipynb", json.dumps(notebook()))
        self.write("files/notes.txt", "# Return the sum.\n")
        self.answer("right-plus", "return first + second")
        self.answer("wrong-minus", "return first - second", score=0)
        self.answer("wrong-first", "return first", score=0)
        self.answer("wrong-text", "return f'{first}{second}'", score=0)

    def write(self, path: str, text: str) -> None:
        """Write one file of the folder."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace a text in one file of the folder; it must be there."""
        text = (self.folder / path).read_text(encoding="utf-8")
        assert old in text
        self.write(path, text.replace(old, new))

    def notebook(self, **cells: str) -> None:
        """Write the notebook anew, with another `solution` or `test`."""
        self.write("add.ipynb", json.dumps(notebook(**cells)))

    def answer(self, name: str, body: str, score: float | None = None) -> None:
        """Write a model answer."""
        self.write(f"answers/{name}/add.ipynb", json.dumps(notebook(f"{STUB}    {body}")))
        if score is not None:
            self.write(f"answers/{name}/expected.yml", f"score: {score}\n")


@pytest.fixture
def small(tmp_path: Path) -> SmallExercise:
    """Return a small exercise that every rule is content with."""
    return SmallExercise(tmp_path / "maths" / "add")
