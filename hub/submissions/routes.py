"""Submissions over HTTP: the exchange of learners and trainers, and results for whoever may see them.

Knows requests and answers only; every decision is in rules.py, every use case in service.py. A submission that is not
the caller's to see does not exist: 404, never 403.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from hub.auth import API_SCOPE, ServicesDep
from hub.courses.routes import ExchangeCaller, ParticipantCourse, TrainerCourse, iso
from hub.courses.tracks import no_course
from hub.db import now_utc
from hub.people.models import Person, Role
from hub.submissions.archive import canonical_tar
from hub.submissions.reading import SubmissionView, effective_score, no_submission
from hub.submissions.rules import Mark, sees_before_release
from hub.submissions.upload import TAR, read_upload

if TYPE_CHECKING:
    from hub.courses.models import Course
    from hub.submissions.models import Submission

router = APIRouter(tags=["submissions"])
GRADEBOOK = "application/vnd.sqlite3"
MAX_MARKS = 5000


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Accepted(_Strict):
    """A submission that is on the disk and in the queue. The time is the server's."""

    id: str
    timestamp: str
    attempt: int
    state: str


class FeedbackRelease(_Strict):
    """Whose feedback to release; null: everybody's."""

    learner: str | None = None


class MarkIn(_Strict):
    """A mark from formgrader. A key that is absent stays as it was, null clears it."""

    submission_id: str = Field(max_length=36)
    notebook: str = Field(max_length=200)
    grade_id: str = Field(max_length=200)
    seen_at: AwareDatetime = Field(description="time of the gradebook copy that the trainer looked at")
    score: float | None = None
    extra_credit: float | None = None
    comment: str | None = None


class MarksIn(_Strict):
    """Marks that belong together: all are kept, or none."""

    marks: list[MarkIn] = Field(max_length=MAX_MARKS)


# --- learners ---------------------------------------------------------------------------------------------------------


@router.get("/exchange/assignments", summary="Exercises of the caller's courses, with their own submissions")
def assignments(
    services: ServicesDep,
    caller: ExchangeCaller,
    course_id: Annotated[str | None, Query(description="one course; none: all of the caller's")] = None,
) -> dict[str, Any]:
    """Return the published exercises. Scores and feedback are there once they are released."""
    courses = (
        services.courses.all() if caller.role is Role.ADMIN else services.courses.of_person(caller.person_id)
    )
    if course_id is not None:
        courses = [course for course in courses if course.slug == course_id]
        if not courses:
            raise no_course()
    own: dict[int, list[dict[str, Any]]] = {}
    for view in services.submissions.of_person(caller.person_id):
        own.setdefault(view.submission.assignment_id, []).append(_own_row(view))
    rows = [
        {
            "course_id": course.slug,
            "assignment_id": view.assignment.slug,
            "version": view.version.number,
            "released_at": iso(view.version.published_at),
            "deadline": iso(view.assignment.deadline),
            "notebooks": list(view.version.notebooks),
            "submissions": own.get(view.assignment.id, []),
        }
        for course in courses
        for view in services.courses.assignments(course.id)
        if view.version is not None
    ]
    return {"assignments": rows}


def _own_row(view: SubmissionView) -> dict[str, Any]:
    result = view.result
    score = effective_score(view) if view.released else None
    has_feedback = view.released and result is not None and result.feedback_digest is not None
    return {
        "id": view.submission.id,
        "timestamp": iso(view.submission.received_at),
        "attempt": view.submission.attempt,
        "state": view.submission.state,
        "score": score.score if score else None,
        "max_score": score.max_score if score else None,
        "feedback": has_feedback,
        "feedback_updated": False,
        "feedback_version": result.feedback_digest if has_feedback and result else None,
    }


@router.post(
    "/exchange/courses/{course}/assignments/{assignment}/submissions",
    status_code=201,
    summary="Hand in an exercise",
)
async def submit(
    request: Request, services: ServicesDep, caller: ExchangeCaller, found: ParticipantCourse, assignment: str
) -> Accepted:
    """Take in the folder in the body (an uncompressed tar). A 201 means: kept, and it will be graded."""
    body = await read_upload(request, services.submissions.limits)

    def hand_in() -> Submission:
        person = services.people.get(caller.person_id)
        return services.submissions.submit(person, found.slug, assignment, body)

    submission = await run_in_threadpool(hand_in)
    return Accepted(
        id=submission.id,
        timestamp=submission.received_at.isoformat(),
        attempt=submission.attempt,
        state=submission.state,
    )


