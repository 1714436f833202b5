"""What the learner's path shows: lines, stations, the next sensible step and why. Called by the views of courses.

Knows words and addresses; where somebody stands comes from progress, and how it is drawn is the template's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from hub.courses.presenting import TrackCard, title_of, track_cards
from hub.pages.texts import Texts, texts
from hub.progress.path import Line, NextStep, Why, next_step
from hub.progress.standing import LearnerStanding, Standing, Step

if TYPE_CHECKING:
    from hub.auth import Caller
    from hub.courses.models import Course
    from hub.courses.service import AssignmentView
    from hub.service import Services


def path_context(services: Services, caller: Caller) -> dict[str, Any]:
    """Return what the path page shows: the lines with their stations, and the next sensible step."""
    words = texts(caller.language)
    courses = services.courses.of_person(caller.person_id)
    cards = track_cards(courses, words)
    exercises = {course.id: services.courses.assignments(course.id) for course in courses}
    standing = _seen_by_learner(services.progress.standing(caller.person_id), services, caller)
    lines = [
        Line(course.id, tuple(view.assignment.id for view in exercises[course.id])) for course in courses
    ]
    step = next_step(lines, standing)
    drawn = [
        {
            "slug": course.slug,
            "title": cards[course.id].title,
            "letter": cards[course.id].letter,
            "colour": cards[course.id].colour,
            "stations": [
                _station(view, course, standing.of(view.assignment.id), words, step)
                for view in exercises[course.id]
            ],
            "done": sum(standing.of(view.assignment.id).done for view in exercises[course.id]),
        }
        for course in courses
    ]
    every = [standing.of(view.assignment.id).step for views in exercises.values() for view in views]
    return {
        "lines": drawn,
        "next": _next(step, courses=courses, cards=cards, exercises=exercises, words=words) if step else None,
        "total": len(every),
        "waiting": Step.WAITING in every,
    }


def _seen_by_learner(standing: LearnerStanding, services: Services, caller: Caller) -> LearnerStanding:
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
            tuple(
                attempt.unjudged() if attempt.submission_id in hidden else attempt for attempt in one.attempts
            ),
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
        "url": exercise_path(course.slug, view.assignment.slug),
        "step": standing.step.value,
        "minutes": about.get("minutes"),
        "score": best.score if best else None,
        "max_score": best.max_score if best else None,
        "attempts": len(standing.attempts),
        "is_next": step is not None and step.assignment_id == view.assignment.id,
    }


def _next(
    step: NextStep,
    *,
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
        "url": exercise_path(course.slug, view.assignment.slug),
        "track_title": card.title,
        "letter": card.letter,
        "colour": card.colour,
        "why": _why(step, card, words),
        "button": words.gettext("Continue") if step.standing.touched_at else words.gettext("Start"),
    }


def _why(step: NextStep, card: TrackCard, words: Texts) -> str:  # noqa: PLR0911 - one for each reason
    best = step.standing.best
    match step.why:
        case Why.FIRST:
            return words.gettext(
                "This is the first station. Take your time: you can try as often as you like."
            )
        case Why.OPENED:
            return words.gettext(
                "You have opened this exercise. Write your answers and hand in when you are ready."
            )
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


def exercise_path(track: str, slug: str) -> str:
    """Return the address of an exercise's page, below the service's prefix."""
    return f"exercises/{quote(track, safe='')}/{quote(slug, safe='')}"
