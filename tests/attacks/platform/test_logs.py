"""After all of these attacks: no password, token or secret stands in a log. Runs last (conftest.py)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.attacks.platform import cast
from tests.doubles.hub_client import HubClient

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.settings import Settings
    from tests.attacks.platform.cast import Program
    from tests.attacks.platform.conftest import SignedIn
    from tests.running_platform import Platform

pytestmark = pytest.mark.attacks

LONG_ENOUGH = 16


def test_no_secret_is_written_down(
    platform: Platform,
    settings_of_platform: Settings,
    secrets_used: dict[str, str],
    signed_in: SignedIn,
    program: Callable[[str], Program],
) -> None:
    client = signed_in(cast.VICTIM)
    token = program(cast.VICTIM).token
    for base in (
        platform.service_url,
        platform.service_url + "api/me",
        platform.url + "/hub/api/user",
        platform.url + "/hub/home",
    ):
        HubClient(platform.url).get(f"{base}?token={token}")
    secrets = dict(secrets_used) | {
        f"password of {name}": value for name, value in platform.passwords.items()
    }
    for path in settings_of_platform.secrets_dir.iterdir():
        secrets[path.name] = path.read_text(encoding="ascii").strip()
    for host, jar in client.cookies.items():
        secrets |= {f"cookie {name} at {host}": value.strip('"') for name, (value, _) in jar.items()}
    logs = {
        path: path.read_text(encoding="utf-8", errors="replace")
        for path in (platform.state / "log").iterdir()
        if path.is_file()
    }
    assert sum(map(len, logs.values())) > 1000, "there is nothing to read"
    found = [
        (what, path.name)
        for what, secret in secrets.items()
        if len(secret) >= LONG_ENOUGH
        for path, text in logs.items()
        if secret in text
    ]
    assert not found


def test_whoever_guesses_is_in_the_log(platform: Platform) -> None:
    """An operator can see that somebody tried; without the passwords that they tried."""
    log = (platform.state / "log" / "hub.log").read_text(encoding="utf-8", errors="replace")
    HubClient(platform.url).sign_in("somebody", "tried-this-password-77")
    after = (platform.state / "log" / "hub.log").read_text(encoding="utf-8", errors="replace")[len(log) :]
    assert "somebody" in after
    assert "tried-this-password-77" not in after
