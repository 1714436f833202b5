"""Fixtures of the exchange's tests; each folder that needs them names them in its conftest.py.

api        | the service's double, running
notebook   | makes a small valid notebook
server     | starts a Jupyter server with the image's configuration in this process; returns how to ask it
seat       | one person's container: a home, the environment and nbgrader's programs called in this process
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import threading
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from jupyter_core.application import NoStart
from jupyter_server.serverapp import ServerApp
from nbgrader.apps import NbGraderApp
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from traitlets.config import Config

from hub.exchange.wiring import configure_server
from tests.doubles.exchange_api import ExchangeApi

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

IMAGE = Path(__file__).parents[2] / "images" / "learner"


@pytest.fixture
def api() -> Iterator[ExchangeApi]:
    with ExchangeApi() as double:
        yield double


def make_notebook(*sources: str) -> bytes:
    cells = [
        {
            "cell_type": "code",
            "id": f"cell-{n}",
            "metadata": {},
            "outputs": [],
            "execution_count": None,
            "source": s,
        }
        for n, s in enumerate(sources)
    ]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


@pytest.fixture
def notebook() -> Callable[..., bytes]:
    return make_notebook


@dataclass
class Seat:
    """A person in their container."""

    api: ExchangeApi
    home: Path
    monkeypatch: pytest.MonkeyPatch

    def sit(
        self, name: str = "alice", role: str = "learner", courses: tuple[str, ...] = ("web",), **more: str
    ) -> None:
        """Become a person of the platform."""
        token = self.api.add(name, role, courses)
        for key, value in {
            "ATELIER_API_URL": self.api.url,
            "ATELIER_LANGUAGE": "en",
            "ATELIER_ROLE": role,
            "ATELIER_PAGES_URL": "http://pages.test/services/atelier/",
            "JUPYTERHUB_API_TOKEN": token,
            "JUPYTERHUB_USER": name,
            "HOME": str(self.home),
            "JUPYTER_DATA_DIR": str(self.home / ".data"),
            "JUPYTER_CONFIG_DIR": str(self.home / ".jupyter"),
            "JUPYTER_CONFIG_PATH": str(IMAGE),  # the files that the image has in /etc/jupyter
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",  # nbgrader calls alembic by name
            **more,
        }.items():
            self.monkeypatch.setenv(key, value)
        self.monkeypatch.chdir(self.home)

    def run(self, *argv: str, **traits: Any) -> int:
        """Run `nbgrader …` with the image's configuration. Returns the exit code."""
        config = Config()
        for key, value in traits.items():
            section, name = key.split("__")
            config[section][name] = value
        app = NbGraderApp(config=config)
        try:
            app.initialize(list(argv))
            app.start()
        except NoStart:
            return 0
        except SystemExit as leaving:
            return int(leaving.code or 0)
        finally:
            app.reset()
            gc.collect()
        return 0


@pytest.fixture
def seat(api: ExchangeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Seat:
    home = tmp_path / "home"
    home.mkdir()
    seat = Seat(api, home, monkeypatch)
    seat.sit()
    return seat


class Reply(httpx.Response):
    """An answer that shows itself when it is not what a test expects."""

    @classmethod
    def of(cls, answer: httpx.Response) -> Reply:
        answer.__class__ = cls
        assert isinstance(answer, cls)
        return answer

    def json_body(self) -> Any:
        assert self.is_success, f"{self.status_code} {self.text[:500]}"
        return self.json()


@dataclass
class Server:
    """A running Jupyter server."""

    app: ServerApp
    url: str
    http: httpx.Client

    def get(self, path: str) -> Reply:
        return Reply.of(self.http.get(self.url + path))

    def send(self, method: str, path: str, body: object = None) -> Reply:
        """Send as the extensions' JavaScript does, with the cookie's token in a header."""
        self.http.get(self.url + "a-page-that-sets-the-cookie")
        headers = {"X-XSRFToken": self.http.cookies.get("_xsrf", "")}
        return Reply.of(self.http.request(method, self.url + path, json=body, headers=headers))


@pytest.fixture
def server(seat: Seat) -> Iterator[Callable[[], Server]]:
    stops: list[Callable[[], None]] = []

    def start() -> Server:
        config = Config()
        configure_server(config)
        config.ServerApp.update(
            {
                "token": "",
                "password": "",
                "disable_check_xsrf": False,
                "open_browser": False,
                "log_level": "WARN",
            }
        )
        config.IdentityProvider.token = ""
        config.ServerApp.base_url = "/user/person/"
        ready: Future[tuple[ServerApp, int, asyncio.AbstractEventLoop]] = Future()
        thread = threading.Thread(target=serve, args=(config, ready), daemon=True)
        thread.start()
        app, port, loop = ready.result(timeout=60)
        http = httpx.Client(timeout=60)

        def stop() -> None:
            http.close()
            loop.call_soon_threadsafe(loop.stop)
            thread.join()

        stops.append(stop)
        return Server(app, f"http://127.0.0.1:{port}/user/person/", http)

    yield start
    for stop in stops:
        stop()
    gc.collect()


class QuietServerApp(ServerApp):  # type: ignore[misc]
    """A server that leaves the signals of the test's process alone."""

    def init_signal(self) -> None:
        """Nothing: it does not run in the main thread."""


def serve(config: Config, ready: Future[tuple[ServerApp, int, asyncio.AbstractEventLoop]]) -> None:
    """Run a server until its loop is stopped."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)

    async def begin() -> tuple[ServerApp, HTTPServer, int]:
        app = QuietServerApp(config=config)
        app.initialize(argv=[], find_extensions=False, new_httpserver=False)
        await app.extension_manager.start_all_extensions()
        http = HTTPServer(app.web_app)
        sockets = bind_sockets(0, "127.0.0.1")
        http.add_sockets(sockets)
        return app, http, sockets[0].getsockname()[1]

    async def end(app: ServerApp, http: HTTPServer) -> None:
        http.stop()
        await http.close_all_connections()
        await app._cleanup()

    try:
        app, http, port = loop.run_until_complete(begin())
    except BaseException as error:
        ready.set_exception(error)  # the thread must not keep a failure to itself
        raise
    ready.set_result((app, port, loop))
    loop.run_forever()
    loop.run_until_complete(end(app, http))
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()
