"""The trainer's pages (what fails and why, submissions, regrading, exercises), one submission for those who may see it,
and the feedback files, which are hostile: they are only ever served into a sandbox without scripts.
"""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from hub.auth import Caller, ServicesDep, needs_role, page_caller, same_origin
from hub.courses.presenting import formgrader_url, title_of, track_cards
from hub.courses.views import Live
from hub.errors import NotFoundError
from hub.pages.render import render
from hub.pages.texts import texts
from hub.people.models import Role
from hub.submissions import overview
from hub.submissions.desk import Asked, exercise_row, list_context, overview_context, read_place
from hub.submissions.models import State
from hub.submissions.presenting import show
from hub.submissions.reading import PENDING
from hub.submissions.rules import sees_before_release

router = APIRouter()
TrainerDep = Annotated[Caller, Depends(needs_role(Role.TRAINER, Role.ADMIN))]
CallerDep = Annotated[Caller, Depends(page_caller)]

FEEDBACK_CSP = (
    "sandbox allow-popups; default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
"""Feedback holds what a learner's program printed: nothing in it runs, loads, submits or sees our origin."""


@router.get("/trainer", dependencies=[Depends(needs_role(Role.TRAINER, Role.ADMIN))])
def trainer() -> Response:
    """Lead to the trainer's start page."""
    return RedirectResponse("trainer/overview", status_code=303)


@router.get("/trainer/overview")
def trainer_overview(request: Request, caller: TrainerDep, services: ServicesDep) -> Response:
    """What needs a trainer: work set aside first, then what fails most and why."""
    live = Live(services.progress.newest_id())
    return render(request, caller, "trainer.html", live=live, **overview_context(services, caller))


@router.get("/trainer/overview/now")
def trainer_overview_now(request: Request, caller: TrainerDep, services: ServicesDep) -> Response:
    """The living part of it."""
    return render(request, caller, "trainer_now.html", **overview_context(services, caller))


# --- submissions ---


def _asked(course: str = "", exercise: str = "", state: str = "", learner: str = "") -> Asked:
    return Asked(course[:60], exercise[:12], state[:20], learner[:40])


AskedDep = Annotated[Asked, Depends(_asked)]


@router.get("/trainer/submissions")
def trainer_submissions(
    request: Request,
    caller: TrainerDep,
    services: ServicesDep,
    asked: AskedDep,
    *,
    page: int = 1,
    regrading: int = 0,
) -> Response:
    """Every submission of the trainer's tracks, filtered; those set aside first."""
    live = Live(services.progress.newest_id())
    context = list_context(services, caller, asked, page=page, regrading=regrading)
    return render(request, caller, "trainer_submissions.html", live=live, **context)


@router.get("/trainer/submissions/rows")
def trainer_submission_rows(
    request: Request,
    caller: TrainerDep,
    services: ServicesDep,
    asked: AskedDep,
    *,
    page: int = 1,
    regrading: int = 0,
) -> Response:
    """The living part of the list."""
    return render(
        request,
        caller,
        "trainer_rows.html",
        **list_context(services, caller, asked, page=page, regrading=regrading),
    )


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
    *,
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
    return overview.ids(services.database, asked.filter(read_place(services, caller)))


@router.get("/trainer/exercises")
def trainer_exercises(request: Request, caller: TrainerDep, services: ServicesDep) -> Response:
    """The exercises of the trainer's tracks with their versions."""
    words = texts(caller.language)
    place = read_place(services, caller)
    counts = overview.attempts_per_exercise(services.database, overview.Filter(list(place.tracks)))
    groups = [
        {
            "track": card,
            "exercises": [
                exercise_row(view, counts.get(key, (0, 0)), words)
                for key, view in place.exercises.items()
                if view.assignment.course_id == card.id
            ],
        }
        for card in place.tracks.values()
    ]
    formgrader = formgrader_url(services.settings, caller.name) if caller.role is Role.TRAINER else ""
    return render(request, caller, "trainer_exercises.html", groups=groups, formgrader=formgrader)


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
