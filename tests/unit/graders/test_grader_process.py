"""A grading process serves many jobs and dies alone."""

from __future__ import annotations

import os
import signal
from functools import partial
from typing import TYPE_CHECKING

import pytest

from graders.grader_process import GraderFaultError, GraderProcess, OpenGrader
from graders.results import GradingJob, Limits
from tests.doubles.grading import open_double, open_nothing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def open_grader(tmp_path: Path) -> OpenGrader:
    return partial(open_double, tmp_path / "log")


@pytest.fixture
def grader(open_grader: OpenGrader, tmp_path: Path) -> Iterator[GraderProcess]:
    grader = GraderProcess(open_grader, tmp_path / "scratch", jobs_per_process=3, overtime_s=30)
    yield grader
    grader.close()


@pytest.fixture
def job(tmp_path: Path) -> Callable[[str], GradingJob]:
    made = 0

    def make(behaviour: str) -> GradingJob:
        nonlocal made
        made += 1
        folder = tmp_path / f"job-{made}"
        folder.mkdir()
        (folder / "behaviour.txt").write_text(behaviour)
        return GradingJob(f"s{made}", "data", "double", "lea", folder, folder)

    return make


def test_one_process_serves_many_jobs_and_then_makes_room(
    grader: GraderProcess, job: Callable[[str], GradingJob], tmp_path: Path
) -> None:
    pids = []
    for score in (0.0, 1.0, 2.0, 1.5):
        assert grader.grade(job(f"score {score}")).score == score
        pids.append(grader.pid)
    assert len(set(pids[:3])) == 1
    assert pids[3] != pids[0]
    notes = [line.split()[1] for line in (tmp_path / "log").read_text().splitlines()]
    assert notes == ["open", "grade", "grade", "grade", "close", "open", "grade"]


def test_what_breaks_one_process_leaves_the_next_job_alone(
    grader: GraderProcess, job: Callable[[str], GradingJob]
) -> None:
    with pytest.raises(GraderFaultError, match="exit code 3"):
        grader.grade(job("die"))
    with pytest.raises(GraderFaultError, match="ValueError: this exercise can't be graded") as fault:
        grader.grade(job("raise"))
    assert not fault.value.outage
    with pytest.raises(GraderFaultError) as fault:
        grader.grade(job("outage"))
    assert fault.value.outage
    assert grader.grade(job("score 2")).score == 2.0


def test_a_process_killed_at_work_is_named(grader: GraderProcess, job: Callable[[str], GradingJob]) -> None:
    with pytest.raises(GraderFaultError, match="SIGKILL"):
        grader.grade(job("killed"))
    assert grader.grade(job("score 1")).score == 1.0


def test_a_process_killed_while_idle_is_replaced(
    grader: GraderProcess, job: Callable[[str], GradingJob]
) -> None:
    grader.grade(job("score 1"))
    first = grader.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    assert grader._process is not None
    grader._process.join(10)
    assert grader.grade(job("score 1")).score == 1.0
    assert grader.pid != first


def test_silence_has_an_end(
    open_grader: OpenGrader, tmp_path: Path, job: Callable[[str], GradingJob]
) -> None:
    grader = GraderProcess(open_grader, tmp_path / "scratch", overtime_s=0.05)
    slow = job("slow")
    brief = GradingJob(
        "s", "data", "double", "lea", slow.source_dir, slow.submission_dir, limits=Limits(wall_s=0.05)
    )
    with pytest.raises(GraderFaultError, match="did not answer"):
        grader.grade(brief)
    assert grader.pid is None
    grader.close()


def test_a_grader_that_can_not_open_is_an_outage(tmp_path: Path, job: Callable[[str], GradingJob]) -> None:
    grader = GraderProcess(open_nothing, tmp_path / "scratch")
    with pytest.raises(GraderFaultError, match="no such image") as fault:
        grader.grade(job("score 1"))
    assert fault.value.outage
    grader.close()
