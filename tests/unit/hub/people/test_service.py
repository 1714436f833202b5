"""Use cases of people."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from hub.errors import ConflictError, InvalidInputError, NotFoundError, TooManyRequestsError
from hub.people.models import FailedSignIn, Person, Role
from hub.people.service import People
from hub.settings import Settings

if TYPE_CHECKING:
    from hub.db import Database
    from tests.unit.hub.people.conftest import CountingPasswords

PASSWORD = "correct horse battery"


def make(people: People, name: str, role: Role = Role.LEARNER) -> Person:
    return people.create(name, name.title(), role, "fr", PASSWORD)


def fail(people: People, name: str, times: int, address: str = "192.0.2.7") -> None:
    for _ in range(times):
        assert people.verify_password(name, "wrong", address) is None


def test_create_and_find(people: People) -> None:
    made = people.create(" Anna ", "Anna  B", "mentor", "nl", PASSWORD)
    assert (made.name, made.display_name, made.role, made.language) == ("anna", "Anna B", Role.MENTOR, "nl")
    assert made.password_hash is not None
    assert PASSWORD not in made.password_hash
    assert people.get(made.id).name == people.by_name("ANNA").name == "anna"
    assert people.find("bob") is None
    with pytest.raises(NotFoundError):
        people.by_name("bob")
    with pytest.raises(NotFoundError):
        people.get(999)


@pytest.mark.parametrize(("name", "reason"), [("anna", "name_taken"), ("a-nna", "name_mistakable")])
def test_a_name_is_nobody_elses(people: People, name: str, reason: str) -> None:
    make(people, "anna")
    with pytest.raises(ConflictError) as caught:
        make(people, name)
    assert caught.value.reason == reason
    assert [person.name for person in people.everyone()] == ["anna"]


def test_sign_in(people: People) -> None:
    make(people, "anna")
    person = people.verify_password(" Anna", PASSWORD, "192.0.2.7")
    assert person is not None
    assert person.name == "anna"
    assert people.verify_password("anna", "wrong", "192.0.2.7") is None
    assert people.verify_password("nobody", PASSWORD, "192.0.2.7") is None


def test_somebody_without_a_password_does_not_get_in(people: People) -> None:
    people.create("anna", "Anna", Role.LEARNER, "en", None)
    for password in ("", "None", "no account has this password"):
        assert people.verify_password("anna", password, "192.0.2.7") is None


def test_somebody_deactivated_does_not_get_in_and_comes_back(people: People) -> None:
    anna = make(people, "anna")
    people.set_active(anna.id, False)
    assert people.verify_password("anna", PASSWORD, "192.0.2.7") is None
    people.set_active(anna.id, True)
    assert people.verify_password("anna", PASSWORD, "192.0.2.7") is not None


def test_the_same_work_is_done_whether_the_name_exists_or_not(
    people: People, passwords: CountingPasswords
) -> None:
    inactive = make(people, "inactive")
    people.set_active(inactive.id, False)
    make(people, "anna")
    for name in ("anna", "nobody", "inactive", "x" * 500):
        assert people.verify_password(name, "wrong", "192.0.2.7") is None
    assert len(passwords.checked) == 4


def test_a_name_has_to_wait_after_too_many_failures_even_with_the_right_password(
    people: People, settings: Settings
) -> None:
    make(people, "anna")
    make(people, "bob")
    fail(people, "anna", settings.sign_in_max_failures)
    with pytest.raises(TooManyRequestsError) as caught:
        people.verify_password("anna", PASSWORD, "198.51.100.1")
    assert "5 minutes" in str(caught.value)
    assert people.verify_password("bob", PASSWORD, "192.0.2.7") is not None


def test_names_that_nobody_has_are_throttled_alike(people: People, settings: Settings) -> None:
    fail(people, "nobody", settings.sign_in_max_failures)
    with pytest.raises(TooManyRequestsError):
        people.verify_password("nobody", "wrong", "192.0.2.7")


def test_an_address_has_to_wait_whatever_names_it_tries(
    database: Database, passwords: CountingPasswords
) -> None:
    people = People(database, Settings(sign_in_max_failures_per_address=5), passwords)
    make(people, "anna")
    for number in range(5):
        fail(people, f"name{number}", 1, "192.0.2.7")
    with pytest.raises(TooManyRequestsError):
        people.verify_password("anna", PASSWORD, "192.0.2.7")
    assert people.verify_password("anna", PASSWORD, "192.0.2.8") is not None


def test_success_and_a_new_password_forget_failures(people: People, settings: Settings) -> None:
    anna = make(people, "anna")
    fail(people, "anna", settings.sign_in_max_failures - 1)
    assert people.verify_password("anna", PASSWORD, "192.0.2.7") is not None
    fail(people, "anna", settings.sign_in_max_failures)
    people.set_password(anna.id, "another good password")
    assert people.verify_password("anna", "another good password", "192.0.2.7") is not None
    assert people.verify_password("anna", PASSWORD, "192.0.2.7") is None


def test_the_wait_ends_with_the_window(people: People, database: Database, settings: Settings) -> None:
    make(people, "anna")
    fail(people, "anna", settings.sign_in_max_failures)
    with database.transaction() as session:
        for failure in session.query(FailedSignIn):
            failure.at -= timedelta(seconds=settings.sign_in_window + 1)
    assert people.verify_password("anna", PASSWORD, "192.0.2.7") is not None
    with database.reading() as session:
        assert session.query(FailedSignIn).count() == 0


def test_attempts_at_the_same_time_all_count(
    people: People, settings: Settings, passwords: CountingPasswords
) -> None:
    make(people, "anna")
    throttled: list[bool] = []

    def attempt() -> None:
        try:
            people.verify_password("anna", "wrong", "192.0.2.7")
        except TooManyRequestsError:
            throttled.append(True)

    threads = [threading.Thread(target=attempt) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(passwords.checked) == settings.sign_in_max_failures
    assert len(throttled) == 20 - settings.sign_in_max_failures


def test_mentors(people: People) -> None:
    mentor = make(people, "marie", Role.MENTOR)
    for name in ("zoe", "anna"):
        make(people, name)
        people.assign_mentor("marie", name)
        people.assign_mentor("marie", name)
    assert [person.name for person in people.learners_of(mentor.id)] == ["anna", "zoe"]
    anna = people.by_name("anna")
    assert [person.name for person in people.mentors_of(anna.id)] == ["marie"]
    assert people.is_mentor_of(mentor.id, anna.id)
    people.unassign_mentor("marie", "anna")
    assert not people.is_mentor_of(mentor.id, anna.id)
    with pytest.raises(InvalidInputError):
        people.assign_mentor("anna", "zoe")
    with pytest.raises(NotFoundError):
        people.assign_mentor("marie", "nobody")


def test_language(people: People) -> None:
    anna = make(people, "anna")
    people.set_language(anna.id, "nl")
    assert people.get(anna.id).language == "nl"
    with pytest.raises(InvalidInputError):
        people.set_language(anna.id, "de")


def test_the_last_admin_stays(people: People) -> None:
    one, other = make(people, "ada", Role.ADMIN), make(people, "bea", Role.ADMIN)
    people.set_active(one.id, False)
    with pytest.raises(ConflictError):
        people.set_active(other.id, False)
    people.set_active(one.id, False)
    assert people.get(other.id).active
