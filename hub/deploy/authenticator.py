"""Signs people in at JupyterHub, over the platform's own table of people. Nobody else gets in.

Called by JupyterHub at sign-in and, through `refresh_user`, again and again after it: who is deactivated or
changes role loses or changes their rights within `auth_refresh_age`, tokens included. Hashing and the
database run in threads of their own; the hub's event loop never waits for them.
"""

from __future__ import annotations

import asyncio
import ipaddress
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from jupyterhub.auth import Authenticator
from tornado import web

from hub.deploy.handlers import service_handlers
from hub.errors import AtelierError, TooManyRequestsError
from hub.pages import hub_theme
from hub.people.models import Person, Role

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.people.service import People
    from hub.settings import Settings

Answer = TypeVar("Answer")

SIGN_IN_THREADS = 2
"""A hash takes 64 MiB and most of a core for a moment: more at once would be a way to make the machine
slow."""


class SaidError(web.HTTPError):
    """An error of ours on the sign-in page; its template says `said` in the person's language."""

    def __init__(self, said: AtelierError) -> None:
        super().__init__(said.status, str(said).replace("%", "%%"))
        self.said = said


class PeopleAuthenticator(Authenticator):  # type: ignore[misc]
    """Name and password. Used through `bound`: traitlets would copy a database that is given as
    configuration.
    """

    settings: ClassVar[Settings]
    people: ClassVar[People]

    _hashing: ClassVar[ThreadPoolExecutor] = ThreadPoolExecutor(SIGN_IN_THREADS, thread_name_prefix="sign-in")
    _asking: ClassVar[ThreadPoolExecutor] = ThreadPoolExecutor(2, thread_name_prefix="people")

    @classmethod
    def bound(cls, settings: Settings, people: People) -> type[PeopleAuthenticator]:
        """Return the class for these settings and people. Called by hub/deploy/jupyterhub.py."""
        return type(cls.__name__, (cls,), {"__module__": __name__, "settings": settings, "people": people})

    async def authenticate(self, handler: web.RequestHandler, data: dict[str, str]) -> dict[str, Any] | None:
        """Return the person's name and groups, or None when name and password do not fit.

        Raises:
            HTTPError: 429 with a text for the sign-in page (throttled); 403 from a learner's container.
        """
        address = client_address(self.settings, _peer(handler), handler.request.remote_ip or "")
        if address is None:
            raise web.HTTPError(403, "Signing in from a workspace is not possible.")
        name, password = data.get("username", ""), data.get("password", "")
        try:
            person = await _in(self._hashing, lambda: self.people.verify_password(name, password, address))
        except TooManyRequestsError as error:
            self.log.warning("Sign-in throttled: %s", error.reason)
            raise SaidError(error) from error
        return None if person is None else _model(person)

    async def check_allowed(self, username: str, authentication: dict[str, Any] | None) -> bool:  # noqa: ARG002
        """Say whether this person is in the table and active: the last word of every sign-in."""
        return await self._find_active(username) is not None

    async def refresh_user(
        self,
        user: Any,
        handler: web.RequestHandler | None = None,  # noqa: ARG002
    ) -> bool | dict[str, Any]:
        """Return the person's name and groups as they are now; False ends the session."""
        person = await self._find_active(user.name)
        return False if person is None else _model(person)

    def normalize_username(self, username: str) -> str:
        """Return the name as the table has it."""
        return username.strip().lower()

    def get_handlers(self, app: Any) -> list[tuple[str, type[web.RequestHandler], dict[str, Any]]]:
        """Return the sign-in pages, the way to the service's own host, and what the pages load."""
        return [*super().get_handlers(app), *service_handlers(self.settings), *hub_theme.static_handlers()]

    async def _find_active(self, name: str) -> Person | None:
        person = await _in(self._asking, lambda: self.people.find(name))
        return person if person is not None and person.active else None


def client_address(settings: Settings, peer: str | None, forwarded: str) -> str | None:
    """Return the address to count failed sign-ins under, or None for one that comes from a learner's
    container.

    The proxy's connections come from the gateway address (it runs on this machine) and name the client in a
    header. A container reaches the hub directly, from an address of its own, and could put anything into that
    header.
    """
    try:
        from_network = peer is not None and ipaddress.ip_address(peer) in settings.learner_subnet
    except ValueError:
        return None
    if peer is None or (from_network and peer != settings.gateway):
        return None
    return forwarded


def _peer(handler: web.RequestHandler) -> str | None:
    """Return the other end of the connection itself, whatever its headers say."""
    stream = getattr(handler.request.connection, "stream", None)
    if stream is None or stream.socket is None:
        return None
    try:
        return str(stream.socket.getpeername()[0])
    except OSError:
        return None


def _model(person: Person) -> dict[str, Any]:
    # `admin` stays None: JupyterHub's admin flag would bring every right there is. Admins get theirs by
    # group.
    return {"name": person.name, "groups": [Role(person.role).value]}


async def _in(executor: ThreadPoolExecutor, function: Callable[[], Answer]) -> Answer:
    return await asyncio.get_running_loop().run_in_executor(executor, function)
