"""constraints.txt pins all that is installed, at versions that Debian 12's Python can run."""

from __future__ import annotations

import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[5]
DEBIAN_12_PYTHON = "3.11.2"


def read_requirements(path: Path) -> list[Requirement]:
    lines = (line.partition("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    return [Requirement(line) for line in lines if line]


PINNED = {canonicalize_name(pin.name): pin for pin in read_requirements(ROOT / "constraints.txt")}


def wanted_by_the_project() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    return [Requirement(line) for group in groups for line in group]


def test_every_pin_is_exact() -> None:
    assert [str(pin) for pin in PINNED.values() if [part.operator for part in pin.specifier] != ["=="]] == []


@pytest.mark.parametrize("image", ["learner", "grader"])
def test_what_an_image_installs_is_pinned(image: str) -> None:
    wanted = read_requirements(ROOT / "images" / image / "requirements.txt")
    assert [need.name for need in wanted if canonicalize_name(need.name) not in PINNED] == []


def test_what_the_project_needs_is_pinned() -> None:
    assert [need.name for need in wanted_by_the_project() if canonicalize_name(need.name) not in PINNED] == []


def test_every_pin_admits_debians_python() -> None:
    too_new = []
    for name in PINNED:
        try:
            needs = metadata.metadata(name)["Requires-Python"]
        except metadata.PackageNotFoundError:
            continue  # only the images install it, from the same pins, with Debian's Python
        if needs and not Requirement(f"python{needs}").specifier.contains(DEBIAN_12_PYTHON):
            too_new.append(f"{name}: {needs}")
    assert too_new == []
