"""Reads submissions with what belongs to them: the judgement in force, a failure, marks given by hand.

The first part of what `Submissions` (service.py) is made of; nothing here writes. Must not know HTTP.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, func, select

from graders.queue import GradingQueue
from hub.errors import ConflictError, NotFoundError
from hub.people.models import Role
from hub.submissions import rules
from hub.submissions.archive import open_canonical
from hub.submissions.models import ManualMark, Result, State, Submission
from hub.submissions.rules import Given, Score, Viewer, combine_scores

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

    from hub.courses.service import Courses
    from hub.db import Database
    from hub.people.service import People
    from hub.progress.service import Progress
    from hub.settings import Settings
    from hub.submissions.store import Store

PENDING = (State.QUEUED, State.GRADING)
_CHUNK = 500  # bound parameters of one query


@dataclass(frozen=True, slots=True)
class SubmissionView:
    """A submission with the judgement in force (None before the first) and what humans wrote about it."""

    submission: Submission
    result: Result | None = None
    marks: tuple[ManualMark, ...] = field(default=())

    @property
    def released(self) -> bool:
        """Whether the learner may see the judgement."""
        return self.result is not None and self.result.feedback_released_at is not None


def effective_score(view: SubmissionView) -> Score | None:
    """Return what the submission is worth with the marks given by hand, or None before the first judgement."""
    if view.result is None:
        return None
    return score_with_marks(view.result.body, view.marks)


def score_with_marks(body: dict[str, Any], marks: Sequence[ManualMark]) -> Score:
    """Add up a judgement and the marks given by hand; marks outlive every regrade."""
    given = {(mark.notebook, mark.grade_id): Given(mark.score, mark.extra_credit or 0.0) for mark in marks}
    return combine_scores(body, given)


def get_submission(session: Session, submission_id: str, *, lock: bool = False) -> Submission:
    """Return a submission; with `lock` nobody else changes it before this transaction ends.

    Raises:
        NotFoundError: there is none.
    """
    submission = session.get(Submission, submission_id, with_for_update=lock or None)
    if submission is None:
        raise no_submission()
    return submission


def no_submission() -> NotFoundError:
    """Return the error for a submission that is not there, or not for this person."""
    return NotFoundError("This submission does not exist.")


def views(session: Session, query: Select[Submission]) -> list[SubmissionView]:
    """Return the views of the submissions that `query` selects, in its order, in a handful of queries."""
    submissions = list(session.scalars(query))
    ids = [submission.id for submission in submissions]
    results: dict[int, Result] = {}
    marks: dict[str, list[ManualMark]] = {}
    for start in range(0, len(ids), _CHUNK):
        chunk = ids[start : start + _CHUNK]
        in_force = (
            select(Result).join(Submission, Submission.result_id == Result.id).where(Submission.id.in_(chunk))
        )
        results |= {result.id: result for result in session.scalars(in_force)}
        for mark in session.scalars(select(ManualMark).where(ManualMark.submission_id.in_(chunk))):
            marks.setdefault(mark.submission_id, []).append(mark)
    return [
        SubmissionView(
            submission,
            results.get(submission.result_id) if submission.result_id is not None else None,
            tuple(marks.get(submission.id, ())),
        )
        for submission in submissions
    ]


class Reading:
    """Attempts and their judgements, and who may see them."""

    def __init__(  # noqa: PLR0917 - the neighbours, in the order that everybody wires them in
        self,
        database: Database,
        store: Store,
        settings: Settings,
        people: People,
        courses: Courses,
        progress: Progress,
    ) -> None:
        self._database = database
        self._store = store
        self._settings = settings
        self._people = people
        self._courses = courses
        self._progress = progress
        self._queue = GradingQueue(database.engine)

    def get(self, submission_id: str) -> Submission:
        """Return a submission.

        Raises:
            NotFoundError: there is none.
        """
        with self._database.reading() as session:
            return get_submission(session, submission_id)

    def view(self, submission_id: str) -> SubmissionView:
        """Return a submission with its judgement.

        Raises:
            NotFoundError: there is none.
        """
        with self._database.reading() as session:
            found = views(session, select(Submission).where(Submission.id == submission_id))
        if not found:
            raise no_submission()
        return found[0]

    def viewer(self, person_id: int, role: Role, submission: Submission) -> Viewer:
        """Return what a person is to a submission."""
        trains = False
        if role is Role.TRAINER:
            assignment = self._courses.assignment_by_id(submission.assignment_id).assignment
            trains = self._courses.is_enrolled(person_id, assignment.course_id)
        follows = role is Role.MENTOR and self._people.is_mentor_of(person_id, submission.person_id)
        return Viewer(person_id, role, trains_course=trains, follows_learner=follows)

    def visible(self, person_id: int, role: Role, submission_id: str) -> tuple[SubmissionView, Viewer]:
        """Return a submission for somebody who may see it, and what they are to it.

        Raises:
            NotFoundError: there is none, or not for this person: the two look the same.
        """
        view = self.view(submission_id)
        viewer = self.viewer(person_id, role, view.submission)
        if not rules.may_see_submission(viewer, view.submission.person_id):
            raise no_submission()
        return view, viewer

    def managed(self, person_id: int, role: Role, submission_id: str) -> SubmissionView:
        """Return a submission for somebody who judges it: a trainer of the course or an admin.

        Raises:
            NotFoundError: there is none, or not for this person.
        """
        view, viewer = self.visible(person_id, role, submission_id)
        if not rules.may_manage_course(role, enrolled=viewer.trains_course):
            raise no_submission()
        return view

    def attempts(self, person_id: int, assignment_id: int) -> list[SubmissionView]:
        """Return a learner's attempts at an exercise, first one first."""
        query = (
            select(Submission)
            .where(Submission.person_id == person_id, Submission.assignment_id == assignment_id)
            .order_by(Submission.attempt)
        )
        with self._database.reading() as session:
            return views(session, query)

    def of_person(self, person_id: int) -> list[SubmissionView]:
        """Return all of a learner's attempts, oldest first."""
        query = select(Submission).where(Submission.person_id == person_id)
        with self._database.reading() as session:
            return views(session, query.order_by(Submission.received_at, Submission.attempt))

    def latest(self, person_id: int) -> dict[int, SubmissionView]:
        """Return a learner's newest attempt at each exercise, by the exercise's id."""
        newest = (
            select(Submission.assignment_id, func.max(Submission.attempt).label("attempt"))
            .where(Submission.person_id == person_id)
            .group_by(Submission.assignment_id)
            .subquery()
        )
        query = (
            select(Submission)
            .join(
                newest,
                (newest.c.assignment_id == Submission.assignment_id)
                & (newest.c.attempt == Submission.attempt),
            )
            .where(Submission.person_id == person_id)
        )
        with self._database.reading() as session:
            return {view.submission.assignment_id: view for view in views(session, query)}

    def of_assignment(self, assignment_id: int, since: datetime | None = None) -> list[SubmissionView]:
        """Return every attempt at an exercise, oldest first; `since`: received at that time or later."""
        query = select(Submission).where(Submission.assignment_id == assignment_id)
        if since is not None:
            query = query.where(Submission.received_at >= since)
        with self._database.reading() as session:
            return views(session, query.order_by(Submission.received_at, Submission.id))

    def of_course(self, course_id: int) -> list[SubmissionView]:
        """Return every attempt at every exercise of a track, withdrawn ones included, oldest first."""
        ids = [view.assignment.id for view in self._courses.assignments(course_id, include_withdrawn=True)]
        query = select(Submission).where(Submission.assignment_id.in_(ids))
        with self._database.reading() as session:
            return views(session, query.order_by(Submission.received_at, Submission.id))

    def effective_score(self, view: SubmissionView) -> Score | None:
        """Return what a submission is worth, marks by hand first; None before the first judgement."""
        return effective_score(view)

    def files(self, submission_id: str) -> bytes:
        """Return the tar of what was handed in.

        Raises:
            NotFoundError: there is none.
        """
        return self._store.get(self.get(submission_id).digest)

    def autograded(self, submission_id: str) -> bytes:
        """Return the tar of the graded notebooks with their outputs; a trainer reads it, a learner never.

        Raises:
            NotFoundError: there is no such submission.
            ConflictError: it is not graded yet, or its grading left no notebook.
        """
        result = self.view(submission_id).result
        if result is None or result.autograded_digest is None:
            raise ConflictError("This submission is not graded yet.", reason="not_graded")
        return self._store.get(result.autograded_digest)

    def feedback(self, submission_id: str) -> dict[str, bytes]:
        """Return the feedback files by name; whether the person may see them yet is the caller's question.

        Raises:
            NotFoundError: there is none.
        """
        result = self.view(submission_id).result
        if result is None or result.feedback_digest is None:
            raise NotFoundError("There is no feedback on this submission yet.")
        return open_canonical(self._store.get(result.feedback_digest))

    def feedback_names(self, submission_id: str) -> list[str]:
        """Return the names of the feedback files, none while there is no feedback."""
        result = self.view(submission_id).result
        return sorted(self.feedback(submission_id)) if result and result.feedback_digest else []

    def marks(self, submission_id: str) -> list[ManualMark]:
        """Return what humans wrote about a submission."""
        return list(self.view(submission_id).marks)
