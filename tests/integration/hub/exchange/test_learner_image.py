"""The exchange inside the real image: JupyterLab, nbgrader's extensions and its command line, as people have them."""

from __future__ import annotations

import json
import re
import secrets
import socket
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import docker
import httpx
import pytest

from hub.settings import Settings
from tests.doubles.exchange_api import ExchangeApi

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.integration

DEADLINE_S = 90
CODE = {
    "cell_type": "code",
    "id": "one",
    "metadata": {},
    "outputs": [],
    "execution_count": None,
    "source": "x = 1",
}
NOTEBOOK = json.dumps({"cells": [CODE], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


class Workspace:
    """A container with JupyterLab, and a way to ask it."""

    def __init__(self, container: Any, port: int, token: str) -> None:
        self.container = container
        self.http = httpx.Client(
            base_url=f"http://127.0.0.1:{port}/", headers={"Authorization": f"token {token}"}, timeout=60
        )

    def run(self, *command: str) -> tuple[int, str]:
        code, output = self.container.exec_run(list(command), workdir="/home/learner")
        return code, output.decode()

    def page_config(self) -> dict[str, Any]:
        page = self.http.get("lab").text
        match = re.search(
            r'<script id="jupyter-config-data" type="application/json">(.*?)</script>', page, re.DOTALL
        )
        assert match, page[:500]
        found: dict[str, Any] = json.loads(match[1])
        return found

    def is_up(self) -> bool:
        try:
            return self.http.get("api/status").is_success
        except httpx.HTTPError:
            return False


@contextmanager
def workspace(api: ExchangeApi, name: str, role: str, language: str) -> Iterator[Workspace]:
    token = secrets.token_hex(8)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    instance = f"ateliertest-{secrets.token_hex(3)}"
    container = docker.from_env().containers.run(
        Settings().learner_image,
        ["jupyter", "lab", "--no-browser", f"--ServerApp.port={port}", "--ServerApp.ip=127.0.0.1",
         f"--IdentityProvider.token={token}"],
        detach=True,
        name=f"{instance}-{name}",
        labels={"atelier.instance": instance},
        network_mode="host",  # the double listens on this machine's loopback
        cap_drop=["ALL"],
        security_opt=["no-new-privileges"],
        environment={
            "ATELIER_API_URL": api.url,
            "ATELIER_LANGUAGE": language,
            "ATELIER_ROLE": role,
            "JUPYTERHUB_API_TOKEN": api.add(name, role),
            "JUPYTERHUB_USER": name,
        },
    )  # fmt: skip
    try:
        space = Workspace(container, port, token)
        until = time.monotonic() + DEADLINE_S
        while not space.is_up():
            assert time.monotonic() < until, container.logs().decode()
            time.sleep(0.2)
        yield space
        space.http.close()
    finally:
        container.remove(force=True)


@pytest.fixture
def api() -> Iterator[ExchangeApi]:
    with ExchangeApi() as double:
        double.publish("web", "page-one", {"page-one.ipynb": NOTEBOOK})
        yield double


def test_a_learner(api: ExchangeApi) -> None:
    with workspace(api, "alice", "learner", "fr") as space:
        assert {
            "@jupyter/nbgrader:formgrader",
            "@jupyter/nbgrader:create-assignment",
            "@jupyter/nbgrader:course-list",
        } <= set(space.page_config()["disabledExtensions"])
        settings = space.http.get("lab/api/settings/@jupyterlab/translation-extension:plugin").json()
        assert settings["schema"]["properties"]["locale"]["default"] == "fr_FR"
        assert space.http.get("formgrader/manage_assignments").status_code == 404
        answer = space.http.get("atelier/open/web/page-one")
        assert (answer.status_code, answer.headers["Location"]) == (
            302,
            "/lab/tree/web/page-one/page-one.ipynb",
        )
        (info,) = space.http.get("assignments?course_id=web").json()["value"]
        assert (info["status"], info["path"]) == ("fetched", "web/page-one")
        validated = space.http.post(
            "assignments/validate", json={"path": "web/page-one/page-one.ipynb"}
        ).json()
        assert validated["success"] is True, validated
        code, output = space.run("nbgrader", "submit", "page-one", "--course", "web")
        assert code == 0, output
        assert api.submitted[0].files == {"page-one.ipynb": NOTEBOOK}
        code, output = space.run("nbgrader", "list", "--cached")
        assert (code, "web alice page-one" in output) == (0, True), output


def test_a_trainer(api: ExchangeApi) -> None:
    with workspace(api, "tom", "trainer", "nl") as space:
        disabled = space.page_config()["disabledExtensions"]
        assert "@jupyter/nbgrader:course-list" in disabled
        assert "@jupyter/nbgrader:formgrader" not in disabled
        page = space.http.get("formgrader", follow_redirects=True)
        assert page.url.path == "/atelier/courses/web/formgrader/manage_assignments"
        assert "Dit is een kopie" in page.text
        assert page.headers["Content-Security-Policy"] == "frame-ancestors 'self'"
        code, output = space.run("ls", "courses/web/source/page-one")
        assert (code, output.strip()) == (0, "page-one.ipynb")
        code, output = space.run("sh", "-c", "cd courses/web && nbgrader release_assignment page-one --force")
        assert (code, api.published["web", "page-one"].version) == (0, 2), output
