"""Fixtures for every kind of test.

settings   | settings over a fresh state directory with secrets, nothing listening
database   | a fresh, migrated SQLite database of those settings

A running platform, a browser and a sign-in come from tests/running_platform.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub import migrations
from hub.db import Database
from hub.deploy.secrets import ensure_secrets
from hub.settings import Settings


pytest_plugins = ["tests.running_platform"]


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
