"""The next sensible step."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hub.progress.path import Line, NextStep, Why, next_step
from hub.progress.standing import Attempt, LearnerStanding, Standing

NOW = datetime(2026, 3, 20, tzinfo=UTC)
LINES = [Line(1, (11, 12)), Line(2, (21, 22))]


def tried(key: int, *scores: float, days_ago: float = 1) -> Standing:
    at = NOW - timedelta(days=days_ago)
    return Standing(
        key, tuple(Attempt(f"{key}-{n}", key, at, at, score, 10.0) for n, score in enumerate(scores))
    )


def step(*standings: Standing) -> NextStep | None:
    return next_step(LINES, LearnerStanding(1, {one.assignment_id: one for one in standings}))


def told(*standings: Standing) -> tuple[int, Why] | None:
    found = step(*standings)
    return (found.assignment_id, found.why) if found else None


def test_the_first_station_comes_first() -> None:
    assert told() == (11, Why.FIRST)


def test_what_was_begun_last_is_finished_first() -> None:
    assert told(tried(11, 2, days_ago=5), tried(21, 3, days_ago=1)) == (21, Why.FINISH)


def test_after_three_misses_asking_is_better_than_trying() -> None:
    assert told(tried(11, 1, 2, 3)) == (11, Why.ASK)


def test_opened_counts_as_begun() -> None:
    assert told(Standing(22, (), NOW)) == (22, Why.OPENED)


def test_the_line_that_was_taken_goes_on_and_then_the_next() -> None:
    assert told(tried(21, 10)) == (22, Why.ONWARDS)
    assert told(tried(21, 10), tried(22, 9)) == (11, Why.OTHER_LINE)


def test_nothing_is_next_when_all_is_done_or_waits() -> None:
    assert told(*(tried(key, 10) for key in (11, 12, 21, 22))) is None
    waiting = Standing(22, (Attempt("w", 22, NOW),))
    assert told(*(tried(key, 10) for key in (11, 12, 21)), waiting) is None
    assert next_step([], LearnerStanding(1)) is None
