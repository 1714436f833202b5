"""How often and until when, who may see it, what counts: pure functions, no database, no HTTP.

Called by the service and the routes of submissions. Everything here is a table or a plain decision, tested as
one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hub.errors import InvalidInputError
from hub.people.models import Role

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

COMMENT_MAX_CHARS = 10_000
EXTRA_CREDIT_MAX = 1000.0
REGRADE_PRIORITY = 1000  # a class's regrade waits behind what learners hand in now
# --- when and how often
# -----------------------------------------------------------------------------------------------


def is_late(received_at: datetime, deadline: datetime | None) -> bool:
    """Return True after the deadline, by the server's clock; the deadline's own second is still in time."""
    return deadline is not None and received_at > deadline


def closes_at_deadline(about: Mapping[str, Any]) -> bool:
    """Return True when the exercise takes nothing after its deadline (`late: closed` in exercise.yml)."""
    return about.get("late") == "closed"


def releases_at_once(about: Mapping[str, Any]) -> bool:
    """Return True unless the exercise keeps feedback back until a trainer releases it."""
    return about.get("feedback") != "manual"


def queue_priority(pending_before: int, *, regrade: bool = False) -> int:
    """Return the place in the queue: a learner's n-th pending attempt, so that nobody's tenth comes before a first."""
    return (REGRADE_PRIORITY if regrade else 0) + pending_before + 1


# --- who may see it
# ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Viewer:
    """What decides about access: who asks, and what they are to the submission."""

    person_id: int
    role: Role
    trains_course: bool = False  # enrolled in the submission's course, as a trainer
    follows_learner: bool = False  # a mentor of the submission's learner


def may_see_submission(viewer: Viewer, owner_id: int) -> bool:
    """Own work; a trainer of the course; a mentor of the learner; an admin. Nobody else."""
    if viewer.person_id == owner_id:
        return True
    if viewer.role is Role.TRAINER:
        return viewer.trains_course
    if viewer.role is Role.MENTOR:
        return viewer.follows_learner
    return viewer.role is Role.ADMIN


def may_manage_course(role: Role, *, enrolled: bool) -> bool:
    """Publish, collect, mark, regrade, release feedback: a trainer of that course, or an admin."""
    return role is Role.ADMIN or (role is Role.TRAINER and enrolled)


def sees_before_release(viewer: Viewer, owner_id: int) -> bool:
    """Scores and feedback that are kept back: whoever judges sees them, the learner and their mentor wait."""
    return viewer.person_id != owner_id and (
        (viewer.role is Role.TRAINER and viewer.trains_course) or viewer.role is Role.ADMIN
    )


# --- what counts
# ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Score:
    """What a submission is worth in the end. `complete` is False while a human still has to judge something."""

    score: float
    max_score: float
    complete: bool
    by_hand: bool = False


@dataclass(frozen=True, slots=True)
class Given:
    """A human's points for one cell; `score` None is a comment alone."""

    score: float | None
    extra_credit: float = 0.0


def combine_scores(body: Mapping[str, Any], marks: Mapping[tuple[str, str], Given]) -> Score:
    """Add up the cells: a human's mark stands before the automatic score, whichever came later.

    Args:
        body: `GradingResult.to_json()`.
        marks: (notebook, grade_id) -> what a human gave.
    """
    total = maximum = 0.0
    complete = True
    by_hand = False
    for notebook, name in ((value, key) for key, value in body.get("notebooks", {}).items()):
        for grade_id, cell in notebook["cells"].items():
            maximum += cell["max_score"]
            mark = marks.get((name, grade_id))
            value = mark.score if mark is not None and mark.score is not None else cell["score"]
            by_hand = by_hand or (mark is not None and mark.score is not None)
            complete = complete and value is not None
            total += (value or 0.0) + (mark.extra_credit if mark else 0.0)
    return Score(round(total, 6), round(maximum, 6), complete, by_hand)


@dataclass(frozen=True, slots=True)
class Mark:
    """What a trainer wrote about one cell in formgrader. Only the fields in `given` are meant; None clears one."""

    submission_id: str
    notebook: str
    grade_id: str
    seen_at: datetime  # time of the copy that the trainer looked at
    given: frozenset[str]  # of score, extra_credit, comment
    score: float | None = None
    extra_credit: float | None = None
    comment: str | None = None


def check_mark(
    mark: Mark, cells: Iterable[Mapping[str, Any]], commented: Collection[Sequence[str]] = ()
) -> Mark:
    """Return the mark when it fits the exercise.

    Args:
        mark: what was sent.
        cells: the version's grade cells (`AssignmentVersion.cells`).
        commented: (notebook, grade_id) of cells that give no points but take a comment: the learner's
            solutions.

    Raises:
        InvalidInputError: unknown cell, a score that is no number or out of bounds, a comment that is too
            long.
    """
    cell = next((c for c in cells if (c["notebook"], c["grade_id"]) == (mark.notebook, mark.grade_id)), None)
    points_given = mark.given & {"score", "extra_credit"}
    if (
        cell is None
        and not points_given
        and any(tuple(pair) == (mark.notebook, mark.grade_id) for pair in commented)
    ):
        cell = {"max_score": 0.0}
    if cell is None:
        raise _invalid_mark("There is no question %(name)s in this exercise.", mark)
    if not _is_points(mark.score, cell["max_score"]):
        raise _invalid_mark(
            "The mark for %(name)s must be between 0 and %(max)s.", mark, max=cell["max_score"]
        )
    if not _is_points(mark.extra_credit, EXTRA_CREDIT_MAX):
        raise _invalid_mark(
            "The extra credit for %(name)s must be between 0 and %(max)s.", mark, max=EXTRA_CREDIT_MAX
        )
    if mark.comment is not None and len(mark.comment) > COMMENT_MAX_CHARS:
        raise _invalid_mark("The comment on %(name)s is too long.", mark)
    return mark


def _is_points(value: float | None, maximum: float) -> bool:
    return value is None or (math.isfinite(value) and 0 <= value <= maximum)


def _invalid_mark(message: str, mark: Mark, **values: Any) -> InvalidInputError:
    return InvalidInputError(
        message, reason="invalid_mark", name=f"{mark.notebook}/{mark.grade_id}"[:120], **values
    )
