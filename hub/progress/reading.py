"""Reads events with the names around them, in one query. Called by `hub.progress.service` alone.

The one place where progress looks at the tables of people and courses: an event that is told to a reporter carries
names, since a reporter from outside knows no ids of ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from hub.courses.models import Assignment, Course
from hub.people.models import Person
from hub.progress.models import Event, EventType

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class ReportedEvent:
    """An event as reporters see it: names instead of ids, frozen."""

    id: int
    at: datetime
    type: EventType
    person: str
    display_name: str
    language: str
    course: str | None
    assignment: str | None
    submission_id: str | None
    source: str
    payload: dict[str, Any]


def reported(session: Session, event_ids: list[int]) -> list[ReportedEvent]:
    """Return these events with names, oldest first."""
    rows = session.execute(
        select(Event, Person, Course.slug, Assignment.slug)
        .join(Person, Person.id == Event.person_id)
        .join(Course, Course.id == Event.course_id, isouter=True)
        .join(Assignment, Assignment.id == Event.assignment_id, isouter=True)
        .where(Event.id.in_(event_ids))
        .order_by(Event.id)
    )
    return [
        ReportedEvent(
            id=event.id,
            at=event.at,
            type=EventType(event.type),
            person=person.name,
            display_name=person.display_name,
            language=person.language,
            course=course,
            assignment=assignment,
            submission_id=event.submission_id,
            source=event.source,
            payload=dict(event.payload),
        )
        for event, person, course, assignment in rows
    ]
