"""The start page by role, the language switch, and the admin's pages about people."""

from __future__ import annotations

from collections.abc import Sequence  # noqa: TC003 - FastAPI reads the annotation
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from hub.auth import Caller, ServicesDep, needs_role, page_caller, safe_next, same_origin
from hub.courses.presenting import track_cards
from hub.errors import AtelierError, ConflictError
from hub.pages.render import render, translate
from hub.pages.texts import LANGUAGE_NAMES, texts
from hub.people.form import FIELD_OF, PersonForm, one_time_password
from hub.people.models import Person, Role

router = APIRouter()
CallerDep = Annotated[Caller, Depends(page_caller)]
AdminDep = Annotated[Caller, Depends(needs_role(Role.ADMIN))]
START = {
    Role.LEARNER: "path",
    Role.MENTOR: "mentor",
    Role.TRAINER: "trainer/overview",
    Role.ADMIN: "admin/people",
}


@router.get("/")
def start(caller: CallerDep, services: ServicesDep) -> Response:
    """Lead everybody to where their day begins."""
    return RedirectResponse(services.settings.service_prefix + START[caller.role], status_code=303)


@router.post("/language", dependencies=[Depends(same_origin)])
def change_language(
    caller: CallerDep,
    services: ServicesDep,
    language: Annotated[str, Form()],
    next: Annotated[str, Form()] = "",  # noqa: A002 - the field's name
) -> Response:
    """Keep the person's language and show the same page in it."""
    services.people.set_language(caller.person_id, language)
    return RedirectResponse(safe_next(services.settings, next), status_code=303)


# --- the admin's pages ---


def _form(
    display_name: Annotated[str, Form()] = "",
    role: Annotated[str, Form()] = "",
    language: Annotated[str, Form()] = "",
    courses: Annotated[Sequence[str], Form()] = (),
    mentors: Annotated[Sequence[str], Form()] = (),
) -> PersonForm:
    return PersonForm("", display_name[:400], role, language, tuple(courses), tuple(mentors))


FormDep = Annotated[PersonForm, Depends(_form)]


@router.get("/admin/people")
def people(
    request: Request, caller: AdminDep, services: ServicesDep, q: str = "", role: str = ""
) -> Response:
    """Everybody on the platform, found by name or role."""
    words = texts(caller.language)
    courses = services.courses.all()
    cards = track_cards(courses, words)
    everyone = services.people.everyone()
    mentors: dict[int, list[str]] = {}
    for mentor in everyone:
        if mentor.role == Role.MENTOR:
            for learner in services.people.learners_of(mentor.id):
                mentors.setdefault(learner.id, []).append(mentor.display_name)
    member = services.courses.members()
    wanted = q.strip().casefold()[:100]
    found = [
        {
            "person": person,
            "tracks": [cards[key] for key in cards if person.id in member.get(key, ())],
            "mentors": mentors.get(person.id, []),
        }
        for person in everyone
        if (not wanted or wanted in person.name or wanted in person.display_name.casefold())
        and (not role or person.role == role)
    ]
    found.sort(key=lambda one: (not one["person"].active, one["person"].display_name.casefold()))  # type: ignore[attr-defined]
    return render(
        request,
        caller,
        "people.html",
        people=found,
        q=q[:100],
        role=role,
        roles=list(Role),
        total=len(everyone),
    )


@router.get("/admin/people/new")
def new_person(request: Request, caller: AdminDep, services: ServicesDep) -> Response:
    """The empty form."""
    return _person_page(request, caller, services, PersonForm(language=caller.language), None)


@router.post("/admin/people/new", dependencies=[Depends(same_origin)])
def add_person(
    request: Request,
    caller: AdminDep,
    services: ServicesDep,
    form: FormDep,
    name: Annotated[str, Form()] = "",
) -> Response:
    """Add somebody; show their first password once."""
    form = replace(form, name=name[:200])
    password = one_time_password()
    try:
        person = services.people.create(form.name, form.display_name, form.role, form.language, password)
    except AtelierError as error:
        return _again(request, caller, services, form, None, error=error)
    _set_places(services, person, form)
    return _password_page(request, caller, person, password, new=True)


