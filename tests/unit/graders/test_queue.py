"""A job is in the queue exactly when its submission is in the books."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from graders.queue import MAX_PRIORITY, GradingQueue, JobId, JobState
from hub.people.models import Person, Role

if TYPE_CHECKING:
    from hub.db import Database


@pytest.fixture
def queue(database: Database) -> GradingQueue:
    queue = GradingQueue(database.engine)
    queue.ensure()
    return queue


def test_the_first_run_carries_the_submissions_own_id() -> None:
    assert str(JobId("abc")) == "abc"
    assert str(JobId("abc", 2)) == "abc:2"


def test_a_job_comes_with_its_transaction(database: Database, queue: GradingQueue) -> None:
    with database.transaction() as session:
        queue.enqueue(session, JobId("kept"), 1)
        session.add(Person(name="lea", display_name="Lea", role=Role.LEARNER))
    assert queue.job_state(JobId("kept")) is JobState.WAITING
    assert queue.waiting() == ["kept"]


def test_a_job_goes_with_its_transaction(database: Database, queue: GradingQueue) -> None:
    with database.transaction() as session:
        queue.enqueue(session, JobId("gone"), 1)
        session.rollback()
    assert queue.job_state(JobId("gone")) is JobState.UNKNOWN
    assert queue.waiting() == []


def test_the_same_job_again_changes_nothing(database: Database, queue: GradingQueue) -> None:
    for priority in (2, 1):
        with database.transaction() as session:
            queue.enqueue(session, JobId("one"), priority)
    with database.transaction() as session:
        queue.enqueue(session, JobId("two"), 1)
    assert queue.waiting() == ["two", "one"]


def test_priority_decides_then_arrival(database: Database, queue: GradingQueue) -> None:
    for name, priority in (("c", 2), ("a", 1), ("d", 10**12), ("e", MAX_PRIORITY), ("b", -5)):
        with database.transaction() as session:
            queue.enqueue(session, JobId(name), priority)
    assert queue.waiting() == ["a", "b", "c", "d", "e"]


def test_a_run_of_its_own_for_each_regrade(database: Database, queue: GradingQueue) -> None:
    with database.transaction() as session:
        queue.enqueue(session, JobId("one"), 1)
        queue.enqueue(session, JobId("one", 2), 1)
    assert queue.waiting() == ["one", "one"]


def test_ensure_comes_before_the_transaction(database: Database) -> None:
    queue = GradingQueue(database.engine)
    with database.transaction() as session, pytest.raises(RuntimeError):
        queue.enqueue(session, JobId("one"), 1)


def test_ensure_can_be_called_at_any_time(database: Database, queue: GradingQueue) -> None:
    queue.ensure()
    GradingQueue(database.engine).ensure()
    assert queue.waiting() == []
