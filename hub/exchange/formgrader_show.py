"""formgrader's pages of graded work: one notebook, the files beside it, one learner's notebooks.

Used by formgrader_routes.py. What a page needs is fetched before it is shown; what a learner wrote can't run.
"""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path

from nbgrader.server_extensions.formgrader import apihandlers, handlers
from tornado import web

from hub.exchange.formgrader_handler import CourseHandler


class NotebookHandler(CourseHandler, handlers.SubmissionHandler):  # type: ignore[misc]
    """The page of one graded notebook."""

    def submission_to_show(self) -> tuple[str, str] | None:
        """Return whose notebook it is."""
        return self.named_by(self.path_args[0])

    @web.authenticated
    def get(self, submission_id: str) -> None:
        """Show the page under a policy of its own."""
        super().get(submission_id)
        if self.get_status() == HTTPStatus.OK:
            self.set_header("Content-Security-Policy", self.exporter.policy)


class FilesHandler(CourseHandler, handlers.SubmissionFilesHandler):  # type: ignore[misc]
    """Files beside a graded notebook: learners' files, so nothing in them may run."""

    def initialize(self, default_filename: str | None = None) -> None:
        """Serve only graded work."""
        folder = self.desk.mirror.folder / "autograded" if self.desk else Path("/nonexistent")
        web.StaticFileHandler.initialize(self, str(folder), default_filename=default_filename)

    def names_in_address(self) -> list[str]:
        """Return nothing: the path is checked by the file handler, and never written into a page."""
        return []

    def submission_to_show(self) -> tuple[str, str] | None:
        """Return whose files they are."""
        return self.named_by(self.path_args[0].partition("/")[0])

    @property
    def content_security_policy(self) -> str:
        """Nothing runs, nothing is loaded."""
        return "sandbox; default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'; frame-ancestors 'self'"

    @web.authenticated
    async def get(self, path: str, *, include_body: bool = True) -> None:
        """Serve a file."""
        self.set_header("X-Content-Type-Options", "nosniff")
        await web.StaticFileHandler.get(self, path, include_body=include_body)


class StudentNotebooksHandler(CourseHandler, apihandlers.StudentNotebookSubmissionCollectionHandler):  # type: ignore[misc]
    """The notebooks of one learner's submission."""

    def submission_to_show(self) -> tuple[str, str] | None:
        """Return whose they are."""
        learner, assignment_id = self.path_args
        return assignment_id, learner
