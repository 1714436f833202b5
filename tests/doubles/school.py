"""A small school in a database: three tracks, learners in every state there is. For tests of pages and progress.

Fills the tables through the models; feedback goes to a real store. Times are counted back from now.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from hub.courses.models import Assignment, AssignmentVersion, Course, Enrolment
from hub.db import Database, now_utc
from hub.people.models import Mentorship, Person, Role
from hub.progress.models import Event, EventType
from hub.submissions.archive import canonical_tar
from hub.submissions.models import Result, State, Submission

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from hub.submissions.store import Store

TRACKS: dict[str, tuple[dict[str, str], list[tuple[str, str, str, str, int]]]] = {
    "web": (
        {"en": "Web development", "fr": "Développement web", "nl": "Webontwikkeling"},
        [
            ("first-page", "Your first page", "Votre première page", "Je eerste pagina", 30),
            ("colours", "Colours and fonts", "Couleurs et polices", "Kleuren en lettertypes", 40),
            ("form", "A form that helps", "Un formulaire qui aide", "Een formulier dat helpt", 45),
            ("menu", "A menu for phones", "Un menu pour téléphones", "Een menu voor telefoons", 60),
            ("shop", "A small shop", "Une petite boutique", "Een kleine winkel", 90),
        ],
    ),
    "data": (
        {"en": "Data and AI", "fr": "Données et IA", "nl": "Data en AI"},
        [
            ("clean-table", "Clean a table", "Nettoyer un tableau", "Een tabel opschonen", 45),
            ("join", "Join two sources", "Relier deux sources", "Twee bronnen koppelen", 50),
            ("plot", "A plot that tells", "Un graphique qui parle", "Een grafiek die spreekt", 40),
            ("model", "A first model", "Un premier modèle", "Een eerste model", 60),
        ],
    ),
    "security": (
        {"en": "Security", "fr": "Sécurité", "nl": "Beveiliging"},
        [
            ("find-the-attack", "Find the attack", "Trouver l'attaque", "Vind de aanval", 45),
            ("passwords", "Passwords that hold", "Des mots de passe solides", "Sterke wachtwoorden", 30),
            ("injection", "Close the injection", "Fermer l'injection", "Dicht de injectie", 60),
        ],
    ),
}
MESSAGE = "The column {name} still holds empty values."
HOSTILE_FEEDBACK = (
    b"<html><body style='font-family:sans-serif'><h1>Clean a table</h1><p>Comment: look at dropna().</p>"
    b"<script>document.title='owned';parent.document.title='owned'</script><img src='x' onerror='alert(1)'>"
    b"</body></html>"
)
REASON = "SandboxError: the container did not start: no space left on device"
HOSTILE_MESSAGE = "<script>alert('message')</script> \u202egnp.exe \x1b[31mred"


def about(texts: tuple[str, str, str], minutes: int, level: int) -> dict[str, Any]:
    """Return what a version keeps of exercise.yml."""
    en, fr, nl = texts
    return {
        "title": {"en": en, "fr": fr, "nl": nl},
        "summary": {
            "en": "A table from a real station is full of gaps. Make it ready for work.",
            "fr": "Un tableau d'une vraie gare est plein de trous. Préparez-le pour la suite.",
            "nl": "Een tabel uit een echt station zit vol gaten. Maak ze klaar voor gebruik.",
        },
        "level": level,
        "minutes": minutes,
        "skills": [
            {
                "label": {
                    "en": "Find and fix errors",
                    "fr": "Trouver et corriger des erreurs",
                    "nl": "Fouten vinden en oplossen",
                },
                "ecf": "B.3",
                "esco": None,
            },
            {
                "label": {
                    "en": "Describe your steps",
                    "fr": "Décrire vos étapes",
                    "nl": "Je stappen beschrijven",
                },
                "ecf": None,
                "esco": None,
            },
        ],
        "hints": [
            {
                "task": None,
                "text": {
                    "en": "Read the table first: how many rows, how many columns?",
                    "fr": "Lisez d'abord le tableau : combien de lignes, combien de colonnes ?",
                    "nl": "Lees eerst de tabel: hoeveel rijen, hoeveel kolommen?",
                },
            },
            {
                "task": "q2-gaps",
                "text": {
                    "en": "isna() shows the gaps.",
                    "fr": "isna() montre les trous.",
                    "nl": "isna() toont de gaten.",
                },
            },
        ],
        "messages": {
            MESSAGE: {
                "fr": "La colonne {name} contient encore des valeurs vides.",
                "nl": "De kolom {name} bevat nog lege waarden.",
            }
        },
        "feedback": "automatic",
        "has_sheet": True,
        "warnings": [],
    }


CELLS = [("q1-read", 2.0), ("q2-gaps", 3.0), ("q3-types", 3.0), ("q4-explain", 2.0)]


def body(fraction: float, *, manual: bool = False, hostile: bool = False) -> dict[str, Any]:
    """Return a stored judgement with so large a share of the points."""
    cells: dict[str, Any] = {}
    left = round(fraction * 10, 2)
    for grade_id, points in CELLS:
        by_hand = manual and grade_id == "q4-explain"
        got = None if by_hand else min(points, left)
        left = max(0.0, left - (got or 0.0))
        verdict = "manual" if by_hand else "passed" if got == points else "partial" if got else "failed"
        told = (
            [] if got in (points, None) else [HOSTILE_MESSAGE if hostile else MESSAGE.format(name="arrival")]
        )
        cells[grade_id] = {
            "score": got,
            "max_score": points,
            "verdict": verdict,
            "way": "isolated",
            "messages": told,
            "evidence": "expected 42, got 41" if told else None,
        }
    score = sum(cell["score"] or 0 for cell in cells.values())
    return {
        "verdict": "graded",
        "score": score,
        "max_score": 10.0,
        "warnings": [],
        "seconds": {},
        "reason": None,
        "notebooks": {"notebook": {"score": score, "max_score": 10.0, "cells": cells}},
    }


@dataclass(slots=True)
class School:
    """Ids by name."""

    people: dict[str, int]
    courses: dict[str, int]
    assignments: dict[tuple[str, str], int]
    submissions: dict[str, str]  # a label -> id


class Builder:
    """Writes the school."""

    def __init__(self, session: Session, store: Store) -> None:
        self.session = session
        self.store = store
        self.now = now_utc()
        self.school = School({}, {}, {}, {})
        self.versions: dict[int, AssignmentVersion] = {}
        self.feedback = store.put(canonical_tar({"notebook.html": HOSTILE_FEEDBACK}))

    def ago(self, **spans: float) -> datetime:
        return self.now - timedelta(**spans)

    def tracks(self) -> None:
        for position, (slug, (titles, exercises)) in enumerate(TRACKS.items(), start=1):
            course = Course(slug=slug, titles=titles, position=position)
            self.session.add(course)
            self.session.flush()
            self.school.courses[slug] = course.id
            for place, (name, en, fr, nl, minutes) in enumerate(exercises, start=1):
                assignment = Assignment(course_id=course.id, slug=name, position=place)
                self.session.add(assignment)
                self.session.flush()
                version = AssignmentVersion(
                    assignment_id=assignment.id,
                    number=1 + place % 3,
                    source_digest="0" * 64,
                    releases={},
                    about=about((en, fr, nl), minutes, min(3, 1 + place // 2)),
                    notebooks=["notebook"],
                    cells=[
                        {"notebook": "notebook", "grade_id": grade_id, "max_score": points, "manual": False}
                        for grade_id, points in CELLS
                    ],
                    max_score=10.0,
                    published_at=self.ago(days=40 - place),
                )
                self.session.add(version)
                self.session.flush()
                assignment.current_version_id = version.id
                self.versions[assignment.id] = version
                self.school.assignments[(slug, name)] = assignment.id

    def person(
        self, name: str, display_name: str, role: Role, language: str, tracks: tuple[str, ...] = ()
    ) -> int:
        person = Person(
            name=name, display_name=display_name, role=role, language=language, created_at=self.ago(days=30)
        )
        self.session.add(person)
        self.session.flush()
        self.school.people[name] = person.id
        for slug in tracks:
            self.session.add(Enrolment(person_id=person.id, course_id=self.school.courses[slug]))
        return person.id

    def event(
        self,
        kind: EventType,
        person: str,
        track: str,
        slug: str,
        at: datetime,
        submission: str | None = None,
        **payload: Any,
    ) -> None:
        self.session.add(
            Event(
                at=at,
                type=kind,
                person_id=self.school.people[person],
                course_id=self.school.courses[track],
                assignment_id=self.school.assignments[(track, slug)],
                submission_id=submission,
                source="school",
                key=str(uuid.uuid4()),
                payload=payload,
            )
        )
        self.session.flush()

    def attempt(
        self,
        label: str,
        person: str,
        track: str,
        slug: str,
        number: int,
        at: datetime,
        fraction: float | None,
        *,
        state: State = State.GRADED,
        released: bool = True,
        **kinds: bool,
    ) -> None:
        assignment = self.school.assignments[(track, slug)]
        submission = Submission(
            id=str(uuid.uuid4()),
            person_id=self.school.people[person],
            assignment_id=assignment,
            version_id=self.versions[assignment].id,
            attempt=number,
            received_at=at,
            digest="0" * 64,
            size=1000,
            state=state,
        )
        self.session.add(submission)
        self.session.flush()
        self.school.submissions[label] = submission.id
        self.event(EventType.OPENED, person, track, slug, at - timedelta(minutes=35))
        self.event(EventType.SUBMITTED, person, track, slug, at, submission.id, attempt=number, late=False)
        graded_at = at + timedelta(seconds=2)
        if state is State.GRADED and fraction is not None:
            told = body(fraction, **kinds)
            result = Result(
                submission_id=submission.id,
                run=1,
                verdict="graded",
                score=told["score"],
                max_score=10.0,
                body=told,
                feedback_digest=self.feedback,
                feedback_released_at=graded_at if released else None,
                graded_at=graded_at,
                needs_manual_grade=kinds.get("manual", False),
            )
            self.session.add(result)
            self.session.flush()
            submission.result_id = result.id
            self.event(
                EventType.GRADED,
                person,
                track,
                slug,
                graded_at,
                submission.id,
                score=told["score"],
                max_score=10.0,
                verdict="graded",
                attempt=number,
                run=1,
            )
        elif state is State.FAILED:
            submission.failure = REASON
            self.session.add(
                Result(
                    submission_id=submission.id,
                    run=1,
                    verdict="internal_error",
                    score=0,
                    max_score=10,
                    body={},
                    detail=REASON,
                    graded_at=graded_at,
                )
            )
            self.event(
                EventType.GRADING_FAILED,
                person,
                track,
                slug,
                graded_at,
                submission.id,
                reason="platform_failed",
                attempt=number,
                run=1,
            )


def build_school(database: Database, store: Store) -> School:
    """Fill an empty, migrated database; return the ids."""
    every = tuple(TRACKS)
    with database.transaction() as session:
        b = Builder(session, store)
        b.tracks()
        b.person("learner1", "Amina Benali", Role.LEARNER, "fr", every)
        b.person("learner2", "Daan Peeters", Role.LEARNER, "nl", every)
        b.person("learner3", "Grace Okoro", Role.LEARNER, "en", every)
        b.person("yusuf", "Yusuf Demir", Role.LEARNER, "fr", ("web",))
        b.person("sofia", "Sofia Marchetti", Role.LEARNER, "en", ("data", "security"))
        b.person("lucas", "Lucas Vandenbroucke-Desmedt", Role.LEARNER, "nl", ("web", "security"))
        b.person("newcomer", "Tenzin Norbu", Role.LEARNER, "en", every)
        b.person("nowhere", "Nobody Enrolled", Role.LEARNER, "en")
        b.person("trainer1", "Hilde Claes", Role.TRAINER, "en", every)
        b.person("trainer2", "Marc Idle", Role.TRAINER, "en")
        b.person("mentor1", "Karim Haddad", Role.MENTOR, "fr")
        b.person("mentor2", "Els Free", Role.MENTOR, "nl")
        b.person("admin1", "Ann Admin", Role.ADMIN, "en")
        ids = b.school.people
        for learner in ("learner1", "learner2", "learner3", "yusuf", "sofia", "lucas"):
            session.add(Mentorship(mentor_id=ids["mentor1"], learner_id=ids[learner]))
        session.get_one(Person, ids["nowhere"]).active = True
        # learner3 moves on: done, done, half-way; something in another line
        b.attempt("g1", "learner3", "web", "first-page", 1, b.ago(days=12), 0.5)
        b.attempt("g2", "learner3", "web", "first-page", 2, b.ago(days=12, minutes=-30), 1.0)
        b.attempt("g3", "learner3", "web", "colours", 1, b.ago(days=6), 0.9)
        b.attempt("g4", "learner3", "data", "clean-table", 1, b.ago(days=3), 0.2)
        b.attempt("g5", "learner3", "data", "clean-table", 2, b.ago(days=1), 0.5, hostile=True)
        b.attempt("g6", "learner3", "security", "find-the-attack", 1, b.ago(days=2), 0.8, manual=True)
        # learner1 is stuck
        b.attempt("a0", "learner1", "web", "first-page", 1, b.ago(days=9), 1.0)
        for number in range(1, 6):
            b.attempt(
                f"a{number}",
                "learner1",
                "data",
                "clean-table",
                number,
                b.ago(days=5 - number * 0.8),
                0.2 + number * 0.05,
            )
        # learner2 fell silent
        for number, day in enumerate((26, 25, 23, 22, 20, 19, 16), start=1):
            slug = ("first-page", "colours", "form", "menu", "shop", "first-page", "form")[number - 1]
            b.attempt(f"d{number}", "learner2", "web", slug, 1 + (number > 5), b.ago(days=day), 0.8)
        # lucas was set aside, sofia has everything, yusuf never started
        b.attempt("l1", "lucas", "web", "first-page", 1, b.ago(days=1), None, state=State.FAILED)
        b.attempt("l2", "lucas", "security", "passwords", 1, b.ago(minutes=3), None, state=State.QUEUED)
        for track in ("data", "security"):
            for place, (slug, *_rest) in enumerate(TRACKS[track][1]):
                b.attempt(f"s-{slug}", "sofia", track, slug, 1, b.ago(days=8 - place), 1.0)
        return b.school
