"""formgrader's handlers, one set for each course of the trainer, over a mirror that is refreshed before a page is shown.

Base of formgrader_show.py, formgrader_marks.py and formgrader_routes.py. Each course lives at its own address, so that two
tabs with two courses don't disturb each other.
"""

from __future__ import annotations

import re
from collections import ChainMap
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

from nbgrader.api import MissingEntry
from nbgrader.server_extensions.formgrader.base import BaseHandler
from tornado import web
from tornado.ioloop import IOLoop

from hub.exchange.environment import Environment
from hub.exchange.exchange import Exchange
from hub.exchange.extension import is_plain_name
from hub.exchange.failure import ExchangeFailedError, ServiceAwayError
from hub.exchange.formgrader_api import MirrorApi

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping

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
