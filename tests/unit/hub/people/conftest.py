"""Fixtures for people.

passwords | hashing with the cheapest parameters, which counts its checks
people    | the service over a fresh database
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from argon2 import PasswordHasher

from hub.people.password import PasswordCheck, Passwords
from hub.people.service import People

if TYPE_CHECKING:
    from hub.db import Database
    from hub.settings import Settings


class CountingPasswords(Passwords):
    """The real thing with cheap parameters; `checked` holds what each check was made against."""

    def __init__(self) -> None:
        super().__init__(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        self.checked: list[str | None] = []

    def check(self, password: str, stored: str | None) -> PasswordCheck:
        self.checked.append(stored)
        return super().check(password, stored)


@pytest.fixture
def passwords() -> CountingPasswords:
    return CountingPasswords()


@pytest.fixture
def people(database: Database, settings: Settings, passwords: CountingPasswords) -> People:
    return People(database, settings, passwords)
