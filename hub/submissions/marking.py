"""Judging by hand: marks and comments from formgrader, release of feedback, the gradebook's copy.

Part of what `Submissions` (service.py) is made of. Marks stand in the service's own table: the worker's gradebook holds
automatic scores only. Must not know HTTP.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

from hub.db import now_utc
from hub.errors import ConflictError
from hub.progress.models import EventType
from hub.submissions import gradebook, reading, rules
from hub.submissions.grading import GradingBooks
from hub.submissions.models import ManualMark, Result, Submission
from hub.submissions.reading import SubmissionView, get_submission, no_submission

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sqlalchemy.orm import Session

    from hub.submissions.rules import Mark


class Marking(GradingBooks):
    """What humans say about submissions."""

    def release_feedback(self, assignment_id: int, person_id: int | None = None) -> int:
        """Show learners the judgements that were kept back; return how many were released now."""
        query = (
            select(Result)
            .join(Submission, Submission.result_id == Result.id)
            .where(Submission.assignment_id == assignment_id, Result.feedback_released_at.is_(None))
        )
        if person_id is not None:
            query = query.where(Submission.person_id == person_id)
        with self._database.transaction() as session:
            held_back = list(session.scalars(query))
            for result in held_back:
                result.feedback_released_at = now_utc()
        return len(held_back)

    def give_marks(self, course_id: int, marks: Sequence[Mark], by: int) -> list[ManualMark]:
        """Take marks that a trainer gave; all of them or, when one does not fit, none.

        Args:
            course_id: the trainer's course; submissions of another one don't exist here.
            marks: what was given.
            by: the trainer.

        Raises:
            NotFoundError: a submission is not one of this course.
            InvalidInputError: a mark does not fit the exercise.
            ConflictError: somebody gave a newer mark than the trainer had seen.
        """
        for mark in marks:
            version, course = self._about(mark.submission_id)
            if version is None or course != course_id:
                raise no_submission()
            rules.check_mark(mark, version.cells, version.about.get("solution_cells", ()))
        with self._database.transaction() as session:
            rows = [_give_mark(session, mark, by) for mark in marks]
            session.flush()
            for submission_id in dict.fromkeys(mark.submission_id for mark in marks):
                self._record_marked(session, submission_id, course_id)
            return rows

    def _record_marked(self, session: Session, submission_id: str, course_id: int) -> None:
        view = reading.views(session, select(Submission).where(Submission.id == submission_id))[0]
        score = reading.effective_score(view)
        payload = {
            "score": score.score if score else None,
            "max_score": score.max_score if score else None,
            "verdict": view.result.verdict if view.result else None,
            "attempt": view.submission.attempt,
            "run": view.result.run if view.result else 0,
        }
        key = f"marked:{submission_id}:{now_utc().isoformat()}"
        self._record_event(session, EventType.MARKED, view.submission, course_id, key, payload)

    def gradebook_tag(self, course_slug: str) -> str:
        """Return a name for the state of a course's gradebook: another name, another state.

        Raises:
            NotFoundError: nothing is graded yet.
        """
        with self._database.reading() as session:
            marks = session.execute(select(func.count(), func.max(ManualMark.given_at))).one()
        return gradebook.state_tag(self._gradebook_path(course_slug), f"{marks[0]}-{marks[1]}")

    def gradebook_copy(self, course_slug: str) -> bytes:
        """Return a copy of a course's nbgrader gradebook, with every mark that was given by hand laid into
        it.

        Raises:
            NotFoundError: nothing is graded yet.
        """
        course = self._courses.by_slug(course_slug)
        slugs = {
            view.assignment.id: view.assignment.slug
            for view in self._courses.assignments(course.id, include_withdrawn=True)
        }
        names = {person.id: person.name for person in self._people.everyone()}
        newest: dict[tuple[int, int], SubmissionView] = {}
        for view in self.of_course(course.id):
            if view.result is not None:
                newest[view.submission.person_id, view.submission.assignment_id] = view
        rows = [
            gradebook.MarkRow(names[person_id], slugs[assignment_id], mark)
            for (person_id, assignment_id), view in newest.items()
            for mark in view.marks
        ]
        return gradebook.copy_with_marks(self._gradebook_path(course_slug), rows)

    def _gradebook_path(self, course_slug: str) -> Path:
        return self._settings.courses_dir / self._courses.by_slug(course_slug).slug / "gradebook.db"


def _give_mark(session: Session, mark: Mark, by: int) -> ManualMark:
    get_submission(session, mark.submission_id, lock=True)
    query = select(ManualMark).where(
        ManualMark.submission_id == mark.submission_id,
        ManualMark.notebook == mark.notebook,
        ManualMark.grade_id == mark.grade_id,
    )
    row = session.scalar(query)
    if row is not None and row.given_at > mark.seen_at:
        raise ConflictError(
            "Somebody else has marked %(name)s since you opened it. Reload and look again.",
            reason="newer_mark",
            name=mark.grade_id,
        )
    if row is None:
        row = ManualMark(submission_id=mark.submission_id, notebook=mark.notebook, grade_id=mark.grade_id)
        session.add(row)
    for name in mark.given:
        setattr(row, name, getattr(mark, name))
    row.given_by = by
    row.given_at = now_utc()
    return row
