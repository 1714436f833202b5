"""Starts and stops people's containers for JupyterHub. The options are container_options.py's, none are the
person's.

Order at a start: the guard stands, the image is there, the home is there, the container runs (and waits), its
resolver is shut (and it goes on). If any of these fails nothing of the learner's runs.
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import docker
from docker.errors import APIError, DockerException, ImageNotFound
from dockerspawner import DockerSpawner
from jupyterhub.spawner import SpawnException
from traitlets import default

from hub.deploy import firewall
from hub.deploy.container_options import COMMAND, ContainerOptions, learner_options
from hub.deploy.home_volume import ensure_home
from hub.deploy.naming import PERSON_LABEL, ROLE_LABEL, container_name, volume_name
from hub.deploy.profile import Profile, find_profile
from hub.people.models import Person, Role

if TYPE_CHECKING:
    from hub.people.service import People
    from hub.settings import Settings

DOCKER_THREADS = 8
"""DockerSpawner has one thread for all: a class that starts together would wait in a row."""


PORT_LOOKS = 600
PORT_PAUSE_S = 0.05


class AtelierSpawner(DockerSpawner):  # type: ignore[misc]
    """One person's container. Used through `bound`: traitlets would copy a database that is given as
    configuration.
    """

    settings: ClassVar[Settings]
    people: ClassVar[People]

    _threads: ClassVar[ThreadPoolExecutor | None] = None
    _clients: ClassVar[threading.local] = threading.local()
    _person: Person | None = None

    @classmethod
    def bound(cls, settings: Settings, people: People) -> type[AtelierSpawner]:
        """Return the class for these settings and people. Called by hub/deploy/jupyterhub.py."""
        return type(cls.__name__, (cls,), {"__module__": __name__, "settings": settings, "people": people})

    # --- the engine
    # ---------------------------------------------------------------------------------------------------

    @property
    def executor(self) -> ThreadPoolExecutor:
        """The threads of all spawners for calls of the engine."""
        if AtelierSpawner._threads is None:
            AtelierSpawner._threads = ThreadPoolExecutor(DOCKER_THREADS, thread_name_prefix="docker")
        return AtelierSpawner._threads

    @property
    def client(self) -> docker.APIClient:
        """A client for each thread: docker's is not made to be shared."""
        if not hasattr(self._clients, "client"):
            self._clients.client = docker.from_env(version="auto").api
        return self._clients.client

    async def _in_thread(self, function: Any, *arguments: Any) -> Any:
        return await asyncio.wrap_future(self.executor.submit(function, *arguments))

    # --- what it is made of
    # -------------------------------------------------------------------------------------------

    @default("object_name")
    def _object_name_default(self) -> str:
        return container_name(self.settings, self.user.name)

    @default("cmd")
    def _default_cmd(self) -> list[str]:
        return list(COMMAND)

    @property
    def profile(self) -> Profile:
        """The profile of the person's role, as found at this start."""
        profile = find_profile(Role(self._known_person.role))
        if profile is None:
            raise SpawnException(
                "Your role has no workspace of its own.", reason="no_profile", status_code=403
            )
        return profile

    @property
    def options(self) -> ContainerOptions:
        """What the container is started with."""
        return learner_options(self.settings, self.profile)

    @property
    def volume_binds(self) -> dict[str, dict[str, str]]:
        """The person's home and the empty list of name servers."""
        return self.options.binds(volume_name(self.settings, self.user.name))

    def get_args(self) -> list[str]:
        """The server's arguments: JupyterHub's and the profile's."""
        return [*super().get_args(), *self.profile.server_args]

    def get_env(self) -> dict[str, str]:
        """JupyterHub's own variables and ours; nothing of the host's."""
        env: dict[str, str] = super().get_env()
        person = self._known_person
        return env | {
            "ATELIER_API_URL": f"{self.settings.internal_service_url}api/",
            "ATELIER_LANGUAGE": person.language,
            "ATELIER_ROLE": Role(person.role).value,
            "ATELIER_PAGES_URL": self.settings.service_url,
            "ATELIER_SUBMISSION_MAX_BYTES": str(self.settings.submission_max_bytes),
            **self.profile.environment,
        }

    @property
    def _known_person(self) -> Person:
        if self._person is None:
            self._person = self.people.by_name(self.user.name)
        return self._person

    # --- what a person may choose: nothing
    # ----------------------------------------------------------------------------

    @default("options_from_form")
    def _default_options_from_form(self) -> Any:
        return lambda _form: {}

    # --- starting and stopping
    # ----------------------------------------------------------------------------------------

    async def start(self) -> tuple[str, int]:
        """Start the container; return its address on the learners' network.

        Raises:
            SpawnException: with a text for the person and one for the log.
        """
        self.user_options: dict[str, Any] = {}  # sent over the API by whoever holds a token: never looked at
        self._person = await self._in_thread(self.people.by_name, self.user.name)
        options = self.options
        self.image = options.image
        self.network_name = options.network
        person_labels = {PERSON_LABEL: self.user.name, ROLE_LABEL: Role(self._known_person.role).value}
        created = options.create_kwargs()
        created["labels"] = created["labels"] | person_labels
        self.extra_create_kwargs = created
        self.extra_host_config = options.host_config()
        self.mem_limit = options.memory_bytes
        self.cpu_limit = options.cpus
        try:
            await self._in_thread(self._check_guard)
            await self._in_thread(lambda: ensure_home(self.client, self.settings, self.user.name))
            address: tuple[str, int] = await super().start()
            await _await_port(*address)
        except SpawnException:
            raise
        except ImageNotFound as error:
            raise _failure(
                "image_missing", f"The image {options.image} is missing. Type: make up", error
            ) from error
        except APIError as error:
            await self._remove_quietly()
            raise _engine_failure(error, options) from error
        except firewall.FirewallError as error:
            await self._remove_quietly()
            raise _failure("guard_missing", str(error), error) from error
        except DockerException as error:
            raise _failure("engine_away", "The Docker engine does not answer.", error) from error
        return address

    async def start_object(self) -> None:
        """Start the container and shut its resolver; until then its own start waits. Called by start."""
        await super().start_object()
        details = await self.docker("inspect_container", self.container_id)
        namespace = Path(details["NetworkSettings"]["SandboxKey"])
        await self._in_thread(firewall.shut_resolver, namespace)

    def _check_guard(self) -> None:
        gaps = firewall.find_gaps(self.settings)
        if gaps:
            raise firewall.FirewallError(
                "The guard of the learners' network does not stand (%(gaps)s). Type: atelier network up",
                gaps="; ".join(gaps),
            )

    async def _remove_quietly(self) -> None:
        """Leave nothing half-started behind; a fault here would hide the one being reported."""
        if not self.object_id:
            return
        try:
            await self.docker("remove_container", self.object_id, force=True)
        except DockerException as error:
            self.log.warning("Could not remove %s: %s", self.object_name, error)


