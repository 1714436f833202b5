"""What SQLite's one writer hides: people who hand in, mark and publish at the same moment, on PostgreSQL."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from hub import migrations
from hub.db import Database
from hub.errors import TooManyRequestsError
from hub.settings import Settings
from hub.submissions.models import State
from tests.doubles.grading import result_of
from tests.doubles.platform import Platform, make_platform

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hub.people.models import Person

pytestmark = pytest.mark.integration


@pytest.fixture
def platform(empty_postgres: str, tmp_path: Path) -> Iterator[Platform]:
    settings = Settings(state_dir=tmp_path, database_url=empty_postgres, instance="ateliertest-pg")
    database = Database(empty_postgres)
    migrations.upgrade(database)
    platform = make_platform(settings, database)
    platform.publish()
    yield platform
    database.close()


@pytest.fixture
def lea(platform: Platform) -> Person:
    return platform.person("lea", courses=["data"])


def test_attempts_at_once_get_numbers_in_a_row_and_the_limit_holds(platform: Platform, lea: Person) -> None:
    def attempt(_: int) -> int | None:
        try:
            return platform.hand_in(lea).attempt
        except TooManyRequestsError:
            return None

    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(attempt, range(16)))
    taken = [number for number in numbers if number is not None]
    assert sorted(taken) == list(range(1, platform.settings.submissions_per_minute + 1))
    assert len(platform.submissions._queue.waiting()) == len(taken)


def test_a_result_told_many_times_at_once_counts_once(platform: Platform, lea: Person) -> None:
    id_ = platform.hand_in(lea).id
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda score: platform.submissions.record_result(id_, result_of(score), 1), [2.0] * 8))
    view = platform.submissions.view(id_)
    assert (view.submission.state, view.result.run if view.result else None) == (State.GRADED, 1)
    assert [event.type for event in platform.progress.after(0)] == ["submitted", "graded"]


def test_regrades_at_once_queue_one_run(platform: Platform, lea: Person) -> None:
    id_ = platform.hand_in(lea).id
    platform.submissions.record_result(id_, result_of(), 1)
    with ThreadPoolExecutor(6) as pool:
        queued = list(pool.map(lambda _: platform.submissions.regrade([id_], by=None), range(6)))
    assert sum(len(ids) for ids in queued) == 1
    assert platform.submissions.unfinished() == [(id_, 2)]