@router.get(
    "/exchange/submissions/{submission_id}/feedback",
    summary="The feedback on a submission",
    response_class=Response,
    responses={200: {"content": {TAR: {}}}},
)
def feedback(services: ServicesDep, caller: ExchangeCaller, submission_id: str) -> Response:
    """Return a tar of HTML files, once the feedback is released (trainers: at once)."""
    view, viewer = services.submissions.visible(caller.person_id, caller.role, submission_id)
    _check_reach(caller, view)
    if not view.released and not sees_before_release(viewer, view.submission.person_id):
        raise no_submission()
    files = services.submissions.feedback(submission_id)
    if view.submission.person_id == caller.person_id:
        course_id = services.courses.assignment_by_id(view.submission.assignment_id).assignment.course_id
        services.progress.feedback_read(
            caller.person_id, course_id, view.submission.assignment_id, submission_id
        )
    return Response(canonical_tar(files), media_type=TAR)


@router.get("/submissions/{submission_id}", summary="A submission and its result")
def submission(services: ServicesDep, caller: ExchangeCaller, submission_id: str) -> dict[str, Any]:
    """Return where a submission is and, once released, its result: own, course's or followed learner's."""
    view, viewer = services.submissions.visible(caller.person_id, caller.role, submission_id)
    _check_reach(caller, view)
    judge = sees_before_release(viewer, view.submission.person_id)
    row = view.submission
    place = services.courses.assignment_by_id(row.assignment_id).assignment
    score = effective_score(view) if view.released or judge else None
    result = view.result.body if view.result is not None and score is not None else None
    return {
        "id": row.id,
        "course_id": services.courses.by_id(place.course_id).slug,
        "assignment_id": place.slug,
        "learner": services.people.get(row.person_id).name,
        "timestamp": iso(row.received_at),
        "attempt": row.attempt,
        "state": row.state,
        "late": row.late,
        "score": score.score if score else None,
        "max_score": score.max_score if score else None,
        "complete": score.complete if score else None,
        "result": (result if judge else _without_evidence(result)) if result else None,
        "failure": row.failure if judge else None,
    }


def _without_evidence(body: dict[str, Any]) -> dict[str, Any]:
    """Return a result as learners and mentors see it: what hints at tampering is for trainers."""
    notebooks = {
        name: {
            **notebook,
            "cells": {
                grade_id: {key: value for key, value in cell.items() if key != "evidence"}
                for grade_id, cell in notebook["cells"].items()
            },
        }
        for name, notebook in body.get("notebooks", {}).items()
    }
    return {**body, "notebooks": notebooks}


def _check_reach(caller: ExchangeCaller, view: SubmissionView) -> None:
    """A server's token (the exchange's scope alone) reaches its person's own work, and a trainer's course.

    Raises:
        NotFoundError: it is somebody else's.
    """
    own = view.submission.person_id == caller.person_id
    if not own and API_SCOPE not in caller.scopes and caller.role is not Role.TRAINER:
        raise no_submission()


# --- trainers ---------------------------------------------------------------------------------------------------------


@router.get("/exchange/courses/{course}/submissions", summary="Every attempt in a course (trainers)")
def course_submissions(services: ServicesDep, found: TrainerCourse) -> dict[str, Any]:
    """Return every attempt at every exercise, oldest first."""
    return {"submissions": _rows(services, found, services.submissions.of_course(found.id))}


@router.get(
    "/exchange/courses/{course}/assignments/{assignment}/submissions",
    summary="Every attempt at an exercise (trainers)",
)
def assignment_submissions(
    services: ServicesDep,
    found: TrainerCourse,
    assignment: str,
    since: Annotated[AwareDatetime | None, Query(description="received at this time or later")] = None,
) -> dict[str, Any]:
    """Return every attempt at an exercise, oldest first."""
    place = services.courses.assignment(found.slug, assignment).assignment
    return {"submissions": _rows(services, found, services.submissions.of_assignment(place.id, since))}


def _rows(services: ServicesDep, course: Course, views: list[SubmissionView]) -> list[dict[str, Any]]:
    people = {person.id: person for person in services.people.everyone()}
    exercises = services.courses.assignments(course.id, include_withdrawn=True)
    slugs = {view.assignment.id: view.assignment.slug for view in exercises}
    return [
        _row(view, people[view.submission.person_id], slugs[view.submission.assignment_id]) for view in views
    ]