@router.get("/admin/people/{name}")
def person(request: Request, caller: AdminDep, services: ServicesDep, name: str, saved: int = 0) -> Response:
    """One person: details, tracks, mentors, password, access."""
    found = services.people.by_name(name)
    form = PersonForm(
        found.name,
        found.display_name,
        found.role,
        found.language,
        tuple(course.slug for course in services.courses.of_person(found.id)),
        tuple(mentor.name for mentor in services.people.mentors_of(found.id)),
    )
    return _person_page(request, caller, services, form, found, saved=bool(saved))


@router.post("/admin/people/{name}", dependencies=[Depends(same_origin)])
def change_person(
    request: Request, caller: AdminDep, services: ServicesDep, name: str, form: FormDep
) -> Response:
    """Change details, role, tracks and mentors. Nobody changes their own role."""
    found = services.people.by_name(name)
    try:
        if found.id == caller.person_id and form.role != found.role:
            raise ConflictError("You can't change your own role. Ask another admin.", reason="own_account")
        services.people.change(found.id, form.display_name, form.role, form.language)
    except AtelierError as error:
        return _again(request, caller, services, form, found, error=error)
    _set_places(services, services.people.get(found.id), form)
    return RedirectResponse(
        f"{services.settings.service_prefix}admin/people/{found.name}?saved=1", status_code=303
    )


@router.post("/admin/people/{name}/password", dependencies=[Depends(same_origin)])
def reset_password(request: Request, caller: AdminDep, services: ServicesDep, name: str) -> Response:
    """Give somebody a new password and show it once."""
    found = services.people.by_name(name)
    password = one_time_password()
    services.people.set_password(found.id, password)
    return _password_page(request, caller, found, password, new=False)


@router.post("/admin/people/{name}/active", dependencies=[Depends(same_origin)])
def set_active(
    caller: AdminDep, services: ServicesDep, name: str, active: Annotated[bool, Form()]
) -> Response:
    """Shut somebody out, or let them in again; nothing of theirs is lost."""
    found = services.people.by_name(name)
    if found.id == caller.person_id:
        raise ConflictError("You can't deactivate your own account.", reason="own_account")
    services.people.set_active(found.id, active)
    return RedirectResponse(
        f"{services.settings.service_prefix}admin/people/{found.name}?saved=1", status_code=303
    )


def _set_places(services: ServicesDep, person: Person, form: PersonForm) -> None:
    """Make enrolments and mentors what the form says; names that don't exist are left out."""
    known = {course.slug for course in services.courses.all()}
    before = {course.slug for course in services.courses.of_person(person.id)}
    for slug in known.intersection(form.courses) - before:
        services.courses.enrol(person.id, slug)
    for slug in before - set(form.courses):
        services.courses.unenrol(person.id, slug)
    if person.role != Role.LEARNER:
        return
    mentors = {one.name for one in services.people.everyone() if one.role == Role.MENTOR}
    now = {mentor.name for mentor in services.people.mentors_of(person.id)}
    for mentor in mentors.intersection(form.mentors) - now:
        services.people.assign_mentor(mentor, person.name)
    for mentor in now - set(form.mentors):
        services.people.unassign_mentor(mentor, person.name)


def _again(
    request: Request,
    caller: Caller,
    services: ServicesDep,
    form: PersonForm,
    found: Person | None,
    *,
    error: AtelierError,
) -> Response:
    place = FIELD_OF.get(error.reason)
    if place is None:
        raise error
    form.errors[place] = translate(caller.language, error.message, **error.values)
    return _person_page(request, caller, services, form, found, status_code=error.status)


def _person_page(
    request: Request,
    caller: Caller,
    services: ServicesDep,
    form: PersonForm,
    found: Person | None,
    *,
    saved: bool = False,
    status_code: int = 200,
) -> Response:
    words = texts(caller.language)
    context: dict[str, Any] = {
        "form": form,
        "person": found,
        "saved": saved,
        "own": found is not None and found.id == caller.person_id,
        "tracks": list(track_cards(services.courses.all(), words).values()),
        "mentors": [one for one in services.people.everyone() if one.role == Role.MENTOR and one.active],
        "roles": list(Role),
        "languages": LANGUAGE_NAMES,
    }
    return render(request, caller, "person.html", status_code=status_code, **context)


def _password_page(request: Request, caller: Caller, person: Person, password: str, *, new: bool) -> Response:
    return render(request, caller, "password.html", person=person, password=password, new=new)
