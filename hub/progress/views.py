"""The mentor's pages (who needs me first and why; one learner's timeline) and the event stream behind live pages."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Header, Request, Response
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool

from hub.auth import Caller, ServicesDep, needs_role, page_caller
from hub.courses.views import Live as LivePage
from hub.db import now_utc
from hub.errors import NotFoundError
from hub.pages.render import render
from hub.pages.texts import TIME_ZONE, texts
from hub.people.models import Role
from hub.progress.live import Live, Sight
from hub.progress.presenting import (
    PLOT_DAYS,
    counts,
    plot_of,
    read_school,
    rows_for,
    timeline_days,
    track_progress,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from hub.progress.models import Event

router = APIRouter()
MentorDep = Annotated[Caller, Depends(needs_role(Role.MENTOR))]
CallerDep = Annotated[Caller, Depends(page_caller)]
STREAM_S = 10 * 60
"""After this long the browser is asked to come back: rights and sessions are looked at again."""

HEARTBEAT_S = 15
ID_DIGITS = 18  # what fits into the database's integer


@router.get("/mentor")
def mentor(request: Request, caller: MentorDep, services: ServicesDep) -> Response:
    """The mentor's own learners, most in need first."""
    live = LivePage(services.progress.newest_id())
    return render(request, caller, "mentor.html", live=live, **_rows(services, caller))


@router.get("/mentor/rows")
def mentor_rows(request: Request, caller: MentorDep, services: ServicesDep) -> Response:
    """The living part of it."""
    return render(request, caller, "mentor_rows.html", **_rows(services, caller))


def _rows(services: ServicesDep, caller: Caller) -> dict[str, Any]:
    rows = rows_for(services, services.people.learners_of(caller.person_id), texts(caller.language))
    return {"rows": rows, "counts": counts(rows), "plot_days": PLOT_DAYS}


@router.get("/mentor/learners/{name}")
def learner(request: Request, caller: MentorDep, services: ServicesDep, name: str) -> Response:
    """One learner's timeline: what happened, attempts, scores, the way to the feedback."""
    last = services.progress.newest_id()
    context = _learner(services, caller, name)
    live = LivePage(last, f"person={context['learner'].id}")
    return render(request, caller, "learner.html", live=live, **context)


@router.get("/mentor/learners/{name}/now")
def learner_now(request: Request, caller: MentorDep, services: ServicesDep, name: str) -> Response:
    """The living part of it."""
    return render(request, caller, "learner_now.html", **_learner(services, caller, name))


def _learner(services: ServicesDep, caller: Caller, name: str) -> dict[str, Any]:
    person = services.people.find(name)
    if person is None or not services.people.is_mentor_of(caller.person_id, person.id):
        raise NotFoundError("There is no such learner among yours.")
    words = texts(caller.language)
    school = read_school(services, words)
    standing = services.progress.standing(person.id)
    row = rows_for(services, [person], words)
    plot = plot_of(standing, now_utc().astimezone(TIME_ZONE).date())
    tracks = [
        {
            "progress": track_progress(course, standing, school),
            "exercises": [
                {
                    "title": school.titles[view.assignment.id],
                    "standing": standing.of(view.assignment.id),
                    "last": standing.of(view.assignment.id).last,
                }
                for view in school.exercises[course.id]
            ],
        }
        for course in school.courses_of(person.id)
    ]
    return {
        "learner": person,
        "row": row[0] if row else None,
        "plot": plot,
        "plot_days": PLOT_DAYS,
        "active_days": sum(bar.count > 0 for bar in plot),
        "tracks": tracks,
        "days": timeline_days(services.progress.timeline(person.id), school),
    }


# --- the event stream ---


@router.get("/events")
async def events(
    request: Request,
    caller: CallerDep,
    services: ServicesDep,
    *,
    after: str = "",
    assignment: int | None = None,
    person: int | None = None,
    last_event_id: Annotated[str, Header()] = "",
) -> Response:
    """Hints that something the caller may see has changed, as server-sent events that can be resumed.

    Args:
        request: for the shared reader.
        caller: decides what may be heard of.
        services: where events are read.
        after: the newest event that the page shows.
        assignment: only of this exercise.
        person: only of this person.
        last_event_id: sent by a browser that comes back; goes before `after`.
    """
    sight = await run_in_threadpool(sight_of, services, caller)

    def wanted(event: Event) -> bool:
        return (
            sight.covers(event)
            and assignment in (None, event.assignment_id)
            and person in (None, event.person_id)
        )

    shown = last_event_id if last_event_id.isdecimal() else after
    start = int(shown) if shown.isdecimal() and len(shown) <= ID_DIGITS else None
    live: Live | None = getattr(request.app.state, "live", None)
    if live is None:
        live = request.app.state.live = Live(services.progress)
    return EventSourceResponse(
        _stream(live, wanted, start),
        ping=HEARTBEAT_S,
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _stream(live: Live, wanted: Any, start: int | None) -> AsyncIterator[ServerSentEvent]:
    yield ServerSentEvent(comment="listening", retry=2000)
    try:
        async with asyncio.timeout(STREAM_S), aclosing(live.listen(wanted, start)) as heard:
            async for event in heard:
                hint = {"type": event.type, "person": event.person_id, "assignment": event.assignment_id}
                yield ServerSentEvent(data=json.dumps(hint), event="change", id=str(event.id))
    except TimeoutError:
        yield ServerSentEvent(data="{}", event="bye")


def sight_of(services: ServicesDep, caller: Caller) -> Sight:
    """Return what a caller may hear of: a learner of themselves, a mentor of theirs, a trainer of their tracks."""
    match caller.role:
        case Role.ADMIN:
            return Sight(everything=True)
        case Role.TRAINER:
            courses = services.courses.of_person(caller.person_id)
            return Sight(courses=frozenset(course.id for course in courses))
        case Role.MENTOR:
            learners = services.people.learners_of(caller.person_id)
            return Sight(people=frozenset(person.id for person in learners))
        case _:
            return Sight(people=frozenset({caller.person_id}))
