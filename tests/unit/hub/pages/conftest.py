"""Fixtures of the tests of pages.

school  | ids of the small school of tests/doubles/school.py
pages   | the whole application over it; `pages.as_(name)` is a browser in which that person is signed in
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.testclient import TestClient

from hub import migrations
from hub.db import Database
from hub.deploy.secrets import ensure_secrets
from hub.service import Services, make_services
from hub.settings import Settings
from hub.submissions.store import Store
from tests.doubles.school import School, build_school
from tests.doubles.school_server import CSRF, app_with_cookie_sign_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fastapi import FastAPI
    from httpx import Response


@dataclass
class Browser:
    """Asks for pages as one person, the way a browser on our own pages does."""

    client: TestClient
    prefix: str
    origin: str

    def get(self, path: str, **options: Any) -> Response:
        return self.client.get(self.prefix + path, follow_redirects=False, **options)

    def post(self, path: str, data: dict[str, Any] | None = None, **options: Any) -> Response:
        headers = {"Origin": self.origin, "Sec-Fetch-Site": "same-origin"} | options.pop("headers", {})
        fields = {"csrf": CSRF, **(data or {})}
        return self.client.post(
            self.prefix + path, data=fields, headers=headers, follow_redirects=False, **options
        )


@dataclass
class Pages:
    """The application and who uses it."""

    app: FastAPI
    services: Services

    def as_(self, name: str) -> Browser:
        settings = self.services.settings
        client = TestClient(self.app, base_url=settings.service_origin, cookies={"as": name})
        return Browser(client, settings.service_prefix, settings.service_origin)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, School]:
    """A state directory with the school in it, built once; tests get copies."""
    state = tmp_path_factory.mktemp("school") / "state"
    ensure_secrets(state / "secrets")
    settings = Settings(state_dir=state, instance="ateliertest-unit")
    database = Database(settings.effective_database_url)
    migrations.upgrade(database)
    school = build_school(database, Store(settings.store_dir))
    database.close()
    return state, school


@pytest.fixture
def services(built: tuple[Path, School], tmp_path: Path) -> Iterator[Services]:
    shutil.copytree(built[0], tmp_path / "state")
    settings = Settings(state_dir=tmp_path / "state", instance="ateliertest-unit")
    services = make_services(settings)
    yield services
    services.database.close()


@pytest.fixture
def school(built: tuple[Path, School]) -> School:
    return built[1]


@pytest.fixture
def pages(services: Services) -> Pages:
    return Pages(app_with_cookie_sign_in(services.settings, services), services)
