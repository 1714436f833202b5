"""Submissions: takes work in; what happens then is in grading.py, reading.py and marking.py. The one door to these tables.

Called by the routes and pages, by progress, and (its grading part) by the worker. Must not know HTTP or how grading is
done.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

from sqlalchemy import func, select, text

from graders.queue import JobId
from hub.db import now_utc
from hub.errors import DeadlinePassedError, NotFoundError, TooManyRequestsError
from hub.progress.models import EventType
from hub.submissions import rules
from hub.submissions.archive import ArchiveLimits, canonical_tar, read_archive
from hub.submissions.intake import take_in
from hub.submissions.marking import Marking
from hub.submissions.models import Submission
from hub.submissions.reading import PENDING, SubmissionView

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from hub.courses.service import AssignmentView
    from hub.people.models import Person

WINDOW = timedelta(minutes=1)
ADVISORY_LOCK = 0x41_74_65  # PostgreSQL: one number for "this person hands something in"


class Submissions(Marking):
    """Every attempt of every learner, and how it was judged."""

    @property
    def limits(self) -> ArchiveLimits:
        """What one submission may hold."""
        settings = self._settings
        return ArchiveLimits(
            settings.submission_max_bytes, settings.submission_max_files, settings.submission_max_depth
        )

    # --- handing in ---

    def submit(self, person: Person, course_slug: str, slug: str, tar: bytes) -> Submission:
        """Take in an attempt. When this returns it is on the disk, in the books and in the queue.

        Args:
            person: who hands in.
            course_slug: the track.
            slug: the exercise.
            tar: the folder, as untrusted bytes.

        Raises:
            NotFoundError: no such exercise, or not for this person.
            TooManyRequestsError: too many within a minute.
            DeadlinePassedError: the exercise takes nothing after its deadline.
            InvalidSubmissionError: the archive or a notebook in it is not usable.
            TooLargeError: too many bytes, files or folders.
            UnavailableError: it could not be kept; nothing was accepted.
        """
        view = self._open_assignment(person.id, course_slug, slug)
        with self._database.reading() as session:
            self._check_rate(session, person.id)
        _check_deadline(view, now_utc())
        version = view.version
        assert version is not None  # noqa: S101 - _open_assignment refuses what is withdrawn
        delivered = self._courses.source(version).delivered
        intake = take_in(read_archive(tar, self.limits), version.notebooks, delivered)
        data = canonical_tar(intake.files)
        digest = self._store.put(data)
        self._queue.ensure()
        with self._database.transaction() as session:
            self._alone(session, person.id)
            self._check_rate(session, person.id)
            received_at = now_utc()
            _check_deadline(view, received_at)
            submission = Submission(
                id=str(uuid4()),
                person_id=person.id,
                assignment_id=view.assignment.id,
                version_id=version.id,
                attempt=_attempts(session, person.id, view.assignment.id) + 1,
                received_at=received_at,
                digest=digest,
                size=len(data),
                language=person.language,
                late=rules.is_late(received_at, view.assignment.deadline),
            )
            priority = rules.queue_priority(_pending(session, person.id))
            session.add(submission)
            session.flush()
            payload = {"attempt": submission.attempt, "late": submission.late}
            key = f"submitted:{submission.id}"
            self._record_event(
                session, EventType.SUBMITTED, submission, view.assignment.course_id, key, payload
            )
            self._queue.enqueue(session, JobId(submission.id), priority)
        return submission

    def _open_assignment(self, person_id: int, course_slug: str, slug: str) -> AssignmentView:
        course = self._courses.by_slug(course_slug)
        if not self._courses.is_enrolled(person_id, course.id):
            raise NotFoundError("This track does not exist, or you don't take part in it.")
        view = self._courses.assignment(course_slug, slug)
        if view.version is None:
            raise NotFoundError("This exercise does not exist.")
        return view

    def _check_rate(self, session: Session, person_id: int) -> None:
        recent = select(func.count()).where(
            Submission.person_id == person_id, Submission.received_at > now_utc() - WINDOW
        )
        if (session.scalar(recent) or 0) >= self._settings.submissions_per_minute:
            raise TooManyRequestsError(
                "You have handed in %(count)s times within a minute. Wait a minute, then try again.",
                count=self._settings.submissions_per_minute,
            )

    def _alone(self, session: Session, person_id: int) -> None:
        """Let one submission of a person in at a time: numbers follow each other, limits hold. SQLite has one writer."""
        if session.get_bind().dialect.name == "postgresql":
            session.execute(
                text("SELECT pg_advisory_xact_lock(:a, :b)"), {"a": ADVISORY_LOCK, "b": person_id}
            )


def _check_deadline(view: AssignmentView, at: datetime) -> None:
    assignment = view.assignment
    about = view.version.about if view.version else {}
    if rules.is_late(at, assignment.deadline) and rules.closes_at_deadline(about):
        raise DeadlinePassedError("The deadline has passed. This exercise takes no more submissions.")


def _attempts(session: Session, person_id: int, assignment_id: int) -> int:
    query = select(func.max(Submission.attempt)).where(
        Submission.person_id == person_id, Submission.assignment_id == assignment_id
    )
    return session.scalar(query) or 0


def _pending(session: Session, person_id: int) -> int:
    query = select(func.count()).where(Submission.person_id == person_id, Submission.state.in_(PENDING))
    return session.scalar(query) or 0


__all__ = ["SubmissionView", "Submissions"]
