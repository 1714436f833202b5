"""Fixtures: a school in a database, and progress over it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hub.progress.service import Progress
from hub.submissions.store import Store
from tests.doubles.school import School, build_school

if TYPE_CHECKING:
    from hub.db import Database
    from hub.settings import Settings


@pytest.fixture
def school(database: Database, settings: Settings) -> School:
    return build_school(database, Store(settings.store_dir))


@pytest.fixture
def progress(database: Database, settings: Settings) -> Progress:
    return Progress(database, settings, reporters=[])
