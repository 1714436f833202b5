"""A trainer's desk: one course with its mirror and with formgrader's settings for it; and all desks of the trainer.

Used by formgrader_handler.py and trainer.py. Lives in the Jupyter server's one thread, but for the waiting.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from jupyter_server.utils import url_path_join
from nbgrader.server_extensions.formgrader.formgrader import FormgradeExtension
from tornado.ioloop import IOLoop

from hub.exchange.environment import Environment
from hub.exchange.exchange import Exchange
from hub.exchange.extension import is_plain_name
from hub.exchange.failure import ExchangeFailedError, ServiceAwayError
from hub.exchange.formgrader_page import NotebookPage, page_templates
from hub.exchange.language import say
from hub.exchange.mirror import CourseMirror

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.exchange.client import ExchangeClient

COURSES_FRESH_S = 60.0


@dataclass
class CourseDesk:
    """One course of the trainer."""

    mirror: CourseMirror
    base_url: str
    """The course's own address below the server's, without a slash at the end."""

    settings: dict[str, Any]
    """What nbgrader's handlers look up in the server's settings."""

    lock: asyncio.Lock

    async def refresh(self) -> None:
        """Fetch what has changed, unless that was done a moment ago. A service that is away leaves the old copy."""
        async with self.lock:
            if not self.mirror.is_due():
                return
            try:
                fetched = await in_thread(self.mirror.fetch)
            except ExchangeFailedError as failure:
                self.mirror.away = (
                    say("stale_copy") if isinstance(failure, ServiceAwayError) else str(failure)
                )
                return
            gradebook = self.settings["nbgrader_gradebook"]
            if gradebook is not None:
                gradebook.close()
                self.settings["nbgrader_gradebook"] = None
            self.mirror.apply(*fetched)


async def in_thread(ask: Callable[[ExchangeClient], Any]) -> Any:
    """Ask the service without holding up the server."""

    def run() -> Any:
        with Exchange.make_client(Environment.read()) as client:
            return ask(client)

    return await IOLoop.current().run_in_executor(None, run)


class Desks:
    """The courses that this trainer trains; looked up when needed, since the service may start later than we do."""

    def __init__(self, serverapp: Any) -> None:
        self._serverapp = serverapp
        self._desks: dict[str, CourseDesk] = {}
        self._looked_at = float("-inf")
        self.message = ""
        """Why there is nothing to choose from."""

    def find(self, course_id: str) -> CourseDesk | None:
        """Return a desk that is set up."""
        return self._desks.get(course_id)

    async def look(self) -> list[CourseDesk]:
        """Ask the service which courses the person trains, and set up desks for new ones."""
        if time.monotonic() - self._looked_at < COURSES_FRESH_S:
            return list(self._desks.values())
        try:
            courses = await in_thread(lambda client: client.courses())
        except ExchangeFailedError as failure:
            self.message = str(failure)
            return list(self._desks.values())
        self._looked_at = time.monotonic()
        self.message = say("no_course")
        trained = {c.id: c for c in courses if c.role in ("trainer", "admin") and is_plain_name(c.id)}
        for course_id in set(self._desks) - set(trained):
            del self._desks[course_id]
        for course_id, course in trained.items():
            if course_id not in self._desks:
                self._desks[course_id] = self._set_up(course_id, course.title)
        return list(self._desks.values())

    def _set_up(self, course_id: str, title: str) -> CourseDesk:
        """Make the folder of a course and start nbgrader's formgrader on it."""
        app = self._serverapp
        mirror = CourseMirror(course_id, title, Path(app.root_dir) / "courses" / course_id)
        mirror.ensure_folder()
        formgrader = FormgradeExtension(parent=app)
        formgrader.root_dir = app.root_dir
        formgrader.log = app.log
        formgrader.debug = False
        formgrader.load_cwd_config = False
        formgrader.config_dir = str(mirror.folder)
        formgrader.initialize([], root=str(mirror.folder))
        server_base_url = app.web_app.settings["base_url"]
        base_url = url_path_join(server_base_url, "atelier/courses", quote(course_id)).rstrip("/")
        settings = {
            "nbgrader_formgrader": formgrader,
            "nbgrader_authenticator": formgrader.authenticator,
            "nbgrader_exporter": NotebookPage(formgrader.config, base_url),
            "nbgrader_gradebook": None,
            "nbgrader_db_url": formgrader.coursedir.db_url,
            "nbgrader_jinja2_env": page_templates(
                mirror, base_url, url_path_join(server_base_url, "formgrader")
            ),
            "nbgrader_bad_setup": False,
            "initial_config": formgrader.config,
        }
        return CourseDesk(mirror, base_url, settings, asyncio.Lock())
