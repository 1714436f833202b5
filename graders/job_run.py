"""What happens with one grading job, from its claim to its end in the books, readable top to bottom.

Run by the worker, in a thread for each job. A run may happen twice, when a worker died; the books take each run's
result once. Must not know the queue, hub, notebooks or containers.
"""

from __future__ import annotations

import queue
import shutil
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

import structlog

from graders.grader_process import GraderFaultError, GraderProcess, OpenGrader
from graders.results import GradingJob, GradingResult, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from graders.queue import JobId

TRIES = 2  # a submission that breaks the platform twice is set aside
MAX_CLAIMS = 5  # … and one during which the whole worker died this often: nobody knows whose doing that was
PATIENCE_S = 600.0  # how long the books, or the container engine, may be away before a job is given up
LONGEST_PAUSE_S = 15.0

log = structlog.get_logger(__name__)
_T = TypeVar("_T")


class Books(Protocol):
    """What the worker needs of the books. Each call is one transaction and may be made twice."""

    def start_grading(self, submission_id: str, run: int) -> bool:
        """Note that grading begins; False when this run is over already."""

    def job(self, submission_id: str, into: Path) -> GradingJob:
        """Lay out the source and the submission in a fresh folder."""

    def record_result(self, submission_id: str, result: GradingResult, run: int) -> None:
        """Write the judgement."""

    def record_failure(self, submission_id: str, reason: str, run: int) -> None:
        """Set the submission aside with its reason; does nothing when the run has a result."""

    def unfinished(self) -> list[tuple[str, int]]:
        """Return (submission, run) of everything accepted that has no end yet."""


@dataclass(frozen=True, slots=True)
class Steps:
    """Called with the name of each step that is done: nothing in production, a place to kill at in tests."""

    done: Callable[[str], None] = lambda _name: None


class JobRuns:
    """What happens with one job, from its claim to its end."""

    def __init__(
        self,
        books: Books,
        open_grader: OpenGrader,
        run_dir: Path,
        *,
        slots: int,
        patience_s: float,
        steps: Steps,
    ) -> None:
        self._books = books
        self._patience_s = patience_s
        self._steps = steps
        self._jobs_dir = run_dir / "jobs"
        shutil.rmtree(self._jobs_dir, ignore_errors=True)  # left by a worker that was killed
        self._jobs_dir.mkdir(parents=True)
        self.graders = [GraderProcess(open_grader, run_dir / f"grader-{slot}") for slot in range(slots)]
        self._free: queue.SimpleQueue[GraderProcess] = queue.SimpleQueue()
        for grader in self.graders:
            grader.start()
            self._free.put(grader)
        self.stopping = threading.Event()
        self.busy: set[str] = set()
        self.finished = 0

    def run(self, job: JobId, claims: int) -> str:
        """Grade one job and write the books.

        Args:
            job: which.
            claims: how often a worker has taken it up, this time included.

        Returns:
            How it ended, for the queue's own record.
        """
        self.busy.add(str(job))
        try:
            return self._run(job, claims)
        finally:
            self.busy.discard(str(job))
            self.finished += 1

    def _run(self, job: JobId, claims: int) -> str:
        if not self._patiently(lambda: self._books.start_grading(job.submission_id, job.run)):
            return "over already"
        self._steps.done("started")
        if claims > MAX_CLAIMS:
            return self._set_aside(job, f"The grading worker died {claims - 1} times while this was graded.")
        try:
            result = self._grade(job)
        except GraderFaultError as fault:
            return self._set_aside(job, str(fault))
        try:
            self._patiently(lambda: self._books.record_result(job.submission_id, result, job.run))
        except Exception as error:  # noqa: BLE001 - the books refuse it for good: a trainer has to know
            return self._set_aside(job, f"The result could not be written: {type(error).__name__}: {error}")
        self._steps.done("recorded")
        return result.verdict.value

    def _set_aside(self, job: JobId, reason: str) -> str:
        log.error("submission set aside", submission=job.submission_id, run=job.run, reason=reason)
        self._patiently(lambda: self._books.record_failure(job.submission_id, reason, job.run))
        self._steps.done("set aside")
        return "set aside"

    def _grade(self, job: JobId) -> GradingResult:
        """Return the result of the first try that gives one. While the platform itself is away, wait."""
        faults: list[str] = []
        give_up_at = time.monotonic() + self._patience_s
        pause_s = 0.5
        while True:
            try:
                return self._try(job)
            except GraderFaultError as fault:
                if self.stopping.is_set():
                    _wait_for_the_end()
                log.warning(
                    "grading failed", submission=job.submission_id, reason=str(fault), outage=fault.outage
                )
                if fault.outage and time.monotonic() < give_up_at:
                    self.stopping.wait(pause_s)
                    pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
                    continue
                faults.append(str(fault))
                if len(faults) >= TRIES or fault.outage:
                    raise GraderFaultError(faults[-1]) from fault

    def _try(self, job: JobId) -> GradingResult:
        with tempfile.TemporaryDirectory(dir=self._jobs_dir, ignore_cleanup_errors=True) as folder:
            try:
                work = self._books.job(job.submission_id, Path(folder))
            except Exception as error:
                raise GraderFaultError(
                    f"The files could not be laid out: {type(error).__name__}: {error}"
                ) from error
            self._steps.done("laid out")
            grader = self._free.get()
            try:
                result = grader.grade(work)
            finally:
                self._free.put(grader)
            self._steps.done("graded")
        if result.verdict is Verdict.INTERNAL_ERROR:
            raise GraderFaultError(result.detail or result.reason or "internal error")
        return result

    def _patiently(self, action: Callable[[], _T]) -> _T:
        """Do it again until the books answer: a locked database or a full disk passes, a lost result does not."""
        give_up_at = time.monotonic() + self._patience_s
        pause_s = 0.2
        while True:
            try:
                return action()
            except Exception as error:
                if self.stopping.is_set():
                    _wait_for_the_end()
                if time.monotonic() > give_up_at:
                    raise
                log.warning("the books do not answer", error=f"{type(error).__name__}: {error}")
                self.stopping.wait(pause_s)
                pause_s = min(pause_s * 2, LONGEST_PAUSE_S)


def _wait_for_the_end() -> None:
    """Stay here until the process ends: a job that returned would count as ended, one that stays is taken up again."""
    threading.Event().wait()
