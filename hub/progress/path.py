"""The path ahead: stations on lines, and the next sensible step with its reason. Pure.

Called by the learner's pages and the mentor's. Knows ids, positions and standings; titles and words are the pages'.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from hub.progress.standing import LearnerStanding, Standing, Step

if TYPE_CHECKING:
    from collections.abc import Sequence

STUCK_AFTER = 3
"""After so many misses the next step says to use the hints or ask, not just to try once more."""


class Why(StrEnum):
    """Why this station comes next."""

    FIRST = "first"  # nothing done yet
    FINISH = "finish"  # tried, not there yet
    ASK = "ask"  # tried often
    OPENED = "opened"  # looked at, nothing handed in
    ONWARDS = "onwards"  # the station before is done
    OTHER_LINE = "other_line"  # this line is done, another waits


@dataclass(frozen=True, slots=True)
class Line:
    """A track: its course id and its exercises in order."""

    course_id: int
    exercises: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class NextStep:
    """The exercise to do next."""

    course_id: int
    assignment_id: int
    why: Why
    standing: Standing


def next_step(lines: Sequence[Line], learner: LearnerStanding) -> NextStep | None:
    """Return the next sensible step, or None when there is nothing left to do (or nothing at all).

    What was begun last is finished first; then the line that the learner was on goes on; then the next line.
    """
    line_of = {exercise: line.course_id for line in lines for exercise in line.exercises}
    begun = [
        learner.of(exercise)
        for exercise in line_of
        if learner.of(exercise).step in (Step.TRIED, Step.OPENED, Step.SET_ASIDE)
    ]
    if begun:
        last = max(begun, key=lambda standing: (standing.touched_at is not None, standing.touched_at))
        return NextStep(line_of[last.assignment_id], last.assignment_id, _why_begun(last), last)
    current = _current_line(lines, learner)
    ordered = [line for line in lines if line.course_id == current] + [
        line for line in lines if line.course_id != current
    ]
    for line in ordered:
        for exercise in line.exercises:
            standing = learner.of(exercise)
            if standing.step is Step.NEW:
                return NextStep(line.course_id, exercise, _why_new(learner, line, current), standing)
    return None


def _why_begun(standing: Standing) -> Why:
    if standing.step is Step.OPENED:
        return Why.OPENED
    return Why.ASK if standing.misses >= STUCK_AFTER else Why.FINISH


def _why_new(learner: LearnerStanding, line: Line, current: int | None) -> Why:
    if not learner.submitted:
        return Why.FIRST
    return Why.ONWARDS if line.course_id == current else Why.OTHER_LINE


def _current_line(lines: Sequence[Line], learner: LearnerStanding) -> int | None:
    touched = [
        (standing.touched_at, line.course_id)
        for line in lines
        for standing in (learner.of(exercise) for exercise in line.exercises)
        if standing.touched_at is not None
    ]
    return max(touched)[1] if touched else None
