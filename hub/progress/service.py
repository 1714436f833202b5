"""Use cases of progress: write events, read them, say where learners stand, tell reporters.

Other features call `Progress.record` inside their own transaction: an event and what it speaks of are written together
or not at all. What the payloads hold:

    graded, marked    score, max_score (in force after it), verdict, attempt, run
    submitted         attempt, late
    grading_failed    reason
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from hub.db import Database, now_utc
from hub.pages.texts import TIME_ZONE
from hub.progress import delivery
from hub.progress.models import Event, EventType
from hub.progress.reporters.base import Reporter, discover
from hub.progress.standing import LearnerStanding, standings_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

    from hub.settings import Settings

REPORT_EVERY_S = 0.5
log = structlog.get_logger(__name__)


class Progress:
    """The events of learners' lives here, and what follows from them."""

    def __init__(
        self, database: Database, settings: Settings, reporters: Sequence[Reporter] | None = None
    ) -> None:
        self.database = database
        self.settings = settings
        self._reporters = list(reporters) if reporters is not None else None

    @property
    def reporters(self) -> list[Reporter]:
        """The reporters in use, found at first need; a new one begins with what happens from then on."""
        if self._reporters is None:
            self._reporters = discover()
        return self._reporters

    def record(
        self,
        session: Session,
        type: EventType,  # noqa: A002 - the column's name
        person_id: int,
        *,
        key: str,
        course_id: int | None = None,
        assignment_id: int | None = None,
        submission_id: str | None = None,
        source: str,
        payload: dict[str, Any] | None = None,
        at: datetime | None = None,
    ) -> None:
        """Write an event in the caller's transaction; the same `key` again changes nothing."""
        dialect = session.get_bind().dialect.name
        insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
        session.execute(
            insert(Event)
            .values(
                at=at or now_utc(),
                type=type,
                person_id=person_id,
                course_id=course_id,
                assignment_id=assignment_id,
                submission_id=submission_id,
                source=source,
                key=key,
                payload=payload or {},
            )
            .on_conflict_do_nothing(index_elements=["key"])
        )

    def opened(self, person_id: int, course_id: int, assignment_id: int) -> None:
        """Write down that a learner opened an exercise; once a day and exercise is enough."""
        now = now_utc()
        with self.database.transaction() as session:
            self.record(
                session,
                EventType.OPENED,
                person_id,
                key=f"opened:{person_id}:{assignment_id}:{now.date()}",
                course_id=course_id,
                assignment_id=assignment_id,
                source="service",
                at=now,
            )

    def feedback_read(
        self, person_id: int, course_id: int | None, assignment_id: int, submission_id: str
    ) -> None:
        """Write down that a learner looked at the feedback on a submission, once."""
        with self.database.transaction() as session:
            self.record(
                session,
                EventType.FEEDBACK_READ,
                person_id,
                key=f"feedback_read:{submission_id}",
                course_id=course_id,
                assignment_id=assignment_id,
                submission_id=submission_id,
                source="service",
            )

    def after(self, event_id: int, limit: int = 500) -> list[Event]:
        """Return the events after `event_id`, oldest first."""
        with self.database.reading() as session:
            query = select(Event).where(Event.id > event_id).order_by(Event.id).limit(limit)
            return list(session.scalars(query))

    def newest_id(self) -> int:
        """Return the id of the newest event, 0 when there is none."""
        with self.database.reading() as session:
            return session.scalar(select(func.max(Event.id))) or 0

    def timeline(self, person_id: int, limit: int = 300) -> list[Event]:
        """Return a person's events, newest first."""
        with self.database.reading() as session:
            query = (
                select(Event)
                .where(Event.person_id == person_id)
                .order_by(Event.at.desc(), Event.id.desc())
                .limit(limit)
            )
            return list(session.scalars(query))

    def standings(self, person_ids: Iterable[int]) -> dict[int, LearnerStanding]:
        """Return where each of these people stands, in one query; those without any event included."""
        roster = list(dict.fromkeys(person_ids))
        if not roster:
            return {}
        with self.database.reading() as session:
            events = session.scalars(
                select(Event).where(Event.person_id.in_(roster)).order_by(Event.at, Event.id)
            ).all()
        return standings_of(roster, events, TIME_ZONE)

    def standing(self, person_id: int) -> LearnerStanding:
        """Return where one person stands."""
        return self.standings([person_id])[person_id]

    def report_pending(self) -> int:
        """Tell every reporter of what it does not know yet; return how many times something was told."""
        return sum(delivery.deliver_pending(self.database, reporter) for reporter in self.reporters)

    async def run_reporters(self) -> None:
        """Tell reporters of new events until cancelled, each in a thread of its own: a slow one delays nobody."""
        reporters = self.reporters
        if not reporters:
            return
        threads = ThreadPoolExecutor(len(reporters), thread_name_prefix="reporter")
        try:
            await asyncio.gather(*(self._run_reporter(reporter, threads) for reporter in reporters))
        finally:
            threads.shutdown(wait=False, cancel_futures=True)

    async def _run_reporter(self, reporter: Reporter, threads: ThreadPoolExecutor) -> None:
        loop = asyncio.get_running_loop()
        started = False
        while True:
            try:
                if not started:
                    await loop.run_in_executor(threads, delivery.start, self.database, reporter.name)
                    started = True
                await loop.run_in_executor(threads, delivery.deliver_pending, self.database, reporter)
            except SQLAlchemyError as error:  # the database is away: it may come back
                log.warning("reporter waits", reporter=reporter.name, problem=type(error).__name__)
                await asyncio.sleep(10 * REPORT_EVERY_S)
            await asyncio.sleep(REPORT_EVERY_S)
