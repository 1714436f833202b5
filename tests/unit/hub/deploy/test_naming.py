"""Names of Docker objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.deploy import naming
from hub.deploy.secrets import ensure_secrets
from hub.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path


def test_a_name_says_nothing_about_the_person_and_stays_the_same(settings: Settings) -> None:
    name = naming.container_name(settings, "learner1")
    assert name == naming.container_name(settings, "learner1")
    assert "learner1" not in name
    assert name.startswith("ateliertest-unit-server-")
    assert naming.volume_name(settings, "learner1") != name.replace("-server-", "-home-")


def test_names_differ_by_person_and_by_secret(settings: Settings, tmp_path: Path) -> None:
    ensure_secrets(tmp_path / "other" / "secrets")
    other = Settings(state_dir=tmp_path / "other", instance=settings.instance)
    names = {naming.container_name(where, who) for where in (settings, other) for who in ("anna", "bob")}
    assert len(names) == 4


def test_interface_names_fit_and_differ() -> None:
    names = [
        naming.bridge_name(Settings(instance=instance))
        for instance in ("atelier", "ateliertest-a1", "ateliertest-a2", "a" * 31)
    ]
    assert names[0] == "br-atelier"
    assert len(set(names)) == 4
    assert all(len(name) <= 15 for name in names)


def test_chain_names_fit_and_differ() -> None:
    names = {naming.chain_name(Settings(instance=instance)) for instance in ("atelier", "ateliertest-a")}
    assert len(names) == 2
    assert all(len(name) <= 28 for name in names)
