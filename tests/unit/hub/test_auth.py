"""Who gets in, and with what: tokens, sessions, forged requests, redirects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import pytest
from fastapi import Depends, FastAPI
from fastapi.responses import JSONResponse
from fastapi.testclient import TestClient

from hub import auth
from hub.auth import ACCESS_SCOPE, API_SCOPE, EXCHANGE_SCOPE, Caller
from hub.errors import AtelierError
from hub.people.models import Person, Role

if TYPE_CHECKING:
    from starlette.requests import Request

    from hub.settings import Settings

PEOPLE = {
    "learner1": Person(
        id=1, name="learner1", display_name="Lea", role=Role.LEARNER, language="fr", active=True
    ),
    "gone": Person(id=2, name="gone", display_name="Gone", role=Role.LEARNER, language="en", active=False),
}
TOKENS: dict[str, dict[str, Any]] = {
    "server": {"kind": "user", "name": "learner1", "scopes": [ACCESS_SCOPE, EXCHANGE_SCOPE]},
    "personal": {"kind": "user", "name": "learner1", "scopes": [ACCESS_SCOPE, API_SCOPE]},
    "no-access": {"kind": "user", "name": "learner1", "scopes": [EXCHANGE_SCOPE]},
    "service": {"kind": "service", "name": "learner1", "scopes": [ACCESS_SCOPE, EXCHANGE_SCOPE]},
    "inactive": {"kind": "user", "name": "gone", "scopes": [ACCESS_SCOPE, EXCHANGE_SCOPE]},
    "stranger": {"kind": "user", "name": "nobody", "scopes": [ACCESS_SCOPE, EXCHANGE_SCOPE]},
}


class People:
    def find(self, name: str) -> Person | None:
        return PEOPLE.get(name)


class Services:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.people = People()


@pytest.fixture
def client(settings: Settings) -> TestClient:
    app = FastAPI()
    app.state.services = Services(settings)
    app.state.sessions = auth.SessionCodec(settings)
    hub_auth = auth.make_hub_auth(settings)

    async def user_for_token(token: str, *, sync: bool) -> dict[str, Any] | None:
        assert sync is False
        return TOKENS.get(token)

    hub_auth.user_for_token = user_for_token
    app.state.hub_auth = hub_auth

    @app.exception_handler(AtelierError)
    async def answer(_request: Request, error: AtelierError) -> JSONResponse:
        return JSONResponse({"reason": error.reason}, status_code=error.status)

    @app.get("/exchange")
    async def exchange(
        caller: Annotated[Caller, Depends(auth.needs_scope(EXCHANGE_SCOPE))],
    ) -> dict[str, str]:
        return {"name": caller.name, "language": caller.language}

    @app.get("/api")
    async def api(caller: Annotated[Caller, Depends(auth.needs_scope(API_SCOPE))]) -> dict[str, str]:
        return {"name": caller.name}

    @app.get("/page")
    async def page(caller: Annotated[Caller, Depends(auth.page_caller)]) -> dict[str, str]:
        return {"csrf": caller.csrf}

    @app.get("/trainers")
    async def trainers(caller: Annotated[Caller, Depends(auth.needs_role(Role.TRAINER))]) -> dict[str, str]:
        return {"name": caller.name}

    @app.post("/change", dependencies=[Depends(auth.same_origin)])
    async def change() -> dict[str, bool]:
        return {"changed": True}

    return TestClient(app, base_url="https://testserver")


def get(client: TestClient, path: str, token: str) -> int:
    return client.get(path, headers={"Authorization": f"token {token}"}).status_code


@pytest.mark.parametrize(
    ("token", "exchange", "api"),
    [
        ("server", 200, 403),
        ("personal", 403, 200),
        ("no-access", 401, 401),
        ("service", 401, 401),
        ("inactive", 401, 403),
        ("stranger", 401, 403),
        ("unknown", 401, 401),
        ("", 401, 401),
    ],
)
def test_a_token_opens_only_what_its_scopes_name(
    client: TestClient, token: str, exchange: int, api: int
) -> None:
    assert get(client, "/exchange", token) == exchange
    assert get(client, "/api", token) == api


def test_no_token_is_no_entry(client: TestClient) -> None:
    assert client.get("/exchange").status_code == 401
    assert client.get("/exchange", headers={"Authorization": "Basic c2VydmVy"}).status_code == 401


def test_a_scope_with_a_typo_fails_when_the_route_is_declared() -> None:
    with pytest.raises(ValueError, match="unknown scopes"):
        auth.needs_scope("custom:atelier:exhcange")
    with pytest.raises(ValueError, match="unknown scopes"):
        auth.needs_scope()


def sign_in(client: TestClient, *, token: str = "personal", csrf: str = "c" * 32) -> None:  # noqa: S107 - invented
    client.cookies.set(auth.SESSION_COOKIE, client.app.state.sessions.encode(token, csrf))  # type: ignore[attr-defined]


def test_a_session_opens_pages_and_a_token_does_not(client: TestClient) -> None:
    assert client.get("/page", headers={"Authorization": "token personal"}).status_code == 401
    sign_in(client)
    assert client.get("/page").json() == {"csrf": "c" * 32}


@pytest.mark.parametrize("cookie", ["", "rubbish", "gAAAAABrubbish", "é"])
def test_a_damaged_session_is_none(settings: Settings, cookie: str) -> None:
    assert auth.SessionCodec(settings).decode(cookie) is None


def test_a_session_that_the_hub_ended_is_none(client: TestClient) -> None:
    sign_in(client, token="revoked")
    assert client.get("/page").status_code == 401


def test_a_page_for_another_role_does_not_exist(client: TestClient) -> None:
    sign_in(client)
    assert client.get("/trainers").status_code == 404


@pytest.mark.parametrize(
    ("headers", "csrf", "expected"),
    [
        ({"sec-fetch-site": "same-origin"}, "c" * 32, 200),
        ({"origin": "http://atelier--service.atelier.localhost:8000"}, "c" * 32, 200),
        ({"sec-fetch-site": "same-origin"}, "wrong", 403),
        ({"sec-fetch-site": "same-origin"}, "", 403),
        ({"sec-fetch-site": "same-origin"}, "é", 403),
        ({"sec-fetch-site": "same-site", "origin": "http://learner1.atelier.localhost:8000"}, "c" * 32, 403),
        ({"sec-fetch-site": "same-site"}, "c" * 32, 403),
        ({"sec-fetch-site": "none"}, "c" * 32, 403),
        ({"origin": "http://learner1.atelier.localhost:8000"}, "c" * 32, 403),
        ({"origin": "null"}, "c" * 32, 403),
        ({}, "c" * 32, 403),
    ],
)
def test_only_our_own_pages_change_things(
    client: TestClient, headers: dict[str, str], csrf: str, expected: int
) -> None:
    sign_in(client)
    assert client.post("/change", headers=headers, data={"csrf": csrf}).status_code == expected


def test_a_session_without_a_csrf_token_changes_nothing(client: TestClient) -> None:
    sign_in(client, csrf="")
    answer = client.post("/change", headers={"sec-fetch-site": "same-origin"}, data={"csrf": ""})
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "target",
    [
        None,
        "",
        "//evil.example",
        "https://evil.example/services/atelier/",
        "/hub/logout",
        "/services/atelier\\@evil.example",
        "/services/atelier/\\evil",
        "/services/atelier/\r\nX: y",
    ],
)
def test_no_redirect_leads_elsewhere(settings: Settings, target: str | None) -> None:
    assert auth.safe_next(settings, target) == "/services/atelier/"


def test_a_page_of_ours_is_where_the_sign_in_leads(settings: Settings) -> None:
    assert auth.safe_next(settings, "/services/atelier/path?x=1") == "/services/atelier/path?x=1"
