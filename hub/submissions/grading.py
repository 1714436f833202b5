"""The worker's side of submissions: lays out jobs, takes results and failures, puts work into the queue
again.

`Submissions` (service.py) is made of this class; the worker sees it as its books (graders.worker.Books).
Every method may be called twice for the same run and counts once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import select

from graders.queue import JobId
from graders.results import GradingJob, GradingResult
from hub.db import now_utc
from hub.progress.models import EventType
from hub.submissions import rules
from hub.submissions.archive import canonical_tar, open_canonical, unpack
from hub.submissions.models import ManualMark, Result, State, Submission
from hub.submissions.reading import PENDING, Reading, get_submission, score_with_marks

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from sqlalchemy.orm import Session

    from hub.courses.models import AssignmentVersion

DETAIL_MAX_CHARS = 8000
log = structlog.get_logger(__name__)


class GradingBooks(Reading):
    """What was handed in and how it was judged, as the grading worker needs it."""

    def start_grading(self, submission_id: str, run: int = 1) -> bool:
        """Note that grading begins; False when this run is over already, or the submission is gone."""
        with self._database.transaction() as session:
            submission = _wanted(session, submission_id, run)
            if submission is not None:
                submission.state = State.GRADING
            return submission is not None

    def job(self, submission_id: str, into: Path) -> GradingJob:
        """Unpack the source and the submission into a fresh folder and say what to grade.

        Raises:
            NotFoundError: there is no such submission.
            UnavailableError: the stored files can't be read.
        """
        with self._database.reading() as session:
            submission = get_submission(session, submission_id)
        version = self._courses.version(submission.version_id)
        assignment = self._courses.assignment_by_id(submission.assignment_id).assignment
        source = self._courses.source(version)
        unpack(source.files, into / "source")
        unpack(open_canonical(self._store.get(submission.digest)), into / "submission")
        return GradingJob(
            submission_id=submission.id,
            course=self._courses.by_id(assignment.course_id).slug,
            assignment=assignment.slug,
            learner=self._people.get(submission.person_id).name,
            source_dir=into / "source",
            submission_dir=into / "submission",
            version=version.source_digest,
            received_at_utc=submission.received_at.isoformat(),
            language=submission.language,
            limits=source.limits,
        )

    def record_result(self, submission_id: str, result: GradingResult, run: int = 1) -> None:
        """Write a judgement and its `graded` event; the files go to the store first. The same run counts once."""
        feedback = self._put_tar(result.feedback)
        autograded = self._put_tar(result.autograded)
        version, course_id = self._about(submission_id)
        with self._database.transaction() as session:
            submission = _wanted(session, submission_id, run)
            if submission is None or version is None:
                return
            previous = session.get(Result, submission.result_id) if submission.result_id else None
            row = Result(
                submission_id=submission_id,
                run=run,
                verdict=result.verdict.value,
                score=result.score,
                max_score=result.max_score,
                needs_manual_grade=result.needs_manual_grade,
                body=result.to_json(),
                detail=result.detail[:DETAIL_MAX_CHARS] if result.detail else None,
                feedback_digest=feedback,
                autograded_digest=autograded,
            )
            if rules.releases_at_once(version.about) or (
                previous is not None and previous.feedback_released_at
            ):
                row.feedback_released_at = now_utc()
            session.add(row)
            session.flush()
            submission.result_id = row.id
            submission.state = State.GRADED
            submission.failure = None
            self._record_graded(session, submission, row, course_id)

    def _about(self, submission_id: str) -> tuple[AssignmentVersion | None, int | None]:
        """Return the exercise's version and the course of a submission.

        Asked before a transaction begins, never inside one: a second connection taken while holding the first
        is how pools lock themselves up.
        """
        with self._database.reading() as session:
            submission = session.get(Submission, submission_id)
        if submission is None:
            return None, None
        course_id = self._courses.assignment_by_id(submission.assignment_id).assignment.course_id
        return self._courses.version(submission.version_id), course_id

    def _put_tar(self, files: dict[str, bytes]) -> str | None:
        return self._store.put(canonical_tar(files)) if files else None

    def _record_graded(
        self, session: Session, submission: Submission, row: Result, course_id: int | None
    ) -> None:
        marks = list(session.scalars(select(ManualMark).where(ManualMark.submission_id == submission.id)))
        score = score_with_marks(row.body, marks)
        payload = {
            "score": score.score,
            "max_score": score.max_score,
            "verdict": row.verdict,
            "attempt": submission.attempt,
            "run": row.run,
        }
        key = f"graded:{submission.id}:{row.run}"
        self._record_event(session, EventType.GRADED, submission, course_id, key, payload)

    def record_failure(self, submission_id: str, reason: str, run: int = 1) -> None:
        """Set a submission aside with its reason, for a trainer. An earlier judgement stays in force."""
        version, course_id = self._about(submission_id)
        with self._database.transaction() as session:
            submission = _wanted(session, submission_id, run)
            if submission is None or version is None:
                return
            submission.state = State.FAILED
            submission.failure = reason[:DETAIL_MAX_CHARS]
            key = f"grading_failed:{submission_id}:{run}"
            # The reason itself may hold paths and code: trainers read it on the submission, not in an event.
            payload = {"reason": "platform_failed", "attempt": submission.attempt, "run": run}
            self._record_event(session, EventType.GRADING_FAILED, submission, course_id, key, payload)

    def _record_event(  # noqa: PLR0917 - an event says who, what, where and when
        self,
        session: Session,
        kind: EventType,
        submission: Submission,
        course_id: int | None,
        key: str,
        payload: dict[str, Any],
    ) -> None:
        self._progress.record(
            session,
            kind,
            submission.person_id,
            key=key,
            course_id=course_id,
            assignment_id=submission.assignment_id,
            submission_id=submission.id,
            source="submissions",
            payload=payload,
        )

    def unfinished(self) -> list[tuple[str, int]]:
        """Return (submission, run) of everything that was accepted and has no end yet, oldest first."""
        query = (
            select(Submission.id, Submission.run)
            .where(Submission.state.in_(PENDING))
            .order_by(Submission.received_at)
        )
        with self._database.reading() as session:
            return [(submission_id, run) for submission_id, run in session.execute(query)]

    def regrade(self, ids: Iterable[str], by: int | None) -> list[str]:
        """Queue submissions to be graded again, against the exercise's version of today.

        Args:
            ids: submissions; those that wait or are being graded stay as they are.
            by: the person who asks; None: the command line.

        Returns:
            The ids that were queued.

        Raises:
            NotFoundError: one of them does not exist; then none is queued.
        """
        self._queue.ensure()
        wanted = list(dict.fromkeys(ids))
        queued: list[str] = []
        current = self._current_versions(wanted)
        with self._database.transaction() as session:
            for submission_id in wanted:
                submission = get_submission(session, submission_id, lock=True)
                if submission.state in PENDING:
                    continue
                submission.version_id = current[submission.assignment_id] or submission.version_id
                submission.state = State.QUEUED
                submission.failure = None
                submission.run += 1
                priority = rules.queue_priority(len(queued), regrade=True)
                self._queue.enqueue(session, JobId(submission_id, submission.run), priority)
                queued.append(submission_id)
        log.info("regrade", by=by, submissions=len(queued))
        return queued

    def _current_versions(self, submission_ids: Iterable[str]) -> dict[int, int | None]:
        with self._database.reading() as session:
            ids = {get_submission(session, submission_id).assignment_id for submission_id in submission_ids}
        return {id_: self._courses.assignment_by_id(id_).assignment.current_version_id for id_ in ids}


def _wanted(session: Session, submission_id: str, run: int) -> Submission | None:
    """Return the submission, locked, when this run is the one that is waited for."""
    submission = session.get(Submission, submission_id, with_for_update=True)
    if submission is None or submission.run != run or submission.state not in PENDING:
        return None
    return submission
