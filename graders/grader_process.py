"""A long-lived process that grades one job after the other, and dies alone.

Used by the worker, one for each slot. nbgrader's converters change the working directory, and what a grader
opens may crash or eat memory: here that costs one child, which the next job gets anew. Must not know the
queue or the books.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from graders.results import GradingJob, GradingResult

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess
    from types import FrameType

Grade = Callable[[GradingJob], GradingResult]
OpenGrader = Callable[[], AbstractContextManager[Grade]]
"""Called in the child, once; must be picklable. Leaving the context gives back whatever grading holds."""

JOBS_PER_PROCESS = 200  # then a new one: what leaks in somebody's library stays small
START_SECONDS = 120.0
OVERTIME_SECONDS = 90.0  # beyond the sandbox's own wall clock: converters, feedback, a cold image
CLOSE_SECONDS = 10.0


class GraderFaultError(Exception):
    """The platform failed at a job: an exception, a dead or silent process. `outage`: not this job's doing."""

    def __init__(self, message: str, *, outage: bool = False) -> None:
        super().__init__(message)
        self.outage = outage


@dataclass(frozen=True, slots=True)
class _Fault:
    message: str
    outage: bool


_READY = "ready"
_Answer = GradingResult | _Fault | str


class GraderProcess:
    """The worker's handle on one grading process. Not for several threads at a time."""

    def __init__(
        self,
        open_grader: OpenGrader,
        scratch: Path,
        *,
        jobs_per_process: int = JOBS_PER_PROCESS,
        overtime_s: float = OVERTIME_SECONDS,
    ) -> None:
        self._open_grader = open_grader
        self._scratch = scratch
        self._jobs_per_process = jobs_per_process
        self._overtime_s = overtime_s
        self._process: BaseProcess | None = None
        self._jobs: Connection | None = None
        self._lifeline: Connection | None = None
        self._ready = False
        self._served = 0

    @property
    def pid(self) -> int | None:
        """The process that serves now."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start the process where there is none; does not wait until it is ready."""
        if self._process is not None and self._process.is_alive() and self._served < self._jobs_per_process:
            return
        self.close()
        self._scratch.mkdir(parents=True, exist_ok=True)
        context = multiprocessing.get_context("spawn")
        self._jobs, theirs = context.Pipe()
        lifeline, self._lifeline = context.Pipe(duplex=False)
        self._process = context.Process(
            target=_serve, args=(self._open_grader, theirs, lifeline, str(self._scratch)), name="grader"
        )
        self._process.start()
        theirs.close()
        lifeline.close()
        self._ready = False
        self._served = 0

    def grade(self, job: GradingJob) -> GradingResult:
        """Grade one job in the process.

        Raises:
            GraderFaultError: it raised, died or fell silent; the next call starts a fresh one.
        """
        self.start()
        assert self._jobs is not None  # noqa: S101 - start() sets it
        try:
            self._wait_until_ready()
            self._served += 1
            self._jobs.send(job)
            answer = self._receive(job.limits.wall_s + self._overtime_s)
        except (EOFError, OSError) as error:
            code = self._exit_code()
            raise GraderFaultError(f"The grading process ended ({code}).") from error
        if isinstance(answer, GradingResult):
            return answer
        self.close()
        raise _fault(answer)

    def _wait_until_ready(self) -> None:
        if not self._ready:
            answer = self._receive(START_SECONDS)
            if answer != _READY:
                self.close()
                raise _fault(answer)
            self._ready = True

    def _receive(self, within_s: float) -> _Answer:
        assert self._jobs is not None  # noqa: S101 - called after start()
        if not self._jobs.poll(within_s):
            self.kill()
            raise GraderFaultError(f"The grading process did not answer within {within_s:.0f} seconds.")
        answer: _Answer = self._jobs.recv()
        return answer

    def _exit_code(self) -> str:
        if self._process is None:
            return "gone"
        self._process.join(CLOSE_SECONDS)
        code = self._process.exitcode
        self.kill()
        return (
            f"signal {signal.Signals(-code).name}" if code is not None and code < 0 else f"exit code {code}"
        )

    def close(self) -> None:
        """Let the process finish what it holds, then end it."""
        if self._jobs is not None:
            self._jobs.close()  # it leaves its context by itself; the lifeline, which would hurry it, comes last
        if self._process is not None:
            self._process.join(CLOSE_SECONDS)
            self.kill()

    def kill(self) -> None:
        """End the process now."""
        if self._process is not None:
            self._process.kill()
            self._process.join(CLOSE_SECONDS)
        for end in (self._jobs, self._lifeline):
            if end is not None:
                end.close()
        self._process = self._jobs = self._lifeline = None


def _fault(answer: _Answer) -> GraderFaultError:
    if isinstance(answer, _Fault):
        return GraderFaultError(answer.message, outage=answer.outage)
    return GraderFaultError("The grading process said something unexpected.")


# --- in the child
# -----------------------------------------------------------------------------------------------------


def _serve(open_grader: OpenGrader, jobs: Connection, lifeline: Connection, scratch: str) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the worker, which decides
    signal.signal(signal.SIGTERM, _leave)
    threading.Thread(target=_end_with_the_worker, args=(lifeline,), daemon=True).start()
    os.chdir(scratch)
    try:
        with open_grader() as grade:
            jobs.send(_READY)
            _serve_jobs(grade, jobs, scratch)
    except (EOFError, BrokenPipeError):
        return
    except Exception as error:  # noqa: BLE001 - the edge of the process: the worker hears why it did not start
        with contextlib.suppress(OSError):
            jobs.send(
                _Fault(_describe(error), outage=True)
            )  # whichever job came first: it isn't that job's doing


def _serve_jobs(grade: Grade, jobs: Connection, scratch: str) -> None:
    while True:
        try:
            job: GradingJob = jobs.recv()
        except EOFError:
            return
        try:
            answer: GradingResult | _Fault = grade(job)
        except Exception as error:  # noqa: BLE001 - the edge of the process
            answer = _Fault(_describe(error), outage=bool(getattr(error, "outage", False)))
        os.chdir(scratch)  # the converters may have left it
        jobs.send(answer)


def _describe(error: Exception) -> str:
    where = traceback.extract_tb(error.__traceback__)[-1:]
    place = f" ({Path(where[0].filename).name}:{where[0].lineno})" if where else ""
    return f"{type(error).__name__}: {error}{place}"[:4000]


def _leave(_signal: int, _frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once: a second one would break off the cleaning up
    raise SystemExit(0)


def _end_with_the_worker(lifeline: Connection) -> None:
    """Wait until the worker is gone, however it went, and follow it: its successor grades the job again."""
    with contextlib.suppress(EOFError, OSError):
        lifeline.recv()
    os.kill(os.getpid(), signal.SIGTERM)  # the main thread leaves its context, which stops the sandboxes
    time.sleep(CLOSE_SECONDS / 2)
    os._exit(1)
