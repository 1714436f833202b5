"""Tells reporters of new events, each event once. Called by `Progress.report_pending`.

A delivery is written down *before* the reporter is called, so that a crash in between never tells twice; what raised
is tried again for a day. Knows the tables of progress and the reporter's interface, nothing of channels.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import and_, delete, exists, func, or_, select, update
from sqlalchemy.exc import IntegrityError

from hub.db import Database, now_utc
from hub.progress.models import Delivery, Event
from hub.progress.reading import ReportedEvent, reported

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from hub.progress.reporters.base import Reporter

BATCH = 200
RETRY_AFTER = timedelta(minutes=5)
RETRY_FOR = timedelta(days=1)
LOOK_BACK = 500
"""Ids of events can become visible out of order on PostgreSQL: so many below the newest delivery are looked at again."""

IN_HAND = "interrupted while telling"  # stays when the process dies meanwhile; never told again
log = structlog.get_logger(__name__)


def start(database: Database, reporter: str) -> None:
    """Let a reporter that was never told of anything begin with what happens from now on."""
    with database.transaction() as session:
        known = session.scalar(select(func.min(Delivery.event_id)).where(Delivery.reporter == reporter))
        newest = session.scalar(select(func.max(Event.id)))
        if known is None and newest is not None:
            session.add(Delivery(event_id=newest, reporter=reporter))


def deliver_pending(database: Database, reporter: Reporter) -> int:
    """Tell one reporter of what it does not know yet; return how many events it was told of."""
    with database.reading() as session:
        events = reported(session, _pending(session, reporter.name))
    told = 0
    for event in events:
        if _claim(database, event, reporter.name):
            _tell(database, event, reporter)
            told += 1
    return told


def _pending(session: Session, reporter: str) -> list[int]:
    first, newest = session.execute(
        select(func.min(Delivery.event_id), func.max(Delivery.event_id)).where(Delivery.reporter == reporter)
    ).one()
    floor = max(first or 0, (newest or 0) - LOOK_BACK)
    now = now_utc()
    told = exists().where(Delivery.event_id == Event.id, Delivery.reporter == reporter)
    again = exists().where(
        Delivery.event_id == Event.id,
        Delivery.reporter == reporter,
        Delivery.error.is_not(None),
        Delivery.error != IN_HAND,
        Delivery.at < now - RETRY_AFTER,
    )
    wanted = or_(and_(Event.id > floor, ~told), and_(Event.at > now - RETRY_FOR, again))
    return list(session.scalars(select(Event.id).where(wanted).order_by(Event.id).limit(BATCH)))


def _claim(database: Database, event: ReportedEvent, reporter: str) -> bool:
    """Write down that this process is telling of the event; False when another one is, or was."""
    try:
        with database.transaction() as session:
            session.execute(
                delete(Delivery).where(
                    Delivery.event_id == event.id,
                    Delivery.reporter == reporter,
                    Delivery.error.is_not(None),
                    Delivery.error != IN_HAND,
                    Delivery.at < now_utc() - RETRY_AFTER,
                )
            )
            session.add(Delivery(event_id=event.id, reporter=reporter, error=IN_HAND))
    except IntegrityError:
        return False
    return True


def _tell(database: Database, event: ReportedEvent, reporter: Reporter) -> None:
    problem: str | None = None
    try:
        reporter.handle(event)
    except Exception as error:  # noqa: BLE001 - the edge to code from outside
        problem = f"{type(error).__name__}: {error}"[:500]
        log.warning("reporter failed", reporter=reporter.name, event_id=event.id, problem=problem)
    with database.transaction() as session:
        session.execute(
            update(Delivery)
            .where(Delivery.event_id == event.id, Delivery.reporter == reporter.name)
            .values(error=problem, at=now_utc())
        )
