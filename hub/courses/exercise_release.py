"""From an exercise's source to what learners get, and to the submissions that its model answers stand for.

Called by `hub.courses.exercise_check` and wherever an exercise is delivered. nbgrader's own preprocessors
take solutions and hidden tests out; no kernel is started and no gradebook is opened. Must not know where it
is sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import nbformat
from nbgrader.preprocessors import (
    CheckCellMetadata,
    ClearHiddenTests,
    ClearMarkScheme,
    ClearOutput,
    ClearSolutions,
    ComputeChecksums,
    LockCells,
)

from hub.courses.exercise import Answer, Exercise, assignment_files, localise_file, localise_notebook
from hub.courses.exercise_sheet import ExerciseSheet, invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbformat.notebooknode import NotebookNode

# The order of `nbgrader generate_assignment`, without the steps that need a kernel or the gradebook.
RELEASE_STEPS = (
    LockCells,
    ClearSolutions,
    ClearOutput,
    CheckCellMetadata,
    ClearHiddenTests,
    ClearMarkScheme,
    ComputeChecksums,
)


def release_notebook(notebook: NotebookNode, name: str) -> NotebookNode:
    """Return the notebook as learners get it: no solutions, no hidden tests, no outputs.

    Raises:
        InvalidExerciseError: nbgrader can't make a release of it; says why in nbgrader's words.
    """
    released: NotebookNode = nbformat.from_dict(notebook)  # type: ignore[no-untyped-call]
    resources = {"unique_key": name, "metadata": {"name": name}}
    for step in RELEASE_STEPS:
        try:
            released, resources = step(enabled=True).preprocess(released, resources)
        except (RuntimeError, ValueError, KeyError, AttributeError) as error:
            raise invalid(f"{name}.ipynb", step.__name__, str(error)) from error
    return released


def release_files(exercise: Exercise, language: str = "en") -> dict[str, bytes]:
    """Return what a learner who reads `language` gets, by path."""
    files = assignment_files(exercise)
    for name, notebook in exercise.notebooks.items():
        released = localise_notebook(release_notebook(notebook, name), language, exercise.sheet)
        files[f"{name}.ipynb"] = nbformat.writes(released).encode()  # type: ignore[no-untyped-call]
    return localise_files(files, language, exercise.sheet)


def localise_files(files: Mapping[str, bytes], language: str, sheet: ExerciseSheet) -> dict[str, bytes]:
    """Return the starter files with their comments in `language`; notebooks pass through."""
    return {
        path: data if path.endswith(".ipynb") else localise_file(path, data, language, sheet)
        for path, data in files.items()
    }


def answer_files(exercise: Exercise, answer: Answer) -> dict[str, bytes]:
    """Return the submission that a model answer stands for: the release, and the answer's files over it."""
    return release_files(exercise) | answer.files()


def reference_files(exercise: Exercise) -> dict[str, bytes]:
    """Return the source tree in its solved state: the author's notebooks, and the first right answer's
    other files.

    Publishing records against this how each test cell talks to the learner's objects. Where the work is in
    files (a page, an application), the starters in the source are not a solution, and the answer's files are.
    """
    files = assignment_files(exercise)
    right = next((answer for answer in exercise.answers if answer.right), None)
    if right:
        files |= {path: data for path, data in right.files().items() if not path.endswith(".ipynb")}
    return files
