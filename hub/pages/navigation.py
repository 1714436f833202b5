"""What each role finds in the main menu. Called by the frame of every page."""

from __future__ import annotations

from dataclasses import dataclass

from hub.pages.texts import texts
from hub.people.models import Role


@dataclass(frozen=True, slots=True)
class Item:
    """One entry: a path below the service's prefix, and its label in the reader's language."""

    path: str
    label: str


def navigation(role: Role, language: str) -> list[Item]:
    """Return the menu of a role; the first entry is where that role starts."""
    words = texts(language)
    staff = [
        Item("trainer/overview", words.gettext("Overview")),
        Item("trainer/submissions", words.gettext("Submissions")),
        Item("trainer/exercises", words.gettext("Exercises")),
    ]
    match role:
        case Role.LEARNER:
            return [Item("path", words.gettext("My path"))]
        case Role.MENTOR:
            return [Item("mentor", words.gettext("My learners"))]
        case Role.TRAINER:
            return staff
        case Role.ADMIN:
            return [Item("admin/people", words.gettext("People")), *staff]
