"""Fixtures of the tests of submissions.

platform | every service over one fresh database, with one exercise `double` in the course `data`
lea, max | learners of that course; `eve` is a learner of nothing
api      | the platform's API; `api.as_(person)` is a client with that person's token
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from fastapi.testclient import TestClient

from hub.auth import ACCESS_SCOPE, API_SCOPE, EXCHANGE_SCOPE, make_hub_auth
from hub.courses import routes as courses_routes
from hub.errors import AtelierError
from hub.submissions import routes as submissions_routes
from tests.doubles.platform import Platform, make_platform

if TYPE_CHECKING:
    from starlette.requests import Request

    from hub.db import Database
    from hub.people.models import Person
    from hub.settings import Settings


@pytest.fixture
def platform(settings: Settings, database: Database) -> Platform:
    platform = make_platform(settings, database)
    platform.publish()
    return platform


@pytest.fixture
def lea(platform: Platform) -> Person:
    return platform.person("lea", language="fr", courses=["data"])


@pytest.fixture
def max_(platform: Platform) -> Person:
    return platform.person("max", courses=["data"])


@pytest.fixture
def eve(platform: Platform) -> Person:
    return platform.person("eve")


class Api:
    """The features' routes in an application of their own, with JupyterHub's answer about tokens stood in for."""

    def __init__(self, platform: Platform) -> None:
        app = FastAPI()
        app.state.services = platform
        app.state.hub_auth = make_hub_auth(platform.settings)
        app.state.hub_auth.user_for_token = self._user
        app.include_router(courses_routes.router, prefix="/api")
        app.include_router(submissions_routes.router, prefix="/api")

        @app.exception_handler(AtelierError)
        async def answer(_request: Request, error: AtelierError) -> JSONResponse:
            return JSONResponse({"error": {"reason": error.reason, "message": str(error)}}, error.status)

        self.app = app

    async def _user(self, token: str, *, sync: bool) -> dict[str, Any] | None:
        name, _, kind = token.partition("-")
        scope = EXCHANGE_SCOPE if kind == "server" else API_SCOPE
        return {"kind": "user", "name": name, "scopes": [ACCESS_SCOPE, scope]}

    def as_(self, person: Person, kind: str = "server") -> TestClient:
        """Return a client with the token of a person's server, or a personal one."""
        headers = {"Authorization": f"token {person.name}-{kind}"}
        return TestClient(self.app, base_url="http://test/api", headers=headers)


@pytest.fixture
def api(platform: Platform) -> Api:
    return Api(platform)
