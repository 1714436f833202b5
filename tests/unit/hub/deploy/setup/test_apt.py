from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hub.deploy.setup import apt
from hub.deploy.setup.errors import SetupError

if TYPE_CHECKING:
    from tests.unit.hub.deploy.setup.conftest import RecordingRunner

NEEDS = (apt.Need("there", lambda: True), apt.Need("away", lambda: False), apt.Need("gone", lambda: False))


@pytest.fixture
def debian(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apt, "find_program", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(apt, "is_root", lambda: True)


def test_only_what_is_missing_is_installed(runner: RecordingRunner, debian: None) -> None:
    assert apt.ensure_needs(runner, NEEDS) == "installed away, gone"
    assert runner.lines[0].endswith("update")
    assert runner.lines[1].endswith("install --yes --no-install-recommends away gone")
    assert all(environment["DEBIAN_FRONTEND"] == "noninteractive" for environment in runner.environments)


def test_nothing_is_run_when_nothing_is_missing(runner: RecordingRunner) -> None:
    assert apt.ensure_needs(runner, NEEDS[:1]) == "all there"
    assert runner.commands == []


def test_without_root_it_says_what_to_type(
    runner: RecordingRunner, debian: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apt, "is_root", lambda: False)
    with pytest.raises(SetupError) as problem:
        apt.ensure_needs(runner, NEEDS)
    assert "away, gone" in problem.value.message
    assert "sudo apt-get" in problem.value.advice
    assert "install --yes --no-install-recommends away gone" in problem.value.advice
    assert runner.commands == []


def test_on_another_system_it_says_so(runner: RecordingRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apt, "find_program", lambda _name: None)
    with pytest.raises(SetupError, match="away, gone"):
        apt.install(runner, ["away", "gone"])
