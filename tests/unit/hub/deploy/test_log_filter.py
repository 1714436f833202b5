"""What the hub writes about requests holds no token, wherever in a line it stood."""

from __future__ import annotations

import logging

import pytest

from hub.deploy.log_filter import SecretFilter, keep_secrets_out_of_logs

SECRET = "bfb7de3f098c486ead30377c6f3fb84c"


def written(message: str, *arguments: object) -> str:
    record = logging.LogRecord("tornado.access", logging.INFO, "", 0, message, arguments, None)
    assert SecretFilter().filter(record)
    return record.getMessage()


@pytest.mark.parametrize(
    "line",
    [
        f"302 GET /hub/home?token=[secret] -> /hub/login?next=%2Fhub%2Fhome%3Ftoken%3D{SECRET} (@127.0.0.1) 0.68ms",
        f"302 GET /a -> /b?next=%252Fhub%253Ftoken%253D{SECRET}%2526x%253D1 (@127.0.0.1)",
        f"302 GET /a -> /callback?code={SECRET}&state={SECRET}",
        f"Setting new xsrf cookie for b'{SECRET}:{SECRET}' {{'path': '/hub/'}}",
    ],
)
def test_a_secret_is_left_out_and_the_rest_stays(line: str) -> None:
    clean = written(line)
    assert SECRET not in clean
    assert clean.startswith(line[:12])
    assert clean.endswith((line[-8:], "[secret]"))


def test_what_was_to_be_put_into_the_line_is_looked_at_too() -> None:
    assert written("Setting new xsrf cookie for %r %r", SECRET.encode(), {"path": "/"}) == (
        "Setting new xsrf cookie for [secret] {'path': '/'}"
    )


def test_other_lines_stay_as_they_are() -> None:
    assert written("200 GET /hub/spawn/learner1 (%s)", "learner1") == "200 GET /hub/spawn/learner1 (learner1)"


def test_installing_twice_filters_once() -> None:
    keep_secrets_out_of_logs()
    keep_secrets_out_of_logs()
    assert sum(isinstance(known, SecretFilter) for known in logging.getLogger("tornado.access").filters) == 1
