from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hub.deploy.setup import venv
from hub.deploy.setup.errors import SetupError

if TYPE_CHECKING:
    from hub.deploy.setup.places import Places
    from tests.unit.hub.deploy.setup.conftest import RecordingRunner


def pretend_made(runner: RecordingRunner, places: Places) -> None:
    places.venv.mkdir(exist_ok=True)
    runner.answer(f"{places.venv_python} -c import pip")


def test_a_bare_checkout_gets_a_venv_with_pinned_packages(runner: RecordingRunner, places: Places) -> None:
    places.venv.mkdir()
    assert venv.ensure_venv(runner, places) == "packages installed"
    assert runner.lines[0].endswith(f"-m venv --clear {places.venv}")
    assert f"--constraint={places.constraints}" in runner.commands[1]
    assert runner.commands[1][-2:] == ["--editable", "."]


def test_the_second_time_nothing_is_run(runner: RecordingRunner, places: Places) -> None:
    pretend_made(runner, places)
    venv.ensure_venv(runner, places, ("test",))
    runner.commands.clear()
    assert venv.ensure_venv(runner, places, ("test",)) == "up to date"
    assert venv.ensure_venv(runner, places) == "up to date"
    assert runner.commands == []


def test_another_group_is_added_and_kept(runner: RecordingRunner, places: Places) -> None:
    pretend_made(runner, places)
    venv.ensure_venv(runner, places)
    venv.ensure_venv(runner, places, ("test",))
    assert runner.commands[-1][-1] == ".[test]"
    places.constraints.write_text("typer==2.0\n", encoding="ascii")
    venv.ensure_venv(runner, places)
    assert runner.commands[-1][-1] == ".[test]"


@pytest.mark.parametrize("name", ["constraints.txt", "pyproject.toml"])
def test_a_change_installs_again(name: str, runner: RecordingRunner, places: Places) -> None:
    pretend_made(runner, places)
    venv.ensure_venv(runner, places)
    (places.root / name).write_text("changed", encoding="ascii")
    assert venv.ensure_venv(runner, places) == "packages installed"


def test_an_interrupted_installation_is_repeated(runner: RecordingRunner, places: Places) -> None:
    pretend_made(runner, places)
    venv.ensure_venv(runner, places)
    places.constraints.write_text("typer==2.0\n", encoding="ascii")
    runner.fail(f"{places.venv_python} -m pip")
    with pytest.raises(SetupError):
        venv.ensure_venv(runner, places)
    assert venv.read_stamp(places.venv) == venv.Stamp("", ())


def test_after_an_upgrade_of_python_the_venv_is_made_anew(runner: RecordingRunner, places: Places) -> None:
    pretend_made(runner, places)
    venv.ensure_venv(runner, places)
    runner.commands.clear()
    runner.answer(f"{places.venv_python} -c import pip", "No module named pip", returncode=1)
    assert venv.ensure_venv(runner, places) == "packages installed"
    assert "--clear" in runner.commands[0]
