"""Questions that the pages ask of submissions: places in the queue, filtered lists, what fails most. Reading only.

Called by the views. Each question is one query whatever the number of learners. Knows nothing of words or HTTP.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, func, select

from hub.courses.models import Assignment, AssignmentVersion
from hub.people.models import Person
from hub.submissions.models import Result, State, Submission
from hub.submissions.reading import PENDING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from sqlalchemy.orm import Session

    from hub.db import Database


@dataclass(frozen=True, slots=True)
class Filter:
    """Which submissions are meant; None or empty: all. `courses` is what the asker may see, None: everything."""

    courses: Collection[int] | None
    course_id: int | None = None
    assignment_id: int | None = None
    state: State | None = None
    person_id: int | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return the filter as conditions on submissions joined with assignments."""
        found: list[ColumnElement[bool]] = []
        if self.courses is not None:
            found.append(Assignment.course_id.in_(list(self.courses)))
        if self.course_id is not None:
            found.append(Assignment.course_id == self.course_id)
        if self.assignment_id is not None:
            found.append(Submission.assignment_id == self.assignment_id)
        if self.state is not None:
            found.append(Submission.state == self.state)
        if self.person_id is not None:
            found.append(Submission.person_id == self.person_id)
        return found


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a trainer's list."""

    submission: Submission
    assignment: Assignment
    version: AssignmentVersion
    person: Person
    result: Result | None


def queue_position(database: Database, submission: Submission) -> int:
    """Return the place in the queue by time of arrival, 1 for the next; fairness can still bring it forward."""
    with database.reading() as session:
        before = session.scalar(
            select(func.count())
            .select_from(Submission)
            .where(Submission.state == State.QUEUED, Submission.received_at < submission.received_at)
        )
    return (before or 0) + 1


def count(database: Database, wanted: Filter) -> int:
    """Return how many submissions the filter lets through."""
    with database.reading() as session:
        query = select(func.count()).select_from(Submission).join(Assignment).where(*wanted.conditions())
        return session.scalar(query) or 0


def pending(database: Database, wanted: Filter) -> int:
    """Return how many of them wait or are being graded."""
    with database.reading() as session:
        query = (
            select(func.count())
            .select_from(Submission)
            .join(Assignment)
            .where(*wanted.conditions(), Submission.state.in_(PENDING))
        )
        return session.scalar(query) or 0


def ids(database: Database, wanted: Filter) -> list[str]:
    """Return the ids of the submissions that can be regraded: those that are not in the queue already."""
    with database.reading() as session:
        query = (
            select(Submission.id)
            .join(Assignment)
            .where(*wanted.conditions(), Submission.state.not_in(PENDING))
            .order_by(Submission.received_at)
        )
        return list(session.scalars(query))


def rows(database: Database, wanted: Filter, limit: int, offset: int = 0) -> list[Row]:
    """Return submissions, those set aside first, then the newest."""
    with database.reading() as session:
        query = (
            select(Submission, Assignment, AssignmentVersion, Person, Result)
            .join(Assignment, Assignment.id == Submission.assignment_id)
            .join(AssignmentVersion, AssignmentVersion.id == Submission.version_id)
            .join(Person, Person.id == Submission.person_id)
            .outerjoin(Result, Result.id == Submission.result_id)
            .where(*wanted.conditions())
            .order_by((Submission.state == State.FAILED).desc(), Submission.received_at.desc(), Submission.id)
            .limit(limit)
            .offset(offset)
        )
        return [Row(*row) for row in session.execute(query)]


@dataclass(slots=True)
class QuestionCount:
    """How one question of an exercise goes, over the newest judged attempt of each learner."""

    assignment_id: int
    notebook: str
    grade_id: str
    tried: int = 0
    right: int = 0
    messages: dict[str, int] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Share of learners whose newest attempt has all points here."""
        return self.right / self.tried if self.tried else 0.0

    @property
    def commonest(self) -> str:
        """What the check said most often to those who missed, or empty."""
        return max(self.messages, key=lambda text: self.messages[text], default="")


def questions(database: Database, wanted: Filter) -> list[QuestionCount]:
    """Return every question that somebody answered, the least often right first."""
    with database.reading() as session:
        bodies = _newest_bodies(session, wanted)
    counts: dict[tuple[int, str, str], QuestionCount] = {}
    for assignment_id, body in bodies:
        for notebook, grade_id, cell in cells_of(body):
            key = (assignment_id, notebook, grade_id)
            entry = counts.setdefault(key, QuestionCount(*key))
            if cell.get("score") is None:
                continue  # a human has to judge it: no machine's opinion yet
            entry.tried += 1
            if cell["score"] >= cell["max_score"]:
                entry.right += 1
            else:
                for message in cell.get("messages", ())[:1]:
                    entry.messages[message] = entry.messages.get(message, 0) + 1
    judged = [entry for entry in counts.values() if entry.tried]
    return sorted(judged, key=lambda entry: (entry.rate, -entry.tried, entry.grade_id))


def _newest_bodies(session: Session, wanted: Filter) -> list[tuple[int, Mapping[str, Any]]]:
    newest: dict[tuple[int, int], tuple[int, Mapping[str, Any]]] = {}
    query = (
        select(Submission.person_id, Submission.assignment_id, Result.body)
        .join(Assignment, Assignment.id == Submission.assignment_id)
        .join(Result, Result.id == Submission.result_id)
        .where(*wanted.conditions())
        .order_by(Submission.received_at)
    )
    for person_id, assignment_id, body in session.execute(query):
        newest[(person_id, assignment_id)] = (assignment_id, body)
    return list(newest.values())


def cells_of(body: Mapping[str, Any]) -> Iterable[tuple[str, str, Mapping[str, Any]]]:
    """Yield (notebook, grade_id, cell) of a stored result."""
    for notebook, told in body.get("notebooks", {}).items():
        for grade_id, cell in told.get("cells", {}).items():
            yield notebook, grade_id, cell


def attempts_per_exercise(database: Database, wanted: Filter) -> dict[int, tuple[int, int]]:
    """Return (learners, attempts) by assignment id."""
    found: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    with database.reading() as session:
        query = (
            select(
                Submission.assignment_id,
                func.count(func.distinct(Submission.person_id)),
                func.count(Submission.id),
            )
            .join(Assignment, Assignment.id == Submission.assignment_id)
            .where(*wanted.conditions())
            .group_by(Submission.assignment_id)
        )
        for assignment_id, learners, attempts in session.execute(query):
            found[assignment_id] = [learners, attempts]
    return {key: (value[0], value[1]) for key, value in found.items()}
