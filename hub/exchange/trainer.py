"""The server extension of trainers' containers: nbgrader's formgrader over the platform.

Enabled as `hub.exchange.trainer` in jupyter_server_config.py when the container's role is trainer; nbgrader's own formgrader
extension stays off, since its buttons would run learners' code beside the trainer's token. JupyterLab's menu opens
`formgrader`, which leads to the trainer's course, or lets them choose.
"""

from __future__ import annotations

from typing import Any

from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.utils import url_path_join
from tornado import web

from hub.exchange.desk import Desks
from hub.exchange.environment import Environment
from hub.exchange.extension import TEMPLATES
from hub.exchange.formgrader_page import STATIC
from hub.exchange.formgrader_routes import course_routes
from hub.exchange.language import say


class ChooseCourseHandler(JupyterHandler):
    """What the menu entry Formgrader opens."""

    @web.authenticated
    async def get(self) -> None:
        """Go to the only course, or show which there are."""
        desks = self.settings["atelier_desks"]
        found = await desks.look()
        if len(found) == 1:
            self.redirect(f"{found[0].base_url}/formgrader/manage_assignments")
            return
        courses = [
            {"title": desk.mirror.title, "url": f"{desk.base_url}/formgrader/manage_assignments"}
            for desk in found
        ]
        page = TEMPLATES.get_template("choose_course.html")
        self.set_header("Cache-Control", "no-store")
        self.finish(
            page.render(language=Environment.read().language, say=say, courses=courses, message=desks.message)
        )


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "hub.exchange.trainer"}]


def _load_jupyter_server_extension(serverapp: Any) -> None:
    """Add the routes; called by jupyter_server. Asks the service nothing yet."""
    webapp = serverapp.web_app
    base_url = webapp.settings["base_url"]
    webapp.settings["atelier_desks"] = Desks(serverapp)
    webapp.add_handlers(
        ".*$",
        [
            (
                url_path_join(base_url, r"/formgrader(?:/manage_assignments|/gradebook)?/?"),
                ChooseCourseHandler,
            ),
            *course_routes(base_url, STATIC),
        ],
    )
