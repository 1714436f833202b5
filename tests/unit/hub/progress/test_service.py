"""Events are written once, standings cost one query, reporters are told once."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta
from importlib.metadata import EntryPoint
from typing import TYPE_CHECKING

from sqlalchemy import event as sqlalchemy_event
from sqlalchemy import select, update

from hub.db import Database, now_utc
from hub.progress import delivery
from hub.progress.models import Delivery, Event, EventType
from hub.progress.reporters.base import Reporter, discover
from hub.progress.reporters.log import LogReporter
from hub.progress.service import Progress

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

    from hub.progress.reading import ReportedEvent
    from hub.settings import Settings
    from tests.doubles.school import School


class Listener:
    """A reporter that remembers, and can be told to break."""

    name = "listener"

    def __init__(self) -> None:
        self.heard: list[ReportedEvent] = []
        self.broken = False

    def handle(self, event: ReportedEvent) -> None:
        if self.broken:
            raise ConnectionError("the chat is away")
        self.heard.append(event)


@contextlib.contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    statements: list[str] = []

    def remember(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    sqlalchemy_event.listen(database.engine, "before_cursor_execute", remember)
    try:
        yield statements
    finally:
        sqlalchemy_event.remove(database.engine, "before_cursor_execute", remember)


def record(progress: Progress, school: School, key: str) -> None:
    with progress.database.transaction() as session:
        progress.record(session, EventType.OPENED, school.people["learner1"], key=key, source="test")


def test_the_same_key_is_one_event(progress: Progress, school: School) -> None:
    before = progress.newest_id()
    record(progress, school, "once")
    record(progress, school, "once")
    assert [event.key for event in progress.after(before)] == ["once"]


def test_an_event_of_a_transaction_that_fails_never_happened(progress: Progress, school: School) -> None:
    before = progress.newest_id()
    with contextlib.suppress(RuntimeError), progress.database.transaction() as session:
        progress.record(session, EventType.OPENED, school.people["learner1"], key="gone", source="test")
        raise RuntimeError
    assert progress.after(before) == []


def test_opening_counts_once_a_day_and_reading_once(progress: Progress, school: School) -> None:
    before = progress.newest_id()
    person, exercise = school.people["learner1"], school.assignments[("web", "form")]
    for _ in range(3):
        progress.opened(person, school.courses["web"], exercise)
        progress.feedback_read(person, school.courses["web"], exercise, school.submissions["a1"])
    assert sorted(event.type for event in progress.after(before)) == ["feedback_read", "opened"]


def test_standings_of_a_whole_school_cost_one_query(
    progress: Progress, school: School, database: Database
) -> None:
    with counted(database) as statements:
        found = progress.standings(school.people.values())
    assert len([one for one in statements if one.startswith("SELECT")]) == 1
    assert len(found) == len(school.people)
    stuck = found[school.people["learner1"]].of(school.assignments[("data", "clean-table")])
    assert (len(stuck.attempts), stuck.done) == (5, False)
    assert not found[school.people["newcomer"]].submitted


def test_the_timeline_begins_with_the_newest(progress: Progress, school: School) -> None:
    events = progress.timeline(school.people["learner3"])
    assert [event.at for event in events] == sorted((event.at for event in events), reverse=True)
    assert {event.person_id for event in events} == {school.people["learner3"]}


# --- reporters ---


def reporting(database: Database, settings: Settings, reporter: Reporter) -> Progress:
    delivery.start(database, reporter.name)
    return Progress(database, settings, reporters=[reporter])


def test_a_reporter_is_told_once_with_names(database: Database, settings: Settings, school: School) -> None:
    listener = Listener()
    progress = reporting(database, settings, listener)
    assert progress.report_pending() == 0  # it begins now: the past is not told
    progress.opened(school.people["learner2"], school.courses["web"], school.assignments[("web", "shop")])
    assert [progress.report_pending(), progress.report_pending()] == [1, 0]
    told = listener.heard[0]
    assert (told.person, told.course, told.assignment, told.type) == (
        "learner2",
        "web",
        "shop",
        EventType.OPENED,
    )


def test_a_broken_reporter_stops_nobody_and_is_tried_again(
    database: Database, settings: Settings, school: School
) -> None:
    broken, sound = Listener(), Listener()
    broken.broken, sound.name = True, "sound"
    for reporter in (broken, sound):
        delivery.start(database, reporter.name)
    progress = Progress(database, settings, reporters=[broken, sound])
    record(progress, school, "one")
    progress.report_pending()
    assert len(sound.heard) == 1
    with database.reading() as session:
        error = session.scalar(
            select(Delivery.error).where(Delivery.reporter == "listener", Delivery.error.is_not(None))
        )
    assert error == "ConnectionError: the chat is away"
    broken.broken = False
    assert progress.report_pending() == 0  # not at once
    with database.transaction() as session:
        session.execute(update(Delivery).values(at=now_utc() - timedelta(minutes=10)))
    assert progress.report_pending() == 1
    assert [event.type for event in broken.heard] == [EventType.OPENED]
    assert len(sound.heard) == 1


def test_what_a_crash_interrupted_is_not_told_twice(
    database: Database, settings: Settings, school: School
) -> None:
    listener = Listener()
    progress = reporting(database, settings, listener)
    record(progress, school, "one")
    with database.transaction() as session:
        newest = session.scalars(select(Event.id).order_by(Event.id.desc())).first()
        old = now_utc() - timedelta(days=1)
        session.add(Delivery(event_id=newest, reporter="listener", error=delivery.IN_HAND, at=old))
    assert progress.report_pending() == 0


def test_the_loop_tells_and_ends(database: Database, settings: Settings, school: School) -> None:
    listener = Listener()
    progress = reporting(database, settings, listener)
    record(progress, school, "one")

    async def run() -> None:
        task = asyncio.create_task(progress.run_reporters())
        async with asyncio.timeout(10):
            while not listener.heard:  # noqa: ASYNC110 - the listener is called in a thread
                await asyncio.sleep(0.02)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    asyncio.run(run())
    assert len(listener.heard) == 1


class Nameless:
    def handle(self, event: ReportedEvent) -> None: ...


def point(name: str, value: str) -> EntryPoint:
    return EntryPoint(name, value, "atelier.reporters")


def test_a_broken_reporter_is_named_and_left_out(caplog: pytest.LogCaptureFixture) -> None:
    found = discover(
        [
            point("zz", "no.such.module:Reporter"),
            point("nameless", f"{__name__}:Nameless") if __name__ != "__main__" else point("x", "x:y"),
            point("log", "hub.progress.reporters.log:LogReporter"),
            point("again", "hub.progress.reporters.log:LogReporter"),
        ]
    )
    assert [type(reporter) for reporter in found] == [LogReporter]


def test_the_built_in_reporter_is_installed() -> None:
    assert "log" in {reporter.name for reporter in discover()}
