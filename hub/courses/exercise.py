"""An exercise folder, read and checked: its sheet, its notebooks, its starter files, its model answers.

Called by the publishing service, the pages, the command line and `hub.courses.exercise_check`. It reads
folders and knows nothing of the database, of people or of HTTP. The format is docs/authoring.md.

Two kinds of folder are read. With exercise.yml it is an Atelier exercise: notebooks beside the sheet and
what is in files/ are delivered, nothing else. Without, it is a plain nbgrader source folder: everything in
it is delivered.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat

from hub.courses.exercise_language import localise_comments, localise_notebook, translate_message
from hub.courses.exercise_sheet import (
    LANGUAGES,
    ExerciseSheet,
    Expected,
    LocalText,
    invalid,
    parse_expected,
    parse_sheet,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nbformat.notebooknode import NotebookNode

    from graders.results import Limits

__all__ = ["LANGUAGES", "Answer", "Exercise", "assignment_files", "load_exercise", "localise_notebook"]

SHEET = "exercise.yml"
GENERATOR = "generator.py"  # makes the data in files/; for authors, never delivered
KNOWN_PARTS = frozenset({SHEET, GENERATOR, "README.md", "files", "checks", "answers"})
NOT_SOURCE = frozenset({"__pycache__", ".ipynb_checkpoints", ".git", ".DS_Store"})
TEXT_SUFFIXES = frozenset(
    {".html", ".css", ".js", ".py", ".sql", ".sh", ".md", ".txt", ".toml", ".yml", ".yaml"}
)


@dataclass(frozen=True, slots=True)
class Answer:
    """A model answer: the files that a learner would have changed, and what they must score."""

    name: str
    folder: Path
    right: bool
    expected: Expected

    def files(self) -> dict[str, bytes]:
        """Return the answer's files by path, without its expected.yml."""
        return {path: data for path, data in _tree(self.folder) if path != "expected.yml"}


@dataclass(frozen=True, slots=True)
class Exercise:
    """One exercise as its author wrote it."""

    folder: Path
    track: str
    slug: str
    sheet: ExerciseSheet
    has_sheet: bool
    notebooks: dict[str, NotebookNode] = field(repr=False)  # by name, without .ipynb
    answers: tuple[Answer, ...] = ()

    @property
    def limits(self) -> Limits:
        """What a submission may use in its sandbox."""
        return self.sheet.limits.limits()

    def title(self, language: str) -> str:
        """Return the title in `language`, or in English."""
        return self.sheet.title.text(language)

    def summary(self, language: str) -> str:
        """Return the summary in `language`, in English, or empty."""
        return self.sheet.summary.text(language) if self.sheet.summary else ""

    def hints(self, language: str, task: str | None = None) -> tuple[str, ...]:
        """Return the steps of help for a task (grade_id), or for the whole exercise."""
        return tuple(hint.text.text(language) for hint in self.sheet.hints if hint.task == task)

    def message(self, text: str, language: str) -> str:
        """Return what one of this exercise's checks said, in `language`."""
        return translate_message(text, language, self.sheet.messages)


def load_exercise(path: Path, *, track: str | None = None, slug: str | None = None) -> Exercise:
    """Read an exercise folder.

    Args:
        path: the folder; its name is the slug and its parent's name the track, unless they are given.
        track: the track, where the folder lies elsewhere.
        slug: the slug, where the folder has another name.

    Raises:
        InvalidExerciseError: naming the file, the key in it and the problem.
    """
    if not path.is_dir():
        raise invalid(str(path), "the folder", "there is no such folder")
    slug = slug or path.resolve().name
    sheet_file = path / SHEET
    has_sheet = sheet_file.is_file()
    sheet = (
        parse_sheet(_text(sheet_file, SHEET), SHEET) if has_sheet else ExerciseSheet(title=LocalText(en=slug))
    )
    notebooks = {file.stem: read_notebook(file) for file in sorted(path.glob("*.ipynb"))}
    if not notebooks:
        raise invalid(slug, "the folder", f"there is no notebook; write {slug}.ipynb")
    answers = tuple(_answers(path / "answers")) if has_sheet else ()
    track = track or path.resolve().parent.name
    exercise = Exercise(path, track, slug, sheet, has_sheet, notebooks, answers)
    for name in sheet.edits:
        if name not in assignment_files(exercise):
            raise invalid(SHEET, "edits", f"{name} is not in files/")
    return exercise


