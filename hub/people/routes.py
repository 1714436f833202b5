"""The API of people: who am I."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from hub.auth import API_SCOPE, EXCHANGE_SCOPE, Caller, ServicesDep, needs_scope
from hub.pages.texts import texts

router = APIRouter(tags=["people"])
TokenDep = Annotated[Caller, Depends(needs_scope(EXCHANGE_SCOPE, API_SCOPE))]


class CourseOut(BaseModel):
    """A track that the caller takes part in."""

    id: str
    title: str


class MeOut(BaseModel):
    """The person behind the token."""

    name: str
    display_name: str
    role: str
    language: str
    courses: list[CourseOut]


@router.get("/me")
def me(caller: TokenDep, services: ServicesDep) -> MeOut:
    """Return the person behind the token and their tracks."""
    words = texts(caller.language)
    return MeOut(
        name=caller.name,
        display_name=caller.display_name,
        role=caller.role.value,
        language=caller.language,
        courses=[
            CourseOut(id=course.slug, title=words.of(course.titles, course.slug))
            for course in services.courses.of_person(caller.person_id)
        ],
    )
