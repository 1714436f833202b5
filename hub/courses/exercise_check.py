"""The rules behind `atelier exercise check`: what is wrong with an exercise folder, and what to do about it.

Called by the command line, which brings the `grade` function (the whole sandboxed pipeline) and shows the
findings. Must not know the sandbox, the database or the terminal. The rules that need no grading are here;
those over graded model answers are in `hub.courses.exercise_trial`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from hub.courses.exercise import (
    KNOWN_PARTS,
    NOT_SOURCE,
    SHEET,
    TEXT_SUFFIXES,
    Exercise,
    load_exercise,
)
from hub.courses.exercise_finding import Finding, Severity
from hub.courses.exercise_release import release_files, release_notebook
from hub.courses.exercise_texts import check_languages, check_messages
from hub.errors import InvalidExerciseError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nbformat.notebooknode import NotebookNode

WRONG_ANSWERS = 3
NBGRADER_SCHEMA = 3
_REGION = re.compile(
    r"###\s*BEGIN (?:SOLUTION|HIDDEN TESTS)(.*?)###\s*END (?:SOLUTION|HIDDEN TESTS)", re.DOTALL
)
_MARKERS = ("BEGIN SOLUTION", "BEGIN HIDDEN TESTS", "BEGIN MARK SCHEME")
_TELLING = 12  # a line of a solution shorter than this gives nothing away


def check_folder(folder: Path) -> tuple[Exercise | None, list[Finding]]:
    """Apply every rule that needs no grading.

    Returns:
        The exercise, or None when it can't be read, and the findings; an empty list is a good exercise. What
        is wrong with a notebook's ids and points comes alone: nothing further can be checked before.
    """
    try:
        exercise = load_exercise(folder)
        findings = [*check_parts(exercise), *check_notebooks(exercise)]
        if any(finding.rule == "notebook" for finding in findings):
            return exercise, findings
        findings += [
            *check_languages(exercise),
            *check_messages(exercise),
            *check_tasks(exercise),
            *check_release(exercise),
            *check_answers(exercise),
        ]
    except InvalidExerciseError as error:
        where = str(error.values.get("file", folder.name))
        return None, [
            Finding("readable", where, str(error), "Put this right first; nothing else was checked.")
        ]
    return exercise, findings


def check_parts(exercise: Exercise) -> Iterator[Finding]:
    """Files beside the sheet that nobody would ever get."""
    if not exercise.has_sheet:
        advice = (
            f"Write {SHEET} with a title, a summary, a level and hints; docs/authoring.md has an example."
        )
        yield Finding("sheet", exercise.slug, f"there is no {SHEET}", advice, Severity.WARNING)
        return
    for path in sorted(exercise.folder.iterdir()):
        known = path.name in KNOWN_PARTS | NOT_SOURCE or (path.is_file() and path.suffix == ".ipynb")
        if not known:
            advice = "Move it into files/ when learners need it; otherwise take it out of the folder."
            yield Finding("parts", path.name, "this file is not delivered to learners", advice)


def check_notebooks(exercise: Exercise) -> Iterator[Finding]:
    """What nbgrader and the gradebook need: ids, the schema, points."""
    for name, notebook in exercise.notebooks.items():
        file = f"{name}.ipynb"
        if (notebook.nbformat, notebook.nbformat_minor) < (4, 5):
            yield Finding(
                "notebook", file, "the format is older than 4.5", "Open it in JupyterLab 4 and save it."
            )
        seen: set[str] = set()
        graded = 0
        for cell in notebook.cells:
            meta = cell.metadata.get("nbgrader")
            if meta is None:
                continue
            grade_id = str(meta.get("grade_id", ""))
            where = f"{file}, cell {grade_id or '?'}"
            if meta.get("schema_version") != NBGRADER_SCHEMA:
                yield Finding(
                    "notebook", where, "old nbgrader metadata", "Run `nbgrader update` on the notebook."
                )
            if not grade_id or grade_id in seen:
                yield Finding(
                    "notebook", where, "the id is missing or used twice", "Give each cell its own id."
                )
            seen.add(grade_id)
            if meta.get("grade"):
                graded += 1
                if not float(meta.get("points", 0)) > 0:
                    yield Finding("notebook", where, "the cell gives no points", "Give it one point or more.")
        if not graded:
            yield Finding("notebook", file, "no cell gives points", "Add a test cell with points.")


def check_tasks(exercise: Exercise) -> Iterator[Finding]:
    """Hints belong to tasks that exist, and there are at least two steps of help."""
    if not exercise.has_sheet:
        return
    tasks = set(grade_points(exercise))
    for number, hint in enumerate(exercise.sheet.hints):
        if hint.task is not None and hint.task not in tasks:
            advice = f"Write one of: {', '.join(sorted(tasks))}."
            yield Finding("hints", f"{SHEET}, hints.{number}", f"there is no task {hint.task!r}", advice)
    if len(exercise.sheet.hints) < 2:  # noqa: PLR2004 - a first step and a second one
        yield Finding(
            "hints", SHEET, "there are fewer than two hints", "Add a small push first, then a bigger one."
        )


def check_release(exercise: Exercise) -> Iterator[Finding]:
    """Nothing of the solution, the hidden tests or the model answers reaches a learner."""
    released = release_files(exercise)
    text = {path: data.decode(errors="replace") for path, data in released.items()}
    for path, content in text.items():
        for marker in _MARKERS:
            if marker in content:
                advice = "Check that BEGIN and END stand in the same cell, each on a line of its own."
                yield Finding("release", path, f"the release still holds {marker}", advice)
    # Data files may hold the rows that a hidden test is made of: only code and text can give away.
    starters = {path: content for path, content in text.items() if Path(path).suffix in TEXT_SUFFIXES}
    for name, notebook in exercise.notebooks.items():
        released_notebook = release_notebook(notebook, name)
        shown = {f"{name}.ipynb": "\n".join(cell.source for cell in released_notebook.cells), **starters}
        secret = _secret_lines(notebook)
        for path, content in shown.items():
            for line in sorted(secret & {line.strip() for line in content.splitlines()}):
                advice = "Keep it inside BEGIN and END, and out of the files."
                yield Finding("release", path, f"learners can read the line {line!r}", advice)


def _secret_lines(notebook: NotebookNode) -> set[str]:
    """Return the telling lines of solutions and hidden tests that the author shows nowhere in the notebook."""
    regions = [
        region
        for cell in notebook.cells
        if cell.cell_type == "code"
        for region in _REGION.findall(cell.source)
    ]
    outside = [_REGION.sub("", cell.source) for cell in notebook.cells]
    shown = {line.strip() for source in outside for line in source.splitlines()}
    lines = {line.strip() for region in regions for line in region.splitlines()} - shown
    return {line for line in lines if len(line) >= _TELLING}


def check_answers(exercise: Exercise) -> Iterator[Finding]:
    """There are model answers, and they fit the exercise."""
    if not exercise.has_sheet:
        return
    rights = [answer for answer in exercise.answers if answer.right]
    wrongs = [answer for answer in exercise.answers if not answer.right]
    if not rights:
        yield Finding(
            "answers", "answers/", "there is no right answer", "Add answers/right-… with the changed files."
        )
    if len(wrongs) < WRONG_ANSWERS:
        advice = f"Add {WRONG_ANSWERS - len(wrongs)} mistakes that learners really make, as answers/wrong-…"
        yield Finding("answers", "answers/", f"there are {len(wrongs)} wrong answers", advice)
    points = grade_points(exercise)
    known = set(release_files(exercise))
    for answer in exercise.answers:
        where = f"answers/{answer.name}"
        for path in answer.files():
            editable = path in exercise.sheet.edits or path.endswith(".ipynb")
            if not editable or path not in known:
                advice = f"Name the file as in files/ and list it under `edits:` in {SHEET}."
                yield Finding("answers", f"{where}/{path}", "learners don't change this file", advice)
        for grade_id, score in answer.expected.cells.items():
            if score > points.get(grade_id, -1.0):
                advice = f"The cells and their points: {points}."
                yield Finding("answers", f"{where}/expected.yml", f"{grade_id} can't give {score:g}", advice)
        if answer.expected.score is not None and answer.expected.score > sum(points.values()):
            yield Finding("answers", f"{where}/expected.yml", "more than all points", "Correct `score:`.")


def grade_points(exercise: Exercise) -> dict[str, float]:
    """Return the points of each grade cell, by grade_id, in the order of the notebooks."""
    return {
        str(cell.metadata.nbgrader.grade_id): float(cell.metadata.nbgrader.points)
        for notebook in exercise.notebooks.values()
        for cell in notebook.cells
        if cell.metadata.get("nbgrader", {}).get("grade")
    }
