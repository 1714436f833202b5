"""Turns an author's folder into what can be published, in a process of its own.

The service calls `build`; that starts this file as a program in a fresh folder, with limits on time and
memory and a bare environment. nbgrader's preprocessors and YAML run there: a notebook that makes them hang or
eat memory costs the trainer an error message, not the learners their service; and whatever they do to the
working directory stays there. Which release is made and which cells count is said by graders' `make_release`,
which only the `atelier` command may know (imports run one way): so the program is its hidden command
`build-exercise`. It is a process and not a job of the grading queue so that the trainer gets the answer, or
what is wrong with the exercise, on the request itself, and so that publishing works while the worker is down.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import nbformat

from hub.courses.exercise import LANGUAGES, Exercise, load_exercise, localise_notebook
from hub.courses.exercise_release import localise_files
from hub.courses.rules import solution_cells
from hub.errors import InvalidExerciseError, UnavailableError
from hub.submissions.archive import canonical_tar, unpack

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

BUILD_SECONDS = 120
BUILD_MEMORY_BYTES = 2 * 1024 * 1024 * 1024
RESULT = "result.json"
PROGRAM = "from hub.cli import app; app()"


@dataclass(frozen=True, slots=True)
class Built:
    """What a version is made of. `releases` holds one tar a language."""

    releases: dict[str, bytes]
    about: dict[str, Any]
    notebooks: list[str]
    cells: list[dict[str, Any]]
    max_score: float
    warnings: tuple[str, ...] = ()


def build(files: Mapping[str, bytes], course: str, slug: str) -> Built:
    """Check and build an exercise.

    Args:
        files: the author's folder, checked by `read_archive`.
        course: the track's slug.
        slug: the exercise's.

    Raises:
        InvalidExerciseError: says what is wrong with the exercise, and where.
        UnavailableError: it took too long, or the builder died.
    """
    with tempfile.TemporaryDirectory(prefix="atelier-build-") as scratch:
        folder = Path(scratch)
        unpack(files, folder / "source")
        (folder / "out").mkdir()
        # -I: neither the current folder nor variables decide what is imported.
        command = [sys.executable, "-I", "-c", PROGRAM, "build-exercise", course, slug, str(folder)]
        environment = {"HOME": scratch, "PATH": str(Path(sys.executable).parent), "LANG": "C.UTF-8"}
        try:
            done = subprocess.run(
                command, cwd=scratch, env=environment, capture_output=True, timeout=BUILD_SECONDS, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise _failed("took longer than the limit") from error
        return _read_result(folder / "out", done)


def _read_result(out: Path, done: subprocess.CompletedProcess[bytes]) -> Built:
    try:
        result = json.loads((out / RESULT).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _failed(done.stderr.decode("utf-8", "replace")[-2000:]) from error
    if "error" in result:
        problem = result["error"]
        raise InvalidExerciseError(problem["message"], **problem["values"])
    releases = {language: (out / f"{language}.tar").read_bytes() for language in result.pop("languages")}
    warnings = tuple(result.pop("warnings"))
    return Built(releases=releases, warnings=warnings, **result)


def _failed(log: str) -> UnavailableError:
    return UnavailableError(
        "The exercise could not be built. Try again; if it happens again, the platform's log says why.",
        reason="build_failed",
        log=log,
    )


class ReleaseCell(Protocol):
    """A cell in which points can be earned."""

    @property
    def notebook(self) -> str: ...
    @property
    def grade_id(self) -> str: ...
    @property
    def max_score(self) -> float: ...
    @property
    def manual(self) -> bool: ...


class ReleaseInfo(Protocol):
    """What graders say about a release they made."""

    @property
    def notebooks(self) -> Sequence[str]: ...
    @property
    def cells(self) -> Sequence[ReleaseCell]: ...
    @property
    def max_score(self) -> float: ...
    @property
    def warnings(self) -> Sequence[str]: ...


MakeRelease = Callable[[Path, Path, str, str, None], "ReleaseInfo"]
"""(source folder, empty folder for the release, course, exercise, no gradebook); a ValueError-like error otherwise."""


def build_here(source: Path, release: Path, course: str, slug: str, make_release: MakeRelease) -> Built:
    """Build in this process, which must be one of its own: the converters change the working directory."""
    exercise = load_exercise(source, track=course, slug=slug)
    info = make_release(source, release, course, slug, None)
    english = {
        file.relative_to(release).as_posix(): file.read_bytes()
        for file in sorted(release.rglob("*"))
        if file.is_file()
    }
    about = exercise.sheet.model_dump(mode="json")
    about["has_sheet"] = exercise.has_sheet
    about["solution_cells"] = [
        [name, grade_id]
        for name, notebook in exercise.notebooks.items()
        for grade_id in solution_cells(notebook.cells)
    ]
    return Built(
        releases={language: canonical_tar(_localised(english, language, exercise)) for language in LANGUAGES},
        about=about,
        notebooks=sorted(info.notebooks),
        cells=[
            {
                "notebook": cell.notebook,
                "grade_id": cell.grade_id,
                "max_score": float(cell.max_score),
                "manual": cell.manual,
            }
            for cell in info.cells
        ],
        max_score=float(info.max_score),
        warnings=tuple(info.warnings),
    )


def _localised(files: Mapping[str, bytes], language: str, exercise: Exercise) -> dict[str, bytes]:
    notebooks = {}
    for name in exercise.notebooks:
        released = nbformat.reads(files[f"{name}.ipynb"].decode("utf-8"), as_version=4)  # type: ignore[no-untyped-call]
        localised = localise_notebook(released, language, exercise.sheet)
        text = nbformat.writes(localised)  # type: ignore[no-untyped-call]
        notebooks[f"{name}.ipynb"] = str(text).encode("utf-8")
    return localise_files(files, language, exercise.sheet) | notebooks


def run_build(
    course: str, slug: str, folder: Path, make_release: MakeRelease, source_error: type[Exception]
) -> None:
    """The program: read `folder`/source, write `folder`/out. Called by the `atelier` command, which wires graders in.

    Args:
        course: the track's slug.
        slug: the exercise's.
        folder: made by `build`.
        make_release: graders'.
        source_error: what graders raise when the author has to act; its text says what to do.
    """
    resource.setrlimit(resource.RLIMIT_AS, (BUILD_MEMORY_BYTES, BUILD_MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (BUILD_SECONDS, BUILD_SECONDS))
    out = folder / "out"
    try:
        built = build_here(folder / "source", folder / "release", course, slug, make_release)
    except InvalidExerciseError as error:
        values = {name: str(value) for name, value in error.values.items()}
        result: dict[str, Any] = {"error": {"message": error.message, "values": values}}
    except source_error as error:
        result = {"error": {"message": "%(problem)s", "values": {"problem": str(error)}}}
    else:
        for language, tar in built.releases.items():
            (out / f"{language}.tar").write_bytes(tar)
        result = {
            "languages": list(built.releases),
            "about": built.about,
            "notebooks": built.notebooks,
            "cells": built.cells,
            "max_score": built.max_score,
            "warnings": list(built.warnings),
        }
    (out / RESULT).write_text(json.dumps(result), encoding="utf-8")
