"""The trainer's pages (what fails and why, submissions, regrading, exercises), one submission for those who may see it,
and the feedback files, which are hostile: they are only ever served into a sandbox without scripts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from hub.auth import Caller, ServicesDep, needs_role, page_caller, same_origin
from hub.courses.presenting import TrackCard, formgrader_url, message_in, sheet_of, title_of, track_cards
from hub.courses.service import AssignmentView
from hub.courses.views import Live
from hub.errors import NotFoundError
from hub.pages.render import render
from hub.pages.texts import Texts, texts
from hub.people.models import Person, Role
from hub.submissions import overview
from hub.submissions.models import State
from hub.submissions.presenting import question_labels, show
from hub.submissions.reading import PENDING
from hub.submissions.rules import sees_before_release

router = APIRouter()
TrainerDep = Annotated[Caller, Depends(needs_role(Role.TRAINER, Role.ADMIN))]
CallerDep = Annotated[Caller, Depends(page_caller)]
PAGE_SIZE = 50
SHOWN_QUESTIONS = 8

FEEDBACK_CSP = (
    "sandbox allow-popups; default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
"""Feedback holds what a learner's program printed: nothing in it runs, loads, submits or sees our origin."""


@dataclass(frozen=True, slots=True)
class Place:
    """What a trainer sees: their tracks, with the exercises of each."""

    tracks: dict[int, TrackCard]
    exercises: dict[int, AssignmentView]  # by assignment id, in order; withdrawn ones included
    learners: dict[int, Person]

    def title(self, assignment_id: int, words: Texts) -> str:
        """Return an exercise's title."""
        view = self.exercises[assignment_id]
        return title_of(view.version, view.assignment.slug, words)


def _place(services: ServicesDep, caller: Caller) -> Place:
    admin = caller.role is Role.ADMIN
    courses = services.courses.all() if admin else services.courses.of_person(caller.person_id)
    exercises = [view for course in courses for view in services.courses.assignments(course.id, True)]
    wanted = {person_id for course in courses for person_id in services.courses.learners(course.id)}
    people = [person for person in services.people.everyone() if person.id in wanted]
    return Place(
        track_cards(courses, texts(caller.language)),
        {view.assignment.id: view for view in exercises},
        {person.id: person for person in sorted(people, key=lambda one: one.display_name.casefold())},
    )


@router.get("/trainer")
def trainer(caller: TrainerDep) -> Response:
    """Lead to the trainer's start page."""
    return RedirectResponse("trainer/overview", status_code=303)


@router.get("/trainer/overview")
def trainer_overview(request: Request, caller: TrainerDep, services: ServicesDep) -> Response:
    """What needs a trainer: work set aside first, then what fails most and why."""
    live = Live(services.progress.newest_id())
    return render(request, caller, "trainer.html", live=live, **_overview(services, caller))


@router.get("/trainer/overview/now")
def trainer_overview_now(request: Request, caller: TrainerDep, services: ServicesDep) -> Response:
    """The living part of it."""
    return render(request, caller, "trainer_now.html", **_overview(services, caller))


def _overview(services: ServicesDep, caller: Caller) -> dict[str, Any]:
    words = texts(caller.language)
    place = _place(services, caller)
    everything = overview.Filter(courses=list(place.tracks))
    aside = overview.Filter(courses=list(place.tracks), state=State.FAILED)
    return {
        "has_tracks": bool(place.tracks),
        "aside": [_row(row, place, words) for row in overview.rows(services.database, aside, limit=20)],
        "questions": _question_cards(services, everything, place, words)[:SHOWN_QUESTIONS],
        "pending": overview.pending(services.database, everything),
        "total": overview.count(services.database, everything),
        "formgrader": formgrader_url(services.settings, caller.name) if caller.role is Role.TRAINER else "",
    }


def _question_cards(
    services: ServicesDep, wanted: overview.Filter, place: Place, words: Texts
) -> list[dict[str, Any]]:
    cards = []
    for count in overview.questions(services.database, wanted):
        if count.rate >= 1:
            continue
        view = place.exercises[count.assignment_id]
        labels = question_labels(view.version, words)
        sheet = sheet_of(view.version, view.assignment.slug)
        cards.append(
            {
                "exercise": place.title(count.assignment_id, words),
                "assignment_id": count.assignment_id,
                "track": place.tracks[view.assignment.course_id],
                "label": labels.get((count.notebook, count.grade_id), count.grade_id),
                "name": count.grade_id,
                "rate": count.rate,
                "right": count.right,
                "tried": count.tried,
                "commonest": message_in(sheet, count.commonest, words) if count.commonest else "",
            }
        )
    return cards


