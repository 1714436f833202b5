"""Open pages hear of what they may see, resume where they stopped, and of nothing else."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

from hub.progress.live import Live, Sight
from hub.progress.models import Event, EventType

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.progress.service import Progress
    from tests.doubles.school import School


def record(progress: Progress, school: School, person: str, key: str) -> None:
    with progress.database.transaction() as session:
        progress.record(
            session,
            EventType.OPENED,
            school.people[person],
            key=key,
            source="test",
            course_id=school.courses["web"],
        )


async def hear(
    live: Live,
    sight: Callable[[Event], bool],
    after: int | None,
    count: int,
    then: Callable[[], None] | None = None,
) -> list[str]:
    heard: list[str] = []
    async with asyncio.timeout(10), aclosing(live.listen(sight, after)) as events:
        if then is not None:
            asyncio.get_running_loop().call_later(0.4, then)
        async for event in events:
            heard.append(event.key)
            if len(heard) == count:
                break
    return heard


def test_a_listener_hears_what_happens_and_what_it_missed(progress: Progress, school: School) -> None:
    before = progress.newest_id()
    record(progress, school, "learner1", "missed")
    live = Live(progress)
    everything = Sight(everything=True).covers
    heard = asyncio.run(
        hear(live, everything, before, 2, lambda: record(progress, school, "learner2", "new"))
    )
    assert heard == ["missed", "new"]


def test_a_listener_hears_only_what_it_may(progress: Progress, school: School) -> None:
    before = progress.newest_id()
    for number, person in enumerate(["learner2", "learner1", "learner2"]):
        record(progress, school, person, f"{person}-{number}")
    record(progress, school, "learner1", "last")
    own = Sight(people=frozenset({school.people["learner1"]})).covers
    assert asyncio.run(hear(Live(progress), own, before, 2)) == ["learner1-1", "last"]
    other_course = Sight(courses=frozenset({school.courses["data"]}))
    assert not any(other_course.covers(event) for event in progress.after(before))


def test_nobody_listens_nothing_is_asked(progress: Progress, school: School) -> None:
    async def run() -> bool:
        live = Live(progress)
        await hear(live, Sight(everything=True).covers, 0, 1)
        async with asyncio.timeout(10):
            reader = live._reader
            assert reader is not None
            await reader  # ends by itself once the last listener is gone
        return True

    assert asyncio.run(run())
