"""The token in a learner's container: it is that learner's exchange and nothing else. Used from inside, as a thief would."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from tests.attacks.platform import cast
from tests.attacks.platform.cast import Program, Workspace
from tests.doubles.hub_client import HubClient

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.service import Services
    from hub.settings import Settings
    from tests.running_platform import Platform

pytestmark = pytest.mark.attacks

ASK = """
import http.client, json, os, sys
from urllib.parse import urlsplit
hub = urlsplit(os.environ["JUPYTERHUB_API_URL"])
heads = {"Authorization": "token " + os.environ["JUPYTERHUB_API_TOKEN"], "Sec-Fetch-Mode": "cors"}
answers = []
for method, path, body in json.loads(sys.argv[1]):
    caller = http.client.HTTPConnection(hub.hostname, hub.port, timeout=20)
    caller.request(method, hub.path + "/" + path, None if body is None else json.dumps(body), heads)
    answer = caller.getresponse()
    answers.append([answer.status, answer.read().decode()[:4000]])
    caller.close()
print(json.dumps(answers))
"""
ME, OTHER, TRAINER = cast.ATTACKER, cast.VICTIM, cast.TRAINER
HUB_REQUESTS: tuple[tuple[str, str, Any], ...] = (
    ("GET", "users", None),
    ("GET", "users?state=active", None),
    ("GET", f"users/{OTHER}", None),
    ("GET", f"users/{TRAINER}", None),
    ("GET", "groups", None),
    ("GET", "groups/trainer", None),
    ("GET", "services", None),
    ("GET", "services/atelier", None),
    ("GET", "proxy", None),
    ("GET", "info", None),
    ("GET", f"users/{ME}/tokens", None),
    ("GET", f"users/{TRAINER}/tokens", None),
    ("POST", f"users/{ME}/tokens", {"note": "longer than me", "scopes": ["custom:atelier:api"]}),
    ("POST", f"users/{ME}/tokens", {"roles": ["user"]}),
    ("POST", f"users/{TRAINER}/tokens", {}),
    ("POST", f"users/{ME}/server", {"image": "debian"}),
    ("DELETE", f"users/{ME}/server", None),
    ("POST", f"users/{ME}/servers/second", {}),
    ("POST", f"users/{OTHER}/server", {}),
    ("DELETE", f"users/{TRAINER}/server", None),
    ("GET", f"users/{TRAINER}/server/progress", None),
    ("POST", "users/newcomer", {}),
    ("POST", "users", {"usernames": ["newcomer"], "admin": True}),
    ("PATCH", f"users/{ME}", {"admin": True}),
    ("PATCH", f"users/{ME}", {"name": TRAINER}),
    ("DELETE", f"users/{OTHER}", None),
    ("POST", f"users/{OTHER}/activity", {"last_activity": "2030-01-01T00:00:00Z"}),
    ("POST", "groups/trainer/users", {"users": [ME]}),
    ("POST", "groups/newgroup", {}),
    ("DELETE", "groups/trainer", None),
    ("PUT", "groups/learner/properties", {"image": "debian"}),
    ("POST", f"shares/{ME}/", {"user": OTHER}),
    ("POST", f"share-codes/{ME}/", {}),
    ("GET", f"authorizations/token/{'0' * 32}", None),
    ("POST", "proxy", None),
    ("PATCH", "proxy", {"ip": "10.0.0.1", "port": "1"}),
    ("POST", "shutdown", {"proxy": True, "servers": True}),
)


def hub_state(platform: Platform, settings: Settings) -> Any:
    """Return everybody and their servers and groups, as the service sees them."""
    users = Program(platform, settings.secret("service-token")).ask_hub("GET", "users").json()
    return {user["name"]: (user["admin"], user["groups"], sorted(user["servers"])) for user in users}


def test_it_can_do_nothing_at_the_hub(
    platform: Platform, settings_of_platform: Settings, workspace: Callable[[str], Workspace]
) -> None:
    workspace(TRAINER)
    inside = workspace(ME)
    before = hub_state(platform, settings_of_platform)
    assert before[TRAINER] == (False, ["trainer"], [""])
    ((status, who),) = inside.python(ASK, json.dumps([("GET", "user", None)]))
    assert status == 200
    assert json.loads(who)["name"] == ME
    for request, (status, said) in zip(
        HUB_REQUESTS, inside.python(ASK, json.dumps(HUB_REQUESTS)), strict=True
    ):
        assert status in (403, 404, 405), (request, said)
        assert TRAINER not in said or TRAINER in request[1], (request, said)
    assert hub_state(platform, settings_of_platform) == before


def test_it_opens_no_other_server(platform: Platform, workspace: Callable[[str], Workspace]) -> None:
    workspace(TRAINER)
    heads = {"Authorization": f"token {workspace(ME).token}", "Sec-Fetch-Mode": "cors"}
    for path in ("api/contents", "api/terminals", "api/sessions", "files/.bashrc", "api/kernels"):
        refused = HubClient(platform.url).get(platform.server_url(TRAINER, path), heads)
        assert refused.status in (302, 403), path
        assert "application/json" not in str(refused.headers["Content-Type"]) or "Forbidden" in refused.text
    assert HubClient(platform.url).get(platform.server_url(ME, "api/contents"), heads).status == 200


def test_it_opens_no_page(platform: Platform, workspace: Callable[[str], Workspace]) -> None:
    token = workspace(ME).token
    for path in ("", "path", f"exercises/{cast.TRACK}/{cast.EXERCISE}", "events", "admin/people"):
        for heads, query in (({"Authorization": f"token {token}"}, ""), ({}, f"?token={token}")):
            answer = HubClient(platform.url).get(platform.page_url(path) + query, heads)
            assert answer.status == 302, path
            assert urlsplit(answer.location).path == "/hub/api/oauth2/authorize"
            assert "Mallory" not in answer.text


def test_it_is_the_exchange_and_no_more_of_the_api(
    platform: Platform,
    state: Services,
    workspace: Callable[[str], Workspace],
    program: Callable[[str], Program],
) -> None:
    mine = Program(platform, workspace(ME).token)
    assert mine.call("GET", "me").json()["name"] == ME
    assert mine.call("GET", f"exchange/assignments?course_id={cast.TRACK}").status == 200
    assert mine.call("GET", "learners").status == 403
    assert program(cast.MENTOR).call("GET", "learners").status == 200


@pytest.mark.parametrize("scheme", ["", "token", "token ", "bearer x", "Basic bWFsbG9yeTp4", "token \u00e9"])
def test_no_token_no_answer(platform: Platform, people: dict[str, int], scheme: str) -> None:
    answer = HubClient(platform.url).get(f"{platform.service_url}api/me", {"Authorization": scheme})
    assert answer.status == 401
    assert set(answer.json()) == {"error"}


def test_the_tokens_of_services_and_proxy_are_no_persons(
    platform: Platform, settings_of_platform: Settings
) -> None:
    for name in ("service-token", "proxy-token", "culler-token"):
        answer = Program(platform, settings_of_platform.secret(name)).call("GET", "me")
        assert answer.status == 401, name
