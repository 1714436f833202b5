"""Where a sign-in comes from."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from tornado import web

from hub.deploy.authenticator import PeopleAuthenticator, client_address
from hub.errors import TooManyRequestsError
from hub.people.models import Person, Role

if TYPE_CHECKING:
    from hub.settings import Settings

GATEWAY, CONTAINER = "10.213.0.1", "10.213.0.9"


class FakePeople:
    """One person; counts nothing, throttles on demand."""

    def __init__(self) -> None:
        self.anna = Person(id=1, name="anna", role="trainer", active=True)
        self.throttled = False
        self.addresses: list[str] = []

    def verify_password(self, name: str, password: str, address: str) -> Person | None:
        self.addresses.append(address)
        if self.throttled:
            raise TooManyRequestsError(
                "Too many failed sign-ins. Please wait %(minutes)d minutes.", minutes=3
            )
        return self.anna if (name, password) == ("anna", "right") else None

    def find(self, name: str) -> Person | None:
        return self.anna if name == "anna" else None


def handler(peer: str | None, forwarded: str = "192.0.2.7") -> Any:
    socket = SimpleNamespace(getpeername=lambda: (peer, 1))
    stream = SimpleNamespace(socket=socket) if peer else None
    return SimpleNamespace(
        request=SimpleNamespace(connection=SimpleNamespace(stream=stream), remote_ip=forwarded)
    )


@pytest.fixture
def people() -> FakePeople:
    return FakePeople()


@pytest.fixture
def authenticator(settings: Settings, people: FakePeople) -> PeopleAuthenticator:
    return PeopleAuthenticator.bound(settings, people)()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        (GATEWAY, "192.0.2.7", "192.0.2.7"),
        ("127.0.0.1", "192.0.2.7", "192.0.2.7"),
        (CONTAINER, "192.0.2.7", None),
        (CONTAINER, GATEWAY, None),
        (None, "192.0.2.7", None),
        ("not an address", "192.0.2.7", None),
    ],
)
def test_a_container_can_not_claim_an_address(
    settings: Settings, peer: str | None, forwarded: str, address: str | None
) -> None:
    assert client_address(settings, peer, forwarded) == address


def test_sign_in_gives_name_and_group_and_never_the_admin_flag(
    authenticator: PeopleAuthenticator, people: FakePeople
) -> None:
    model = asyncio.run(
        authenticator.authenticate(handler(GATEWAY), {"username": "anna", "password": "right"})
    )
    assert model == {"name": "anna", "groups": ["trainer"]}
    assert people.addresses == ["192.0.2.7"]
    people.anna.role = Role.ADMIN
    model = asyncio.run(
        authenticator.get_authenticated_user(handler(GATEWAY), {"username": "anna", "password": "right"})
    )
    assert model["groups"] == ["admin"]
    assert not model["admin"]


@pytest.mark.parametrize(
    "data", [{}, {"username": "anna"}, {"username": "anna", "password": "wrong"}, {"password": "right"}]
)
def test_anything_else_is_refused(authenticator: PeopleAuthenticator, data: dict[str, str]) -> None:
    assert asyncio.run(authenticator.authenticate(handler(GATEWAY), data)) is None


def test_a_container_can_not_even_try(authenticator: PeopleAuthenticator, people: FakePeople) -> None:
    with pytest.raises(web.HTTPError) as caught:
        asyncio.run(authenticator.authenticate(handler(CONTAINER), {"username": "anna", "password": "right"}))
    assert caught.value.status_code == 403
    assert people.addresses == []


def test_the_throttle_is_explained(authenticator: PeopleAuthenticator, people: FakePeople) -> None:
    people.throttled = True
    with pytest.raises(web.HTTPError) as caught:
        asyncio.run(authenticator.authenticate(handler(GATEWAY), {"username": "anna", "password": "right"}))
    assert caught.value.status_code == 429
    assert caught.value.log_message == "Too many failed sign-ins. Please wait 3 minutes."


def test_who_is_deactivated_or_gone_is_out(authenticator: PeopleAuthenticator, people: FakePeople) -> None:
    anna, ghost = SimpleNamespace(name="anna"), SimpleNamespace(name="ghost")
    assert asyncio.run(authenticator.refresh_user(anna)) == {"name": "anna", "groups": ["trainer"]}
    assert asyncio.run(authenticator.refresh_user(ghost)) is False
    people.anna.active = False
    assert asyncio.run(authenticator.refresh_user(anna)) is False
    assert not asyncio.run(authenticator.check_allowed("anna", None))
