"""Fixtures of the browser tests of pages: the small school, served without JupyterHub.

The browser is the session's own (tests/running_platform.py): one driver a process is all that Playwright takes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hub import migrations
from hub.db import Database
from hub.deploy.secrets import ensure_secrets
from hub.service import Services, make_services
from hub.settings import Settings
from tests.doubles.school import School, build_school
from tests.doubles.school_server import served

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    state = tmp_path_factory.mktemp("pages") / "state"
    ensure_secrets(state / "secrets")
    settings = Settings(state_dir=state, instance="ateliertest-pages")
    database = Database(settings.effective_database_url)
    migrations.upgrade(database)
    services = make_services(settings, database)
    yield services
    database.close()


@pytest.fixture(scope="module")
def school(services: Services) -> School:
    return build_school(services.database, services.store)


@pytest.fixture(scope="module")
def address(services: Services, school: School) -> Iterator[str]:
    with served(services.settings, services) as address:
        yield address
