"""One reader of new events for everyone who listens: open pages hear of what they may see within a moment.

Called by the event stream in views.py. While nobody listens nothing is asked of the database. What goes out is a hint
to look again, never a score: the page then asks for its fragment with the reader's own rights.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from hub.progress.models import Event
    from hub.progress.service import Progress

POLL_S = 0.25
QUEUE_LIMIT = 100
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Sight:
    """What a listener may see: everything, or the events of these people and of these courses."""

    everything: bool = False
    people: frozenset[int] = frozenset()
    courses: frozenset[int] = frozenset()

    def covers(self, event: Event) -> bool:
        """Whether the listener may hear of the event."""
        return self.everything or event.person_id in self.people or event.course_id in self.courses


class Live:
    """The shared reader; one a process, made by the first listener."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._listeners: set[asyncio.Queue[Event]] = set()
        self._reader: asyncio.Task[None] | None = None
        self._last = 0

    async def listen(self, sight: Callable[[Event], bool], after: int | None) -> AsyncGenerator[Event, None]:
        """Yield what the listener may see after the event `after` (None: from now on), until closed."""
        queue: asyncio.Queue[Event] = asyncio.Queue(QUEUE_LIMIT)
        self._listeners.add(queue)
        try:
            await self._ensure_reader()
            seen = self._last if after is None else after
            for event in await run_in_threadpool(self._progress.after, seen) if after is not None else ():
                seen = max(seen, event.id)
                if sight(event):
                    yield event
            while True:
                event = await queue.get()
                if event.id > seen and sight(event):
                    yield event
        finally:
            self._listeners.discard(queue)

    async def _ensure_reader(self) -> None:
        if self._reader is None or self._reader.done():
            self._last = await run_in_threadpool(self._progress.newest_id)
            self._reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        while self._listeners:
            try:
                events = await run_in_threadpool(self._progress.after, self._last)
            except SQLAlchemyError as error:  # the database is away: listeners keep waiting
                log.warning("live pages wait", problem=type(error).__name__)
                await asyncio.sleep(10 * POLL_S)
                continue
            for event in events:
                self._last = max(self._last, event.id)
                for queue in self._listeners:
                    if not queue.full():  # who does not read loses hints, not data: the next one catches up
                        queue.put_nowait(event)
            await asyncio.sleep(POLL_S)
