"""Dates, times and numbers as people in Brussels write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hub.pages.texts import Texts

AT = datetime(2025, 11, 3, 23, 30, tzinfo=UTC)  # half past midnight on the 4th in Brussels


@pytest.mark.parametrize(
    ("language", "moment", "day"),
    [
        ("en", "4 Nov, 00:30", "Tuesday 4 November 2025"),
        ("fr", "4 nov., 00:30", "mardi 4 novembre 2025"),
        ("nl", "4 nov, 00:30", "dinsdag 4 november 2025"),
    ],
)
def test_times_are_local(language: str, moment: str, day: str) -> None:
    words = Texts(language)
    assert words.moment(AT) == moment
    assert words.day(AT) == day


def test_ago_is_human() -> None:
    now = datetime(2026, 1, 10, tzinfo=UTC)
    assert Texts("en").ago(now - timedelta(seconds=20), now) == "just now"
    assert Texts("en").ago(now - timedelta(days=3), now) == "3 days ago"
    assert Texts("fr").ago(now - timedelta(days=3), now) == "il y a 3 jours"


@pytest.mark.parametrize(("language", "shown"), [("en", "2.5"), ("fr", "2,5"), ("nl", "2,5")])
def test_numbers_have_the_local_sign(language: str, shown: str) -> None:
    assert Texts(language).number(2.5) == shown
    assert Texts(language).number(3.0) == "3"


def test_titles_fall_back_to_english_then_to_the_slug() -> None:
    words = Texts("nl")
    assert words.of({"en": "Web", "nl": "Web NL"}) == "Web NL"
    assert words.of({"en": "Web"}) == "Web"
    assert words.of(None, "web") == "web"
