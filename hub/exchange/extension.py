"""The server extension of every container: the platform's button "Open the exercise" lands here.

`GET atelier/open/<course>/<exercise>` fetches what is missing and goes on to JupyterLab with the notebook open. It only ever
adds files of courses that the person is enrolled in, so that a foreign page that sends somebody here does no harm. Enabled
as `hub.exchange.extension` in jupyter_server_config.py. It also puts our object behind nbgrader's Assignment List.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment as Templates
from jinja2 import FileSystemLoader
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.utils import url_path_join
from tornado import web
from tornado.ioloop import IOLoop

from hub.exchange.assignment_list import AssignmentList
from hub.exchange.environment import Environment
from hub.exchange.exchange import Exchange
from hub.exchange.failure import ExchangeFailedError, RefusedError, ServiceAwayError
from hub.exchange.fetch_assignment import ensure_exercise
from hub.exchange.language import say

HERE = Path(__file__).parent
PLAIN_NAME = re.compile(r"[^\W_][\w .+@-]{0,99}")
"""One folder's name: no slash, no leading dot, nothing that means something in HTML or a path."""

TEMPLATES = Templates(loader=FileSystemLoader(HERE / "templates"), autoescape=True)


def is_plain_name(name: str) -> bool:
    """Whether a course or an exercise can be called so."""
    return PLAIN_NAME.fullmatch(name) is not None and ".." not in name


class OpenExerciseHandler(JupyterHandler):
    """Fetch what is missing, then show the notebook."""

    @web.authenticated
    async def get(self, course_id: str, assignment_id: str) -> None:
        """Answer with JupyterLab, or with a page that says what happened and what to do."""
        environment = Environment.read()
        try:
            if not (is_plain_name(course_id) and is_plain_name(assignment_id)):
                raise RefusedError(
                    say("not_found", what=f"{course_id}/{assignment_id}"), status=HTTPStatus.NOT_FOUND
                )
            root = Path(self.settings["server_root_dir"])
            notebook = await IOLoop.current().run_in_executor(
                None, open_exercise, environment, root, course_id, assignment_id
            )
        except ExchangeFailedError as failure:
            self.log.warning("Could not open %s/%s: %s", course_id, assignment_id, failure.reason)
            self._explain(failure, environment)
            return
        parts = notebook.relative_to(root).parts
        self.redirect(url_path_join(self.base_url, "lab/tree", *(quote(part, safe="") for part in parts)))

    def _explain(self, failure: ExchangeFailedError, environment: Environment) -> None:
        status = HTTPStatus.SERVICE_UNAVAILABLE if isinstance(failure, ServiceAwayError) else failure.status
        self.set_status(status or HTTPStatus.CONFLICT)
        self.set_header("Cache-Control", "no-store")
        page = TEMPLATES.get_template("can_not_open.html")
        self.finish(
            page.render(
                language=environment.language,
                say=say,
                message=str(failure),
                again=self.request.path,
                back=environment.pages_url,
                workspace=url_path_join(self.base_url, "lab"),
            )
        )


def open_exercise(environment: Environment, root: Path, course_id: str, assignment_id: str) -> Path:
    """Fetch what is missing and return the notebook; runs in a thread, since it waits for the service."""
    with Exchange.make_client(environment) as client:
        return ensure_exercise(client, root, course_id, assignment_id)


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "hub.exchange.extension"}]


def _load_jupyter_server_extension(serverapp: Any) -> None:
    """Add the route; called by jupyter_server."""
    base_url = serverapp.web_app.settings["base_url"]
    route = url_path_join(base_url, r"/atelier/open/([^/]+)/([^/]+)/?")
    serverapp.web_app.add_handlers(".*$", [(route, OpenExerciseHandler)])


async def _start_jupyter_server_extension(serverapp: Any) -> None:
    """Put our object behind the Assignment List; called when all extensions are loaded."""
    settings = serverapp.web_app.settings
    if "assignment_list_manager" in settings:
        manager = AssignmentList(parent=serverapp)
        manager.root_dir = serverapp.root_dir
        settings["assignment_list_manager"] = manager
