"""A learner's standing follows from the events alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hub.progress.models import EventType
from hub.progress.standing import Standing, Step, standings_of

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
ZONE = ZoneInfo("Europe/Brussels")


@dataclass
class Told:
    type: EventType
    hours: float = 0
    submission_id: str | None = None
    payload: dict[str, Any] = field(default_factory=dict)
    assignment_id: int | None = 7
    person_id: int = 1
    course_id: int | None = 1

    @property
    def at(self) -> datetime:
        return START + timedelta(hours=self.hours)


def of(*events: Told) -> Standing:
    return standings_of([1], events)[1].of(7)


def graded(submission: str, score: float, hours: float = 0.1) -> Told:
    return Told(EventType.GRADED, hours, submission, {"score": score, "max_score": 10})


def test_nothing_happened() -> None:
    assert of().step is Step.NEW
    assert of().best is None


def test_the_roster_decides_who_is_there() -> None:
    found = standings_of([5, 3], [])
    assert list(found) == [5, 3]
    assert not found[5].submitted


def test_the_way_of_one_exercise() -> None:
    opened, submitted = Told(EventType.OPENED), Told(EventType.SUBMITTED, 1, "s")
    assert of(opened).step is Step.OPENED
    assert of(opened, submitted).step is Step.WAITING
    assert of(opened, submitted, graded("s", 3, 2)).step is Step.TRIED
    assert of(opened, submitted, graded("s", 7.5, 2)).step is Step.DONE


def test_a_worse_attempt_after_a_good_one_takes_nothing_away() -> None:
    standing = of(
        Told(EventType.SUBMITTED, 0, "a"),
        graded("a", 9),
        Told(EventType.SUBMITTED, 2, "b"),
        graded("b", 1, 3),
    )
    assert standing.done
    assert standing.best is not None
    assert standing.best.score == 9
    assert standing.misses == 0


def test_a_regrade_replaces_the_score() -> None:
    standing = of(Told(EventType.SUBMITTED, 0, "a"), graded("a", 9), graded("a", 2, 5))
    assert len(standing.attempts) == 1
    assert not standing.done


def test_a_mark_by_hand_counts() -> None:
    standing = of(
        Told(EventType.SUBMITTED, 0, "a"),
        graded("a", 5),
        Told(EventType.MARKED, 3, "a", {"score": 10, "max_score": 10}),
    )
    assert standing.done


def test_set_aside_is_not_a_miss() -> None:
    standing = of(Told(EventType.SUBMITTED, 0, "a"), Told(EventType.GRADING_FAILED, 1, "a"))
    assert standing.step is Step.SET_ASIDE
    assert standing.misses == 0


def test_an_exercise_without_points_is_done_once_judged() -> None:
    standing = of(
        Told(EventType.SUBMITTED, 0, "a"), Told(EventType.GRADED, 1, "a", {"score": 0, "max_score": 0})
    )
    assert standing.done


def test_days_are_local_and_grading_is_no_activity() -> None:
    late = Told(EventType.SUBMITTED, 14.5, "a")  # 23:30 UTC is the next day in Brussels
    learner = standings_of([1], [late, graded("a", 1, 40)], ZONE)[1]
    assert dict(learner.activity) == {date(2026, 3, 3): 1}
    assert learner.last_active_at == late.at
    assert learner.last_days(3, date(2026, 3, 4)) == [
        (date(2026, 3, 2), 0),
        (date(2026, 3, 3), 1),
        (date(2026, 3, 4), 0),
    ]
