"""The part of exercise.yml that grading needs: files the learner edits, limits, translated messages and comments.

Called by source.py and the command. Lenient: hub checks the sheet with good messages when it is published; here
a key of the wrong type counts as absent. It must not know of people, pages or publishing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import yaml

from graders.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from graders.results import Limits

SHEET_FILE = "exercise.yml"
PLACEHOLDER = re.compile(r"\{([a-z_][a-z0-9_]*)\}")
MAX_WALL_S = 100.0
MAX_MEMORY_MB = 2048

STUBS = {
    "YOUR CODE HERE": {"fr": "VOTRE CODE ICI", "nl": "HIER KOMT JOUW CODE"},
    "YOUR ANSWER HERE": {"fr": "VOTRE RÉPONSE ICI", "nl": "HIER KOMT JOUW ANTWOORD"},
}
"""What nbgrader puts in the place of a solution, as a release in another language has it."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """What an exercise's sheet says to its grader. Without a sheet: nothing."""

    present: bool = False
    edits: frozenset[str] = frozenset()
    limits: Mapping[str, float] = field(default_factory=dict)
    messages: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    comments: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def apply_limits(self, base: Limits) -> Limits:
        """Return `base` with the author's limits in their place, never beyond what the platform promises."""
        changes: dict[str, Any] = {
            name: min(float(self.limits[name]), MAX_WALL_S)
            for name in ("wall_s", "cell_s", "cpu_s")
            if name in self.limits
        }
        if "memory_mb" in self.limits:
            changes["memory_bytes"] = int(min(self.limits["memory_mb"], MAX_MEMORY_MB)) * 1024 * 1024
        return replace(base, **changes)

    def message(self, text: str, language: str) -> str:
        """Return what a check said in `language`, where the author translated it; `{name}` stands for any text."""
        exact = self.messages.get(text, {}).get(language)
        if exact:
            return exact
        for english in sorted(self.messages, key=len, reverse=True):
            translated = self.messages[english].get(language)
            if not translated or not PLACEHOLDER.search(english):
                continue
            match = _pattern(english).fullmatch(text)
            if match:
                # What stands in a place can be a message too: the reason that follows a general sentence.
                values = {
                    name: self.messages.get(value, {}).get(language) or value
                    for name, value in match.groupdict().items()
                }
                return _fill(translated, values)
        return text

    def in_english(self, text: str) -> str:
        """Return a released text with its translated stubs and comments put back into English, line by line."""
        known = {
            translated: english
            for english, translations in {**STUBS, **self.comments}.items()
            for translated in translations.values()
        }
        lines = []
        for line in text.split("\n"):
            for translated in sorted(known, key=len, reverse=True):
                if translated in line:
                    line = line.replace(translated, known[translated])  # noqa: PLW2901
                    break
            lines.append(line)
        return "\n".join(lines)


def parse_sheet(data: bytes) -> Sheet:
    """Read exercise.yml.

    Raises:
        SourceError: it is not YAML.
    """
    try:
        value = yaml.safe_load(data)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SourceError(f"{SHEET_FILE}: this is not YAML ({str(error)[:200]})") from None
    if not isinstance(value, dict):
        raise SourceError(f"{SHEET_FILE}: the file must be a list of keys and values")
    limits = value.get("limits")
    edits = value.get("edits")
    return Sheet(
        present=True,
        edits=frozenset(item for item in edits if isinstance(item, str))
        if isinstance(edits, list)
        else frozenset(),
        limits={
            str(name): float(number)
            for name, number in (limits.items() if isinstance(limits, dict) else ())
            if isinstance(number, (int, float)) and not isinstance(number, bool) and number > 0
        },
        messages=_translations(value.get("messages")),
        comments=_translations(value.get("comments")),
    )


def _translations(value: Any) -> dict[str, dict[str, str]]:
    if not isinstance(value, dict):
        return {}
    return {
        english: {str(language): text for language, text in texts.items() if isinstance(text, str)}
        for english, texts in value.items()
        if isinstance(english, str) and isinstance(texts, dict)
    }


def _fill(translated: str, values: Mapping[str, str | None]) -> str:
    return PLACEHOLDER.sub(lambda place: values.get(place[1]) or "", translated)


def _pattern(english: str) -> re.Pattern[str]:
    parts: list[str] = []
    names: set[str] = set()
    position = 0
    for place in PLACEHOLDER.finditer(english):
        parts.append(re.escape(english[position : place.start()]))
        parts.append(f"(?P={place[1]})" if place[1] in names else f"(?P<{place[1]}>.*?)")
        names.add(place[1])
        position = place.end()
    parts.append(re.escape(english[position:]))
    return re.compile("".join(parts), re.DOTALL)
