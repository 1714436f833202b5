from __future__ import annotations

import dataclasses
import itertools
import socket
from typing import TYPE_CHECKING

import pytest

from hub.deploy.setup import health
from hub.deploy.setup.commands import Finished
from hub.deploy.setup.errors import SetupError
from hub.deploy.setup.probe import PlatformSettings

if TYPE_CHECKING:
    from hub.deploy.setup.places import Places
    from tests.unit.hub.deploy.setup.conftest import RecordingRunner

ALL_RUN = "atelier:hub   RUNNING   pid 1\natelier:service   STARTING\natelier:worker   RUNNING   pid 3\n"

PLATFORM = PlatformSettings(
    instance="atelier",
    url="http://atelier.localhost:8000",
    host="atelier.localhost",
    port=8000,
    bind_ip="127.0.0.1",
    gateway="127.0.0.1",
    hub_port=1,
    service_port=1,
    proxy_api_port=1,
    has_tls=False,
    health_url="http://service/health",
    hub_health_url="http://hub/health",
)


def ignore(_text: str) -> None:
    pass


def test_the_proxy_is_asked_where_it_listens_by_the_name_that_people_type() -> None:
    assert health.proxy_address(PLATFORM) == ("http://127.0.0.1:8000/hub/health", "atelier.localhost")
    public = dataclasses.replace(PLATFORM, bind_ip="0.0.0.0", has_tls=True, port=443)  # noqa: S104 -- a setting
    assert health.proxy_address(public)[0] == "https://127.0.0.1:443/hub/health"


def test_waiting_ends_when_everything_answers(
    runner: RecordingRunner, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "answers", lambda *_: True)
    runner.answer(f"{places.venv_bin}/supervisorctl", ALL_RUN)
    said: list[str] = []
    health.wait_until_healthy(runner, places, PLATFORM, said.append)
    assert said == ["hub is healthy", "service is healthy", "worker is healthy"]


def test_a_program_that_gives_up_is_named_with_its_log(
    runner: RecordingRunner, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "answers", lambda *_: False)
    runner.answer(
        f"{places.venv_bin}/supervisorctl", "atelier:hub   FATAL   Exited too quickly", returncode=3
    )
    places.ensure_state()
    (places.log / "hub.log").write_text("Traceback\n", encoding="ascii")
    with pytest.raises(SetupError, match="`hub` ends again and again") as problem:
        health.wait_until_healthy(runner, places, PLATFORM, ignore)
    assert problem.value.log == places.log / "hub.log"


def test_a_program_that_stays_silent_is_named(
    runner: RecordingRunner, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "answers", lambda *_: False)
    with pytest.raises(SetupError, match="`hub` was not healthy within 0 s"):
        health.wait_until_healthy(runner, places, PLATFORM, ignore, timeout_s=0)


def test_a_program_that_answers_but_does_not_run_is_not_ours(
    runner: RecordingRunner, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "answers", lambda *_: True)
    runner.answer(
        f"{places.venv_bin}/supervisorctl", ALL_RUN.replace("service   STARTING", "service   BACKOFF")
    )
    with pytest.raises(SetupError, match="`service` was not healthy"):
        health.wait_until_healthy(runner, places, PLATFORM, ignore, timeout_s=0)


def test_a_port_that_is_taken_is_named_with_its_setting() -> None:
    health.require_free_ports(dataclasses.replace(PLATFORM, port=1))
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(SetupError, match=str(port)) as problem:
            health.require_free_ports(dataclasses.replace(PLATFORM, port=1, hub_port=port))
    assert "ATELIER_HUB_PORT" in problem.value.advice


def test_a_program_that_crashes_again_and_again_is_named_long_before_the_deadline(
    runner: RecordingRunner, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "answers", lambda *_: False)
    monkeypatch.setattr(health.time, "sleep", lambda _seconds: None)
    states = itertools.cycle(["STARTING", "BACKOFF", "BACKOFF"])
    runner.answer_with(
        f"{places.venv_bin}/supervisorctl", lambda: Finished(3, f"atelier:worker   {next(states)}   Exited")
    )
    with pytest.raises(SetupError, match="`worker` ends again and again"):
        health.wait_until_healthy(runner, places, PLATFORM, ignore)
    assert next(states) == "BACKOFF"
