"""Opens the pipeline in a grading process: sandboxes, recipes and gradebooks, from a few plain values.

Called by the worker's grading processes (graders/grader_process.py) through a picklable partial that `atelier worker`
makes. Must not know queues, people or settings.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from graders.pipeline import Books, grade
from graders.recipe import RecipeBook
from graders.sandbox.choice import SandboxConfig, make_runner
from graders.sandbox.pool import WarmPool
from graders.sandbox.reaper import Reaper
from graders.sandbox.runc import sweep_strays

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from graders.grader_process import Grade
    from graders.results import GradingJob, GradingResult


@dataclass(frozen=True, slots=True)
class GraderConfig:
    """What a grading process needs to know.

    Attributes:
        sandbox: how to start sandboxes.
        courses_dir: where each course's gradebook lives, `<course>/gradebook.db`.
        recipes_dir: where it is kept how each version of an exercise is graded.
        pool_size: how many sandboxes to keep ready; 0 starts one for each submission.
    """

    sandbox: SandboxConfig
    courses_dir: Path
    recipes_dir: Path
    pool_size: int = 2


@contextmanager
def open_grader(config: GraderConfig) -> Iterator[Grade]:
    """Yield the function that grades one job; on leaving, every sandbox that was kept ready is gone."""
    sweep_strays(config.sandbox.folder, config.sandbox.instance)
    pool = WarmPool(lambda: make_runner(config.sandbox), size=config.pool_size)
    reaper = Reaper(config.sandbox.instance)
    recipes = RecipeBook(config.recipes_dir, pool)

    def grade_one(job: GradingJob) -> GradingResult:
        folder = config.courses_dir / job.course
        folder.mkdir(parents=True, exist_ok=True)
        books = Books(f"sqlite:///{folder / 'gradebook.db'}")
        return grade(job, pool, recipes=recipes, books=books)

    try:
        yield grade_one
    finally:
        pool.close()
        reaper.sweep(frozenset())
