"""Fixtures of the exchange's tests.

api        | the service's double, running
notebook   | makes a small valid notebook
seat       | one person's container: a home, the environment and nbgrader's programs called in this process
"""

from __future__ import annotations

import gc
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from jupyter_core.application import NoStart
from nbgrader.apps import NbGraderApp
from traitlets.config import Config

from hub.exchange.wiring import configure
from tests.doubles.exchange_api import ExchangeApi


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
            "JUPYTER_NO_CONFIG": "1",
            **more,
        }.items():
            self.monkeypatch.setenv(key, value)
        self.monkeypatch.chdir(self.home)

    def run(self, *argv: str, **traits: Any) -> int:
        """Run `nbgrader …` with the image's configuration. Returns the exit code."""
        config = Config()
        configure(config)
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
