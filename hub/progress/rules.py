"""Who needs a mentor first, and why: a few explicit rules over a learner's standing. Pure; no learned model.

Each rule names itself, says how urgent it is and carries the numbers behind it; the sentence is made by
`hub.progress.reasons` in the reader's language. The thresholds are the drafts of docs/mentors.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING

from hub.progress.standing import LearnerStanding, Standing, Step

if TYPE_CHECKING:
    from collections.abc import Sequence


class Urgency(IntEnum):
    """How soon somebody should look; the larger, the sooner."""

    FINE = 0
    WATCH = 1
    NOW = 2


class Rule(StrEnum):
    """Why a learner stands where they stand in the list."""

    NEVER_STARTED = "never_started"
    STUCK = "stuck"
    SILENT = "silent"
    SET_ASIDE = "set_aside"
    JUST_ENROLLED = "just_enrolled"
    FINISHED = "finished"
    MOVING = "moving"


@dataclass(frozen=True, slots=True)
class Thresholds:
    """When a rule speaks. Days are calendar days."""

    never_started_days: int = 2
    silent_days: int = 5
    silent_now_days: int = 10
    stuck_misses: int = 4
    rhythm_days: int = 28


@dataclass(frozen=True, slots=True)
class Reason:
    """One rule that applies, with what it saw."""

    rule: Rule
    urgency: Urgency
    days: int = 0
    count: int = 0
    rhythm: float = 0.0  # active days a week, before they fell silent
    assignment_id: int | None = None
    weight: float = field(default=0.0, compare=False)  # order among the equally urgent


def reasons_for(
    learner: LearnerStanding,
    exercises: Sequence[int],
    now: datetime,
    zone: tzinfo,
    thresholds: Thresholds | None = None,
) -> list[Reason]:
    """Return every reason that applies, the most urgent first; never empty.

    Args:
        learner: where they stand.
        exercises: ids of the exercises of their tracks, in order.
        now: aware time.
        zone: in which days are counted.
        thresholds: when the rules speak.
    """
    limits = thresholds or Thresholds()
    today = now.astimezone(zone).date()
    found = [
        *_never_started(learner, today, zone, limits),
        *_stuck(learner, exercises, limits),
        *_silent(learner, exercises, today, zone, limits),
        *_set_aside(learner, exercises),
    ]
    if not found:
        found = [_fine(learner, exercises, today)]
    return sorted(found, key=lambda reason: (-reason.urgency, -reason.weight, reason.rule))


def _days_since(at: datetime, today: date, zone: tzinfo) -> int:
    return (today - at.astimezone(zone).date()).days


def _never_started(learner: LearnerStanding, today: date, zone: tzinfo, limits: Thresholds) -> list[Reason]:
    if learner.submitted:
        return []
    days = _days_since(learner.enrolled_at, today, zone) if learner.enrolled_at else None
    if days is None or days >= limits.never_started_days:
        # No enrolment event: nobody knows for how long. That is a reason to look, not to wait.
        return [Reason(Rule.NEVER_STARTED, Urgency.NOW, days=days or 0, weight=1000 + (days or 0))]
    return [Reason(Rule.JUST_ENROLLED, Urgency.FINE, days=days)]


def _stuck(learner: LearnerStanding, exercises: Sequence[int], limits: Thresholds) -> list[Reason]:
    stuck: list[Standing] = [
        learner.of(key) for key in exercises if learner.of(key).misses >= limits.stuck_misses
    ]
    if not stuck:
        return []
    worst = max(stuck, key=lambda standing: (standing.misses, -standing.assignment_id))
    return [
        Reason(
            Rule.STUCK,
            Urgency.NOW,
            count=worst.misses,
            assignment_id=worst.assignment_id,
            weight=100 + worst.misses,
        )
    ]


def _silent(
    learner: LearnerStanding, exercises: Sequence[int], today: date, zone: tzinfo, limits: Thresholds
) -> list[Reason]:
    if not learner.submitted or learner.last_active_at is None or _all_done(learner, exercises):
        return []
    days = _days_since(learner.last_active_at, today, zone)
    if days < limits.silent_days:
        return []
    end = today - timedelta(days=days)
    begin = end - timedelta(days=limits.rhythm_days)
    active = [day for day in learner.activity if begin < day <= end]
    span = max(7, (end - min(active)).days + 1) if active else 7
    urgency = Urgency.NOW if days >= limits.silent_now_days else Urgency.WATCH
    return [Reason(Rule.SILENT, urgency, days=days, rhythm=len(active) * 7 / span, weight=days)]


def _set_aside(learner: LearnerStanding, exercises: Sequence[int]) -> list[Reason]:
    for key in exercises:
        if learner.of(key).step is Step.SET_ASIDE:
            return [Reason(Rule.SET_ASIDE, Urgency.WATCH, assignment_id=key, weight=1)]
    return []


def _all_done(learner: LearnerStanding, exercises: Sequence[int]) -> bool:
    return bool(exercises) and all(learner.of(key).done for key in exercises)


def _fine(learner: LearnerStanding, exercises: Sequence[int], today: date) -> Reason:
    if _all_done(learner, exercises):
        return Reason(Rule.FINISHED, Urgency.FINE, count=len(exercises))
    active = sum(count > 0 for _, count in learner.last_days(7, today))
    return Reason(Rule.MOVING, Urgency.FINE, count=active, weight=-active)
