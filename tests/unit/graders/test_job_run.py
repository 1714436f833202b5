"""One job from its claim to its end, with books that fail in every way they can."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from graders.grader_process import GraderFaultError
from graders.job_run import MAX_CLAIMS, JobRuns, Steps
from graders.queue import JobId
from graders.results import GradingJob, GradingResult, Verdict
from tests.doubles.grading import open_double, result_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class BooksDouble:
    """Books in memory; `fail` says how often each call is refused before it works."""

    def __init__(self) -> None:
        self.fail: dict[str, int] = {}
        self.written: list[tuple[str, ...]] = []
        self.over = False

    def _maybe(self, name: str) -> None:
        if self.fail.get(name, 0) > 0:
            self.fail[name] -= 1
            raise OSError(f"{name}: the database is locked")

    def start_grading(self, submission_id: str, run: int) -> bool:
        self._maybe("start_grading")
        return not self.over

    def job(self, submission_id: str, into: Path) -> GradingJob:
        self._maybe("job")
        return GradingJob(submission_id, "data", "double", "lea", into, into)

    def record_result(self, submission_id: str, result: GradingResult, run: int) -> None:
        self._maybe("record_result")
        self.written.append(("result", submission_id, str(run), result.verdict.value))

    def record_failure(self, submission_id: str, reason: str, run: int) -> None:
        self._maybe("record_failure")
        self.written.append(("failure", submission_id, str(run), reason))

    def unfinished(self) -> list[tuple[str, int]]:
        return []


class GraderDouble:
    """Answers what it is told, one after the other."""

    def __init__(self, *answers: GradingResult | GraderFaultError) -> None:
        self.answers = list(answers)

    def grade(self, job: GradingJob) -> GradingResult:
        answer = self.answers.pop(0)
        if isinstance(answer, GraderFaultError):
            raise answer
        return answer


FAULT, OUTAGE = GraderFaultError("it died"), GraderFaultError("the engine is away", outage=True)


@pytest.fixture
def books() -> BooksDouble:
    return BooksDouble()


@pytest.fixture
def runs(books: BooksDouble, tmp_path: Path) -> Iterator[Callable[..., tuple[JobRuns, list[str]]]]:
    def make(*answers: Any, patience_s: float = 30) -> tuple[JobRuns, list[str]]:
        steps: list[str] = []
        made = JobRuns(
            books, partial(open_double, tmp_path / "log"), tmp_path / "run", slots=0, patience_s=patience_s,
            steps=Steps(steps.append),
        )  # fmt: skip
        made._free.put(GraderDouble(*answers))  # type: ignore[arg-type]
        return made, steps

    return make


def test_the_steps_in_their_order(books: BooksDouble, runs: Any) -> None:
    made, steps = runs(result_of())
    assert made.run(JobId("s", 3), 1) == "graded"
    assert steps == ["started", "laid out", "graded", "recorded"]
    assert books.written == [("result", "s", "3", "graded")]
    assert (made.finished, made.busy) == (1, set())


def test_what_is_over_is_not_graded_again(books: BooksDouble, runs: Any) -> None:
    books.over = True
    made, _ = runs()
    assert made.run(JobId("s"), 2) == "over already"
    assert books.written == []


@pytest.mark.parametrize("name", ["start_grading", "record_result", "record_failure"])
def test_books_that_are_away_are_waited_for(books: BooksDouble, runs: Any, name: str) -> None:
    books.fail[name] = 2
    broken = name == "record_failure"
    made, _ = runs(*([FAULT, FAULT] if broken else [result_of()]))
    made.run(JobId("s"), 1)
    assert [entry[0] for entry in books.written] == ["failure" if broken else "result"]


def test_a_result_that_can_not_be_written_is_a_named_failure(books: BooksDouble, runs: Any) -> None:
    books.fail["record_result"] = 1000
    made, _ = runs(result_of(), patience_s=0)
    assert made.run(JobId("s"), 1) == "set aside"
    assert "could not be written" in books.written[0][3]


@pytest.mark.parametrize(
    ("answers", "written"),
    [
        ([FAULT, result_of()], "result"),
        ([FAULT, FAULT], "failure"),
        ([result_of(verdict=Verdict.INTERNAL_ERROR), result_of()], "result"),
        ([result_of(verdict=Verdict.INTERNAL_ERROR), FAULT], "failure"),
        ([OUTAGE, result_of()], "result"),
        ([OUTAGE, FAULT, OUTAGE, result_of()], "result"),
    ],
)
def test_two_faults_are_too_many_and_outages_do_not_count(
    books: BooksDouble, runs: Any, answers: list[Any], written: str
) -> None:
    made, _ = runs(*answers)
    made.run(JobId("s"), 1)
    assert [entry[0] for entry in books.written] == [written]


def test_an_outage_without_end_is_a_named_failure(books: BooksDouble, runs: Any) -> None:
    made, _ = runs(OUTAGE, patience_s=0)
    made.run(JobId("s"), 1)
    assert books.written == [("failure", "s", "1", "the engine is away")]


def test_files_that_can_not_be_laid_out_count_as_faults(books: BooksDouble, runs: Any) -> None:
    books.fail["job"] = 2
    made, _ = runs()
    made.run(JobId("s"), 1)
    assert "could not be laid out" in books.written[0][3]


def test_what_takes_the_worker_down_again_and_again_is_set_aside(books: BooksDouble, runs: Any) -> None:
    made, _ = runs(result_of())
    assert made.run(JobId("s"), MAX_CLAIMS) == "graded"
    assert made.run(JobId("t"), MAX_CLAIMS + 1) == "set aside"
    assert f"died {MAX_CLAIMS} times" in books.written[1][3]


def test_folders_of_a_killed_worker_are_cleared(runs: Any, tmp_path: Path) -> None:
    left = tmp_path / "run" / "jobs" / "left"
    left.mkdir(parents=True)
    runs()
    assert not left.exists()
