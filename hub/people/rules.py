"""What is allowed for people: names, passwords, display names, languages. Pure functions; called by
hub/people/service.py.

A name becomes a JupyterHub user name and the first label of a host name (`<name>.learn.example.org`), and it
is shown to trainers and mentors: it must be a valid label, must not be one of the platform's own, and must
not pass for somebody else's.
"""

from __future__ import annotations

import re

from hub.errors import InvalidInputError
from hub.people.models import Role
from hub.settings import LANGUAGES

NAME_MIN = 2
NAME_MAX = 32
PASSWORD_MIN = 10
PASSWORD_MAX_BYTES = 1024
DISPLAY_NAME_MAX = 120

_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")

_PLATFORM_NAMES = """
    account admin administrator api atelier certificates help hub info jupyter jupyterhub learner login mail
    mentor noreply operator postmaster root security service services signin sign-in staff static support
    system trainer user users webmaster www
"""
_HOST_NAMES = "autoconfig autodiscover broadcasthost isatap localhost wpad"

RESERVED_NAMES = frozenset((_PLATFORM_NAMES + _HOST_NAMES).split())
"""Never given to a person: what people would take for the platform itself, and host names with a meaning of
their own. JupyterHub's service hosts hold a double hyphen, which no name can have."""

_LOOKALIKES = (("rn", "m"), ("vv", "w"), ("0", "o"), ("1", "l"), ("-", ""))


def normalise_name(name: str) -> str:
    """Return the name as it is stored: people type capitals and stray blanks."""
    return name.strip().lower()


def check_name(name: str) -> None:
    """Accept a new name or say what is wrong with it.

    Raises:
        InvalidInputError: too short, too long, other characters, or reserved.
    """
    if not NAME_MIN <= len(name) <= NAME_MAX or not _NAME.fullmatch(name):
        raise InvalidInputError(
            "A name has %(min)d to %(max)d characters: letters a-z, digits, and single hyphens between them.",
            reason="invalid_name",
            min=NAME_MIN,
            max=NAME_MAX,
        )
    if name in RESERVED_NAMES or skeleton(name) in _RESERVED_SKELETONS:
        raise InvalidInputError("The name “%(name)s” is reserved.", reason="reserved_name", name=name)


def skeleton(name: str) -> str:
    """Return what two names have in common when a reader could take one for the other (l and 1, rn and m,
    …).
    """
    for looks, like in _LOOKALIKES:
        name = name.replace(looks, like)
    return name


_RESERVED_SKELETONS = frozenset(map(skeleton, RESERVED_NAMES))


def check_display_name(display_name: str) -> str:
    """Return the display name without stray blanks.

    Raises:
        InvalidInputError: empty, too long, or with control characters.
    """
    text = " ".join(display_name.split())
    if not text or len(text) > DISPLAY_NAME_MAX or not text.isprintable():
        raise InvalidInputError(
            "A display name has 1 to %(max)d characters.", reason="invalid_display_name", max=DISPLAY_NAME_MAX
        )
    return text


def check_language(language: str) -> None:
    """Accept a language that the platform speaks.

    Raises:
        InvalidInputError: another one.
    """
    if language not in LANGUAGES:
        raise InvalidInputError("This language is not available here.", reason="invalid_language")


def parse_role(role: str) -> Role:
    """Return the role.

    Raises:
        InvalidInputError: there is no such role.
    """
    try:
        return Role(role)
    except ValueError as error:
        raise InvalidInputError("There is no such role.", reason="invalid_role") from error


def check_password(password: str, name: str) -> None:
    """Accept a new password: long enough, not the name. Length counts, kinds of characters do not.

    Raises:
        InvalidInputError: too short, too long, or made of the name.
    """
    if len(password) < PASSWORD_MIN or len(password.encode()) > PASSWORD_MAX_BYTES:
        raise InvalidInputError(
            "A password has at least %(min)d characters.", reason="invalid_password", min=PASSWORD_MIN
        )
    if name in password.lower():
        raise InvalidInputError("A password must not contain your name.", reason="invalid_password")