def _row(row: overview.Row, place: Place, words: Texts) -> dict[str, Any]:
    result = row.result
    state = State(row.submission.state)
    return {
        "id": row.submission.id,
        "learner": row.person.display_name,
        "name": row.person.name,
        "exercise": title_of(row.version, row.assignment.slug, words),
        "track": place.tracks[row.assignment.course_id],
        "attempt": row.submission.attempt,
        "at": row.submission.received_at,
        "late": row.submission.late,
        "state": state.value,
        "verdict": result.verdict if result else "",
        "score": result.score if result else None,
        "max_score": result.max_score if result else None,
        "manual": bool(result and result.needs_manual_grade),
        "reason": (row.submission.failure if state is State.FAILED else result.detail if result else "")
        or "",
        "version": row.version.number,
    }


# --- submissions ---


@dataclass(frozen=True, slots=True)
class Asked:
    """The filter as it stands in the address."""

    course: str = ""
    exercise: str = ""
    state: str = ""
    learner: str = ""

    def as_query(self) -> dict[str, str]:
        """Return it for a link."""
        return {
            "course": self.course,
            "exercise": self.exercise,
            "state": self.state,
            "learner": self.learner,
        }

    def filter(self, place: Place) -> overview.Filter:
        """Return what it means within what the asker may see; what doesn't exist finds nothing."""
        course = (
            next((card.id for card in place.tracks.values() if card.slug == self.course), 0)
            if self.course
            else None
        )
        exercise = int(self.exercise) if self.exercise.isdecimal() else (0 if self.exercise else None)
        person = (
            next((one.id for one in place.learners.values() if one.name == self.learner), 0)
            if self.learner
            else None
        )
        state = State(self.state) if self.state in set(State) else None
        return overview.Filter(list(place.tracks), course, exercise, state, person)


def _asked(course: str = "", exercise: str = "", state: str = "", learner: str = "") -> Asked:
    return Asked(course[:60], exercise[:12], state[:20], learner[:40])


AskedDep = Annotated[Asked, Depends(_asked)]


@router.get("/trainer/submissions")
def trainer_submissions(
    request: Request,
    caller: TrainerDep,
    services: ServicesDep,
    asked: AskedDep,
    page: int = 1,
    regrading: int = 0,
) -> Response:
    """Every submission of the trainer's tracks, filtered; those set aside first."""
    live = Live(services.progress.newest_id())
    context = _list(services, caller, asked, page, regrading)
    return render(request, caller, "trainer_submissions.html", live=live, **context)


@router.get("/trainer/submissions/rows")
def trainer_submission_rows(
    request: Request,
    caller: TrainerDep,
    services: ServicesDep,
    asked: AskedDep,
    page: int = 1,
    regrading: int = 0,
) -> Response:
    """The living part of the list."""
    return render(request, caller, "trainer_rows.html", **_list(services, caller, asked, page, regrading))


