"""The learner's pages: the path as metro lines, and one page an exercise with its live state and results."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from hub.auth import Caller, ServicesDep, needs_role
from hub.courses.path_page import exercise_path, path_context
from hub.courses.presenting import hint_cards, open_url, sheet_of, title_of, track_cards
from hub.errors import NotFoundError
from hub.pages.render import render
from hub.pages.texts import Texts, texts
from hub.people.models import Role
from hub.submissions.models import State
from hub.submissions.overview import queue_position
from hub.submissions.presenting import score_of, show

if TYPE_CHECKING:
    from hub.courses.models import Course
    from hub.courses.service import AssignmentView
    from hub.submissions.reading import SubmissionView

router = APIRouter()
LearnerDep = Annotated[Caller, Depends(needs_role(Role.LEARNER))]
ReaderDep = Annotated[Caller, Depends(needs_role(Role.LEARNER, Role.TRAINER, Role.ADMIN))]


@dataclass(frozen=True, slots=True)
class Live:
    """What a page that stays up to date listens to: a query of the event stream, and the newest event it shows."""

    last: int
    query: str = ""


@router.get("/path")
def path(request: Request, caller: LearnerDep, services: ServicesDep) -> Response:
    """The learner's tracks and the next sensible step."""
    live = Live(services.progress.newest_id())  # asked before the rest: what happens meanwhile is told again
    return render(request, caller, "path.html", live=live, **path_context(services, caller))


@router.get("/path/lines")
def path_lines(request: Request, caller: LearnerDep, services: ServicesDep) -> Response:
    """The living part of the path page."""
    return render(request, caller, "path_lines.html", **path_context(services, caller))


# --- the exercise ---


@router.get("/exercises/{track}/{slug}")
def exercise(
    request: Request,
    caller: ReaderDep,
    services: ServicesDep,
    track: str,
    slug: str,
    *,
    attempt: int | None = None,
) -> Response:
    """One exercise: what it is, the way into JupyterLab, the newest attempt live, its result, all attempts."""
    live_last = services.progress.newest_id()
    view, course = _visible(services, caller, track, slug)
    live = Live(live_last, f"assignment={view.assignment.id}&person={caller.person_id}")
    words = texts(caller.language)
    context = _work(services, caller, view, words, attempt)
    context["exercise"] = _exercise(services, caller, view, course, words) | {
        "work_url": _work_url(services, track, slug, attempt)
    }
    return render(request, caller, "exercise.html", live=live, fragment=False, **context)


@router.get("/exercises/{track}/{slug}/work")
def exercise_work(
    request: Request,
    caller: ReaderDep,
    services: ServicesDep,
    track: str,
    slug: str,
    *,
    attempt: int | None = None,
    seen: str = "",
) -> Response:
    """The living part of the exercise page; nothing when what was `seen` still holds."""
    view, _course = _visible(services, caller, track, slug)
    context = _work(services, caller, view, texts(caller.language), attempt)
    if seen and seen == context["seen"]:
        return Response(status_code=204)
    context["exercise"] = {"work_url": _work_url(services, track, slug, attempt)}
    return render(request, caller, "exercise_work.html", fragment=True, **context)


def _visible(services: ServicesDep, caller: Caller, track: str, slug: str) -> tuple[AssignmentView, Course]:
    course = services.courses.by_slug(track)
    if caller.role is not Role.ADMIN and not services.courses.is_enrolled(caller.person_id, course.id):
        raise NotFoundError("This track does not exist, or you don't take part in it.")
    view = services.courses.assignment(track, slug)
    if view.version is None:
        raise NotFoundError("This exercise does not exist.")
    return view, course


def _work_url(services: ServicesDep, track: str, slug: str, attempt: int | None) -> str:
    asked = f"?attempt={attempt}" if attempt else "?attempt=0"
    return f"{services.settings.service_prefix}{exercise_path(track, slug)}/work{asked}"


def _exercise(
    services: ServicesDep, caller: Caller, view: AssignmentView, course: Course, words: Texts
) -> dict[str, Any]:
    sheet = sheet_of(view.version, view.assignment.slug)
    card = track_cards([course], words)[course.id]
    return {
        "title": title_of(view.version, view.assignment.slug, words),
        "summary": sheet.summary.text(words.language) if sheet.summary else "",
        "level": sheet.level,
        "minutes": sheet.minutes,
        "skills": [skill.label.text(words.language) for skill in sheet.skills],
        "hints": hint_cards(sheet, words),
        "deadline": view.assignment.deadline,
        "track_title": card.title,
        "letter": card.letter,
        "colour": card.colour,
        "open_url": open_url(services.settings, caller.name, course.slug, view.assignment.slug),
    }


def _work(
    services: ServicesDep, caller: Caller, view: AssignmentView, words: Texts, wanted: int | None
) -> dict[str, Any]:
    attempts = sorted(
        services.submissions.attempts(caller.person_id, view.assignment.id),
        key=lambda one: one.submission.attempt,
        reverse=True,
    )
    newest = attempts[0] if attempts else None
    readable = [one for one in attempts if one.released]
    shown = next(
        (one for one in readable if one.submission.attempt == wanted), readable[0] if readable else None
    )
    pending = newest is not None and newest.submission.state in (State.QUEUED, State.GRADING)
    newest_now = _newest(services, newest) if newest else None
    seen = hashlib.sha256(repr((newest_now, [_fingerprint(one) for one in attempts])).encode()).hexdigest()[
        :16
    ]
    return {
        "newest": newest_now,
        "pending": pending,
        "seen": seen,
        "shown": show(services, shown, words) if shown else None,
        "attempts": [_attempt(one) for one in attempts],
    }


def _fingerprint(view: SubmissionView) -> tuple[object, ...]:
    return view.submission.id, view.submission.state, view.result.id if view.result else None, view.released


def _newest(services: ServicesDep, view: SubmissionView) -> dict[str, Any]:
    submission = view.submission
    released = view.released
    score = score_of(view) if released else None
    return {
        "state": State(submission.state).value,
        "attempt": submission.attempt,
        "position": queue_position(services.database, submission) if submission.state == State.QUEUED else 0,
        "released": released,
        "score": score.score if score else None,
        "max_score": score.max_score if score else None,
    }


def _attempt(view: SubmissionView) -> dict[str, Any]:
    readable = view.released
    score = score_of(view) if readable else None
    return {
        "id": view.submission.id,
        "attempt": view.submission.attempt,
        "url": f"?attempt={view.submission.attempt}" if readable else "",
        "at": view.submission.received_at,
        "late": view.submission.late,
        "state": State(view.submission.state).value,
        "score": score.score if score else None,
        "max_score": score.max_score if score else None,
    }
