"""What differs between the containers of a learner and a trainer. One file a profile in hub/deploy/profiles.

Called by the spawner. A profile may only choose among what is listed here: the hardening is the same for all
(container_options.py).
"""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from hub.deploy import profiles

if TYPE_CHECKING:
    from hub.people.models import Role


@dataclass(frozen=True, slots=True)
class Profile:
    """One kind of container. `memory_factor` multiplies the setting `learner_memory`."""

    name: str
    roles: frozenset[Role]
    memory_factor: float = 1.0
    server_args: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)


class ProfileError(Exception):
    """A file in hub/deploy/profiles is not a profile, or two claim the same role. Named at start."""


@lru_cache(maxsize=1)
def all_profiles() -> tuple[Profile, ...]:
    """Return every profile, sorted by file name.

    Raises:
        ProfileError: a file holds none, or a role has two.
    """
    found: list[Profile] = []
    for module in sorted(pkgutil.iter_modules(profiles.__path__), key=lambda module: module.name):
        profile = getattr(importlib.import_module(f"{profiles.__name__}.{module.name}"), "PROFILE", None)
        if not isinstance(profile, Profile) or profile.name != module.name:
            raise ProfileError(f"hub/deploy/profiles/{module.name}.py has no PROFILE of that name")
        for other in found:
            if other.roles & profile.roles:
                raise ProfileError(f"the profiles {other.name} and {profile.name} both claim a role")
        found.append(profile)
    return tuple(found)


def find_profile(role: Role) -> Profile | None:
    """Return the profile for this role, or None when people of that role have no container."""
    return next((profile for profile in all_profiles() if role in profile.roles), None)
