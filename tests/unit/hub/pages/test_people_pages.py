"""The admin's pages about people: errors beside the fields, nothing typed is lost, a password is shown once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from bs4 import BeautifulSoup

from hub.people.form import one_time_password
from hub.people.rules import check_password

if TYPE_CHECKING:
    from tests.unit.hub.pages.conftest import Pages

NEW = {
    "name": "nadia",
    "display_name": "Nadia El Amrani",
    "role": "learner",
    "language": "fr",
    "courses": ["web", "data", "no-such-track"],
    "mentors": ["mentor1", "trainer1"],
}


def test_adding_somebody_shows_a_password_that_lets_them_in(pages: Pages) -> None:
    answer = pages.as_("admin1").post("admin/people/new", NEW)
    password = BeautifulSoup(answer.text, "html5lib").select_one("#one-time-password").get_text()
    assert answer.headers["cache-control"] == "no-store"
    people, courses = pages.services.people, pages.services.courses
    person = people.verify_password("nadia", password, "127.0.0.1")
    assert person is not None
    assert [course.slug for course in courses.of_person(person.id)] == ["web", "data"]
    assert [mentor.name for mentor in people.mentors_of(person.id)] == ["mentor1"]
    assert password not in pages.as_("admin1").get("admin/people/nadia").text


@pytest.mark.parametrize(
    ("change", "field", "says"),
    [
        ({"name": "Nadia El"}, "name", "A name has 2 to"),
        ({"name": "admin"}, "name", "is reserved"),
        ({"name": "learner1"}, "name", "is taken"),
        ({"name": "leamer1"}, "name", "looks like"),
        ({"display_name": "  "}, "display_name", "A display name has"),
        ({"role": "emperor"}, "role", "no such role"),
        ({"language": "xx"}, "language", "not available"),
    ],
)
def test_an_error_stands_beside_its_field_and_the_rest_is_kept(
    change: dict[str, str], field: str, says: str, pages: Pages
) -> None:
    answer = pages.as_("admin1").post("admin/people/new", NEW | change)
    page = BeautifulSoup(answer.text, "html5lib")
    assert answer.status_code in (409, 422)
    wrong = page.select_one(f"#{field}")
    assert wrong["aria-invalid"] == "true"
    assert says in page.select_one(f"#{field}-wrong").get_text()
    assert f"{field}-wrong" in wrong["aria-describedby"]
    typed = NEW | change
    assert page.select_one("#name")["value"] == typed["name"]
    assert page.select_one("#display_name")["value"] == typed["display_name"]
    assert {box["value"] for box in page.select("input[name=courses][checked]")} == {"web", "data"}


def test_details_tracks_and_mentors_change_together(pages: Pages) -> None:
    browser = pages.as_("admin1")
    form = {
        "display_name": "Amina B.",
        "role": "learner",
        "language": "nl",
        "courses": ["data"],
        "mentors": ["mentor2"],
    }
    answer = browser.post("admin/people/learner1", form)
    assert answer.status_code == 303
    people, courses = pages.services.people, pages.services.courses
    person = people.by_name("learner1")
    assert (person.display_name, person.language) == ("Amina B.", "nl")
    assert [course.slug for course in courses.of_person(person.id)] == ["data"]
    assert [mentor.name for mentor in people.mentors_of(person.id)] == ["mentor2"]


def test_a_new_role_ends_who_follows_whom(pages: Pages) -> None:
    form = {"display_name": "Karim", "role": "trainer", "language": "fr"}
    pages.as_("admin1").post("admin/people/mentor1", form)
    mentor = pages.services.people.by_name("mentor1")
    assert pages.services.people.learners_of(mentor.id) == []
    assert pages.as_("mentor1").get("mentor/learners/learner3").status_code == 404


def test_an_admin_cannot_lock_everybody_out(pages: Pages) -> None:
    browser = pages.as_("admin1")
    answer = browser.post("admin/people/admin1", {"display_name": "Ann", "role": "learner", "language": "en"})
    assert answer.status_code == 409
    assert browser.post("admin/people/admin1/active", {"active": "false"}).status_code == 409
    assert pages.services.people.by_name("admin1").active


def test_shut_out_and_let_in_again(pages: Pages) -> None:
    browser = pages.as_("admin1")
    browser.post("admin/people/learner1/active", {"active": "false"})
    assert not pages.services.people.by_name("learner1").active
    assert "Not active" in browser.get("admin/people").text
    browser.post("admin/people/learner1/active", {"active": "true"})
    assert pages.services.people.by_name("learner1").active


def test_a_new_password_replaces_the_old_one(pages: Pages) -> None:
    answer = pages.as_("admin1").post("admin/people/learner1/password")
    password = BeautifulSoup(answer.text, "html5lib").select_one("#one-time-password").get_text()
    assert pages.services.people.verify_password("learner1", password, "127.0.0.1") is not None


def test_people_are_found(pages: Pages) -> None:
    browser = pages.as_("admin1")
    page = BeautifulSoup(browser.get("admin/people?q=PEETERS").text, "html5lib")
    assert [row.select_one("a").get_text() for row in page.select("tbody tr")] == ["Daan Peeters"]
    assert "Nobody found" in browser.get("admin/people?q=zzz&role=mentor").text


def test_one_time_passwords_fit_the_rules_and_differ() -> None:
    made = {one_time_password() for _ in range(50)}
    assert len(made) == 50
    for password in made:
        check_password(password, "nadia")
        assert not set(password) & set("0o1li")
