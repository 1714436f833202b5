"""French and Dutch are complete, fit the English, and use the platform's words."""

from __future__ import annotations

import re

import pytest

from hub.pages.texts import Texts, best_language, catalogue
from hub.pages.translations import TRANSLATED, extract, load, problems


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_text_is_translated_once_and_with_the_same_places(language: str) -> None:
    assert list(problems(language)) == []


def test_texts_are_found_in_templates_in_python_and_in_errors() -> None:
    found = {message.id for message in extract() if isinstance(message.id, str)}
    assert {
        "Open in JupyterLab",
        "Has not handed in anything yet.",
        "This submission does not exist.",
    } <= found
    assert "Welcome" in found  # of JupyterHub's own pages


@pytest.mark.parametrize(
    ("language", "refused"),
    [
        ("fr", r"\b(login|tutoriel|test|soumettre|professeur)\b|\b(tu|ton|ta|tes)\b"),
        ("nl", r"\b(docent|professor|login|u|uw)\b"),
    ],
)
def test_the_words_are_those_of_the_glossary(language: str, refused: str) -> None:
    for message in load(language):
        for text in message.string if isinstance(message.string, tuple) else (message.string,):
            assert not message.id or not re.search(refused, str(text), re.IGNORECASE), text


def test_french_puts_no_break_before_its_double_signs() -> None:
    for message in load("fr"):
        for text in message.string if isinstance(message.string, tuple) else (message.string,):
            assert not message.id or not re.search(r" [:;?!»]|« ", str(text)), text


def test_plurals_follow_each_language() -> None:
    one, many = "%(num)s attempt", "%(num)s attempts"
    assert [Texts("fr").ngettext(one, many, count) for count in (0, 1, 2)] == [
        "0 essai",
        "1 essai",
        "2 essais",
    ]
    assert [Texts("nl").ngettext(one, many, count) for count in (0, 1, 2)] == [
        "0 pogingen",
        "1 poging",
        "2 pogingen",
    ]


def test_an_unknown_language_is_english() -> None:
    assert Texts("de").gettext("Start") == "Start"
    assert catalogue("../../etc").gettext("Start") == "Start"


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("fr-BE,fr;q=0.9,en;q=0.8", "fr"),
        ("ar, nl;q=0.4, en;q=0.3", "nl"),
        ("de;q=1, fr;q=0", "en"),
        ("fr;q=x, nl", "nl"),
        ("NL-be", "nl"),
    ],
)
def test_the_browser_is_heard(header: str, language: str) -> None:
    assert best_language(header) == language