def read_notebook(file: Path) -> NotebookNode:
    """Read a notebook of format 4 and check the shape of its translations.

    Raises:
        InvalidExerciseError: naming the file and the cell.
    """
    try:
        text = _text(file, file.name)
        notebook: NotebookNode = nbformat.reads(text, as_version=4)  # type: ignore[no-untyped-call]
    except (
        nbformat.reader.NotJSONError,
        nbformat.ValidationError,
        AttributeError,
        KeyError,
        TypeError,
    ) as error:
        raise invalid(file.name, "the file", "this is not a notebook of format 4") from error
    for index, cell in enumerate(notebook.cells):
        _check_translations(cell, file.name, f"cells.{index}.metadata.atelier.i18n")
    return notebook


def _check_translations(cell: Any, file: str, key: str) -> None:
    own = cell.metadata.get("atelier", {})
    translations = own.get("i18n", {}) if isinstance(own, dict) else None
    if not isinstance(translations, dict):
        raise invalid(file, key, "write one key per language, such as `fr`")
    for language, value in translations.items():
        lines = isinstance(value, list) and all(isinstance(line, str) for line in value)
        if language not in LANGUAGES[1:]:
            raise invalid(file, f"{key}.{language}", f"the languages here are {' and '.join(LANGUAGES[1:])}")
        if not (lines or isinstance(value, str)):
            raise invalid(file, f"{key}.{language}", "write a text or a list of lines")


def assignment_files(exercise: Exercise) -> dict[str, bytes]:
    """Return the nbgrader source tree of an exercise, by path: notebooks, and files/ laid beside them.

    This is what stock nbgrader takes as `source/<slug>/`. It holds solutions and hidden tests, but no
    sheet, no checks, no model answers and no generator. Of a plain nbgrader folder, it is the whole folder.

    Raises:
        InvalidExerciseError: two files would land on the same path, or a link is in the way.
    """
    if not exercise.has_sheet:
        return dict(_tree(exercise.folder))
    files = {f"{name}.ipynb": (exercise.folder / f"{name}.ipynb").read_bytes() for name in exercise.notebooks}
    starters = exercise.folder / "files"
    for path, data in _tree(starters) if starters.is_dir() else ():
        if path in files:
            raise invalid(f"files/{path}", "name", "a notebook has this name already")
        files[path] = data
    return files


def localise_file(path: str, data: bytes, language: str, sheet: ExerciseSheet) -> bytes:
    """Return a starter file with its comments in `language`; data files stay as they are."""
    if language == "en" or Path(path).suffix not in TEXT_SUFFIXES or not sheet.comments:
        return data
    try:
        return localise_comments(data.decode(), language, sheet.comments).encode()
    except UnicodeDecodeError:
        return data


def _answers(folder: Path) -> Iterator[Answer]:
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if not path.is_dir() or path.name in NOT_SOURCE:
            continue
        kind = path.name.partition("-")[0]
        if kind not in {"right", "wrong"}:
            raise invalid(f"answers/{path.name}", "name", "begin it with `right-` or `wrong-`")
        file = path / "expected.yml"
        label = f"answers/{path.name}/expected.yml"
        expected = parse_expected(_text(file, label), label) if file.is_file() else Expected()
        if kind == "wrong" and expected.score is None:
            raise invalid(label, "score", "say how many points this answer must get")
        yield Answer(path.name, path, kind == "right", expected)


def _tree(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if path.is_symlink():
            raise invalid(
                "/".join(parts), "the file", "a link can't be part of an exercise: put the file itself"
            )
        if path.is_file() and not NOT_SOURCE.intersection(parts) and path.suffix != ".pyc":
            yield "/".join(parts), path.read_bytes()


def _text(file: Path, label: str) -> str:
    if file.is_symlink():
        raise invalid(label, "the file", "a link can't be part of an exercise: put the file itself")
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise invalid(label, "the file", "this is not UTF-8 text") from error
