"""The learner's pages: the path as metro lines, and one page an exercise with its live state and results."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response

from hub.auth import Caller, ServicesDep, needs_role
from hub.courses.models import Course
from hub.courses.presenting import TrackCard, hint_cards, open_url, sheet_of, title_of, track_cards
from hub.courses.service import AssignmentView
from hub.errors import NotFoundError
from hub.pages.render import render
from hub.pages.texts import Texts, texts
from hub.people.models import Role
from hub.progress.path import Line, NextStep, Why, next_step
from hub.progress.standing import LearnerStanding, Standing, Step
from hub.submissions.models import State
from hub.submissions.overview import queue_position
from hub.submissions.presenting import score_of, show
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
    return render(request, caller, "path.html", live=live, **_path(services, caller))


@router.get("/path/lines")
def path_lines(request: Request, caller: LearnerDep, services: ServicesDep) -> Response:
    """The living part of the path page."""
    return render(request, caller, "path_lines.html", **_path(services, caller))


def _path(services: ServicesDep, caller: Caller) -> dict[str, Any]:
    words = texts(caller.language)
    courses = services.courses.of_person(caller.person_id)
    cards = track_cards(courses, words)
    exercises = {course.id: services.courses.assignments(course.id) for course in courses}
    standing = _seen_by_learner(services.progress.standing(caller.person_id), services, caller)
    lines = [Line(course.id, tuple(view.assignment.id for view in exercises[course.id])) for course in courses]
    step = next_step(lines, standing)
    drawn = [
        {
            "slug": course.slug,
            "title": cards[course.id].title,
            "letter": cards[course.id].letter,
            "colour": cards[course.id].colour,
            "stations": [
                _station(view, course, standing.of(view.assignment.id), words, step) for view in exercises[course.id]
            ],
            "done": sum(standing.of(view.assignment.id).done for view in exercises[course.id]),
        }
        for course in courses
    ]
    every = [standing.of(view.assignment.id).step for views in exercises.values() for view in views]
    return {
        "lines": drawn,
        "next": _next(step, courses, cards, exercises, words) if step else None,
        "total": len(every),
        "waiting": Step.WAITING in every,
    }


def _seen_by_learner(standing: LearnerStanding, services: ServicesDep, caller: Caller) -> LearnerStanding:
    """Leave out what a trainer has not released yet: to the learner such an attempt is still being looked at."""
    hidden = {
        view.submission.id
        for view in services.submissions.latest(caller.person_id).values()
        if view.result is not None and not view.released
    }
    if not hidden:
        return standing
    kept = {
        key: Standing(
            key,
            tuple(attempt.unjudged() if attempt.submission_id in hidden else attempt for attempt in one.attempts),
            one.opened_at,
        )
        for key, one in standing.standings.items()
    }
    return LearnerStanding(
        standing.person_id, kept, standing.activity, standing.enrolled_at, standing.last_active_at
    )


def _station(
    view: AssignmentView, course: Course, standing: Standing, words: Texts, step: NextStep | None
) -> dict[str, Any]:
    best = standing.best
    about = view.version.about if view.version else {}
    return {
        "title": title_of(view.version, view.assignment.slug, words),
        "url": _exercise_path(course.slug, view.assignment.slug),
        "step": standing.step.value,
        "minutes": about.get("minutes"),
        "score": best.score if best else None,
        "max_score": best.max_score if best else None,
        "attempts": len(standing.attempts),
        "is_next": step is not None and step.assignment_id == view.assignment.id,
    }


def _next(
    step: NextStep,
    courses: list[Course],
    cards: dict[int, TrackCard],
    exercises: dict[int, list[AssignmentView]],
    words: Texts,
) -> dict[str, Any]:
    course = next(course for course in courses if course.id == step.course_id)
    view = next(view for view in exercises[course.id] if view.assignment.id == step.assignment_id)
    card = cards[course.id]
    return {
        "title": title_of(view.version, view.assignment.slug, words),
        "url": _exercise_path(course.slug, view.assignment.slug),
        "track_title": card.title,
        "letter": card.letter,
        "colour": card.colour,
        "why": _why(step, card, words),
        "button": words.gettext("Continue") if step.standing.touched_at else words.gettext("Start"),
    }


def _why(step: NextStep, card: TrackCard, words: Texts) -> str:
    best = step.standing.best
    match step.why:
        case Why.FIRST:
            return words.gettext("This is the first station. Take your time: you can try as often as you like.")
        case Why.OPENED:
            return words.gettext("You have opened this exercise. Write your answers and hand in when you are ready.")
        case Why.ASK:
            return words.gettext(
                "You have tried this %(count)s times. Open a hint, or show it to your mentor: asking is part of the job.",
                count=step.standing.misses,
            )
        case Why.FINISH if best is not None and best.score:
            return words.gettext(
                "You already have %(score)s of %(max)s points. Look at your feedback and try once more.",
                score=words.number(best.score),
                max=words.number(best.max_score or 0),
            )
        case Why.FINISH:
            return words.gettext("You have made a start. Look at your feedback and try once more.")
        case Why.ONWARDS:
            return words.gettext("You have reached the station before. Here the line goes on.")
        case Why.OTHER_LINE:
            return words.gettext("A good moment to start with %(track)s.", track=card.title)


def _exercise_path(track: str, slug: str) -> str:
    return f"exercises/{quote(track, safe='')}/{quote(slug, safe='')}"


# --- the exercise ---


@router.get("/exercises/{track}/{slug}")
def exercise(
    request: Request, caller: ReaderDep, services: ServicesDep, track: str, slug: str, attempt: int | None = None
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
    return f"{services.settings.service_prefix}{_exercise_path(track, slug)}/work{asked}"


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
    shown = next((one for one in readable if one.submission.attempt == wanted), readable[0] if readable else None)
    pending = newest is not None and newest.submission.state in (State.QUEUED, State.GRADING)
    newest_now = _newest(services, newest) if newest else None
    seen = hashlib.sha256(repr((newest_now, [_fingerprint(one) for one in attempts])).encode()).hexdigest()[:16]
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
