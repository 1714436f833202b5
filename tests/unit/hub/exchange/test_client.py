"""Every way in which the service can fail a person ends in a sentence that they can act on."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from hub.exchange.client import ExchangeClient
from hub.exchange.environment import Environment, Role
from hub.exchange.failure import ExchangeFailedError, RefusedError, ServiceAwayError


def client_to(answer: httpx.Response | Exception, *, language: str = "en") -> ExchangeClient:
    def handle(request: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    environment = Environment(
        "http://service.test/api/",
        "secret-token",
        "alice",
        Role.LEARNER,
        language,
        "http://p/",
        3_000_000,
        Path("/h"),
    )
    return ExchangeClient(environment, httpx.MockTransport(handle))


def refusal(status: int, reason: str = "x", message: str = "A sentence of the service.") -> httpx.Response:
    body = {"error": {"reason": reason, "message": message, "request_id": "req-7"}}
    return httpx.Response(status, json=body)


@pytest.mark.parametrize(
    ("answer", "kind", "part"),
    [
        (httpx.ConnectError("no"), ServiceAwayError, "does not answer"),
        (httpx.ConnectTimeout("no"), ServiceAwayError, "does not answer"),
        (httpx.ReadTimeout("no"), ServiceAwayError, "did not confirm"),
        (httpx.RemoteProtocolError("no"), ServiceAwayError, "did not confirm"),
        (refusal(503), ServiceAwayError, "does not answer"),
        (httpx.Response(502, text="<html>"), ServiceAwayError, "does not answer"),
        (refusal(401), RefusedError, "no longer signed in"),
        (refusal(403), RefusedError, "A sentence of the service."),
        (httpx.Response(403, text="no"), RefusedError, "may not do this"),
        (refusal(404), RefusedError, "can't find “web/page-one”"),
        (refusal(409, "deadline_passed"), RefusedError, "deadline for this exercise has passed"),
        (refusal(409, "conflict"), RefusedError, "A sentence of the service."),
        (refusal(413), RefusedError, "limit is 3 MB"),
        (refusal(422, "invalid_submission"), RefusedError, "A sentence of the service."),
        (refusal(429), RefusedError, "Wait a minute"),
        (refusal(500), RefusedError, "req-7"),
        (httpx.Response(500, text="boom"), RefusedError, "500"),
        (httpx.Response(201, text="no json"), RefusedError, "went wrong"),
        (httpx.Response(201, json={"id": "x"}), RefusedError, "went wrong"),
    ],
)
def test_a_submission_that_fails(
    answer: httpx.Response | Exception, kind: type[Exception], part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ATELIER_LANGUAGE", "en")
    with client_to(answer) as client, pytest.raises(kind, match=part) as caught:
        client.submit("web", "page-one", b"tar")
    assert "secret-token" not in str(caught.value)


def test_reading_again_is_no_question(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        client_to(httpx.ReadTimeout("slow")) as client,
        pytest.raises(ServiceAwayError, match="does not answer"),
    ):
        client.courses()


def test_outside_of_the_platform() -> None:
    with (
        ExchangeClient(Environment.read({})) as client,
        pytest.raises(ExchangeFailedError, match="only in your workspace"),
    ):
        client.courses()


def test_token_and_language_travel() -> None:
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"courses": []})

    environment = Environment("http://s/api/", "tok", "alice", Role.LEARNER, "fr", "", 1, Path("/h"))
    with ExchangeClient(environment, httpx.MockTransport(handle)) as client:
        assert client.courses() == []
    assert (seen[0].headers["Authorization"], seen[0].headers["Accept-Language"]) == ("token tok", "fr")
    assert str(seen[0].url) == "http://s/api/exchange/courses"
    assert "tok" not in repr(environment)


def test_names_are_quoted() -> None:
    seen: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.raw_path.decode())
        return httpx.Response(404)

    environment = Environment("http://s/api/", "tok", "alice", Role.LEARNER, "en", "", 1, Path("/h"))
    with ExchangeClient(environment, httpx.MockTransport(handle)) as client, pytest.raises(RefusedError):
        client.release("../admin", "a/b?c")
    assert seen == ["/api/exchange/courses/..%2Fadmin/assignments/a%2Fb%3Fc/release"]
