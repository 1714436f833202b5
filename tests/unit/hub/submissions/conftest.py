"""Fixtures of the tests of submissions.

platform | every service over one fresh database, with one exercise `double` in the course `data`
lea, max | learners of that course; `eve` is a learner of nothing
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hub.db import Database
from hub.people.models import Person
from hub.settings import Settings
from tests.doubles.platform import Platform, make_platform


@pytest.fixture
def platform(settings: Settings, database: Database) -> Iterator[Platform]:
    platform = make_platform(settings, database)
    platform.publish()
    return platform


@pytest.fixture
def lea(platform: Platform) -> Person:
    return platform.person("lea", language="fr", courses=["data"])


@pytest.fixture
def max_(platform: Platform) -> Person:
    return platform.person("max", courses=["data"])


@pytest.fixture
def eve(platform: Platform) -> Person:
    return platform.person("eve")
