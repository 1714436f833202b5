"""Our own words to learners, in English, French and Dutch: they stand in words.yml.

Called by whatever speaks to a learner: rejections, warnings, verdicts, feedback. A key that is missing in a
language fails a unit test. It must not know where a sentence is shown.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

LANGUAGES = ("en", "fr", "nl")


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence and what fills it, before a language is known."""

    key: str
    values: Mapping[str, object] = field(default_factory=dict)

    def text(self, language: str) -> str:
        """Return the sentence in `language`."""
        return say(self.key, language, **self.values)


def say(key: str, language: str, **values: object) -> str:
    """Return the sentence called `key`, filled.

    Raises:
        KeyError: there is no such sentence.
    """
    return TEXTS[key][language if language in LANGUAGES else "en"].format(**values)


def _load() -> dict[str, dict[str, str]]:
    with Path(__file__).with_name("words.yml").open(encoding="utf-8") as file:
        texts: dict[str, dict[str, str]] = yaml.safe_load(file)
    return texts


TEXTS = _load()
