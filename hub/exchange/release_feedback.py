"""Let learners read their feedback, where the exercise's policy leaves that to the trainer.

`nbgrader release_feedback` and formgrader's Release Feedback buttons. The feedback itself was made by the platform.
"""

from __future__ import annotations

from nbgrader.exchange import abc

from hub.exchange.exchange import Exchange
from hub.exchange.language import say


class ExchangeReleaseFeedback(Exchange, abc.ExchangeReleaseFeedback):  # type: ignore[misc]
    """nbgrader's `release_feedback` over the service."""

    def init_src(self) -> None:
        """Settle which exercise."""
        self.init_names()

    def copy_files(self) -> None:
        """Ask the service: for one learner, for all, or for all but some."""
        course_id, assignment_id = self.coursedir.course_id, self.coursedir.assignment_id
        student = self.coursedir.student_id
        excluded = {name for name in self.coursedir.student_id_exclude.split(",") if name}
        if student not in ("", "*"):
            learners: list[str | None] = [] if student in excluded else [student]
        elif excluded:
            learners = list(
                {row.learner for row in self.client.received(course_id, assignment_id)} - excluded
            )
        else:
            learners = [None]
        count = sum(self.client.release_feedback(course_id, assignment_id, learner) for learner in learners)
        self.log.info("%s", say("feedback_released", count=count))
