"""What a trainer's pages show: what fails and why, lists of submissions, exercises. Called by the views of submissions.

A trainer sees the tracks they are enrolled in, an admin all of them; nothing here looks beyond that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hub.courses.presenting import TrackCard, formgrader_url, message_in, sheet_of, title_of, track_cards
from hub.pages.texts import Texts, texts
from hub.people.models import Person, Role
from hub.submissions import overview
from hub.submissions.models import State
from hub.submissions.presenting import question_labels

if TYPE_CHECKING:
    from hub.auth import Caller
    from hub.courses.service import AssignmentView
    from hub.service import Services

PAGE_SIZE = 50
SHOWN_QUESTIONS = 8


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


def read_place(services: Services, caller: Caller) -> Place:
    """Return what the caller trains."""
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


def overview_context(services: Services, caller: Caller) -> dict[str, Any]:
    """Return what the start page shows."""
    words = texts(caller.language)
    place = read_place(services, caller)
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
    services: Services, wanted: overview.Filter, place: Place, words: Texts
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


def list_context(
    services: Services, caller: Caller, asked: Asked, *, page: int, regrading: int
) -> dict[str, Any]:
    """Return one page of the list; `regrading` is how many were sent to be graded again a moment ago."""
    words = texts(caller.language)
    place = read_place(services, caller)
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


def exercise_row(view: AssignmentView, counts: tuple[int, int], words: Texts) -> dict[str, Any]:
    """Return one exercise with (learners, attempts)."""
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
