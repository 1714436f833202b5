"""The platform's secrets: generated once, kept under var/secrets, readable by the operator's account only.

Called by set-up (`ensure_secrets`); read through `Settings.secret(name)`. Standard library only, because set-up runs
before anything is installed.
"""

from __future__ import annotations

import base64
import os
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

NAMES = {
    "service-token": "the Atelier service's token at JupyterHub",
    "session-key": "encrypts the service's session cookies",
    "proxy-token": "JupyterHub's token at the proxy",
    "cookie-secret": "signs JupyterHub's cookies",
    "crypt-key": "encrypts JupyterHub's auth state",
    "culler-token": "the idle culler's token at JupyterHub",
    "name-key": "makes container and volume names that nobody can guess",
    "flag-key": "signs the flags of security exercises",
}


def _new(name: str) -> str:
    if name == "session-key":
        return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode("ascii")  # the form that Fernet takes
    return secrets.token_hex(32)


def ensure_secrets(directory: Path) -> list[str]:
    """Make the secrets that are missing; never changes one that is there.

    Returns:
        The names of those that were made.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory.chmod(0o700)
    made = []
    for name in NAMES:
        path = directory / name
        if path.exists():
            continue
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(_new(name) + "\n")
        made.append(name)
    return made
