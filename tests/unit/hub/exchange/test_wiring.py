"""What a container's Jupyter server is told, by role and language."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from traitlets.config import Config

from hub.exchange.authenticator import AtelierAuthPlugin
from hub.exchange.environment import Environment, Role
from hub.exchange.wiring import configure_server, server_extensions

if TYPE_CHECKING:
    from tests.doubles.exchange_seat import Seat

OVERRIDES = Path(__file__).parents[4] / "images" / "learner" / "overrides.json"


def configured(**variables: str) -> tuple[Config, dict[str, Any], dict[str, Any]]:
    config = Config()
    configure_server(config, Environment.read({"HOME": "/home/learner", **variables}), OVERRIDES)
    folder = Path(config.LabApp.app_settings_dir)
    read = [json.loads((folder / name).read_text()) for name in ("overrides.json", "page_config.json")]
    return config, read[0], read[1]


def test_learner() -> None:
    config, overrides, page = configured(ATELIER_LANGUAGE="fr", ATELIER_ROLE="learner")
    assert config.ServerApp.root_dir == "/home/learner"
    assert "tornado_settings" not in config.ServerApp
    assert overrides["@jupyterlab/translation-extension:plugin"]["locale"] == "fr_FR"
    assert overrides["@jupyterlab/apputils-extension:notification"]["fetchNews"] == "false"
    assert set(page["disabledExtensions"]) == {
        "@jupyter/nbgrader:course-list",
        "@jupyter/nbgrader:create-assignment",
        "@jupyter/nbgrader:formgrader",
    }


def test_trainer() -> None:
    config, overrides, page = configured(ATELIER_LANGUAGE="nl", ATELIER_ROLE="trainer")
    assert config.ServerApp.tornado_settings["headers"]["Content-Security-Policy"] == "frame-ancestors 'self'"
    assert overrides["@jupyterlab/translation-extension:plugin"]["locale"] == "nl_NL"
    assert set(page["disabledExtensions"]) == {"@jupyter/nbgrader:course-list"}


@pytest.mark.parametrize("role", list(Role))
def test_nbgraders_formgrader_never_runs_by_itself(role: Role) -> None:
    enabled = {name for name, on in server_extensions(role).items() if on}
    assert "nbgrader.server_extensions.formgrader" not in enabled
    assert "nbgrader.server_extensions.course_list" not in enabled
    assert "nbgrader" not in enabled
    assert ("hub.exchange.trainer" in enabled) is (role is Role.TRAINER)
    assert {
        "nbgrader.server_extensions.assignment_list",
        "nbgrader.server_extensions.validate_assignment",
    } <= enabled


@pytest.mark.parametrize("role", ["mentor", "admin", "", "TRAINERS"])
def test_any_other_role_is_a_learners_container(role: str) -> None:
    assert Environment.read({"ATELIER_ROLE": role}).role is Role.LEARNER


def test_courses_come_from_the_service(seat: Seat) -> None:
    seat.sit(courses=("web", "data"))
    assert AtelierAuthPlugin().get_student_courses("*") == ["web", "data"]
    assert AtelierAuthPlugin().get_student_courses("somebody-else") == ["web", "data"]
