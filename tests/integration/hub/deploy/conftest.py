"""Fixtures on the real engine.

closed      | settings of an instance of its own with its network and guard up; all of it gone at the end (one a module)
container   | container(name, command) -> a started container with exactly a learner's options, on that network
running_hub | a real hub with its proxy and the demo people, on an instance of its own (one for all)
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import docker
import pytest

from hub import migrations
from hub.db import Database
from hub.deploy import firewall, network
from hub.deploy.container_options import COMMAND, learner_options
from hub.deploy.naming import INSTANCE_LABEL, KIND_LABEL, PERSON_LABEL
from hub.deploy.profile import find_profile
from hub.deploy.secrets import ensure_secrets
from hub.people.demo import ensure_demo_people
from hub.people.models import Person, Role
from hub.people.service import People
from hub.settings import ROOT, Settings
from tests.doubles.hub_client import Answer, HubClient

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DEADLINE_S = 90


def wait_for(question: Callable[[], Any], what: str, deadline_s: float = DEADLINE_S) -> Any:
    """Ask until the answer is true; return it."""
    until = time.monotonic() + deadline_s
    while time.monotonic() < until:
        if answer := question():
            return answer
        time.sleep(0.1)
    raise AssertionError(f"not within {deadline_s:.0f} s: {what}")


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for opened in sockets:
            opened.bind(("127.0.0.1", 0))
        return [opened.getsockname()[1] for opened in sockets]
    finally:
        for opened in sockets:
            opened.close()


def free_subnet() -> str:
    """Return a range that no route of this machine leads to."""
    routes = Path("/proc/net/fib_trie").read_text(encoding="ascii")
    while True:
        prefix = f"10.{secrets.choice(range(100, 250))}.{secrets.choice(range(256))}"
        if f" {prefix}." not in routes:
            return f"{prefix}.0/24"


@contextmanager
def instance(state_dir: Path) -> Iterator[Settings]:
    """Settings of an instance of its own, network and guard up; all of it gone at the end."""
    proxy, hub, service, control = free_ports(4)
    settings = Settings(
        instance=f"ateliertest-{secrets.token_hex(3)}",
        state_dir=state_dir,
        url=f"http://atelier.localhost:{proxy}",
        hub_port=hub,
        service_port=service,
        proxy_api_port=control,
        learner_subnet=free_subnet(),
    )
    ensure_secrets(settings.secrets_dir)
    try:
        network.ensure_network(settings)
        yield settings
    finally:
        network.remove_network(settings)
        remove_leftovers(settings)


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    with instance(tmp_path_factory.mktemp("closed")) as settings:
        yield settings


def remove_leftovers(settings: Settings) -> None:
    client = docker.from_env()
    label = {"label": f"{INSTANCE_LABEL}={settings.instance}"}
    for container in client.containers.list(all=True, filters=label):
        container.remove(force=True)
    for volume in client.volumes.list(filters=label):
        volume.remove(force=True)
    client.close()


@dataclass
class Container:
    """A container with a learner's options."""

    api: docker.APIClient
    id: str

    @property
    def address(self) -> str:
        networks = self.api.inspect_container(self.id)["NetworkSettings"]["Networks"]
        return str(next(iter(networks.values()))["IPAddress"])

    def shut_resolver(self) -> None:
        details = self.api.inspect_container(self.id)
        firewall.shut_resolver(Path(details["NetworkSettings"]["SandboxKey"]))

    def run(self, *command: str) -> tuple[int, str]:
        """Run a command inside, as the learner; return its exit status and output."""
        started = self.api.exec_create(self.id, list(command))
        output = self.api.exec_start(started["Id"]).decode("utf-8", errors="replace")
        return int(self.api.exec_inspect(started["Id"])["ExitCode"]), output

    def python(self, program: str, *arguments: str) -> Any:
        """Run a Python program inside; return what it printed, as JSON."""
        status, output = self.run("python3", "-I", "-c", program, *arguments)
        assert status == 0, output
        return json.loads(output)


