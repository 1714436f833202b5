"""The worker over a real queue: whatever dies, what was accepted ends in one result or one named failure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from hub.progress.models import Event, EventType
from hub.submissions.models import Result, State

if TYPE_CHECKING:
    from hub.people.models import Person
    from tests.doubles.platform import Platform
    from tests.integration.graders.worker.conftest import Workers

pytestmark = pytest.mark.integration
Until = Callable[[Callable[[], bool]], None]


@pytest.fixture
def learners(platform: Platform) -> list[Person]:
    platform.publish()
    return [platform.person(f"learner{n}", courses=("data",)) for n in range(1, 5)]


def hand_in(platform: Platform, person: Person, behaviour: str = "score 2") -> str:
    return platform.hand_in(person, **{"behaviour.txt": behaviour.encode()}).id


def ended(platform: Platform) -> bool:
    return not platform.submissions.unfinished()


def check_books(platform: Platform, ids: list[str]) -> None:
    """Every submission has one result and one event, and nothing else is in the books."""
    with platform.database.reading() as session:
        results = Counter(result.submission_id for result in session.query(Result))
        graded = session.query(Event).where(Event.type == EventType.GRADED)
        events = Counter(event.submission_id for event in graded)
    assert results == Counter(ids)
    assert events == Counter(ids)
    assert {platform.submissions.get(id_).state for id_ in ids} == {State.GRADED}


@pytest.mark.parametrize("step", ["started", "laid out", "graded", "recorded"])
def test_a_worker_killed_at_any_step_loses_and_doubles_nothing(
    platform: Platform, learners: list[Person], workers: Workers, until: Until, step: str
) -> None:
    ids = [hand_in(platform, learners[n % 4]) for n in range(20)]
    first = workers.start(step, count=3)
    until(lambda: first.poll() is not None)
    assert first.returncode == -9
    assert not ended(platform)
    until(lambda: not workers.grading_processes())
    workers.start()
    until(lambda: ended(platform))
    check_books(platform, ids)


def test_a_worker_killed_while_it_grades_loses_nothing(
    platform: Platform, learners: list[Person], workers: Workers, until: Until
) -> None:
    ids = [hand_in(platform, learners[0], "kill worker"), hand_in(platform, learners[1])]
    first = workers.start()
    until(lambda: first.poll() is not None)
    workers.start()
    until(lambda: ended(platform))
    check_books(platform, ids)
    assert workers.graded().count(ids[0]) == 2


def test_what_breaks_the_platform_twice_is_set_aside_and_the_queue_goes_on(
    platform: Platform, learners: list[Person], workers: Workers, until: Until
) -> None:
    bad = {behaviour: hand_in(platform, learners[0], behaviour) for behaviour in ("die", "raise", "broken")}
    good = [hand_in(platform, learners[1]), hand_in(platform, learners[2], "die once")]
    workers.start()
    until(lambda: ended(platform))
    failures = {name: platform.submissions.get(id_).failure or "" for name, id_ in bad.items()}
    assert "exit code 3" in failures["die"]
    assert "this exercise can't be graded" in failures["raise"]
    assert "broke the protocol" in failures["broken"]
    assert {platform.submissions.get(id_).state for id_ in bad.values()} == {State.FAILED}
    assert {platform.submissions.get(id_).state for id_ in good} == {State.GRADED}
    assert all(workers.graded().count(id_) == 2 for id_ in bad.values())


def test_a_failed_one_can_be_graded_again(
    platform: Platform, learners: list[Person], workers: Workers, until: Until
) -> None:
    id_ = hand_in(platform, learners[0], "raise")
    workers.start()
    until(lambda: ended(platform))
    assert platform.submissions.regrade([id_], by=None) == [id_]
    assert platform.submissions.get(id_).failure is None
    until(lambda: ended(platform))
    assert platform.submissions.get(id_).run == 2
    assert workers.graded().count(id_) == 4


def test_an_outage_of_the_engine_is_waited_for(
    platform: Platform, learners: list[Person], workers: Workers, until: Until
) -> None:
    id_ = hand_in(platform, learners[0], "outage")
    workers.start()
    until(lambda: workers.graded().count(id_) >= 3)
    workers.log.with_name("back").touch()
    until(lambda: ended(platform))
    check_books(platform, [id_])


def test_nobodys_tenth_attempt_comes_before_anothers_first(
    platform: Platform, learners: list[Person], workers: Workers, until: Until
) -> None:
    eager = [hand_in(platform, learners[0]) for _ in range(10)]
    late = hand_in(platform, learners[1])
    workers.start()
    until(lambda: ended(platform))
    order = workers.graded()
    assert order.index(late) < order.index(eager[2])
    assert [id_ for id_ in order if id_ in eager][-1] == eager[-1]


def test_sigterm_lets_it_finish_what_it_grades(
    platform: Platform, learners: list[Person], workers: Workers, until: Until
) -> None:
    ids = [hand_in(platform, learners[n % 4], "slow") for n in range(6)]
    worker = workers.start()
    until(lambda: len(workers.graded()) == 2)
    worker.terminate()
    until(lambda: worker.poll() is not None)
    assert worker.returncode == 0
    assert len(platform.submissions.unfinished()) == 4
    assert not workers.grading_processes()
    workers.start()
    until(lambda: ended(platform))
    check_books(platform, ids)
    assert len(workers.graded()) == 6


def test_a_second_worker_with_the_same_id_does_not_start(
    platform: Platform, workers: Workers, until: Until
) -> None:
    workers.start()
    heartbeat = platform.settings.state_dir / "run" / "worker.heartbeat"
    until(heartbeat.exists)
    second = workers.start()
    until(lambda: second.poll() is not None)
    assert second.returncode == 1
    assert "give each its own id" in workers.output.read_text()
