"""formgrader's handlers, one set for each course of the trainer, over a mirror that is refreshed before a page is shown.

Used by trainer.py. Each course lives at its own address, so that two tabs with two courses don't disturb each other. A mark
goes to the service first; only when it is kept there does the copy change, so a refused mark is an error on the screen.
"""

from __future__ import annotations

import re
from collections import ChainMap
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from jupyter_server.utils import url_path_join
from nbgrader.api import MissingEntry
from nbgrader.server_extensions.formgrader import apihandlers, handlers
from nbgrader.server_extensions.formgrader.base import BaseHandler
from nbgrader.utils import parse_utc
from tornado import web
from tornado.ioloop import IOLoop

from hub.exchange.environment import Environment
from hub.exchange.exchange import Exchange
from hub.exchange.extension import is_plain_name
from hub.exchange.failure import ServiceAwayError, ExchangeFailedError, RefusedError
from hub.exchange.formgrader_api import MirrorApi
from hub.exchange.language import say
from hub.exchange.record import Mark, parse_time

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, MutableMapping

    from hub.exchange.client import ExchangeClient
    from hub.exchange.desk import CourseDesk, Desks

T = TypeVar("T")
_COURSE = re.compile(r"/atelier/courses/([^/]+)/formgrader")


class CourseHandler(BaseHandler):  # type: ignore[misc]
    """What every handler of ours adds to nbgrader's: the course of the address, its mirror, our API."""

    @property
    def desk(self) -> CourseDesk | None:
        """The course that the address names, None when it is not the trainer's."""
        match = _COURSE.search(self.request.path)
        desks: Desks = self.application.settings["atelier_desks"]
        return desks.find(match[1]) if match else None

    @property
    def settings(self) -> MutableMapping[str, Any]:
        """The server's settings, under those of the course."""
        shared: dict[str, Any] = self.application.settings
        return ChainMap(self.desk.settings, shared) if self.desk else shared

    @property
    def base_url(self) -> str:
        """The course's own address, which nbgrader's templates and scripts start from."""
        return self.desk.base_url if self.desk else str(super().base_url)

    @property
    def api(self) -> MirrorApi:
        """Our API in the place of nbgrader's."""
        level = self.log.level
        self.coursedir.parent.load_config_file()
        api = MirrorApi(
            self.coursedir, self.authenticator, self.open_desk().mirror, parent=self.coursedir.parent
        )
        api.log_level = level
        return api

    def open_desk(self) -> CourseDesk:
        """Return the course.

        Raises:
            HTTPError: 404, it is not the trainer's.
        """
        if self.desk is None:
            raise web.HTTPError(HTTPStatus.NOT_FOUND)
        return self.desk

    async def prepare(self, **kwargs: Any) -> None:
        """Refresh the copy before anything is shown; names in the address must be names."""
        await super().prepare(**kwargs)
        if self._finished or self.current_user is None:
            return
        desks: Desks = self.application.settings["atelier_desks"]
        if self.desk is None:
            await desks.look()
        desk = self.open_desk()
        if not all(is_plain_name(name) for name in self.names_in_address()):
            raise web.HTTPError(HTTPStatus.NOT_FOUND)
        await desk.refresh()
        named = self.submission_to_show()
        if named:
            await self.ask(lambda client: desk.mirror.ensure_autograded(client, *named))

    def names_in_address(self) -> list[str]:
        """Return what nbgrader takes from the address and writes into its pages."""
        return [name for name in (*self.path_args, *self.path_kwargs.values()) if name]

    def submission_to_show(self) -> tuple[str, str] | None:
        """Return the exercise and learner whose notebooks must be here, if the page shows some."""
        return None

    def named_by(self, submission_id: str) -> tuple[str, str] | None:
        """Return the exercise and learner of a submitted notebook."""
        try:
            notebook = self.gradebook.find_submission_notebook_by_id(submission_id)
        except MissingEntry:
            return None
        return str(notebook.assignment.assignment.name), str(notebook.student.id)

    async def ask(self, what: Callable[[ExchangeClient], T]) -> T:
        """Ask the service in a thread; a failure ends the request with its sentence."""

        def run() -> T:
            with Exchange.make_client(Environment.read()) as client:
                return what(client)

        try:
            return await IOLoop.current().run_in_executor(None, run)
        except ExchangeFailedError as failure:
            self.refuse(failure)
            raise web.Finish from failure

    def refuse(self, failure: ExchangeFailedError) -> None:
        """Answer with the sentence for the person; marks.js shows it."""
        away = isinstance(failure, ServiceAwayError)
        self.set_status(failure.status or (HTTPStatus.SERVICE_UNAVAILABLE if away else HTTPStatus.CONFLICT))
        self.finish({"message": str(failure)})


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


class GradeHandler(CourseHandler, apihandlers.GradeHandler):  # type: ignore[misc]
    """One score."""

    @web.authenticated
    async def put(self, grade_id: str) -> None:
        """Keep a score on the platform, then in the copy."""
        try:
            grade = self.gradebook.find_grade_by_id(grade_id)
        except MissingEntry as missing:
            raise web.HTTPError(HTTPStatus.NOT_FOUND) from missing
        body = self.get_json_body() or {}
        values: dict[str, float | str | None] = {
            "score": _number(body.get("manual_score")),
            "extra_credit": _number(body.get("extra_credit")),
        }
        await keep_mark(self, grade, values)
        super().put(grade_id)


class CommentHandler(CourseHandler, apihandlers.CommentHandler):  # type: ignore[misc]
    """One comment."""

    @web.authenticated
    async def put(self, grade_id: str) -> None:
        """Keep a comment on the platform, then in the copy."""
        try:
            comment = self.gradebook.find_comment_by_id(grade_id)
        except MissingEntry as missing:
            raise web.HTTPError(HTTPStatus.NOT_FOUND) from missing
        text = (self.get_json_body() or {}).get("manual_comment")
        await keep_mark(self, comment, {"comment": None if text in (None, "") else str(text)})
        super().put(grade_id)


async def keep_mark(handler: CourseHandler, row: Any, values: Mapping[str, float | str | None]) -> None:
    """Send a score or comment to the service; nbgrader's row says which learner, notebook and cell."""
    mirror = handler.open_desk().mirror
    learner, assignment_id = str(row.student.id), str(row.assignment.name)
    submission = mirror.snapshot.graded(assignment_id, learner)
    if submission is None:
        handler.refuse(ExchangeFailedError(say("nothing_submitted", learner=learner, what=assignment_id)))
        raise web.Finish
    cell = (submission.id, str(row.notebook.name), str(row.cell.name))
    mark = Mark(*cell, mirror.seen_at(cell), values)
    mirror.marked[cell] = await handler.ask(lambda client: client.mark(mirror.course_id, mark))


def _number(value: Any) -> float | None:
    """Return what formgrader's script sends: a number, its text, or nothing."""
    if value in (None, ""):
        return None
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise web.HTTPError(HTTPStatus.BAD_REQUEST) from error


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
    def put(self, student_id: str) -> None:
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
