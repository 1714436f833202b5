"""Fixtures for attacks on a whole platform: its state, its people, their containers and tokens, a hostile neighbour.

state       | the platform's own services over its database: what is really there, whatever an answer says
people      | the cast, enrolled in a track of their own with one exercise; their passwords are with the platform's
signed_in   | signed_in(name) -> a client with that person's cookies at the hub and the service
workspace   | workspace(name) -> that person's container, started by the hub
program     | program(name) -> a program with a personal token of that person's
submitted   | submitted(name, files) -> the id of a submission that has been graded
everything  | everything() -> every row that an attack could change
neighbour   | a web server on a learner's host name
secrets_used| what must never be in a log; the scan of the logs runs last
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import docker
import pytest
from sqlalchemy import select

from hub.db import Base
from hub.deploy.naming import INSTANCE_LABEL, PERSON_LABEL
from hub.service import Services, make_services
from hub.settings import Settings
from hub.submissions.archive import canonical_tar
from hub.submissions.models import State
from tests.attacks.platform import cast
from tests.attacks.platform.cast import Program, Workspace, wait_for
from tests.attacks.platform.hostile import HostileSite, hostile_site
from tests.doubles.hub_client import HubClient

if TYPE_CHECKING:
    from tests.running_platform import Platform

LAST = "test_logs.py"
NOT_STATE = frozenset({"events", "failed_sign_ins", "deliveries"})
"""Tables that honest visits write too."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Read the logs when everything else has been written to them."""
    items.sort(key=lambda item: item.path.name == LAST)


@pytest.fixture(scope="session")
def settings_of_platform(platform: Platform) -> Settings:
    prefix = "ATELIER_"
    own = {
        name.removeprefix(prefix).lower(): value
        for name, value in platform.environment.items()
        if name.startswith(prefix)
    }
    return Settings(**own)  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def state(settings_of_platform: Settings) -> Iterator[Services]:
    services = make_services(settings_of_platform)
    yield services
    services.database.close()


@pytest.fixture(scope="session")
def secrets_used(platform: Platform) -> dict[str, str]:
    """What each secret is -> the secret."""
    return {}


AddPerson = Callable[..., str]


@pytest.fixture(scope="session")
def add_person(platform: Platform, state: Services, secrets_used: dict[str, str]) -> AddPerson:
    def add(name: str, display_name: str = "", role: str = "learner", language: str = "en") -> str:
        password = f"{secrets.token_urlsafe(12)}-pass"
        if state.people.find(name) is None:
            state.people.create(name, display_name or name.title(), role, language, password)
        else:
            state.people.set_password(state.people.by_name(name).id, password)
            state.people.set_active(state.people.by_name(name).id, active=True)
        platform.passwords[name] = password
        secrets_used[f"password of {name}"] = password
        return password

    return add


@pytest.fixture(scope="session")
def people(platform: Platform, state: Services, add_person: AddPerson) -> dict[str, int]:
    """Name -> id."""
    state.courses.ensure_course(cast.TRACK, {"en": "Attacks", "fr": "Attaques", "nl": "Aanvallen"}, 99)
    for name, (display_name, role, language) in cast.PEOPLE.items():
        add_person(name, display_name, role, language)
        person = state.people.by_name(name)
        if role in ("learner", "trainer"):
            state.courses.enrol(person.id, cast.TRACK)
    for learner in (cast.ATTACKER, cast.VICTIM):
        state.people.assign_mentor(cast.MENTOR, learner)
    trainer = state.people.by_name(cast.TRAINER)
    state.courses.publish(cast.TRACK, cast.EXERCISE, canonical_tar(cast.source()), trainer.id)
    return {name: state.people.by_name(name).id for name in cast.PEOPLE}


SignedIn = Callable[[str], HubClient]


@pytest.fixture(scope="session")
def signed_in(platform: Platform, people: dict[str, int]) -> SignedIn:
    known: dict[str, HubClient] = {}

    def enter(name: str) -> HubClient:
        if name not in known:
            client = HubClient(platform.url)
            client.sign_in(name, platform.passwords[name])
            assert client.get(platform.service_url, follow=10).status == 200
            known[name] = client
        return known[name]

    return enter


@pytest.fixture(scope="session")
def workspace(
    settings_of_platform: Settings, signed_in: SignedIn, secrets_used: dict[str, str]
) -> Iterator[Callable[[str], Workspace]]:
    engine = docker.from_env()
    known: dict[str, Workspace] = {}

    def start(name: str) -> Workspace:
        if name in known:
            return known[name]
        client = signed_in(name)
        answer = client.call("POST", f"users/{name}/server")
        assert answer.status in (201, 202, 400), answer.text  # 400: it runs already
        wait_for(
            lambda: client.call("GET", f"users/{name}").json()["servers"].get("", {}).get("ready"),
            f"{name}'s server",
        )
        labels = [f"{INSTANCE_LABEL}={settings_of_platform.instance}", f"{PERSON_LABEL}={name}"]
        (container,) = engine.containers.list(filters={"label": labels})
        known[name] = Workspace(name, container, client)
        secrets_used[f"server token of {name}"] = known[name].token
        return known[name]

    yield start
    engine.close()


@pytest.fixture(scope="session")
def program(
    platform: Platform, signed_in: SignedIn, secrets_used: dict[str, str]
) -> Callable[[str], Program]:
    known: dict[str, Program] = {}

    def make(name: str) -> Program:
        if name not in known:
            made = signed_in(name).call("POST", f"users/{name}/tokens", {"note": "attacks"})
            assert made.status == 201, made.text
            known[name] = Program(platform, made.json()["token"])
            secrets_used[f"personal token of {name}"] = known[name].token
        return known[name]

    return make


@pytest.fixture(scope="session")
def graded(state: Services) -> Callable[[str], str]:
    """Wait until a submission has its judgement, and return its id."""

    def wait(submission_id: str) -> str:
        wait_for(
            lambda: state.submissions.get(submission_id).state in (State.GRADED, State.FAILED),
            f"{submission_id} is graded",
        )
        found = state.submissions.get(submission_id)
        assert found.state == State.GRADED, found.failure
        return submission_id

    return wait


Submitted = Callable[..., str]


@pytest.fixture(scope="session")
def submitted(program: Callable[[str], Program], graded: Callable[[str], str]) -> Submitted:
    def hand_in(name: str, files: dict[str, bytes], suffix: str = "") -> str:
        path = f"exchange/courses/{cast.TRACK}/assignments/{cast.EXERCISE}/submissions{suffix}"
        answer = program(name).call("POST", path, canonical_tar(files))
        assert answer.status == 201, answer.text
        return graded(answer.json()["id"])

    return hand_in


@pytest.fixture(scope="session")
def everything(state: Services) -> Callable[[], dict[str, list[Any]]]:
    def read() -> dict[str, list[Any]]:
        with state.database.reading() as session:
            return {
                table.name: sorted(repr(tuple(row)) for row in session.execute(select(table)))
                for table in Base.metadata.sorted_tables
                if table.name not in NOT_STATE
            }

    return read


@pytest.fixture(scope="session")
def neighbour(settings_of_platform: Settings) -> Iterator[HostileSite]:
    with hostile_site(f"{cast.ATTACKER}.{settings_of_platform.host}") as site:
        yield site
