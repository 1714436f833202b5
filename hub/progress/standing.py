"""Where a learner stands, worked out from the events alone: attempts, best scores, days of activity.

Pure functions: events in, frozen values out, so that what a page shows can always be made again. Called by
`hub.progress.service`. Knows nothing of the database, of titles or of words.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from hub.progress.models import EventType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

DONE_FROM = 0.75
"""An exercise counts as done from this share of its points; more attempts stay welcome."""

OWN_ACTIVITY = frozenset({EventType.OPENED, EventType.SUBMITTED, EventType.FEEDBACK_READ})
"""What a learner does; grading and marking are done to them and say nothing about their rhythm."""


class EventLike(Protocol):
    """The columns of an event that standings are made from."""

    at: datetime
    type: EventType
    person_id: int
    course_id: int | None
    assignment_id: int | None
    submission_id: str | None
    payload: dict[str, Any]


class Step(StrEnum):
    """How far a learner is with one exercise."""

    NEW = "new"
    OPENED = "opened"
    TRIED = "tried"
    WAITING = "waiting"  # handed in, not judged yet
    SET_ASIDE = "set_aside"  # the platform could not judge the newest attempt
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One submission and what was last said about it. `score` is None until it is judged."""

    submission_id: str
    assignment_id: int
    at: datetime
    judged_at: datetime | None = None
    score: float | None = None
    max_score: float | None = None
    failed: bool = False

    @property
    def fraction(self) -> float | None:
        """Share of the points, or None while it isn't judged; an exercise without points is done once judged."""
        if self.score is None or self.max_score is None:
            return None
        return min(1.0, self.score / self.max_score) if self.max_score > 0 else 1.0

    def unjudged(self) -> Attempt:
        """Return the attempt as somebody sees it who may not know the score yet."""
        return replace(self, judged_at=None, score=None, max_score=None, failed=False)


@dataclass(frozen=True, slots=True)
class Standing:
    """A learner and one exercise."""

    assignment_id: int
    attempts: tuple[Attempt, ...] = ()  # oldest first
    opened_at: datetime | None = None

    @property
    def last(self) -> Attempt | None:
        """The newest attempt."""
        return self.attempts[-1] if self.attempts else None

    @property
    def best(self) -> Attempt | None:
        """The attempt with the largest share of the points, the newest of equals."""
        judged = [attempt for attempt in self.attempts if attempt.fraction is not None]
        return max(judged, key=lambda attempt: (attempt.fraction or 0.0, attempt.at), default=None)

    @property
    def done(self) -> bool:
        """Whether the best attempt reaches `DONE_FROM`."""
        best = self.best
        return best is not None and (best.fraction or 0.0) >= DONE_FROM

    @property
    def step(self) -> Step:
        """How far the learner is."""
        if self.done:
            return Step.DONE
        if self.last is None:
            return Step.OPENED if self.opened_at else Step.NEW
        if self.last.fraction is not None:
            return Step.TRIED
        return Step.SET_ASIDE if self.last.failed else Step.WAITING

    @property
    def misses(self) -> int:
        """Judged attempts below `DONE_FROM` so far; 0 once the exercise is done."""
        return 0 if self.done else sum(attempt.fraction is not None for attempt in self.attempts)

    @property
    def touched_at(self) -> datetime | None:
        """When the learner last did something here."""
        return self.last.at if self.last else self.opened_at


@dataclass(frozen=True, slots=True)
class LearnerStanding:
    """A learner and all of their exercises."""

    person_id: int
    standings: Mapping[int, Standing] = field(default_factory=dict)  # by assignment id
    activity: Mapping[date, int] = field(default_factory=dict)  # local day -> how many things they did
    enrolled_at: datetime | None = None
    last_active_at: datetime | None = None

    def of(self, assignment_id: int) -> Standing:
        """Return the standing in one exercise, an empty one where nothing happened."""
        return self.standings.get(assignment_id) or Standing(assignment_id)

    def enrolled(self, at: datetime) -> LearnerStanding:
        """Return the same with the time of enrolment, where no event tells it."""
        return self if self.enrolled_at else replace(self, enrolled_at=at)

    @property
    def submitted(self) -> bool:
        """Whether they ever handed anything in."""
        return any(standing.attempts for standing in self.standings.values())

    def last_days(self, count: int, today: date) -> list[tuple[date, int]]:
        """Return the activity of the last `count` days up to today, oldest first."""
        days = (today - timedelta(days=back) for back in reversed(range(count)))
        return [(day, self.activity.get(day, 0)) for day in days]


def standings_of(
    person_ids: Sequence[int], events: Iterable[EventLike], zone: tzinfo = UTC
) -> dict[int, LearnerStanding]:
    """Return the standing of each person, in the given order, those without any event included.

    Args:
        person_ids: the roster.
        events: of these people, oldest first.
        zone: in which a day begins and ends.
    """
    by_person: dict[int, list[EventLike]] = defaultdict(list)
    for event in events:
        by_person[event.person_id].append(event)
    return {person_id: _standing(person_id, by_person[person_id], zone) for person_id in person_ids}


def _standing(person_id: int, events: Sequence[EventLike], zone: tzinfo) -> LearnerStanding:
    attempts: dict[str, Attempt] = {}
    opened: dict[int, datetime] = {}
    activity: dict[date, int] = defaultdict(int)
    enrolled: list[datetime] = []
    last_active: datetime | None = None
    for event in events:
        if event.type in OWN_ACTIVITY:
            activity[event.at.astimezone(zone).date()] += 1
            last_active = event.at
        if event.type == EventType.ENROLLED:
            enrolled.append(event.at)
        elif event.assignment_id is None:
            continue
        elif event.type == EventType.OPENED:
            opened[event.assignment_id] = event.at
        elif event.submission_id is not None:
            attempts[event.submission_id] = _told(attempts.get(event.submission_id), event)
    standings: dict[int, list[Attempt]] = {assignment_id: [] for assignment_id in opened}
    for attempt in attempts.values():
        standings.setdefault(attempt.assignment_id, []).append(attempt)
    return LearnerStanding(
        person_id,
        {
            key: Standing(key, tuple(sorted(told, key=lambda attempt: attempt.at)), opened.get(key))
            for key, told in standings.items()
        },
        dict(activity),
        min(enrolled, default=None),
        last_active,
    )


def _told(known: Attempt | None, event: EventLike) -> Attempt:
    """Return the attempt after one more event about it; the order of grading and regrading is the events'."""
    assert event.submission_id is not None  # noqa: S101 - the caller looked
    assert event.assignment_id is not None  # noqa: S101 - the caller looked
    attempt = known or Attempt(event.submission_id, event.assignment_id, event.at)
    if event.type in (EventType.GRADED, EventType.MARKED):
        score, max_score = event.payload.get("score"), event.payload.get("max_score")
        return replace(
            attempt,
            judged_at=event.at,
            score=attempt.score if score is None else float(score),
            max_score=attempt.max_score if max_score is None else float(max_score),
            failed=False,
        )
    if event.type == EventType.GRADING_FAILED:
        return replace(attempt, failed=True, judged_at=event.at)
    return attempt
