"""Makes the copy of nbgrader's gradebook that a trainer's formgrader works on. The original is never given
away.

Called by the service of submissions. The copy holds the automatic scores that the worker wrote, and over them
every mark that humans gave (the service's own table is the book for those). Must not know who is asking.
"""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hub.errors import NotFoundError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from hub.submissions.models import ManualMark

_CELLS = """
    SELECT {table}.id FROM {table}
    JOIN base_cell ON base_cell.id = {table}.cell_id
    JOIN submitted_notebook ON submitted_notebook.id = {table}.notebook_id
    JOIN notebook ON notebook.id = submitted_notebook.notebook_id
    JOIN submitted_assignment ON submitted_assignment.id = submitted_notebook.assignment_id
    JOIN assignment ON assignment.id = submitted_assignment.assignment_id
    WHERE submitted_assignment.student_id = :learner AND assignment.name = :assignment
      AND notebook.name = :notebook AND base_cell.name = :grade_id
"""
_SET_GRADE = f"""
    UPDATE grade SET manual_score = :score, extra_credit = :extra_credit,
        needs_manual_grade = (:score IS NULL AND auto_score IS NULL)
    WHERE id IN ({_CELLS.format(table="grade")})
"""  # noqa: S608 - built from constants; the values are bound
_SET_COMMENT = f"""
    UPDATE comment SET manual_comment = :comment WHERE id IN ({_CELLS.format(table="comment")})
"""  # noqa: S608 - the same


@dataclass(frozen=True, slots=True)
class MarkRow:
    """A mark with the names that nbgrader knows its cell by."""

    learner: str
    assignment: str
    mark: ManualMark


def state_tag(path: Path, marks: str) -> str:
    """Return a short name for the state of a gradebook file and of the marks beside it.

    Raises:
        NotFoundError: there is no gradebook yet.
    """
    try:
        about = path.stat()
    except FileNotFoundError as error:
        raise _no_gradebook() from error
    return hashlib.sha256(f"{about.st_mtime_ns}-{about.st_size}-{marks}".encode()).hexdigest()[:32]


def copy_with_marks(path: Path, rows: Iterable[MarkRow]) -> bytes:
    """Return the gradebook's bytes with the marks laid in.

    Raises:
        NotFoundError: there is no gradebook yet.
        UnavailableError: it can't be read.
    """
    if not path.is_file():
        raise _no_gradebook()
    try:
        with closing(sqlite3.connect(":memory:")) as copy:
            with closing(
                sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=10)
            ) as original:
                original.backup(copy)
            with copy:
                for row in rows:
                    _lay_in(copy, row)
            return copy.serialize()
    except sqlite3.Error as error:
        raise UnavailableError(
            "The gradebook can't be read at the moment. Try again in a minute.",
            reason="gradebook_unavailable",
            log=f"{path}: {error}",
        ) from error


def _lay_in(copy: sqlite3.Connection, row: MarkRow) -> None:
    mark = row.mark
    values = {
        "learner": row.learner,
        "assignment": row.assignment,
        "notebook": mark.notebook,
        "grade_id": mark.grade_id,
        "score": mark.score,
        "extra_credit": mark.extra_credit,
        "comment": mark.comment,
    }
    copy.execute(_SET_GRADE, values)
    copy.execute(_SET_COMMENT, values)


def _no_gradebook() -> NotFoundError:
    return NotFoundError("Nothing has been graded in this track yet.", reason="no_gradebook")
