"""Bring the feedback of the person's own submissions into their folder, once it is released.

`nbgrader fetch_feedback` and the Assignment List's Fetch Feedback button.
"""

from __future__ import annotations

from nbgrader.exchange import abc

from hub.exchange.exchange import Exchange
from hub.exchange.feedback_folder import FeedbackFolder
from hub.exchange.language import say


class ExchangeFetchFeedback(Exchange, abc.ExchangeFetchFeedback):  # type: ignore[misc]
    """nbgrader's `fetch_feedback` over the service."""

    def init_src(self) -> None:
        """Look which submissions have feedback to read."""
        self.init_names()
        course_id, assignment_id = self.coursedir.course_id, self.coursedir.assignment_id
        records = [r for r in self.client.assignments(course_id) if r.assignment_id == assignment_id]
        if not records:
            self.fail(say("not_found", what=f"{course_id}/{assignment_id}"))
        self.record = records[0]

    def init_dest(self) -> None:
        """Feedback lies in the exercise's own folder."""
        self.dest_path = self.work_folder(self.record.course_id, self.record.assignment_id)

    def copy_files(self) -> None:
        """Fetch what is new or has changed."""
        for attempt in self.record.attempts:
            if not attempt.feedback:
                self.log.warning("No feedback yet for the submission of %s", attempt.timestamp)
                continue
            folder = FeedbackFolder.of(self.dest_path, attempt)
            if folder.has(self.record.notebooks) and not folder.is_outdated(attempt):
                self.log.debug("Feedback is up to date: %s", folder.path)
                continue
            folder.save(self.client.feedback(attempt.id), attempt)
            self.log.info("Fetched feedback: %s", folder.path)
