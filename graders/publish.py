"""Makes what learners get of an exercise, with nbgrader's own converter, and registers it in the gradebook.

Called by whoever publishes: on the trusted side and in a process of its own, since the converter changes the
working directory. No code of the exercise runs here: `InstantiateTests`, which would, is left out, and sources
that need it are refused by source.py.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from nbgrader.converters import GenerateAssignment
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import (
    CheckCellMetadata,
    ClearHiddenTests,
    ClearMarkScheme,
    ClearOutput,
    ClearSolutions,
    ComputeChecksums,
    LockCells,
)
from traitlets.config import Config

from graders.errors import SourceError
from graders.gradebook import publish_to_gradebook
from graders.source import Kind, Source, read_source

STEPS = [
    LockCells,
    ClearSolutions,
    ClearOutput,
    CheckCellMetadata,
    ComputeChecksums,
    ClearHiddenTests,
    ClearMarkScheme,
    ComputeChecksums,
    CheckCellMetadata,
]
"""nbgrader's own list without InstantiateTests (runs code) and SaveCells (publish_to_gradebook does it)."""


@dataclass(frozen=True, slots=True)
class ReleaseCell:
    """One cell in which points can be earned."""

    notebook: str
    grade_id: str
    max_score: float
    manual: bool


@dataclass(frozen=True, slots=True)
class ReleaseInfo:
    """What was released."""

    notebooks: tuple[str, ...]
    cells: tuple[ReleaseCell, ...]
    max_score: float
    warnings: tuple[str, ...]


def make_release(
    source_dir: Path, out_dir: Path, course: str, assignment: str, gradebook_url: str | None
) -> ReleaseInfo:
    """Write the released exercise into `out_dir`.

    Args:
        source_dir: an nbgrader source folder, with or without exercise.yml.
        out_dir: an empty folder, or one that does not exist yet.
        course: nbgrader's course id.
        assignment: the exercise's name.
        gradebook_url: where to register it; None registers it nowhere.

    Raises:
        SourceError: names the file, the cell and what to do.
        GradebookError: the gradebook refused this version.
    """
    source = read_source(source_dir)
    with tempfile.TemporaryDirectory(prefix="atelier-release-") as temporary:
        root = Path(temporary)
        _lay_out(source, source_dir, root / "source" / assignment)
        _convert(root, course, assignment)
        shutil.copytree(root / "release" / assignment, out_dir, dirs_exist_ok=True)
    if gradebook_url is not None:
        publish_to_gradebook(gradebook_url, course, assignment, source)
    return ReleaseInfo(
        notebooks=tuple(notebook.name for notebook in source.notebooks),
        cells=tuple(
            ReleaseCell(
                notebook.name, str(cell.grade_id), cell.points or 0.0, manual=cell.kind is not Kind.TEST
            )
            for notebook in source.notebooks
            for cell in notebook.graded
        ),
        max_score=source.max_score,
        warnings=source.warnings,
    )


def _lay_out(source: Source, source_dir: Path, folder: Path) -> None:
    """Copy what belongs to the release: notebooks, and the files beside them; no checks, no answers, no sheet."""
    folder.mkdir(parents=True)
    for notebook in source.notebooks:
        shutil.copyfile(source_dir / f"{notebook.name}.ipynb", folder / f"{notebook.name}.ipynb")
    for path, data in source.files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


def _convert(root: Path, course: str, assignment: str) -> None:
    config = Config()
    config.CourseDirectory.root = str(root)
    config.CourseDirectory.course_id = course
    config.CourseDirectory.assignment_id = assignment
    config.CourseDirectory.db_url = f"sqlite:///{root / 'unused.db'}"
    config.GenerateAssignment.no_database = True
    config.GenerateAssignment.preprocessors = STEPS
    converter = GenerateAssignment(coursedir=CourseDirectory(config=config), config=config)
    converter.log.setLevel(logging.CRITICAL)
    try:
        converter.start()
    except NbGraderException as error:
        raise SourceError(f"{assignment}: nbgrader could not make a release: {error}") from error