async def _await_port(ip: str, port: int) -> None:
    """Return as soon as something listens there, or when JupyterHub's own waiting had better take over.

    The hub asks at intervals that double up to seconds, which a learner would feel; a look every few hundredths costs
    nothing.
    """
    for _ in range(PORT_LOOKS):
        try:
            _, writer = await asyncio.wait_for(asyncio.open_connection(ip, port), timeout=1)
        except (OSError, TimeoutError):
            await asyncio.sleep(PORT_PAUSE_S)
        else:
            writer.close()
            return


def _failure(reason: str, log_message: str, error: Exception) -> SpawnException:
    """Return what the person sees (that it is not their fault, whom to tell) and what the operator's log
    gets.
    """
    return SpawnException(
        f"Your workspace could not be started ({reason}). Please tell your trainer or try again in a minute; "
        "your work is safe.",
        reason=reason,
        log_message=f"{log_message} [{error}]",
        status_code=503,
    )


def _engine_failure(error: APIError, options: ContainerOptions) -> SpawnException:
    text = str(error.explanation or error)
    if "network" in text and "not found" in text:
        return _failure(
            "network_missing", f"The network {options.network} is missing. Type: atelier network up", error
        )
    if "no such image" in text.lower():
        return _failure("image_missing", f"The image {options.image} is missing. Type: make up", error)
    return _failure("engine_refused", "The Docker engine refused to start a container.", error)
