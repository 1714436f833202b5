"""nbgrader's gradebook: registering an exercise in it, and writing scores, through nbgrader's own API.

Called by the pipeline and by publish.py. A mark that a human gave is never overwritten; the automatic score stands
beside it. It must not know how a score came about.
"""

from __future__ import annotations

import fcntl
import json
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alembic.script import ScriptDirectory
from nbgrader.api import Base, Gradebook, InvalidEntry, MissingEntry
from nbgrader.dbutil import ALEMBIC_DIR
from sqlalchemy import create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from graders.errors import GradebookError
from graders.results import CellVerdict
from graders.source import Kind, Source, SourceCell, SourceNotebook

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graders.results import GradingJob, GradingResult, NotebookResult


def publish_to_gradebook(gradebook_url: str, course: str, assignment: str, source: Source) -> None:
    """Register an exercise as `nbgrader generate_assignment` does; repeatable.

    Raises:
        GradebookError: people have handed in work, and this version adds or removes cells or notebooks.
    """
    with _open(gradebook_url, course) as book:
        _register(book, assignment, source)


def is_registered(gradebook_url: str, course: str, assignment: str) -> bool:
    """Say whether the gradebook knows the exercise."""
    with _open(gradebook_url, course) as book:
        try:
            book.find_assignment(assignment)
        except MissingEntry:
            return False
        return True


def save_result(
    gradebook_url: str, job: GradingJob, source: Source, result: GradingResult
) -> tuple[str, ...]:
    """Write the scores of one submission, after the exercise itself where the gradebook has another version of it.

    Args:
        gradebook_url: SQLAlchemy URL of the course's gradebook.
        job: whose work it is, and when it came in; a new learner is made.
        source: the exercise.
        result: the judgement.

    Returns:
        What the gradebook had no place for.
    """
    with _open(gradebook_url, job.course) as book:
        if not _is_current(book, job.assignment, source):
            _register(book, job.assignment, source)
        book.update_or_create_student(job.learner)
        moment = {"timestamp": _naive(job.received_at_utc)} if job.received_at_utc else {}
        submission = book.update_or_create_submission(job.assignment, job.learner, **moment)
        unplaced = [
            place
            for notebook in submission.notebooks
            for judged in result.notebooks
            if judged.name == notebook.name
            for place in _write_notebook(notebook, judged)
        ]
        book.db.commit()
    return tuple(unplaced)


def _write_notebook(notebook: Any, judged: NotebookResult) -> Iterator[str]:
    """Write one notebook's scores; yields the cells that have no row."""
    grades = {grade.name: grade for grade in notebook.grades}
    comments = {comment.name: comment for comment in notebook.comments}
    for cell in judged.cells:
        grade = grades.get(cell.grade_id)
        if grade is None:
            yield f"{judged.name}/{cell.grade_id}"
            continue
        grade.auto_score = cell.score
        grade.needs_manual_grade = grade.manual_score is not None or cell.score is None
        if cell.grade_id in comments:
            unchanged = cell.verdict is CellVerdict.UNCHANGED
            comments[cell.grade_id].auto_comment = "No response." if unchanged else None


def _is_current(book: Gradebook, assignment: str, source: Source) -> bool:
    """Say whether the gradebook has just this version: the same cells, with the same checksums and points."""
    try:
        found = book.find_assignment(assignment)
    except MissingEntry:
        return False
    known = {
        (notebook.name, cell.name, cell.checksum)
        for notebook in found.notebooks
        for cell in notebook.source_cells
    }
    wanted = {
        (notebook.name, cell.grade_id, cell.checksum)
        for notebook in source.notebooks
        for cell in notebook.cells
        if cell.grade_id
    }
    return known == wanted and len(found.notebooks) == len(source.notebooks)


def _register(book: Gradebook, assignment: str, source: Source) -> None:
    book.update_or_create_assignment(assignment)
    _drop_removed_notebooks(book, assignment, source)
    for notebook in source.notebooks:
        _register_notebook(book, assignment, notebook)


