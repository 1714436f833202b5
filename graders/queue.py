"""The grading queue: DBOS on the application's own database, so that a submission and its job are one
transaction.

Called by the service (`enqueue` inside its transaction) and by the worker, which runs what is enqueued. A job
carries names only, never files: what to grade is read from the books when it runs. Must not know hub,
notebooks or containers.

Every name below is written into the database with each job: changing one orphans the jobs that are waiting.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from dbos import DBOS, DBOSClient

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.orm import Session

APPLICATION = "atelier"
APPLICATION_VERSION = "1"  # fixed: a worker of the next release takes up the jobs of this one
QUEUE = "grading"
WORKFLOW = "grade"
POLLING_S = 0.05
MAX_PRIORITY = 2**31 - 1

logging.getLogger("dbos").setLevel(logging.WARNING)


class JobState(StrEnum):
    """Where a job is, as far as anyone outside the worker has to know."""

    WAITING = "waiting"
    RUNNING = "running"
    ENDED = "ended"  # in whatever way
    UNKNOWN = "unknown"  # there is no such job


_STATES = {
    "ENQUEUED": JobState.WAITING,
    "DELAYED": JobState.WAITING,
    "PENDING": JobState.RUNNING,
}


@dataclass(frozen=True, slots=True)
class JobId:
    """A grading run of a submission: 1 is the first, each regrade counts up."""

    submission_id: str
    run: int = 1

    def __str__(self) -> str:
        """Return the workflow's id: the submission's own for the first run."""
        return self.submission_id if self.run == 1 else f"{self.submission_id}:{self.run}"


class GradingQueue:
    """The service's side of the queue: puts jobs in, never takes one out."""

    def __init__(self, engine: Engine) -> None:
        """Take the application's engine; nothing is read or written yet."""
        self._engine = engine
        self._lock = threading.Lock()
        self._client: DBOSClient | None = None

    def ensure(self) -> None:
        """Make the queue's tables where they are missing. Not inside a transaction: SQLite has one writer."""
        with self._lock:
            if self._client is None:
                migrate(self._engine)
                # Its own reads must not take SQLite's write lock (hub/db.py); what is enqueued uses the
                # caller's session.
                reading = self._engine.execution_options(atelier_reading=True)
                self._client = DBOSClient(
                    system_database_engine=reading, application_name=APPLICATION, lazy=True
                )

    def enqueue(self, session: Session, job: JobId, priority: int) -> None:
        """Put a job into the queue inside the caller's transaction: both happen or neither.

        A job that is there already stays as it is. `ensure` must have been called.

        Args:
            session: an open transaction on the application's database.
            job: the run to grade.
            priority: 1 is first; equal ones in the order they came.
        """
        if self._client is None:
            raise RuntimeError("GradingQueue.ensure() comes before the transaction")
        self._client.enqueue_in_transaction(
            session,
            {
                "workflow_name": WORKFLOW,
                "queue_name": QUEUE,
                "workflow_id": str(job),
                "app_version": APPLICATION_VERSION,
                "priority": max(1, min(priority, MAX_PRIORITY)),
            },
            job.submission_id,
            job.run,
        )

    def job_state(self, job: JobId) -> JobState:
        """Return where a job is."""
        self.ensure()
        assert self._client is not None  # noqa: S101 - ensure() sets it
        found = self._client.list_workflows(workflow_ids=[str(job)], load_input=False, load_output=False)
        return _STATES.get(found[0].status, JobState.ENDED) if found else JobState.UNKNOWN

    def waiting(self) -> list[str]:
        """Return the submission ids that wait, next one first."""
        self.ensure()
        assert self._client is not None  # noqa: S101 - ensure() sets it
        jobs = self._client.list_queued_workflows(queue_name=QUEUE, load_input=False)
        queued = [job for job in jobs if job.status == "ENQUEUED"]
        queued.sort(key=lambda job: (job.priority or 0, job.created_at or 0))
        return [job.workflow_id.partition(":")[0] for job in queued]


def database_url(engine: Engine) -> str:
    """Return the engine's URL with its password, for a library that makes its own connections."""
    return engine.url.render_as_string(hide_password=False)


def migrate(engine: Engine) -> None:
    """Bring the queue's tables up to date; does nothing when they are."""
    DBOS.migrate(database_url(engine))


def worker_config(url: str, worker_id: str) -> dict[str, Any]:
    """Return DBOS's configuration for a worker: the same names as above, and the id that owns its jobs."""
    return {
        "name": APPLICATION,
        "system_database_url": url,
        "executor_id": worker_id,
        "application_version": APPLICATION_VERSION,
        "log_level": "WARNING",
        "enable_otlp": False,
        "scheduler_polling_interval_sec": 3600.0,  # nothing is scheduled
    }
