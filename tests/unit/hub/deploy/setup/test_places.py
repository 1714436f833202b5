from __future__ import annotations

import stat
from pathlib import Path

import pytest

from hub.deploy.setup.places import Places, digest_of_files


def test_the_state_directory_follows_the_setting(tmp_path: Path) -> None:
    assert Places.from_environment(tmp_path, {}).state == tmp_path / "var"
    assert Places.from_environment(tmp_path, {"ATELIER_STATE_DIR": "/srv/atelier"}).state == Path(
        "/srv/atelier"
    )


def test_the_state_directory_is_the_operators_alone(places: Places) -> None:
    places.ensure_state()
    places.ensure_state()
    assert stat.S_IMODE(places.state.stat().st_mode) == 0o700
    assert places.run.is_dir()
    assert places.log.is_dir()


def test_a_path_too_long_for_a_socket_is_replaced(tmp_path: Path) -> None:
    deep = Places(tmp_path, tmp_path / ("x" * 90))
    assert len(str(deep.supervisor_socket)) < 90
    assert deep.supervisor_socket != Places(tmp_path, tmp_path / ("y" * 90)).supervisor_socket


@pytest.mark.parametrize("change", ["name", "content", "salt"])
def test_the_digest_changes_with(change: str, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("1", encoding="ascii")
    two.write_text("2", encoding="ascii")
    before = digest_of_files({"a": one}, "salt")
    assert before == digest_of_files({"a": one}, "salt")
    after = {
        "name": lambda: digest_of_files({"b": one}, "salt"),
        "content": lambda: digest_of_files({"a": two}, "salt"),
        "salt": lambda: digest_of_files({"a": one}, "pepper"),
    }[change]()
    assert before != after
