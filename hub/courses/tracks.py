"""Tracks and who takes part in them: the first half of what `Courses` (service.py) is made of.

Knows the tables of courses and enrolments; must not know HTTP or what is published.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from sqlalchemy import select

from hub.courses.build import Built, build
from hub.courses.models import Assignment, Course, Enrolment
from hub.courses.rules import check_course_slug
from hub.errors import NotFoundError
from hub.people.models import Person, Role

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from hub.db import Database
    from hub.settings import Settings
    from hub.submissions.store import Store

Builder = Callable[[Mapping[str, bytes], str, str], Built]


class Tracks:
    """Tracks and enrolments."""

    def __init__(
        self, database: Database, store: Store, settings: Settings, builder: Builder = build
    ) -> None:
        self._database = database
        self._store = store
        self._settings = settings
        self._build = builder

    def all(self) -> list[Course]:
        """Return every track, in the order of the path."""
        with self._database.reading() as session:
            return list(session.scalars(select(Course).order_by(Course.position, Course.slug)))

    def of_person(self, person_id: int) -> list[Course]:
        """Return the tracks that this person takes part in."""
        joined = select(Course).join(Enrolment, Enrolment.course_id == Course.id)
        query = joined.where(Enrolment.person_id == person_id).order_by(Course.position, Course.slug)
        with self._database.reading() as session:
            return list(session.scalars(query))

    def by_slug(self, slug: str) -> Course:
        """Return the track called `slug`.

        Raises:
            NotFoundError: there is none.
        """
        with self._database.reading() as session:
            return get_course(session, slug)

    def by_id(self, course_id: int) -> Course:
        """Return the track with this id.

        Raises:
            NotFoundError: there is none.
        """
        with self._database.reading() as session:
            course = session.get(Course, course_id)
        if course is None:
            raise no_course()
        return course

    def ensure_course(self, slug: str, titles: Mapping[str, str], position: int = 0) -> Course:
        """Make the track, or give it these titles and this place."""
        check_course_slug(slug)
        with self._database.transaction() as session:
            course = session.scalar(select(Course).where(Course.slug == slug))
            if course is None:
                course = Course(slug=slug)
                session.add(course)
            course.titles = dict(titles)
            course.position = position
            session.flush()
            return course

    def enrol(self, person_id: int, slug: str) -> None:
        """Let a person take part in a track; doing it again changes nothing."""
        with self._database.transaction() as session:
            course = get_course(session, slug)
            if session.get(Enrolment, (person_id, course.id)) is None:
                session.add(Enrolment(person_id=person_id, course_id=course.id))

    def unenrol(self, person_id: int, slug: str) -> None:
        """Take a person out of a track; what they handed in stays. Doing it again changes nothing."""
        with self._database.transaction() as session:
            enrolment = session.get(Enrolment, (person_id, get_course(session, slug).id))
            if enrolment is not None:
                session.delete(enrolment)

    def members(self) -> dict[int, frozenset[int]]:
        """Return the ids of the people of each track, by the track's id, in one query."""
        found: dict[int, set[int]] = {}
        with self._database.reading() as session:
            for course_id, person_id in session.execute(select(Enrolment.course_id, Enrolment.person_id)):
                found.setdefault(course_id, set()).add(person_id)
        return {course_id: frozenset(people) for course_id, people in found.items()}

    def is_enrolled(self, person_id: int, course_id: int) -> bool:
        """Return whether a person takes part in a track."""
        with self._database.reading() as session:
            return session.get(Enrolment, (person_id, course_id)) is not None

    def learners(self, course_id: int) -> list[int]:
        """Return the ids of the active learners of a track."""
        query = (
            select(Enrolment.person_id)
            .join(Person, Person.id == Enrolment.person_id)
            .where(Enrolment.course_id == course_id, Person.role == Role.LEARNER, Person.active.is_(True))
            .order_by(Enrolment.person_id)
        )
        with self._database.reading() as session:
            return list(session.scalars(query))


def get_course(session: Session, slug: str) -> Course:
    course = session.scalar(select(Course).where(Course.slug == slug))
    if course is None:
        raise no_course()
    return course


def find_assignment(session: Session, course_id: int, slug: str) -> Assignment | None:
    return session.scalar(
        select(Assignment).where(Assignment.course_id == course_id, Assignment.slug == slug)
    )


def get_assignment(session: Session, course_id: int, slug: str) -> Assignment:
    assignment = find_assignment(session, course_id, slug)
    if assignment is None:
        raise no_assignment()
    return assignment


def no_course() -> NotFoundError:
    return NotFoundError("This track does not exist, or you don't take part in it.")


def no_assignment() -> NotFoundError:
    return NotFoundError("This exercise does not exist.")
