"""An exercise and a track as pages show them: title, level, hints in the reader's language, colour and letter of the line.

Called by the views of every feature. Pure: published values and a language in, plain values out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pydantic import ValidationError

from hub.courses.exercise_language import translate_message
from hub.courses.exercise_sheet import ExerciseSheet, LocalText

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hub.courses.models import AssignmentVersion, Course
    from hub.pages.texts import Texts
    from hub.settings import Settings

COLOURS = 6
"""So many accents there are (`track-0` …); a track keeps its own by its place."""


@dataclass(frozen=True, slots=True)
class TrackCard:
    """A track: its words, and the sign of its line."""

    id: int
    slug: str
    title: str
    letter: str
    colour: int


@dataclass(frozen=True, slots=True)
class HintCard:
    """One step of help; `task` names the question it is for, or is empty."""

    task: str
    text: str


def track_cards(courses: Sequence[Course], words: Texts) -> dict[int, TrackCard]:
    """Return the cards of these tracks by id; a line keeps its colour and its letter in every language."""
    cards: dict[int, TrackCard] = {}
    for course in courses:
        title = words.of(course.titles, course.slug)
        colour = (max(course.position, 1) - 1) % COLOURS
        cards[course.id] = TrackCard(course.id, course.slug, title, course.slug[:1].upper(), colour)
    return cards


def sheet_of(version: AssignmentVersion | None, slug: str) -> ExerciseSheet:
    """Return what exercise.yml said when the version was published; a plain one where it said nothing."""
    fields = ExerciseSheet.model_fields
    about: dict[str, Any] = {
        key: value for key, value in (version.about if version else {}).items() if key in fields
    }
    about.setdefault("title", slug)
    try:
        return ExerciseSheet.model_validate(about)
    except (
        ValidationError
    ):  # published by an older release with another schema: the title is still worth showing
        title = about["title"]
        return ExerciseSheet(title=LocalText.model_validate(title) if title else LocalText(en=slug))


def title_of(version: AssignmentVersion | None, slug: str, words: Texts) -> str:
    """Return the exercise's title in the reader's language, its slug where it has none."""
    title = (version.about if version else {}).get("title")
    return words.of(title, slug) if isinstance(title, dict) else str(title or slug)


def hint_cards(sheet: ExerciseSheet, words: Texts) -> list[HintCard]:
    """Return the steps of help in order."""
    return [HintCard(hint.task or "", hint.text.text(words.language)) for hint in sheet.hints]


def message_in(sheet: ExerciseSheet, text: str, words: Texts) -> str:
    """Return what a check said, in the reader's language where its author translated it."""
    return translate_message(text, words.language, sheet.messages)


def open_url(settings: Settings, person: str, track: str, slug: str) -> str:
    """Return the link that starts the person's server and opens the exercise there, fetched and ready."""
    target = f"/user/{person}/atelier/open/{quote(track, safe='')}/{quote(slug, safe='')}"
    return f"{settings.url}/hub/spawn/{quote(person, safe='')}?next={quote(target, safe='')}"


def formgrader_url(settings: Settings, person: str) -> str:
    """Return the link that starts a trainer's server and opens formgrader there."""
    target = quote(f"/user/{person}/formgrader", safe="")
    return f"{settings.url}/hub/spawn/{quote(person, safe='')}?next={target}"
