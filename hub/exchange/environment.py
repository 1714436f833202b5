"""What the exchange knows about where it runs: the few variables that the hub gives to a person's container.

Read by the client, the server extensions and the configuration files of the image. This package runs in containers of
learners and trainers, so it can't use hub/settings.py, and nothing here may be a secret other than the server's own token.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

LANGUAGES = ("en", "fr", "nl")
DEFAULT_MAX_BYTES = 20 * 1024 * 1024


class Role(StrEnum):
    """Which profile of the container is running."""

    LEARNER = "learner"
    TRAINER = "trainer"


@dataclass(frozen=True)
class Environment:
    """The surroundings of one container, as the spawner set them."""

    api_url: str
    """The service's API with a slash at the end; empty outside of the platform."""

    token: str = field(repr=False)
    """The token of this person's own server."""

    person: str
    """The person's name on the platform; the service believes the token, not this."""

    role: Role
    language: str
    pages_url: str
    """The platform's pages, as the browser reaches them."""

    max_bytes: int
    """A submission larger than this is not even sent; the service has its own limit."""

    home: Path

    @classmethod
    def read(cls, variables: Mapping[str, str] | None = None) -> Environment:
        """Return the environment of this process.

        Args:
            variables: the variables to read; those of the process when not given.
        """
        values = os.environ if variables is None else variables
        api_url = values.get("ATELIER_API_URL", "").strip()
        language = values.get("ATELIER_LANGUAGE", "")[:2].lower()
        trainer = values.get("ATELIER_ROLE", "").lower() == Role.TRAINER
        size = values.get("ATELIER_SUBMISSION_MAX_BYTES", "")
        return cls(
            api_url=api_url.rstrip("/") + "/" if api_url else "",
            token=values.get("JUPYTERHUB_API_TOKEN", ""),
            person=values.get("JUPYTERHUB_USER", "") or values.get("USER", "") or "learner",
            role=Role.TRAINER if trainer else Role.LEARNER,
            language=language if language in LANGUAGES else "en",
            pages_url=values.get("ATELIER_PAGES_URL", "") or _hub_root(values),
            max_bytes=int(size) if size.isdecimal() else DEFAULT_MAX_BYTES,
            home=Path(values.get("HOME", "") or Path.home()),
        )


def _hub_root(values: Mapping[str, str]) -> str:
    """Return the hub's root address; it leads to the platform's pages."""
    return values.get("JUPYTERHUB_HOST", "") + (values.get("JUPYTERHUB_BASE_URL", "") or "/")
