"""The admin's form about a person: what stands in it, where an error belongs, one-time passwords. Called by the views."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from hub.people.models import Role

FIELD_OF = {
    "invalid_name": "name",
    "reserved_name": "name",
    "name_taken": "name",
    "name_mistakable": "name",
    "invalid_display_name": "display_name",
    "invalid_language": "language",
    "invalid_role": "role",
    "last_admin": "role",
    "own_account": "role",
}
"""Where on the form an error of the service belongs."""

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that looks like something else on paper


@dataclass(frozen=True, slots=True)
class PersonForm:
    """What stands in the form; comes back as it was typed when something is wrong."""

    name: str = ""
    display_name: str = ""
    role: str = Role.LEARNER
    language: str = "fr"
    courses: tuple[str, ...] = ()
    mentors: tuple[str, ...] = ()
    errors: dict[str, str] = field(default_factory=dict)


def one_time_password() -> str:
    """Return a password that can be read out and typed: four groups of four, 79 bits."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(4))
