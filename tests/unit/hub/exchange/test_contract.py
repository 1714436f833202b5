"""The double of the service and the service itself, held to the same contract by the client that uses both."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import httpx
import pytest
from fastapi.testclient import TestClient

from hub.db import now_utc
from hub.exchange.archive import Entry, pack
from hub.exchange.client import ExchangeClient
from hub.exchange.environment import Environment, Role
from hub.exchange.failure import RefusedError
from hub.exchange.record import Mark
from hub.people.models import Role as PlatformRole
from tests.doubles.exchange_api import ExchangeApi
from tests.doubles.grading import result_of
from tests.doubles.platform import answer_notebook, make_platform, source_notebook
from tests.unit.hub.submissions.conftest import Api

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hub.db import Database
    from hub.settings import Settings

WORK = pack([Entry(PurePosixPath("double.ipynb"), answer_notebook())])
CLOSING = pack([Entry(PurePosixPath("closing.ipynb"), answer_notebook())])
SOURCE = pack([Entry(PurePosixPath("new.ipynb"), source_notebook())])


class InProcess(httpx.BaseTransport):
    """The client's way into the service's application, without a socket."""

    def __init__(self, web: TestClient) -> None:
        self._web = web

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self._web.request(
            request.method, str(request.url), content=request.read(), headers=dict(request.headers)
        )
        return httpx.Response(answer.status_code, headers=dict(answer.headers), content=answer.content)


@dataclass
class Side:
    """One side of the contract, seen by three people."""

    learner: ExchangeClient
    trainer: ExchangeClient
    stranger: ExchangeClient
    grade: Callable[[str], object]
    close: Callable[[], object]
    """Publishes `closing`, which takes nothing after its deadline."""


def client(url: str, token: str, transport: httpx.BaseTransport | None = None) -> ExchangeClient:
    environment = Environment(url, token, "x", Role.LEARNER, "en", "", 1_000_000, Path("/h"))
    return ExchangeClient(environment, transport)


@pytest.fixture
def double() -> Iterator[Side]:
    with ExchangeApi() as api, ExitStack() as stack:
        api.now = now_utc()
        api.publish("data", "double", {"double.ipynb": answer_notebook(), "given.csv": b"a,b\n1,2\n"})
        tokens = [
            api.add("lea", "learner", ("data",)),
            api.add("tom", "trainer", ("data",)),
            api.add("eve", courses=()),
        ]

        def grade(submission_id: str) -> None:
            submission = next(s for s in api.submitted if s.id == submission_id)
            api.grade(submission, 2.0, feedback={"double.html": b"<p>well done</p>"})

        def close() -> None:
            api.publish("data", "closing", {"closing.ipynb": answer_notebook()}).closes = True

        yield Side(
            *(stack.enter_context(client(api.url, token)) for token in tokens), grade=grade, close=close
        )


@pytest.fixture
def service(settings: Settings, database: Database) -> Iterator[Side]:
    platform = make_platform(settings, database)
    platform.publish()

    def close() -> None:
        platform.publish("closing", late="closed")

    people = (
        platform.person("lea", courses=["data"]),
        platform.person("tom", PlatformRole.TRAINER, courses=["data"]),
        platform.person("eve"),
    )
    with TestClient(Api(platform).app) as web, ExitStack() as stack:
        clients = [
            stack.enter_context(client("http://testserver/api/", f"{person.name}-server", InProcess(web)))
            for person in people
        ]
        yield Side(
            *clients,
            grade=lambda id_: platform.submissions.record_result(id_, result_of(2.0), 1),
            close=close,
        )


@pytest.fixture(params=["double", "service"])
def side(request: pytest.FixtureRequest) -> Side:
    found: Side = request.getfixturevalue(request.param)
    return found


def refused(what: Callable[[], object]) -> tuple[int | None, str]:
    with pytest.raises(RefusedError) as caught:
        what()
    return caught.value.status, caught.value.reason


def test_a_learners_round(side: Side) -> None:
    assert [(c.id, c.role) for c in side.learner.courses()] == [("data", "learner")]
    (before,) = side.learner.assignments("data")
    assert (before.course_id, before.assignment_id, before.notebooks, before.attempts) == (
        "data",
        "double",
        ("double",),
        (),
    )
    assert {"double.ipynb", "given.csv"} <= {str(e.path) for e in side.learner.release("data", "double")}
    receipt = side.learner.submit("data", "double", WORK)
    assert (receipt.attempt, receipt.state) == (1, "queued")
    assert side.learner.submit("data", "double", WORK).attempt == 2
    assert refused(lambda: side.learner.feedback(receipt.id))[0] == 404
    side.grade(receipt.id)
    (after,) = side.learner.assignments()
    first, second = sorted(after.attempts, key=lambda attempt: attempt.attempt)
    assert (first.id, first.received_at, first.state, first.feedback) == (
        receipt.id,
        receipt.received_at,
        "graded",
        True,
    )
    assert first.feedback_version
    assert (second.feedback, second.feedback_version) == (False, None)
    assert [(str(e.path), e.data) for e in side.learner.feedback(receipt.id)] == [
        ("double.html", b"<p>well done</p>")
    ]


def test_what_a_trainer_sees(side: Side) -> None:
    receipt = side.learner.submit("data", "double", WORK)
    for rows in (side.trainer.received("data"), side.trainer.received("data", "double")):
        assert [(r.id, r.learner, r.assignment_id, r.graded, r.graded_at) for r in rows] == [
            (receipt.id, "lea", "double", False, None)
        ]
    assert [str(e.path) for e in side.trainer.submitted_files(receipt.id)] == ["double.ipynb"]
    assert refused(lambda: side.trainer.autograded_files(receipt.id)) == (409, "not_graded")
    side.grade(receipt.id)
    (row,) = side.trainer.received("data")
    assert (row.graded, row.graded_at is not None) == (True, True)
    assert "double.ipynb" in [str(e.path) for e in side.trainer.autograded_files(receipt.id)]
    side.trainer.regrade(receipt.id)
    assert not side.trainer.received("data")[0].graded
    assert side.trainer.received("data")[0].graded_at is not None


def test_publishing(side: Side) -> None:
    assert side.trainer.publish("data", "new", SOURCE)[0] == 1
    assert [str(e.path) for e in side.trainer.source("data", "new")] == ["new.ipynb"]
    status, _ = refused(lambda: side.trainer.publish("data", "bad", b"no tar"))
    assert status == 422
    side.trainer.withdraw("data", "new")
    assert [a.assignment_id for a in side.learner.assignments("data")] == ["double"]
    assert refused(lambda: side.learner.release("data", "new"))[0] == 404


def deadline_of(side: Side) -> datetime | None:
    return next(a.deadline for a in side.learner.assignments("data") if a.assignment_id == "double")


def test_deadline(side: Side) -> None:
    side.close()
    past = now_utc() - timedelta(hours=1)
    side.trainer.set_deadline("data", "double", past)
    assert deadline_of(side) == past
    assert side.learner.submit("data", "double", WORK).attempt == 1  # late, and taken
    side.trainer.set_deadline("data", "closing", past)
    assert refused(lambda: side.learner.submit("data", "closing", CLOSING)) == (409, "deadline_passed")
    side.trainer.set_deadline("data", "double", None)
    assert deadline_of(side) is None


def test_marks(side: Side) -> None:
    receipt = side.learner.submit("data", "double", WORK)
    side.grade(receipt.id)
    before = now_utc() - timedelta(days=1)
    cell = (receipt.id, "double", "essay")
    given_at = side.trainer.mark("data", Mark(*cell, before, {"score": 2.0, "extra_credit": None}))
    assert refused(lambda: side.trainer.mark("data", Mark(*cell, before, {"score": 1.0}))) == (
        409,
        "newer_mark",
    )
    assert side.trainer.mark("data", Mark(*cell, given_at, {"comment": "Good"})) > given_at
    assert (
        refused(
            lambda: side.trainer.mark("data", Mark(*cell, now_utc() + timedelta(days=1), {"score": -1.0}))
        )[0]
        == 422
    )
    assert (
        refused(lambda: side.trainer.mark("data", Mark("none", "double", "essay", before, {"score": 1.0})))[0]
        == 404
    )


def test_feedback_released_by_hand(side: Side) -> None:
    assert side.trainer.release_feedback("data", "double", None) == 0
    assert side.trainer.release_feedback("data", "double", "lea") == 0


def test_no_gradebook_yet(side: Side) -> None:
    assert refused(lambda: side.trainer.gradebook("data")) == (404, "no_gradebook")


def trainers_things(person: ExchangeClient, submission_id: str) -> list[Callable[[], object]]:
    mark = Mark(submission_id, "double", "essay", now_utc(), {"score": 3.0})
    return [
        lambda: person.received("data"),
        lambda: person.source("data", "double"),
        lambda: person.publish("data", "double", SOURCE),
        lambda: person.withdraw("data", "double"),
        lambda: person.set_deadline("data", "double", None),
        lambda: person.autograded_files(submission_id),
        lambda: person.regrade(submission_id),
        lambda: person.gradebook("data"),
        lambda: person.mark("data", mark),
        lambda: person.release_feedback("data", "double", None),
    ]


def test_what_does_not_concern_a_person_does_not_exist(side: Side) -> None:
    receipt = side.learner.submit("data", "double", WORK)
    side.grade(receipt.id)
    for person in (side.learner, side.stranger):
        for what in trainers_things(person, receipt.id):
            assert refused(what)[0] == 404
    assert side.stranger.courses() == []
    assert refused(lambda: side.stranger.release("data", "double"))[0] == 404
    assert refused(lambda: side.stranger.submit("data", "double", WORK))[0] == 404
    assert refused(lambda: side.stranger.feedback(receipt.id))[0] == 404