def _row(view: SubmissionView, person: Person, assignment: str) -> dict[str, Any]:
    score = effective_score(view)
    return {
        "id": view.submission.id,
        "assignment_id": assignment,
        "learner": person.name,
        "display_name": person.display_name,
        "timestamp": iso(view.submission.received_at),
        "attempt": view.submission.attempt,
        "state": view.submission.state,
        "score": score.score if score else None,
        "max_score": score.max_score if score else None,
        "late": view.submission.late,
        "needs_manual_grade": score is not None and not score.complete,
        "graded_at": iso(view.result.graded_at if view.result else None),
    }


@router.get(
    "/exchange/submissions/{submission_id}/files",
    summary="What was handed in (trainers; learners their own)",
    response_class=Response,
    responses={200: {"content": {TAR: {}}}},
)
def files(services: ServicesDep, caller: ExchangeCaller, submission_id: str) -> Response:
    """Return a tar of the files as the learner sent them."""
    view, _ = services.submissions.visible(caller.person_id, caller.role, submission_id)
    if view.submission.person_id != caller.person_id:
        services.submissions.managed(caller.person_id, caller.role, submission_id)
    return Response(services.submissions.files(submission_id), media_type=TAR)


@router.get(
    "/exchange/submissions/{submission_id}/autograded",
    summary="The graded notebooks (trainers)",
    response_class=Response,
    responses={200: {"content": {TAR: {}}}},
)
def autograded(services: ServicesDep, caller: ExchangeCaller, submission_id: str) -> Response:
    """Return a tar of the graded notebooks with outputs and hidden tests, as formgrader shows them."""
    services.submissions.managed(caller.person_id, caller.role, submission_id)
    return Response(services.submissions.autograded(submission_id), media_type=TAR)


@router.post(
    "/exchange/submissions/{submission_id}/regrade", status_code=202, summary="Grade again (trainers)"
)
def regrade(services: ServicesDep, caller: ExchangeCaller, submission_id: str) -> dict[str, str]:
    """Queue a submission to be graded again with today's version of the exercise. Marks by hand stay."""
    services.submissions.managed(caller.person_id, caller.role, submission_id)
    services.submissions.regrade([submission_id], caller.person_id)
    return {"id": submission_id, "state": services.submissions.get(submission_id).state}


@router.post(
    "/exchange/courses/{course}/assignments/{assignment}/feedback",
    summary="Release feedback that was kept back (trainers)",
)
def release_feedback(
    services: ServicesDep, found: TrainerCourse, assignment: str, wanted: FeedbackRelease
) -> dict[str, int]:
    """Show learners the judgements in force; doing it again changes nothing."""
    place = services.courses.assignment(found.slug, assignment).assignment
    person_id = services.people.by_name(wanted.learner).id if wanted.learner is not None else None
    return {"released": services.submissions.release_feedback(place.id, person_id)}


@router.get(
    "/exchange/courses/{course}/gradebook",
    summary="A copy of the nbgrader gradebook (trainers)",
    response_class=Response,
    responses={200: {"content": {GRADEBOOK: {}}}, 304: {"description": "not changed since"}},
)
def gradebook(
    services: ServicesDep,
    found: TrainerCourse,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """Return the SQLite file: automatic scores, and every mark given by hand that was accepted before this request."""
    as_of = now_utc()  # before reading: a mark that comes in meanwhile counts as newer than this copy
    tag = f'"{services.submissions.gradebook_tag(found.slug)}"'
    headers = {"ETag": tag, "X-Atelier-As-Of": as_of.isoformat()}
    if if_none_match == tag:
        return Response(status_code=304, headers=headers)
    return Response(services.submissions.gradebook_copy(found.slug), media_type=GRADEBOOK, headers=headers)


@router.post("/exchange/courses/{course}/marks", summary="Marks given by hand (trainers)")
def give_marks(
    services: ServicesDep, caller: ExchangeCaller, found: TrainerCourse, wanted: MarksIn
) -> dict[str, Any]:
    """Keep marks from formgrader; a newer mark than the trainer had seen is never overwritten."""
    marks = [
        Mark(
            submission_id=mark.submission_id,
            notebook=mark.notebook,
            grade_id=mark.grade_id,
            seen_at=mark.seen_at,
            given=frozenset(mark.model_fields_set & {"score", "extra_credit", "comment"}),
            score=mark.score,
            extra_credit=mark.extra_credit,
            comment=mark.comment,
        )
        for mark in wanted.marks
    ]
    rows = services.submissions.give_marks(found.id, marks, caller.person_id)
    return {
        "marks": [
            {
                "submission_id": row.submission_id,
                "notebook": row.notebook,
                "grade_id": row.grade_id,
                "given_at": iso(row.given_at),
            }
            for row in rows
        ]
    }