def _register_notebook(book: Gradebook, assignment: str, notebook: SourceNotebook) -> None:
    wanted = {cell.grade_id for cell in notebook.cells if cell.grade_id}
    try:
        known = book.find_notebook(notebook.name, assignment)
    except MissingEntry:
        known = None
    if known is not None:
        present = {cell.name for cell in known.source_cells}
        if present != wanted and len(known.submissions) > 0:
            changed = ", ".join(sorted(str(name) for name in present ^ wanted))
            raise GradebookError(
                f"{notebook.name}.ipynb: cells were added or removed ({changed}), but people have handed in work; "
                "publish this version as a new exercise, or keep the cells' ids"
            )
        if len(known.submissions) == 0:
            book.remove_notebook(notebook.name, assignment)
            known = None
    if known is None:
        book.add_notebook(notebook.name, assignment, kernelspec=json.dumps(notebook.kernelspec))
    for cell in notebook.cells:
        if cell.grade_id:
            _register_cell(book, cell, (notebook.name, assignment))


def _register_cell(book: Gradebook, cell: SourceCell, place: tuple[str, str]) -> None:
    if cell.kind in (Kind.TEST, Kind.MANUAL):
        book.update_or_create_grade_cell(
            cell.grade_id, *place, max_score=cell.points, cell_type=cell.cell_type
        )
    if cell.kind in (Kind.SOLUTION, Kind.MANUAL):
        book.update_or_create_solution_cell(cell.grade_id, *place)
    if cell.kind is Kind.TASK:
        book.update_or_create_task_cell(
            cell.grade_id, *place, max_score=cell.points, cell_type=cell.cell_type
        )
    book.update_or_create_source_cell(
        cell.grade_id,
        *place,
        cell_type=cell.cell_type,
        locked=_is_locked(cell),
        source=cell.source,
        checksum=cell.checksum,
    )


def _is_locked(cell: SourceCell) -> bool:
    """Return what nbgrader.utils.is_locked says of the cell."""
    if cell.kind is Kind.TEST:
        return True
    return cell.kind not in (Kind.SOLUTION, Kind.MANUAL) and bool(cell.metadata.get("locked"))


def _drop_removed_notebooks(book: Gradebook, assignment: str, source: Source) -> None:
    known = book.find_assignment(assignment)
    removed = {notebook.name for notebook in known.notebooks} - {
        notebook.name for notebook in source.notebooks
    }
    if removed and len(known.submissions) > 0:
        raise GradebookError(
            f"{', '.join(sorted(removed))}: notebooks were removed, but people have handed in work; "
            "publish this version as a new exercise"
        )
    for name in removed:
        book.remove_notebook(name, assignment)


@contextmanager
def _open(gradebook_url: str, course: str) -> Iterator[Gradebook]:
    try:
        _ensure_database(gradebook_url)
        with Gradebook(gradebook_url, course) as book:
            yield book
    except (InvalidEntry, MissingEntry, SQLAlchemyError) as error:
        raise GradebookError(f"the gradebook of {course} refused: {str(error)[:300]}") from error


def _ensure_database(gradebook_url: str) -> None:
    """Make a new gradebook's tables, once, whoever comes first.

    Left to itself, nbgrader starts the `alembic` program to learn one number, and finds it only with the right PATH.
    """
    path = gradebook_url.removeprefix("sqlite:///")
    if path == gradebook_url or Path(path).exists():
        return
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with Path(f"{path}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if Path(path).exists():
            return
        head = ScriptDirectory(ALEMBIC_DIR).get_current_head()
        made = Path(f"{path}.new")
        made.unlink(missing_ok=True)
        engine = create_engine(f"sqlite:///{made}")
        Base.metadata.create_all(bind=engine)
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
            connection.execute(
                text("INSERT INTO alembic_version (version_num) VALUES (:head)"), {"head": head}
            )
        engine.dispose()
        made.rename(path)


def _naive(iso: str) -> datetime:
    """Return a moment as nbgrader keeps it: UTC without saying so."""
    moment = datetime.fromisoformat(iso)
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
