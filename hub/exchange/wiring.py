"""Puts our exchange into the configuration of nbgrader and of the Jupyter server.

Called by the image's nbgrader_config.py and jupyter_server_config.py; the only place that knows all class names.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hub.exchange.environment import Environment, Role
from hub.exchange.lab_settings import write_lab_settings

OPERATIONS = {
    "exchange": "hub.exchange.exchange.Exchange",
    "fetch_assignment": "hub.exchange.fetch_assignment.ExchangeFetchAssignment",
    "fetch_feedback": "hub.exchange.fetch_feedback.ExchangeFetchFeedback",
    "release_assignment": "hub.exchange.release_assignment.ExchangeReleaseAssignment",
    "release_feedback": "hub.exchange.release_feedback.ExchangeReleaseFeedback",
    "list": "hub.exchange.list.ExchangeList",
    "submit": "hub.exchange.submit.ExchangeSubmit",
    "collect": "hub.exchange.collect.ExchangeCollect",
}
REFUSAL = "hub.exchange.refusal.RefuseToRun"
LAB_OVERRIDES = Path("/etc/jupyter/lab_overrides.json")


def configure(config: Any, environment: Environment | None = None) -> None:
    """Fill nbgrader's configuration.

    Args:
        config: traitlets' config object, `get_config()` in a configuration file.
        environment: where we run; read from the process when not given.
    """
    surroundings = environment or Environment.read()
    for name, target in OPERATIONS.items():
        config.ExchangeFactory[name] = target
    config.Exchange.assignment_dir = str(surroundings.home)
    config.Exchange.path_includes_course = True
    config.Authenticator.plugin_class = "hub.exchange.authenticator.AtelierAuthPlugin"
    config.HTMLExporter.sanitize_html = True
    # Learners' work is graded in the platform's sandbox, never in a container that holds somebody's token.
    config.Autograde.sanitize_preprocessors = [REFUSAL]
    config.Autograde.autograde_preprocessors = [REFUSAL]


def server_extensions(role: Role) -> dict[str, bool]:
    """Return which server extensions a role has. Formgrader is started by ours, never by itself."""
    return {
        "hub.exchange.extension": True,
        "hub.exchange.trainer": role is Role.TRAINER,
        "nbgrader.server_extensions.assignment_list": True,
        "nbgrader.server_extensions.validate_assignment": True,
        "nbgrader.server_extensions.course_list": False,
        "nbgrader.server_extensions.formgrader": False,
    }


def configure_server(
    config: Any, environment: Environment | None = None, overrides: Path = LAB_OVERRIDES
) -> None:
    """Fill the configuration of the Jupyter server and of JupyterLab.

    Args:
        config: traitlets' config object.
        environment: where we run; read from the process when not given.
        overrides: the site's defaults of Lab's settings.
    """
    surroundings = environment or Environment.read()
    config.ServerApp.root_dir = str(surroundings.home)
    config.ServerApp.jpserver_extensions = server_extensions(surroundings.role)
    config.LabApp.app_settings_dir = str(write_lab_settings(surroundings, overrides))
    config.LabApp.extension_manager = "readonly"
    config.FileContentsManager.delete_to_trash = False  # a home has a limit, and no trash that can be emptied
    if surroundings.role is Role.TRAINER:
        # Formgrader lives in a frame of Lab's page; the hub's default forbids every frame.
        config.ServerApp.tornado_settings = {"headers": {"Content-Security-Policy": "frame-ancestors 'self'"}}
