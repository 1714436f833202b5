"""Runs the chosen cases side by side, two at a time, in warm sandboxes, and keeps what became of each."""

from __future__ import annotations

import os
import uuid
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from graders.pipeline import grade
from graders.recipe import RecipeBook
from graders.results import GradingJob, GradingResult, Limits
from graders.sandbox.choice import SandboxConfig, make_runner
from graders.sandbox.pool import WarmPool
from graders.sandbox.reaper import Reaper
from tests.attacks.case import SECRET_CANARY, Case, Oracle, source
from tests.doubles.notebooks import write
from tests.grader_image import grader_image

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LIMITS = Limits(wall_s=10.0, cell_s=3.0, cpu_s=8.0, memory_bytes=256 * 2**20, disk_bytes=32 * 2**20)
SIDE_BY_SIDE = 2


@pytest.fixture(scope="session")
def instance() -> Iterator[str]:
    name = f"ateliertest-a{uuid.uuid4().hex[:8]}"
    yield name
    reaper = Reaper(name)
    reaper.sweep((), all_owners=True)
    reaper.close()


@pytest.fixture(scope="session")
def warm(instance: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WarmPool]:
    """Keep sandboxes ready in the way that the platform takes on this machine."""
    config = SandboxConfig(grader_image(), instance, tmp_path_factory.mktemp("sandboxes"))
    pool = WarmPool(lambda: make_runner(config), size=SIDE_BY_SIDE, limits=LIMITS)
    yield pool
    pool.close()


@pytest.fixture(scope="session")
def grade_case(
    request: pytest.FixtureRequest, warm: WarmPool, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[Case], GradingResult]]:
    """Return a function that waits for a case's result; all chosen cases start with the first one asked for."""
    root = tmp_path_factory.mktemp("attacks")
    source_dir = write(root / "source" / "exercise", {"exercise": source()})
    (root / "secret.txt").write_text(SECRET_CANARY)
    os.environ["ATELIER_TEST_CANARY"] = SECRET_CANARY
    recipes = RecipeBook(root / "recipes", warm)
    recipes.of(source_dir, "v1")
    futures: dict[str, Future[GradingResult]] = {}
    with ThreadPoolExecutor(SIDE_BY_SIDE) as executor:

        def start(case: Case) -> None:
            if case.id not in futures:
                futures[case.id] = executor.submit(_grade, case, root, source_dir, recipes, warm)

        def wait(case: Case) -> GradingResult:
            for item in request.session.items:
                chosen = getattr(item, "callspec", None)
                if chosen is not None and isinstance(chosen.params.get("case"), Case):
                    start(chosen.params["case"])
            start(case)
            return futures[case.id].result()

        yield wait
        for future in futures.values():
            future.cancel()
    del os.environ["ATELIER_TEST_CANARY"]


def _grade(case: Case, root: Path, source_dir: Path, recipes: RecipeBook, warm: WarmPool) -> GradingResult:
    folder = write(root / case.id / "submission", {"exercise": case.handed.book}, case.handed.files)
    secret = root / case.id / "secret.txt"
    secret.write_text(SECRET_CANARY)
    if case.handed.touch:
        case.handed.touch(folder)
    job = GradingJob(
        submission_id=case.id,
        course="attacks",
        assignment="exercise",
        learner="mallory",
        source_dir=source_dir,
        submission_dir=folder,
        version="v1",
        limits=replace(LIMITS, cell_s=10.0, wall_s=20.0) if case.oracle is Oracle.EQUAL else LIMITS,
    )
    return grade(job, warm, recipes=recipes)
