from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from hub.deploy.setup import apt, engine
from hub.deploy.setup.commands import Finished
from hub.deploy.setup.engine import Lease, Process
from hub.deploy.setup.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.unit.hub.deploy.setup.conftest import RecordingRunner


def ignore(_text: str) -> None:
    pass


@pytest.fixture
def lease(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lease:
    monkeypatch.setattr(apt, "is_root", lambda: True)
    return Lease(tmp_path / "engine")


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A process that stands for dockerd."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as process:
        yield process
        process.kill()


def test_an_engine_that_answers_is_used(runner: RecordingRunner, lease: Lease) -> None:
    runner.answer("docker version", "27.1.1")
    with lease.held():
        assert engine.ensure_engine(runner, lease, ignore) == "27.1.1 already running"
    assert runner.commands == []
    assert engine.release_engine(lease) == "not ours, left running"


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        ("docker: not found", "apt-get install docker.io"),
        ("permission denied while trying to connect", "usermod --append --groups docker"),
        ("Cannot connect to the Docker daemon", "systemctl start docker"),
    ],
)
def test_without_root_it_says_what_to_type(
    answer: str,
    advice: str,
    runner: RecordingRunner,
    lease: Lease,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(apt, "is_root", lambda: False)
    monkeypatch.setattr(engine, "find_program", lambda name: None if "not found" in answer else name)
    runner.answer("docker version", answer, returncode=1)
    with pytest.raises(SetupError) as problem:
        engine.ensure_engine(runner, lease, ignore)
    assert advice in problem.value.advice
    assert "sudo make up" in problem.value.advice


def test_with_systemd_the_service_is_started(
    runner: RecordingRunner, lease: Lease, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "has_systemd", lambda: True)
    monkeypatch.setattr(engine, "find_program", lambda name: f"/usr/bin/{name}")
    runner.answer_with(
        "docker version",
        lambda: Finished(0, "20.10.24") if runner.commands else Finished(1, "Cannot connect"),
    )
    with lease.held():
        assert engine.ensure_engine(runner, lease, ignore) == "20.10.24 started"
    assert runner.lines == ["systemctl start docker"]
    assert lease.find_owned() is None


def test_newer_debian_has_the_command_in_its_own_package(
    runner: RecordingRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "_apparmor_is_on", lambda: False)
    assert engine.packages_to_install(runner) == ["docker.io", "iptables"]
    runner.answer("apt-cache show", "Package: docker-cli")
    assert engine.packages_to_install(runner) == ["docker.io", "iptables", "docker-cli"]


def test_the_last_user_stops_our_engine(lease: Lease, sleeper: subprocess.Popen[bytes]) -> None:
    process = Process.find(sleeper.pid)
    assert process is not None
    with lease.held():
        lease.record(process)
        assert engine.release_engine(lease) == "in use by another Atelier, left running"
        assert process.is_alive()
    assert engine.release_engine(lease) == "stopped"
    assert sleeper.wait(10) != 0
    assert lease.find_owned() is None


def test_a_number_that_was_given_to_another_process_is_not_ours(lease: Lease) -> None:
    with lease.held():
        lease.record(Process(os.getpid(), "1"))
    assert lease.find_owned() is None
    assert engine.release_engine(lease) == "not ours, left running"


def test_without_root_and_without_a_lease_nothing_is_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apt, "is_root", lambda: False)
    lease = Lease(tmp_path / "absent")
    with lease.held():
        assert not lease.lock.exists()
    assert engine.release_engine(lease) == "not ours, left running"


def test_without_root_the_lock_of_others_is_held_but_never_made(
    lease: Lease, monkeypatch: pytest.MonkeyPatch
) -> None:
    with lease.held():
        monkeypatch.setattr(apt, "is_root", lambda: False)
        with lease.held():
            pass
    lease.lock.unlink()
    with lease.held():
        assert not lease.lock.exists()
