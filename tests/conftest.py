"""Fixtures for every kind of test.

settings   | settings over a fresh state directory with secrets, nothing listening
database   | a fresh, migrated SQLite database of those settings

A running platform, a browser and a sign-in come from tests/running_platform.py.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from hub import migrations
from hub.db import Database
from hub.deploy.secrets import ensure_secrets
from hub.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytest_plugins = ["tests.running_platform"]


@pytest.fixture(autouse=True)
def _no_settings_of_the_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's own ATELIER_ variables decide nothing in a test; the images' names come from set-up."""
    for name in list(os.environ):
        if name.startswith("ATELIER_") and not name.endswith("_IMAGE"):
            monkeypatch.delenv(name)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    state = tmp_path / "state"
    ensure_secrets(state / "secrets")
    return Settings(state_dir=state, instance="ateliertest-unit")


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    database = Database(settings.effective_database_url)
    migrations.upgrade(database)
    yield database
    database.close()
