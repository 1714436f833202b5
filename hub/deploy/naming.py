"""Names of Docker objects. Called by the network, the spawner and whatever cleans up.

A person's container and volume are named by a keyed hash, not by the person: on a network whose resolver is
shut the names are of no use, and this way they are not even guessable.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hub.settings import Settings

INSTANCE_LABEL = "atelier.instance"
KIND_LABEL = "atelier.kind"
PERSON_LABEL = "atelier.person"
ROLE_LABEL = "atelier.role"

INTERFACE_NAME_MAX = 15
"""Linux cuts longer names of network interfaces off, and then two of them may be one."""


def network_name(settings: Settings) -> str:
    """Return the name of the learners' network."""
    return f"{settings.instance}-learners"


def bridge_name(settings: Settings) -> str:
    """Return the name of the network's interface on the host, unique for the instance."""
    name = f"br-{settings.instance}"
    if len(name) <= INTERFACE_NAME_MAX:
        return name
    digest = hashlib.sha256(settings.instance.encode()).hexdigest()
    return f"{name[: INTERFACE_NAME_MAX - 7]}-{digest[:6]}"


def chain_name(settings: Settings) -> str:
    """Return the name of the firewall chain that guards the host from the learners' network."""
    return f"ATELIER-{hashlib.sha256(settings.instance.encode()).hexdigest()[:8]}"


def _keyed(settings: Settings, kind: str, person: str) -> str:
    key = settings.secret("name-key").encode("ascii")
    digest = hmac.new(key, f"{settings.instance}/{kind}/{person}".encode(), hashlib.sha256).hexdigest()
    return f"{settings.instance}-{kind}-{digest[:20]}"


def container_name(settings: Settings, person: str) -> str:
    """Return the name of a person's container."""
    return _keyed(settings, "server", person)


def volume_name(settings: Settings, person: str) -> str:
    """Return the name of the volume that holds a person's home."""
    return _keyed(settings, "home", person)
