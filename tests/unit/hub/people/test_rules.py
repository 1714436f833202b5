"""Names and passwords."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import InvalidInputError
from hub.people import rules
from hub.people.models import Role


@pytest.mark.parametrize("name", ["jo", "learner1", "a-b", "anne-marie", "x" * 32, "12"])
def test_good_names(name: str) -> None:
    rules.check_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "a",
        "x" * 33,
        "Anna",
        "-anna",
        "anna-",
        "anna--bob",
        "an_na",
        "an.na",
        "an na",
        "anná",
        "\u0430nna",
        "a\n",
        "a/b",
    ],
)
def test_bad_names(name: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        rules.check_name(name)
    assert caught.value.reason == "invalid_name"


@pytest.mark.parametrize(
    "name", ["hub", "atelier", "root", "www", "r00t", "adrnin", "ate1ier", "sign-in", "signin"]
)
def test_names_of_the_platform_and_their_lookalikes_are_reserved(name: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        rules.check_name(name)
    assert caught.value.reason == "reserved_name"


@given(st.text())
def test_an_accepted_name_is_a_host_label_that_no_service_has(name: str) -> None:
    try:
        rules.check_name(name)
    except InvalidInputError:
        return
    assert name.isascii()
    assert name == name.lower()
    assert "--" not in name
    assert 2 <= len(name) <= 32


@pytest.mark.parametrize(
    ("one", "other"),
    [("learner1", "learnerl"), ("modern", "modem"), ("bob", "b0b"), ("anna-b", "annab"), ("vvim", "wim")],
)
def test_names_that_look_alike_have_one_skeleton(one: str, other: str) -> None:
    assert rules.skeleton(one) == rules.skeleton(other)


def test_names_that_differ_visibly_have_not() -> None:
    assert len({rules.skeleton(name) for name in ("lia", "ila", "learner1", "learner2", "ann", "anna")}) == 6


@pytest.mark.parametrize("password", ["short", "123456789", "x" * 1025, "mylearner1pass"])
def test_bad_passwords(password: str) -> None:
    with pytest.raises(InvalidInputError):
        rules.check_password(password, "learner1")


def test_good_password() -> None:
    rules.check_password("correct horse battery", "learner1")


@pytest.mark.parametrize("display_name", ["", "   ", "x" * 121, "a\x00b", "a\u202eb"])
def test_bad_display_names(display_name: str) -> None:
    with pytest.raises(InvalidInputError):
        rules.check_display_name(display_name)


def test_display_name_loses_stray_blanks() -> None:
    assert rules.check_display_name("  Élise \t Martin ") == "Élise Martin"


def test_roles_and_languages_are_closed_sets() -> None:
    assert rules.parse_role("mentor") is Role.MENTOR
    with pytest.raises(InvalidInputError):
        rules.parse_role("root")
    with pytest.raises(InvalidInputError):
        rules.check_language("de")
