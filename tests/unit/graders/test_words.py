"""Every sentence exists in every language and takes the same values."""

from __future__ import annotations

import string

import pytest

from graders.words import LANGUAGES, TEXTS, say


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("key", TEXTS)
def test_sentence(key: str) -> None:
    texts = TEXTS[key]
    assert set(texts) == set(LANGUAGES)
    assert len({frozenset(places(text)) for text in texts.values()}) == 1
    assert all(text.strip() for text in texts.values())


def test_an_unknown_language_is_english() -> None:
    assert say("passed", "de") == say("passed", "en")
