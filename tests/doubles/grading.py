"""A grader that starts no container: the submission says in `behaviour.txt` what should happen.

`grade` the text after "score" is the score · "raise" · "outage" until a file `back` exists beside the log · "die" ends
the grading process · "killed" ends it by a signal · "die once" only the first time · "kill worker" kills the worker
once · "slow" takes a second.
Every call is noted in the log with the process that served it.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from graders.results import CellResult, CellVerdict, GradingJob, GradingResult, NotebookResult, Verdict, Way

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class OutageError(Exception):
    """The container engine does not answer."""

    outage = True


def result_of(score: float = 2.0, *, verdict: Verdict = Verdict.GRADED) -> GradingResult:
    """Return a result with one automatic cell worth 2 and an essay worth 3 that a human has to judge."""
    cells = (
        CellResult("double-check", score, 2.0, CellVerdict.PASSED, Way.ISOLATED, evidence="for trainers"),
        CellResult("essay", None, 3.0, CellVerdict.MANUAL, Way.MANUAL),
    )
    return GradingResult(
        verdict=verdict,
        notebooks=(NotebookResult("double", cells),),
        feedback={"double.html": b"<p>well done</p>"},
        autograded={"double.ipynb": b"{}"},
    )


def _note(log: Path, text: str) -> None:
    with log.open("a") as file:
        file.write(f"{os.getpid()} {text}\n")


def _once(log: Path, name: str) -> bool:
    try:
        log.with_name(name).touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


@contextmanager
def open_double(log: Path) -> Iterator[Callable[[GradingJob], GradingResult]]:
    """Yield the grader; what it does is noted in `log`."""

    def grade(job: GradingJob) -> GradingResult:
        _note(log, f"grade {job.submission_id}")
        os.chdir("/")  # as nbgrader's converters do
        file = job.submission_dir / "behaviour.txt"
        behaviour = file.read_text() if file.exists() else "score 2"
        if behaviour == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        if behaviour == "raise":
            raise ValueError("this exercise can't be graded")
        if behaviour == "outage" and not log.with_name("back").exists():
            raise OutageError("the engine does not answer")
        if behaviour == "die" or (behaviour == "die once" and _once(log, f"died-{job.submission_id}")):
            os._exit(3)
        if behaviour == "kill worker" and _once(log, f"killed-{job.submission_id}"):
            os.kill(os.getppid(), signal.SIGKILL)
            time.sleep(60)  # the end comes by itself: nobody needs this process any more
        time.sleep(1 if behaviour == "slow" else 0)
        if behaviour == "broken":
            return GradingResult(Verdict.INTERNAL_ERROR, detail="a sandbox broke the protocol")
        score = float(behaviour.removeprefix("score ")) if behaviour.startswith("score ") else 2.0
        return result_of(score)

    _note(log, "open")
    yield grade
    _note(log, "close")


@contextmanager
def open_nothing() -> Iterator[Callable[[GradingJob], GradingResult]]:
    """Fail to open, as when the image is missing."""
    raise FileNotFoundError("no such image")
    yield  # makes this a generator