@pytest.fixture
def container(closed: Settings) -> Iterator[Callable[..., Container]]:
    client = docker.from_env()
    made: list[Container] = []

    def start(name: str, *command: str, shut: bool = True) -> Container:
        profile = find_profile(Role.LEARNER)
        assert profile is not None
        options = learner_options(closed, profile)
        volume = f"{closed.instance}-{name}"
        client.volumes.create(volume, labels={INSTANCE_LABEL: closed.instance, KIND_LABEL: "home"})
        host_config = client.api.create_host_config(**options.host_config(), binds=options.binds(volume))
        created = client.api.create_container(
            image=options.image,
            name=f"{closed.instance}-{name}",
            command=[*COMMAND[:-1], *(command or ("sleep", "600"))],
            host_config=host_config,
            **options.create_kwargs(),
        )
        made.append(Container(client.api, created["Id"]))
        client.api.start(created["Id"])
        if shut:
            made[-1].shut_resolver()
        return made[-1]

    yield start
    for one in made:
        client.api.remove_container(one.id, force=True, v=True)
    client.close()


class NoCourses:
    """There are no courses in these tests."""

    def all(self) -> list[Any]:
        return []

    def enrol(self, person_id: int, slug: str) -> None:
        raise AssertionError((person_id, slug))


@dataclass
class RunningHub:
    """A hub in a process of its own."""

    settings: Settings
    people: People
    log: Path
    passwords: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        environment = {
            "PATH": os.environ["PATH"],
            **{
                f"ATELIER_{name.upper()}": str(getattr(self.settings, name))
                for name in (
                    "instance",
                    "state_dir",
                    "url",
                    "hub_port",
                    "service_port",
                    "proxy_api_port",
                    "learner_subnet",
                    "learner_image",
                )
            },
        }
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "jupyterhub", f"--config={ROOT / 'config' / 'jupyterhub_config.py'}"],
                env=environment,
                cwd=self.settings.state_dir,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        wait_for(self._answers, f"the hub answers; its log is {self.log}")

    def stop(self) -> None:
        assert self.process is not None
        self.process.terminate()
        self.process.wait(DEADLINE_S)

    def client(self) -> HubClient:
        return HubClient(self.settings.url)

    def add_person(self, name: str, role: Role) -> Person:
        """Make somebody whom no other test needs."""
        self.passwords[name] = secrets.token_urlsafe(12)
        return self.people.create(name, name.title(), role, "en", self.passwords[name])

    def signed_in(self, name: str) -> HubClient:
        client = self.client()
        answer = client.sign_in(name, self.passwords[name])
        assert answer.status == 302, answer.text
        return client

    def spawned(self, name: str, next_path: str = "") -> tuple[HubClient, docker.models.containers.Container]:
        """Sign in, start the person's server by its link, wait for it; return the browser and the container."""
        client = self.signed_in(name)
        started = client.get(f"/hub/spawn/{name}?next={next_path or f'/user/{name}/lab'}")
        assert started.status == 302, started.text

        def landed() -> bool:
            answer = client.get(started.location)
            assert answer.status in (200, 302), answer.text
            return answer.status == 302

        wait_for(landed, f"the server of {name} is ready")
        return client, self.container(name)

    def container(self, name: str) -> docker.models.containers.Container:
        """Return the person's container, which runs."""
        (found,) = self.containers(name)
        return found

    def containers(self, name: str) -> list[docker.models.containers.Container]:
        """Return the person's containers: none or one."""
        client = docker.from_env()
        labels = [f"{INSTANCE_LABEL}={self.settings.instance}", f"{PERSON_LABEL}={name}"]
        try:
            return list(client.containers.list(ignore_removed=True, filters={"label": labels}))
        finally:
            client.close()

    def api(self, token: str, method: str, path: str, body: Any = None) -> Answer:
        """Call the hub's API as a program does."""
        data = None if body is None else json.dumps(body)
        headers = {"Authorization": f"token {token}", "Sec-Fetch-Mode": "cors"}
        return self.client().request(method, f"/hub/api/{path}", data, headers)

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text(errors="replace")[-3000:]
        try:
            return self.client().get("/hub/login").status == 200
        except OSError:
            return False


@contextmanager
def started_hub(state_dir: Path) -> Iterator[RunningHub]:
    """A hub and its proxy on an instance of their own, with the demo people."""
    with instance(state_dir) as settings:
        database = Database(settings.effective_database_url)
        migrations.upgrade(database)
        people = People(database, settings)
        accounts = ensure_demo_people(people, NoCourses(), settings).accounts_file
        rows = json.loads(accounts.read_text(encoding="utf-8"))
        passwords = {row["name"]: row["password"] for row in rows}
        hub = RunningHub(settings, people, settings.state_dir / "hub.log", passwords)
        try:
            hub.start()
            yield hub
        finally:
            hub.stop()
            database.close()


@pytest.fixture(scope="session")
def running_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    with started_hub(tmp_path_factory.mktemp("hub")) as hub:
        yield hub
