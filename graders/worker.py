"""The worker: takes jobs from the queue, has them graded in processes of their own, writes the books.

Run by `atelier worker`, which passes the books (the service of submissions) and the way to open a grader. Whatever
dies, a job that was accepted ends in one result or one named failure: the queue gives a dead worker's jobs to the
next worker with the same id. Must not know hub, notebooks or containers.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import threading
import time
from typing import IO, TYPE_CHECKING

import structlog
from dbos import DBOS, DBOSClient

from graders.job_run import PATIENCE_S, Books, JobRuns, Steps
from graders.queue import APPLICATION, POLLING_S, QUEUE, WORKFLOW, JobId, worker_config

if TYPE_CHECKING:
    from pathlib import Path
    from types import FrameType

    from graders.grader_process import OpenGrader

HEARTBEAT_S = 1.0
RECONCILE_S = 30.0

log = structlog.get_logger(__name__)


class AlreadyRunningError(RuntimeError):
    """Another worker holds this id."""


def run_worker(
    books: Books,
    open_grader: OpenGrader,
    *,
    database_url: str,
    worker_id: str,
    run_dir: Path,
    slots: int = 1,
    stop_grace_s: float = 25.0,
    patience_s: float = PATIENCE_S,
    steps: Steps | None = None,
) -> None:
    """Grade until SIGTERM or SIGINT, then finish what runs (at most `stop_grace_s`) and return.

    Args:
        books: where jobs come from and results go.
        open_grader: see graders.grader_process.
        database_url: SQLAlchemy URL of the application's database.
        worker_id: stable and exclusive.
        run_dir: for the heartbeat, the lock and scratch folders; this worker's machine only.
        slots: how many submissions are graded side by side.
        stop_grace_s: what is not done by then is graded by the next worker with this id.
        patience_s: how long the books or the container engine may be away.
        steps: a place to interfere, in tests.

    Raises:
        AlreadyRunningError: another worker on this machine has the same id.
    """
    run_dir.mkdir(parents=True, exist_ok=True)
    lock = _take_id(run_dir, worker_id)
    runs = JobRuns(
        books, open_grader, run_dir / worker_id, slots=slots, patience_s=patience_s, steps=steps or Steps()
    )
    stop = threading.Event()

    def ask_to_stop(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, ask_to_stop)
    signal.signal(signal.SIGINT, ask_to_stop)
    _launch(runs, database_url, worker_id, slots)
    log.info("worker ready", worker=worker_id, slots=slots)
    last_reconciled = 0.0
    while not stop.is_set():
        _beat(run_dir, worker_id, runs)
        if time.monotonic() - last_reconciled > RECONCILE_S:
            _reconcile(books)
            last_reconciled = time.monotonic()
        stop.wait(HEARTBEAT_S)
    _stop(runs, stop_grace_s)
    lock.close()


def _take_id(run_dir: Path, worker_id: str) -> IO[str]:
    lock = (run_dir / f"{worker_id}.lock").open("a")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.close()
        raise AlreadyRunningError(
            f"A worker called {worker_id} is running already; give each its own id."
        ) from error
    return lock


def _launch(runs: JobRuns, database_url: str, worker_id: str, slots: int) -> None:
    DBOS.migrate(database_url)
    client = DBOSClient(system_database_url=database_url, application_name=APPLICATION)
    # Before the launch, so that the first look for queues finds it.
    client.register_queue(QUEUE, worker_concurrency=slots, polling_interval_sec=POLLING_S)
    client.destroy()
    DBOS(config=worker_config(database_url, worker_id))  # type: ignore[arg-type]  # a TypedDict of all-optional keys

    # Many claims are the books' business, not the queue's: dead letters have no reader.
    @DBOS.workflow(name=WORKFLOW, max_recovery_attempts=1000)
    def grade(submission_id: str, run: int) -> str:
        job = JobId(submission_id, run)
        status = DBOS.get_workflow_status(str(job))
        return runs.run(job, (status.recovery_attempts if status else None) or 1)

    DBOS.launch()


def _beat(run_dir: Path, worker_id: str, runs: JobRuns) -> None:
    state = {
        "worker": worker_id,
        "pid": os.getpid(),
        "busy": sorted(runs.busy),
        "finished": runs.finished,
    }
    file = run_dir / "worker.heartbeat"
    try:
        fresh = file.with_suffix(".new")
        fresh.write_text(json.dumps(state), encoding="utf-8")
        fresh.replace(file)
    except OSError as error:  # a full disk: grading goes on, and the operator sees a silent worker
        log.warning("no heartbeat", error=str(error))


def _reconcile(books: Books) -> None:
    """Name the failure of what was accepted but whose job has ended without an end in the books."""
    try:
        for submission_id, run in books.unfinished():
            status = DBOS.get_workflow_status(str(JobId(submission_id, run)))
            if status is None or status.status not in ("ENQUEUED", "PENDING", "DELAYED"):
                state = status.status if status else "missing"
                log.error("job without result", submission=submission_id, run=run, state=state)
                books.record_failure(submission_id, f"The grading job ended without a result ({state}).", run)
    except Exception as error:  # noqa: BLE001 - tried again in half a minute
        log.warning("could not compare queue and books", error=f"{type(error).__name__}: {error}")


def _stop(runs: JobRuns, grace_s: float) -> None:
    log.info("worker stops", busy=sorted(runs.busy))
    all_done = not runs.busy
    DBOS.destroy(workflow_completion_timeout_sec=0 if all_done else max(1, int(grace_s)))
    runs.stopping.set()
    if runs.busy:
        # These stay the queue's: the next worker with this id takes them up. Nothing may mark them as ended
        # now.
        for grader in runs.graders:
            grader.kill()
        os._exit(0)
    for grader in runs.graders:
        grader.close()
