"""The API of progress: a mentor's list as data, for reports and other tools. Token callers with the API scope."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - pydantic reads the annotation
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from hub.auth import API_SCOPE, Caller, ServicesDep, needs_scope
from hub.errors import NotFoundError
from hub.pages.texts import texts
from hub.people.models import Role
from hub.progress.presenting import rows_for

router = APIRouter(tags=["progress"])
ApiDep = Annotated[Caller, Depends(needs_scope(API_SCOPE))]


class TrackOut(BaseModel):
    """How far a learner is on one track."""

    course: str
    done: int
    total: int


class LearnerOut(BaseModel):
    """One learner: how urgent, by which rules, and the sentences that say why."""

    name: str
    display_name: str
    urgency: str
    rules: list[str]
    reasons: list[str]
    tracks: list[TrackOut]
    active_days_of_14: int
    last_active_at: datetime | None


class LearnersOut(BaseModel):
    """A mentor's learners, most in need first."""

    learners: list[LearnerOut]


@router.get("/learners")
def learners(caller: ApiDep, services: ServicesDep) -> LearnersOut:
    """Return the calling mentor's learners, most in need first."""
    if caller.role is not Role.MENTOR:
        raise NotFoundError("This page does not exist.")
    rows = rows_for(services, services.people.learners_of(caller.person_id), texts(caller.language))
    return LearnersOut(
        learners=[
            LearnerOut(
                name=row.name,
                display_name=row.display_name,
                urgency=row.urgency,
                rules=list(row.rules),
                reasons=list(row.why),
                tracks=[
                    TrackOut(course=track.card.slug, done=track.done, total=track.total)
                    for track in row.tracks
                ],
                active_days_of_14=row.active_days,
                last_active_at=row.last_active_at,
            )
            for row in rows
        ]
    )
