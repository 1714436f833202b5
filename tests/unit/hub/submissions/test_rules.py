"""Who may see what, what counts, what is late: tables."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.errors import InvalidInputError
from hub.people.models import Role
from hub.submissions.rules import (
    Given,
    Mark,
    Score,
    Viewer,
    check_mark,
    closes_at_deadline,
    combine_scores,
    is_late,
    may_manage_course,
    may_see_submission,
    queue_priority,
    releases_at_once,
    sees_before_release,
)

OWNER, OTHER = 1, 2
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("viewer", "sees", "before_release"),
    [
        (Viewer(OWNER, Role.LEARNER), True, False),
        (Viewer(OTHER, Role.LEARNER), False, False),
        (Viewer(OTHER, Role.LEARNER, trains_course=True, follows_learner=True), False, False),
        (Viewer(OTHER, Role.TRAINER), False, False),
        (Viewer(OTHER, Role.TRAINER, follows_learner=True), False, False),
        (Viewer(OTHER, Role.TRAINER, trains_course=True), True, True),
        (Viewer(OWNER, Role.TRAINER, trains_course=True), True, False),
        (Viewer(OTHER, Role.MENTOR), False, False),
        (Viewer(OTHER, Role.MENTOR, trains_course=True), False, False),
        (Viewer(OTHER, Role.MENTOR, follows_learner=True), True, False),
        (Viewer(OTHER, Role.ADMIN), True, True),
    ],
)
def test_who_sees_a_submission(viewer: Viewer, *, sees: bool, before_release: bool) -> None:
    assert may_see_submission(viewer, OWNER) is sees
    assert sees_before_release(viewer, OWNER) is before_release


@pytest.mark.parametrize(
    ("role", "enrolled", "may"),
    [
        (Role.LEARNER, True, False),
        (Role.MENTOR, True, False),
        (Role.TRAINER, False, False),
        (Role.TRAINER, True, True),
        (Role.ADMIN, False, True),
    ],
)
def test_who_manages_a_course(role: Role, *, enrolled: bool, may: bool) -> None:
    assert may_manage_course(role, enrolled=enrolled) is may


def test_the_deadlines_own_moment_is_in_time() -> None:
    assert not is_late(NOW, None)
    assert not is_late(NOW, NOW)
    assert is_late(NOW + timedelta(microseconds=1), NOW)


def test_what_an_exercise_says() -> None:
    assert releases_at_once({})
    assert not releases_at_once({"feedback": "manual"})
    assert closes_at_deadline({"late": "closed"})
    assert not closes_at_deadline({})


def test_first_attempts_come_before_tenth_ones_and_regrades_last() -> None:
    assert [queue_priority(pending) for pending in (0, 1, 9)] == [1, 2, 10]
    assert queue_priority(0, regrade=True) > queue_priority(500)


def body(*cells: tuple[str, float | None, float]) -> dict[str, Any]:
    return {
        "notebooks": {
            "n": {"cells": {name: {"score": score, "max_score": top} for name, score, top in cells}}
        }
    }


@pytest.mark.parametrize(
    ("marks", "expected"),
    [
        ({}, Score(1.0, 5.0, complete=False)),
        ({("n", "essay"): Given(2.5)}, Score(3.5, 5.0, complete=True, by_hand=True)),
        ({("n", "essay"): Given(0.0)}, Score(1.0, 5.0, complete=True, by_hand=True)),
        ({("n", "essay"): Given(None)}, Score(1.0, 5.0, complete=False)),
        ({("n", "auto"): Given(0.0)}, Score(0.0, 5.0, complete=False, by_hand=True)),
        ({("n", "auto"): Given(None, 0.5)}, Score(1.5, 5.0, complete=False)),
        ({("other", "auto"): Given(2.0)}, Score(1.0, 5.0, complete=False)),
    ],
)
def test_marks_by_hand_win(marks: dict[tuple[str, str], Given], expected: Score) -> None:
    assert combine_scores(body(("auto", 1.0, 2.0), ("essay", None, 3.0)), marks) == expected


def test_a_judgement_without_cells_counts_nothing() -> None:
    assert combine_scores({}, {}) == Score(0.0, 0.0, complete=True)


CELLS = [{"notebook": "n", "grade_id": "essay", "max_score": 3.0, "manual": True}]


def mark(grade_id: str = "essay", **given: Any) -> Mark:
    return Mark("s", "n", grade_id, NOW, frozenset(given), **given)


@pytest.mark.parametrize(
    "good",
    [mark(score=0), mark(score=3.0), mark(score=None), mark(comment="fine"), mark(score=1, extra_credit=2.0),
     mark("double", comment="nice")],
)  # fmt: skip
def test_marks_that_fit_are_taken(good: Mark) -> None:
    assert check_mark(good, CELLS, [["n", "double"]]) is good


@pytest.mark.parametrize(
    "bad",
    [
        mark(score=-0.1),
        mark(score=3.01),
        mark(score=math.nan),
        mark(score=math.inf),
        mark(extra_credit=-1.0),
        mark(extra_credit=math.nan),
        mark(extra_credit=1e9),
        mark(comment="x" * 10_001),
        mark("unknown", score=1.0),
        mark("double", score=0.0),
        Mark("s", "other", "essay", NOW, frozenset({"score"}), score=1.0),
    ],
)
def test_marks_that_do_not_fit_are_refused(bad: Mark) -> None:
    with pytest.raises(InvalidInputError) as refusal:
        check_mark(bad, CELLS, [["n", "double"]])
    assert refusal.value.reason == "invalid_mark"
