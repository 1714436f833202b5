"""formgrader's other handlers of ours, and the routes: nbgrader's own, below each course's address.

Used by trainer.py.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from jupyter_server.utils import url_path_join
from nbgrader.server_extensions.formgrader import apihandlers, handlers
from nbgrader.server_extensions.formgrader.base import BaseHandler
from nbgrader.utils import parse_utc
from tornado import web

from hub.exchange.failure import RefusedError
from hub.exchange.formgrader_handler import CourseHandler
from hub.exchange.formgrader_marks import CommentHandler, GradeHandler
from hub.exchange.formgrader_show import FilesHandler, NotebookHandler, StudentNotebooksHandler
from hub.exchange.language import say
from hub.exchange.record import parse_time

if TYPE_CHECKING:
    from pathlib import Path


class FlagHandler(CourseHandler, apihandlers.FlagSubmissionHandler):  # type: ignore[misc]
    """The trainer's flag on a notebook."""

    @web.authenticated
    def post(self, submission_id: str) -> None:
        """Turn the flag, and remember it over the next refresh."""
        super().post(submission_id)
        notebook = self.gradebook.find_submission_notebook_by_id(submission_id)
        names = (str(notebook.assignment.assignment.name), str(notebook.student.id), str(notebook.name))
        self.open_desk().mirror.flag(*names, flagged=bool(notebook.flagged))


class AssignmentHandler(CourseHandler, apihandlers.AssignmentHandler):  # type: ignore[misc]
    """One exercise: a new folder, or another deadline."""

    @web.authenticated
    async def put(self, assignment_id: str) -> None:
        """Keep the deadline on the platform, then do what nbgrader does."""
        mirror = self.open_desk().mirror
        body = self.get_json_body() or {}
        due = None
        if body.get("duedate_notimezone"):
            written = f"{body['duedate_notimezone']} {body.get('duedate_timezone') or ''}".strip()
            due = parse_time(parse_utc(written).isoformat())
        published = [r for r in mirror.snapshot.published if r.assignment_id == assignment_id]
        if published and published[0].deadline != due:
            await self.ask(lambda client: client.set_deadline(mirror.course_id, assignment_id, due))
            mirror.expire()
        (mirror.folder / "source" / assignment_id).mkdir(parents=True, exist_ok=True)
        if due and not published:
            self.refuse(RefusedError(say("publish_first"), status=HTTPStatus.CONFLICT))
            return
        super().put(assignment_id)


class StudentHandler(CourseHandler, apihandlers.StudentHandler):  # type: ignore[misc]
    """One person: to look at; people are managed on the platform."""

    @web.authenticated
    def put(self, student_id: str) -> None:  # noqa: ARG002 - nbgrader's signature
        """Say where people are managed."""
        self.refuse(RefusedError(say("people_elsewhere"), status=HTTPStatus.CONFLICT))


class FirstPageHandler(CourseHandler):
    """The course's first page."""

    @web.authenticated
    def get(self) -> None:
        """Go to the list of exercises."""
        self.redirect(f"{self.base_url}/formgrader/manage_assignments")


OURS: dict[type[Any], type[CourseHandler]] = {
    handlers.FormgraderHandler: FirstPageHandler,
    handlers.SubmissionHandler: NotebookHandler,
    handlers.SubmissionFilesHandler: FilesHandler,
    apihandlers.StudentNotebookSubmissionCollectionHandler: StudentNotebooksHandler,
    apihandlers.GradeHandler: GradeHandler,
    apihandlers.CommentHandler: CommentHandler,
    apihandlers.FlagSubmissionHandler: FlagHandler,
    apihandlers.AssignmentHandler: AssignmentHandler,
    apihandlers.StudentHandler: StudentHandler,
}


def course_routes(server_base_url: str, static: Path) -> list[tuple[Any, ...]]:
    """Return nbgrader's own routes below each course's address, with our handlers in them."""
    root = url_path_join(server_base_url, r"/atelier/courses/[^/]+")
    routes: list[tuple[Any, ...]] = [
        (r"/formgrader/atelier/(.*)", web.StaticFileHandler, {"path": str(static)}),
        *handlers.default_handlers,
        *apihandlers.default_handlers,
        (r"/formgrader/static/(.*)", web.StaticFileHandler, {"path": handlers.static_path}),
        (r"/formgrader/.*", handlers.Template404),
    ]
    return [(root + route[0], _ours(route[1]), *route[2:]) for route in routes]


def _ours(handler: type[Any]) -> type[Any]:
    """Return our handler for nbgrader's: a special one, else nbgrader's over the mirror."""
    if handler in OURS:
        return OURS[handler]
    if issubclass(handler, BaseHandler):
        return type(f"Course{handler.__name__}", (CourseHandler, handler), {})
    return handler
