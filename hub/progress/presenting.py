"""A mentor's rows and a learner's timeline, as pages show them. Called by the views and by the API.

The number of queries does not grow with the number of learners.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from hub.courses.presenting import TrackCard, title_of, track_cards
from hub.db import now_utc
from hub.pages.texts import TIME_ZONE, Texts
from hub.progress.models import Event, EventType
from hub.progress.reasons import sentence
from hub.progress.rules import Reason, Urgency, reasons_for
from hub.progress.standing import DONE_FROM, LearnerStanding

if TYPE_CHECKING:
    from hub.courses.models import Course
    from hub.courses.service import AssignmentView
    from hub.people.models import Person
    from hub.service import Services

PLOT_DAYS = 14


@dataclass(frozen=True, slots=True)
class School:
    """Tracks, exercises and who learns where, read once for a page."""

    courses: list[Course]
    tracks: dict[int, TrackCard]
    exercises: dict[int, list[AssignmentView]]  # by course id
    learners: dict[int, frozenset[int]]  # by course id
    titles: dict[int, str]  # by assignment id

    def courses_of(self, person_id: int) -> list[Course]:
        """Return the tracks that a learner takes part in."""
        return [course for course in self.courses if person_id in self.learners[course.id]]


@dataclass(frozen=True, slots=True)
class TrackProgress:
    """How far a learner is on one line."""

    card: TrackCard
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class DayBar:
    """One day of the activity plot."""

    day: datetime
    count: int
    x: int
    height: int


@dataclass(frozen=True, slots=True)
class LearnerRow:
    """One learner in a mentor's list."""

    name: str
    display_name: str
    urgency: str  # now | watch | fine
    why: tuple[str, ...]
    rules: tuple[str, ...]
    tracks: tuple[TrackProgress, ...]
    plot: tuple[DayBar, ...]
    active_days: int
    last_active_at: datetime | None


def read_school(services: Services, words: Texts) -> School:
    """Read what every row needs."""
    courses = services.courses.all()
    exercises = {course.id: services.courses.assignments(course.id) for course in courses}
    return School(
        courses,
        track_cards(courses, words),
        exercises,
        {course.id: frozenset(services.courses.learners(course.id)) for course in courses},
        {
            view.assignment.id: title_of(view.version, view.assignment.slug, words)
            for views in exercises.values()
            for view in views
        },
    )


def rows_for(services: Services, people: list[Person], words: Texts) -> list[LearnerRow]:
    """Return one row for each of these learners, most in need first."""
    school = read_school(services, words)
    standings = services.progress.standings([person.id for person in people])
    now = now_utc()
    ranked = [_ranked(person, standings[person.id], school, words, now) for person in people if person.active]
    ranked.sort(key=lambda pair: (-pair[0].urgency, -pair[0].weight, pair[1].display_name.casefold()))
    return [row for _, row in ranked]


def _ranked(
    person: Person, standing: LearnerStanding, school: School, words: Texts, now: datetime
) -> tuple[Reason, LearnerRow]:
    courses = school.courses_of(person.id)
    exercises = [view.assignment.id for course in courses for view in school.exercises[course.id]]
    reasons = reasons_for(standing.enrolled(person.created_at), exercises, now, TIME_ZONE)
    today = now.astimezone(TIME_ZONE).date()
    plot = plot_of(standing, today)
    row = LearnerRow(
        name=person.name,
        display_name=person.display_name,
        urgency=reasons[0].urgency.name.lower(),
        why=tuple(sentence(reason, words, _title(school, reason)) for reason in reasons),
        rules=tuple(reason.rule.value for reason in reasons),
        tracks=tuple(track_progress(course, standing, school) for course in courses),
        plot=plot,
        active_days=sum(bar.count > 0 for bar in plot),
        last_active_at=standing.last_active_at,
    )
    return reasons[0], row


def _title(school: School, reason: Reason) -> str:
    return school.titles.get(reason.assignment_id, "") if reason.assignment_id is not None else ""


def track_progress(course: Course, standing: LearnerStanding, school: School) -> TrackProgress:
    """Return how far a learner is on a track."""
    views = school.exercises[course.id]
    return TrackProgress(
        school.tracks[course.id], sum(standing.of(view.assignment.id).done for view in views), len(views)
    )


def plot_of(standing: LearnerStanding, today: date) -> tuple[DayBar, ...]:
    """Return the bars of the last fourteen days; the tallest is 40 units, a day without activity 2."""
    days = standing.last_days(PLOT_DAYS, today)
    top = max((count for _, count in days), default=0)
    return tuple(
        DayBar(
            day=datetime(day.year, day.month, day.day, 12, tzinfo=TIME_ZONE),
            count=count,
            x=place * 13,
            height=max(8, round(40 * count / top)) if count else 2,
        )
        for place, (day, count) in enumerate(days)
    )


def counts(rows: list[LearnerRow]) -> dict[str, int]:
    """Return how many rows there are of each urgency."""
    return {level.name.lower(): sum(row.urgency == level.name.lower() for row in rows) for level in Urgency}


def timeline_days(events: list[Event], school: School) -> list[dict[str, Any]]:
    """Return events grouped by local day, newest first, ready for the page."""
    days: list[dict[str, Any]] = []
    judged = {event.submission_id for event in events if event.type in (EventType.GRADED, EventType.MARKED)}
    for event in events:
        day = event.at.astimezone(TIME_ZONE).date()
        if not days or days[-1]["day"] != day:
            days.append({"day": day, "at": event.at, "events": []})
        told = _event(event, school)
        told["link"] = event.submission_id is not None and (
            event.type in (EventType.GRADED, EventType.MARKED)
            or (event.type == EventType.SUBMITTED and event.submission_id not in judged)
        )
        days[-1]["events"].append(told)
    return days


def _event(event: Event, school: School) -> dict[str, Any]:
    score, max_score = event.payload.get("score"), event.payload.get("max_score")
    share = score / max_score if score is not None and max_score else None
    tone = ""
    if event.type in (EventType.GRADED, EventType.MARKED) and share is not None:
        tone = "good" if share >= DONE_FROM else ""
    elif event.type == EventType.GRADING_FAILED:
        tone = "bad"
    return {
        "type": EventType(event.type).value,
        "at": event.at,
        "title": school.titles.get(event.assignment_id or 0, ""),
        "track": school.tracks[event.course_id].title if event.course_id in school.tracks else "",
        "score": score,
        "max_score": max_score,
        "attempt": event.payload.get("attempt"),
        "again": (event.payload.get("run") or 1) > 1,
        "late": bool(event.payload.get("late")),
        "submission_id": event.submission_id,
        "tone": tone,
    }
