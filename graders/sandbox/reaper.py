"""Removes sandboxes that nobody is waiting for: compares the engine's list with the books.

Called by the worker at its start, at its end and every now and then, and by `make down`. Runners remove their
own sandboxes; what is found here was left by a process that died or an engine that was away.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import docker
import structlog
from docker.errors import NotFound

from graders.sandbox.docker import ENGINE_FAULTS, owner_name
from graders.sandbox.options import INSTANCE_LABEL, OWNER_LABEL, ROLE, ROLE_LABEL

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

log = structlog.get_logger(__name__)

GRACE = timedelta(seconds=60)
"""A sandbox of ours that is not in the books yet may just have been made."""
MAX_AGE = timedelta(minutes=30)
"""No sandbox, idle or busy, whoever owns it, lives longer."""


class Reaper:
    """Removes strays of one instance."""

    def __init__(
        self,
        instance: str,
        *,
        owner: str | None = None,
        client: docker.APIClient | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Look after the sandboxes of `instance` that `owner` (this process by default) started."""
        self._instance = instance
        self._owner = owner or owner_name()
        self._client = client or docker.APIClient(version="auto", timeout=60)
        self._now = now

    def sweep(self, books: Collection[str], *, all_owners: bool = False) -> list[str]:
        """Remove the strays and return their container ids.

        Args:
            books: ids of the containers that are in use or kept ready.
            all_owners: also remove every other owner's: for when no other worker can be running.
        """
        removed = []
        for container in self._listed():
            if container["Id"] in books or not self._is_stray(container, all_owners=all_owners):
                continue
            try:
                self._client.remove_container(container["Id"], force=True, v=True)
            except NotFound:
                continue
            except ENGINE_FAULTS as error:
                log.warning("stray_not_removed", container=container["Id"][:12], error=str(error))
                continue
            removed.append(container["Id"])
        if removed:
            log.info("strays_removed", count=len(removed))
        return removed

    def close(self) -> None:
        """Close the connection to the engine."""
        self._client.close()

    def _listed(self) -> list[dict[str, Any]]:
        filters = {"label": [f"{ROLE_LABEL}={ROLE}", f"{INSTANCE_LABEL}={self._instance}"]}
        found: list[dict[str, Any]] = self._client.containers(all=True, filters=filters)
        return found

    def _is_stray(self, container: dict[str, Any], *, all_owners: bool) -> bool:
        age = self._now() - datetime.fromtimestamp(container["Created"], UTC)
        mine = container["Labels"].get(OWNER_LABEL) == self._owner
        return all_owners or age > MAX_AGE or (mine and age > GRACE)