def _list(services: ServicesDep, caller: Caller, asked: Asked, page: int, regrading: int) -> dict[str, Any]:
    words = texts(caller.language)
    place = _place(services, caller)
    wanted = asked.filter(place)
    total = overview.count(services.database, wanted)
    pages = max(1, -(-total // PAGE_SIZE))
    page = min(max(page, 1), pages)
    found = overview.rows(services.database, wanted, PAGE_SIZE, (page - 1) * PAGE_SIZE)
    waiting = overview.pending(services.database, wanted)
    tracks = list(place.tracks.values())
    return {
        "asked": asked.as_query(),
        "rows": [_row(row, place, words) for row in found],
        "total": total,
        "page": page,
        "pages": pages,
        "waiting": waiting,
        "regrading": regrading,
        "regraded": max(0, regrading - waiting),
        "tracks": tracks,
        "exercises": [
            {
                "id": key,
                "title": place.title(key, words),
                "course": place.tracks[view.assignment.course_id].title,
            }
            for key, view in place.exercises.items()
            if not asked.course or place.tracks[view.assignment.course_id].slug == asked.course
        ],
        "learners": list(place.learners.values()),
        "has_tracks": bool(tracks),
    }


@router.get("/trainer/regrade")
def regrade_question(
    request: Request, caller: TrainerDep, services: ServicesDep, asked: AskedDep, submission: str = ""
) -> Response:
    """Ask before grading again: how many, and what stays."""
    chosen = _chosen(services, caller, asked, submission)
    return render(
        request, caller, "regrade.html", asked=asked.as_query(), submission=submission, count=len(chosen)
    )


@router.post("/trainer/regrade", dependencies=[Depends(same_origin)])
def regrade(
    caller: TrainerDep,
    services: ServicesDep,
    course: Annotated[str, Form()] = "",
    exercise: Annotated[str, Form()] = "",
    state: Annotated[str, Form()] = "",
    learner: Annotated[str, Form()] = "",
    submission: Annotated[str, Form()] = "",
) -> Response:
    """Put the chosen submissions into the queue again."""
    asked = _asked(course, exercise, state, learner)
    chosen = _chosen(services, caller, asked, submission)
    services.submissions.regrade(chosen, caller.person_id)
    if submission and chosen:
        return RedirectResponse(f"{services.settings.service_prefix}submissions/{chosen[0]}", status_code=303)
    kept = {key: value for key, value in asked.as_query().items() if value and key != "state"}
    target = f"{services.settings.service_prefix}trainer/submissions?"
    return RedirectResponse(target + urlencode({**kept, "regrading": len(chosen)}), status_code=303)


def _chosen(services: ServicesDep, caller: Caller, asked: Asked, submission: str) -> list[str]:
    if submission:
        view = services.submissions.managed(caller.person_id, caller.role, submission)
        return [] if view.submission.state in PENDING else [view.submission.id]
    return overview.ids(services.database, asked.filter(_place(services, caller)))


@router.get("/trainer/exercises")
def trainer_exercises(request: Request, caller: TrainerDep, services: ServicesDep) -> Response:
    """The exercises of the trainer's tracks with their versions."""
    words = texts(caller.language)
    place = _place(services, caller)
    counts = overview.attempts_per_exercise(services.database, overview.Filter(list(place.tracks)))
    groups = [
        {
            "track": card,
            "exercises": [
                _exercise_row(view, counts.get(key, (0, 0)), words)
                for key, view in place.exercises.items()
                if view.assignment.course_id == card.id
            ],
        }
        for card in place.tracks.values()
    ]
    formgrader = formgrader_url(services.settings, caller.name) if caller.role is Role.TRAINER else ""
    return render(request, caller, "trainer_exercises.html", groups=groups, formgrader=formgrader)


def _exercise_row(view: AssignmentView, counts: tuple[int, int], words: Texts) -> dict[str, Any]:
    version = view.version
    return {
        "id": view.assignment.id,
        "slug": view.assignment.slug,
        "title": title_of(version, view.assignment.slug, words),
        "version": version.number if version else None,
        "published_at": version.published_at if version else None,
        "max_score": version.max_score if version else None,
        "questions": len(version.cells) if version else 0,
        "deadline": view.assignment.deadline,
        "learners": counts[0],
        "attempts": counts[1],
        "warnings": list((version.about if version else {}).get("warnings", ())),
    }


# --- one submission ---


@router.get("/submissions/{submission_id}")
def submission(request: Request, caller: CallerDep, services: ServicesDep, submission_id: str) -> Response:
    """One submission for those who accompany its learner; the learner is led to the exercise's page."""
    live = Live(services.progress.newest_id())
    view, viewer = services.submissions.visible(caller.person_id, caller.role, submission_id)
    exercise = services.courses.assignment_by_id(view.submission.assignment_id)
    course = services.courses.by_id(exercise.assignment.course_id)
    prefix = services.settings.service_prefix
    if view.submission.person_id == caller.person_id:
        target = (
            f"{prefix}exercises/{course.slug}/{exercise.assignment.slug}?attempt={view.submission.attempt}"
        )
        return RedirectResponse(target, status_code=303)
    words = texts(caller.language)
    judge = sees_before_release(viewer, view.submission.person_id)
    person = services.people.get(view.submission.person_id)
    visible = view.result is not None and (judge or view.released)
    version = services.courses.version(view.submission.version_id)
    return render(
        request,
        caller,
        "submission.html",
        live=Live(live.last, f"person={person.id}&assignment={exercise.assignment.id}"),
        learner=person,
        title=title_of(version, exercise.assignment.slug, words),
        track=track_cards([course], words)[course.id],
        submission=view.submission,
        version=version.number,
        newest_version=exercise.version.number if exercise.version else None,
        state=State(view.submission.state).value,
        reason=(view.submission.failure or (view.result.detail if view.result else "") or "")
        if judge
        else "",
        judge=judge,
        mentor=caller.role is Role.MENTOR,
        shown=show(services, view, words, for_staff=judge, whose=person.display_name) if visible else None,
    )


@router.get("/submissions/{submission_id}/feedback/{name:path}")
def feedback(caller: CallerDep, services: ServicesDep, submission_id: str, name: str) -> Response:
    """One feedback file, for a sandboxed frame: whatever it holds can't run, load or reach our pages."""
    view, viewer = services.submissions.visible(caller.person_id, caller.role, submission_id)
    owner = view.submission.person_id
    if not view.released and not sees_before_release(viewer, owner):
        raise NotFoundError("This submission does not exist.")
    files = services.submissions.feedback(submission_id)
    if name not in files:
        raise NotFoundError("There is no such feedback.")
    if owner == caller.person_id:
        course_id = services.courses.assignment_by_id(view.submission.assignment_id).assignment.course_id
        services.progress.feedback_read(owner, course_id, view.submission.assignment_id, submission_id)
    return Response(
        files[name],
        media_type="text/html; charset=utf-8",
        headers={
            "Content-Security-Policy": FEEDBACK_CSP,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Content-Disposition": "inline",
        },
    )
