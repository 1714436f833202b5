"""Fixtures for grading in real sandboxes. Everything they start carries the test's instance and is removed."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import docker
import pytest

from graders.recipe import RecipeBook
from graders.sandbox.docker import DockerSandboxRunner
from graders.sandbox.reaper import Reaper
from tests.grader_image import grader_image

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def image() -> str:
    return grader_image()


@pytest.fixture(scope="session")
def instance() -> Iterator[str]:
    """Return a name that no other run has; whatever carries it is removed at the end."""
    name = f"ateliertest-g{uuid.uuid4().hex[:8]}"
    yield name
    reaper = Reaper(name)
    reaper.sweep((), all_owners=True)
    reaper.close()


@pytest.fixture(scope="session")
def engine() -> Iterator[docker.DockerClient]:
    client = docker.from_env()
    yield client
    client.close()


@pytest.fixture(scope="session")
def sandbox(image: str, instance: str) -> Iterator[DockerSandboxRunner]:
    runner = DockerSandboxRunner(image, instance)
    yield runner
    runner.close()


@pytest.fixture(scope="session")
def recipes(tmp_path_factory: pytest.TempPathFactory, sandbox: DockerSandboxRunner) -> RecipeBook:
    folder: Path = tmp_path_factory.mktemp("recipes")
    return RecipeBook(folder, sandbox)
