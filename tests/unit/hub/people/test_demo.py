"""The six demo people."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hub.people.demo import ensure_demo_people, reset_demo_people
from hub.people.service import People

if TYPE_CHECKING:
    from hub.settings import Settings


@dataclass(frozen=True)
class FakeCourse:
    slug: str


@dataclass
class FakeCourses:
    enrolled: set[tuple[int, str]] = field(default_factory=set)

    def all(self) -> list[FakeCourse]:
        return [FakeCourse(slug) for slug in ("web", "data", "security", "another")]

    def enrol(self, person_id: int, slug: str) -> None:
        self.enrolled.add((person_id, slug))


def accounts(settings: Settings) -> list[dict[str, str]]:
    return json.loads((settings.state_dir / "demo-accounts.json").read_text(encoding="utf-8"))


def test_six_people_with_passwords_of_their_own_in_a_private_file(people: People, settings: Settings) -> None:
    courses = FakeCourses()
    outcome = ensure_demo_people(people, courses, settings)
    rows = accounts(settings)
    assert [row["name"] for row in rows] == [
        "learner1",
        "learner2",
        "learner3",
        "trainer1",
        "mentor1",
        "admin1",
    ]
    assert {frozenset(row) for row in rows} == {frozenset({"name", "password", "role", "language"})}
    assert [row["language"] for row in rows] == ["fr", "nl", "en", "en", "fr", "en"]
    assert len({row["password"] for row in rows}) == 6
    assert outcome.accounts_file.stat().st_mode & 0o777 == 0o600
    assert outcome.advice == ""
    for row in rows:
        assert people.verify_password(row["name"], row["password"], "192.0.2.7") is not None
    in_courses = {people.get(person_id).name for person_id, _ in courses.enrolled}
    assert in_courses == {"learner1", "learner2", "learner3", "trainer1"}
    assert {slug for _, slug in courses.enrolled} == {"web", "data", "security"}
    assert len(people.learners_of(people.by_name("mentor1").id)) == 3


def test_a_second_time_changes_nothing(people: People, settings: Settings) -> None:
    ensure_demo_people(people, FakeCourses(), settings)
    before = accounts(settings)
    assert ensure_demo_people(people, FakeCourses(), settings).made == ()
    assert accounts(settings) == before


def test_a_crash_before_the_people_were_made_is_made_good_with_the_same_passwords(
    people: People, settings: Settings
) -> None:
    ensure_demo_people(people, FakeCourses(), settings)
    rows = accounts(settings)
    half = People(people._database, settings, people._passwords)
    with half._database.transaction() as session:
        from hub.people.models import Mentorship, Person

        session.query(Mentorship).delete()
        session.query(Person).filter(Person.name.in_(["learner2", "admin1"])).delete()
    outcome = ensure_demo_people(people, FakeCourses(), settings)
    assert set(outcome.made) == {"learner2", "admin1"}
    assert accounts(settings) == rows
    assert people.verify_password("admin1", rows[-1]["password"], "192.0.2.7") is not None


def test_a_lost_file_is_named_and_existing_passwords_stay(people: People, settings: Settings) -> None:
    ensure_demo_people(people, FakeCourses(), settings)
    rows = accounts(settings)
    (settings.state_dir / "demo-accounts.json").unlink()
    outcome = ensure_demo_people(people, FakeCourses(), settings)
    assert "atelier demo reset" in outcome.advice
    assert people.verify_password("learner1", rows[0]["password"], "192.0.2.7") is not None
    reset_demo_people(people, settings)
    assert people.verify_password("learner1", rows[0]["password"], "192.0.2.7") is None
    assert people.verify_password("learner1", accounts(settings)[0]["password"], "192.0.2.7") is not None
