"""The exchange's half of courses over HTTP: which courses there are, releases, and publishing for trainers.

Knows requests and answers only; every decision is in rules.py, every use case in service.py. To people whom a course
does not concern it does not exist: 404, never 403.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict
from starlette.concurrency import run_in_threadpool

from hub.auth import API_SCOPE, EXCHANGE_SCOPE, Caller, ServicesDep, needs_scope
from hub.courses.models import Course
from hub.courses.rules import SOURCE_LIMITS, exchange_role
from hub.courses.tracks import no_assignment, no_course
from hub.people.models import Role
from hub.submissions.rules import may_manage_course
from hub.submissions.upload import TAR, read_upload

if TYPE_CHECKING:
    from datetime import datetime

    from hub.courses.service import AssignmentView

router = APIRouter(prefix="/exchange", tags=["exchange"])
ExchangeCaller = Annotated[Caller, Depends(needs_scope(EXCHANGE_SCOPE, API_SCOPE))]


def course_of_participant(services: ServicesDep, caller: ExchangeCaller, course: str) -> Course:
    """Dependency: a course that the caller takes part in.

    Raises:
        NotFoundError: there is none, or the caller is not in it.
    """
    found = services.courses.by_slug(course)
    if caller.role is not Role.ADMIN and not services.courses.is_enrolled(caller.person_id, found.id):
        raise no_course()
    return found


def course_of_trainer(services: ServicesDep, caller: ExchangeCaller, course: str) -> Course:
    """Dependency: a course that the caller manages.

    Raises:
        NotFoundError: there is none, or the caller is not its trainer.
    """
    found = services.courses.by_slug(course)
    enrolled = services.courses.is_enrolled(caller.person_id, found.id)
    if not may_manage_course(caller.role, enrolled=enrolled):
        raise no_course()
    return found


ParticipantCourse = Annotated[Course, Depends(course_of_participant)]
TrainerCourse = Annotated[Course, Depends(course_of_trainer)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class CourseOut(_Strict):
    """A course, and what the caller is in it."""

    id: str
    title: str
    role: str


class CoursesOut(_Strict):
    """The caller's courses."""

    courses: list[CourseOut]


class PublishedOut(_Strict):
    """The version that learners get now."""

    version: int
    warnings: list[str]


class Deadline(_Strict):
    """A deadline; null lifts it."""

    deadline: AwareDatetime | None


def iso(at: datetime | None) -> str | None:
    """Return a time as the API writes it."""
    return at.isoformat() if at else None


@router.get("/courses", summary="The caller's courses")
def courses(services: ServicesDep, caller: ExchangeCaller) -> CoursesOut:
    """Return the courses that the caller takes part in; an admin sees all."""
    everything = caller.role is Role.ADMIN
    found = services.courses.all() if everything else services.courses.of_person(caller.person_id)
    return CoursesOut(
        courses=[
            CourseOut(
                id=course.slug,
                title=course.titles.get(caller.language) or course.titles.get("en") or course.slug,
                role=exchange_role(caller.role),
            )
            for course in found
        ]
    )


@router.get(
    "/courses/{course}/assignments/{assignment}/release",
    summary="The exercise as learners get it, in the caller's language",
    response_class=Response,
    responses={200: {"content": {TAR: {}}}},
)
def release(
    services: ServicesDep, caller: ExchangeCaller, found: ParticipantCourse, assignment: str
) -> Response:
    """Return a tar of the exercise: notebooks without solutions and hidden tests, and starter files."""
    view = _published(services, found, assignment)
    assert view.version is not None  # noqa: S101 - _published refuses what is withdrawn
    if caller.role is Role.LEARNER:
        services.progress.opened(caller.person_id, found.id, view.assignment.id)
    return Response(services.courses.release(view.version, caller.language), media_type=TAR)


@router.get(
    "/courses/{course}/assignments/{assignment}/source",
    summary="The exercise as its author wrote it (trainers)",
    response_class=Response,
    responses={200: {"content": {TAR: {}}}},
)
def source(services: ServicesDep, found: TrainerCourse, assignment: str) -> Response:
    """Return a tar of the source folder of the current version, solutions and hidden tests included."""
    view = _published(services, found, assignment)
    assert view.version is not None  # noqa: S101 - as above
    return Response(services.courses.source_tar(view.version), media_type=TAR)


@router.put("/courses/{course}/assignments/{assignment}", summary="Publish an exercise (trainers)")
async def publish(
    request: Request, services: ServicesDep, caller: ExchangeCaller, found: TrainerCourse, assignment: str
) -> PublishedOut:
    """Publish the source folder in the body (a tar) as a new version; the same folder again is the same version."""
    body = await read_upload(request, SOURCE_LIMITS)
    version = await run_in_threadpool(
        services.courses.publish, found.slug, assignment, body, caller.person_id
    )
    return PublishedOut(version=version.number, warnings=list(version.about.get("warnings", ())))


@router.delete(
    "/courses/{course}/assignments/{assignment}", status_code=204, summary="Withdraw it (trainers)"
)
def withdraw(services: ServicesDep, found: TrainerCourse, assignment: str) -> None:
    """Take an exercise off the path. Its versions, submissions and marks stay."""
    services.courses.withdraw(found.slug, assignment)


@router.put("/courses/{course}/assignments/{assignment}/deadline", summary="Set the deadline (trainers)")
def set_deadline(
    services: ServicesDep, found: TrainerCourse, assignment: str, wanted: Deadline
) -> dict[str, Any]:
    """Set the deadline, or lift it with null."""
    services.courses.set_deadline(found.slug, assignment, wanted.deadline)
    return {"deadline": iso(services.courses.assignment(found.slug, assignment).assignment.deadline)}


def _published(services: ServicesDep, course: Course, slug: str) -> AssignmentView:
    view = services.courses.assignment(course.slug, slug)
    if view.version is None:
        raise no_assignment()
    return view
