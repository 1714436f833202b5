"""The demo people: six accounts with random passwords, made once. Called by set-up (`atelier demo`).

The passwords are written to `var/demo-accounts.json` *before* the people are made, so that a crash in between
leaves nothing that can't be finished by running it again. What exists is never overwritten.
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from hub.people.models import Role

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from hub.people.service import People
    from hub.settings import Settings


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """One of the six."""

    name: str
    display_name: str
    role: Role
    language: str


DEMO_PEOPLE = (
    DemoPerson("learner1", "Amina Diallo", Role.LEARNER, "fr"),
    DemoPerson("learner2", "Bram Peeters", Role.LEARNER, "nl"),
    DemoPerson("learner3", "Chen Wei", Role.LEARNER, "en"),
    DemoPerson("trainer1", "Dana Novak", Role.TRAINER, "en"),
    DemoPerson("mentor1", "Élise Martin", Role.MENTOR, "fr"),
    DemoPerson("admin1", "Farid Haddad", Role.ADMIN, "en"),
)
DEMO_TRACKS = frozenset({"web", "data", "security"})
ACCOUNTS_FILE = "demo-accounts.json"


class CourseLike(Protocol):
    """What is asked of a course here."""

    @property
    def slug(self) -> Any:
        """The track's short name."""


class Enrols(Protocol):
    """What is asked of the courses' service here."""

    def all(self) -> Sequence[CourseLike]:
        """Return every course."""

    def enrol(self, person_id: int, slug: str) -> Any:
        """Let a person take part; repeatable."""


@dataclass(frozen=True, slots=True)
class DemoOutcome:
    """What was done, and what the operator should know (empty when all is well)."""

    made: tuple[str, ...]
    accounts_file: Path
    advice: str = ""


def ensure_demo_people(people: People, courses: Enrols, settings: Settings) -> DemoOutcome:
    """Make those demo people that are missing, enrol them and give the learners their mentor. Repeatable."""
    path = settings.state_dir / ACCOUNTS_FILE
    known = _load(path)
    missing = [person for person in DEMO_PEOPLE if people.find(person.name) is None]
    passwords = {person.name: known.get(person.name) or secrets.token_urlsafe(12) for person in missing}
    if missing:
        _save(path, known | passwords)
    for person in missing:
        people.create(person.name, person.display_name, person.role, person.language, passwords[person.name])
    _enrol(people, courses)
    lost = [person.name for person in DEMO_PEOPLE if person.name not in known | passwords]
    advice = (
        f"The passwords of {', '.join(lost)} are not in {path}, "
        "and a password is kept as a hash, so it can't be read back. New ones: atelier demo reset"
        if lost
        else ""
    )
    return DemoOutcome(made=tuple(passwords), accounts_file=path, advice=advice)


def reset_demo_people(people: People, settings: Settings) -> Path:
    """Give every demo person a new password and write the file anew. Called by `atelier demo reset`."""
    path = settings.state_dir / ACCOUNTS_FILE
    passwords = {person.name: secrets.token_urlsafe(12) for person in DEMO_PEOPLE}
    _save(path, passwords)
    for name, password in passwords.items():
        people.set_password(people.by_name(name).id, password)
    return path


def _enrol(people: People, courses: Enrols) -> None:
    slugs = [str(course.slug) for course in courses.all() if course.slug in DEMO_TRACKS]
    for person in DEMO_PEOPLE:
        if person.role in (Role.LEARNER, Role.TRAINER):
            person_id = people.by_name(person.name).id
            for slug in slugs:
                courses.enrol(person_id, slug)
        if person.role is Role.LEARNER:
            people.assign_mentor("mentor1", person.name)


def _load(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    return {row["name"]: row["password"] for row in json.loads(path.read_text(encoding="utf-8"))}


def _save(path: Path, passwords: dict[str, str]) -> None:
    rows = [
        {
            "name": person.name,
            "password": passwords[person.name],
            "role": person.role.value,
            "language": person.language,
        }
        for person in DEMO_PEOPLE
        if person.name in passwords
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(rows, file, indent=2)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
