"""What one learner can see or change of another's: nothing, by token or by session, by any door of the service."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from hub.progress.models import EventType
from hub.submissions.archive import canonical_tar
from tests.attacks.platform import cast
from tests.attacks.platform.cast import Program, Workspace, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from hub.service import Services
    from tests.attacks.platform.conftest import SignedIn, Submitted
    from tests.running_platform import Platform, SignIn

pytestmark = pytest.mark.attacks

CANARY = "victor-wrote-this-9d41"
PLACE = f"exchange/courses/{cast.TRACK}/assignments/{cast.EXERCISE}"
COURSE = f"exchange/courses/{cast.TRACK}"
API_READS = ("submissions/{id}", "exchange/submissions/{id}/feedback", "exchange/submissions/{id}/files",
             "exchange/submissions/{id}/autograded")  # fmt: skip
PAGES = (
    "submissions/{id}",
    "submissions/{id}/feedback/greeting.html",
    "submissions/{id}/feedback/..%2f..%2fgreeting.html",
    "mentor",
    "mentor/rows",
    f"mentor/learners/{cast.VICTIM}",
    f"mentor/learners/{cast.VICTIM}/now",
    f"trainer/submissions?learner={cast.VICTIM}",
    f"trainer/submissions/rows?learner={cast.VICTIM}",
    "trainer/overview",
    "trainer/exercises",
    "trainer/regrade?submission={id}",
    "admin/people",
    f"admin/people/{cast.VICTIM}",
)


@pytest.fixture(scope="module")
def theirs(submitted: Submitted) -> str:
    """The victim's graded submission; every file of it says who wrote it."""
    code = f"# {CANARY}\ndef greet(name):\n    print('{CANARY}')\n    return '{CANARY} ' + name"
    return submitted(cast.VICTIM, cast.work(code, CANARY))


def says_nothing(text: str) -> bool:
    return CANARY not in text and "Victor" not in text and "Claes" not in text


def without_request_id(text: str) -> Any:
    body = json.loads(text)
    body["error"].pop("request_id")
    return body


@pytest.mark.parametrize("path", API_READS)
def test_its_owner_finds_it(program: Callable[[str], Program], theirs: str, path: str) -> None:
    """Without this a door that nobody ever finds would pass for a locked one."""
    reader = cast.TRAINER if "autograded" in path else cast.VICTIM
    answer = program(reader).call("GET", path.format(id=theirs))
    assert answer.status == 200
    assert CANARY in answer.text


@pytest.mark.parametrize("path", API_READS)
def test_a_program_of_another_learner_finds_nothing(
    platform: Platform,
    program: Callable[[str], Program],
    workspace: Callable[[str], Workspace],
    theirs: str,
    path: str,
) -> None:
    for attacker in (program(cast.ATTACKER), Program(platform, workspace(cast.ATTACKER).token)):
        refused = attacker.call("GET", path.format(id=theirs))
        assert refused.status == 404
        assert says_nothing(refused.text)
        never_there = attacker.call("GET", path.format(id=uuid.uuid4()))
        assert without_request_id(refused.text) == without_request_id(never_there.text), (
            "it tells that there is one"
        )


@pytest.mark.parametrize("path", PAGES)
def test_a_session_of_another_learner_finds_nothing(
    platform: Platform, signed_in: SignedIn, theirs: str, path: str
) -> None:
    answer = signed_in(cast.ATTACKER).get(platform.page_url(path.format(id=theirs)))
    assert answer.status == 404
    assert says_nothing(answer.text)


def test_neither_does_one_who_names_the_victim(
    platform: Platform, program: Callable[[str], Program], people: dict[str, int], theirs: str
) -> None:
    mallory = program(cast.ATTACKER)
    claims = {
        "X-Forwarded-User": cast.VICTIM,
        "X-Remote-User": cast.VICTIM,
        "X-Original-URL": "/services/atelier/admin/people",
    }
    listed = mallory.call(
        "GET", f"exchange/assignments?course_id={cast.TRACK}&person={cast.VICTIM}", headers=claims
    )
    assert listed.status == 200
    assert theirs not in listed.text
    assert (
        mallory.call("GET", f"me?person_id={people[cast.VICTIM]}", headers=claims).json()["name"]
        == cast.ATTACKER
    )


def test_the_stream_of_events_is_silent_about_others(
    state: Services, sign_in: SignIn, people: dict[str, int], theirs: str
) -> None:
    page: Page = sign_in(cast.ATTACKER)
    page.evaluate(
        """ids => { window.heard = [];
          for (const query of ["", `?person=${ids.victim}`, "?after=0", `?after=0&person=${ids.victim}`]) {
            const source = new EventSource("/services/atelier/events" + query);
            source.addEventListener("change", event => window.heard.push(JSON.parse(event.data)));
          } }""",
        {"victim": people[cast.VICTIM]},
    )
    place = state.submissions.view(theirs).submission
    course_id = state.courses.by_slug(cast.TRACK).id
    for key, name in (("theirs", cast.VICTIM), ("own", cast.ATTACKER)):
        with state.database.transaction() as session:
            state.progress.record(
                session, EventType.OPENED, people[name], key=f"{key}-{uuid.uuid4()}", course_id=course_id,
                assignment_id=place.assignment_id, source="attack",
            )  # fmt: skip
    heard = wait_for(
        lambda: next(
            (
                found
                for found in [page.evaluate("window.heard")]
                if any(hint["type"] == "opened" for hint in found)
            ),
            None,
        ),
        "the attacker hears of themselves",
    )
    assert {hint["person"] for hint in heard} == {people[cast.ATTACKER]}


TRAINERS_DOORS: tuple[tuple[str, str, Any], ...] = (
    ("PUT", PLACE, canonical_tar(cast.source() | {"more.txt": b"mine"})),
    ("PUT", f"exchange/courses/{cast.TRACK}/assignments/new-one", canonical_tar(cast.source())),
    ("DELETE", PLACE, None),
    ("GET", f"{PLACE}/source", None),
    ("PUT", f"{PLACE}/deadline", {"deadline": "2001-01-01T00:00:00Z"}),
    ("GET", f"{PLACE}/submissions", None),
    ("GET", f"{COURSE}/submissions", None),
    ("POST", f"{PLACE}/feedback", {"learner": None}),
    ("GET", f"{COURSE}/gradebook", None),
    ("POST", "exchange/submissions/{own}/regrade", None),
    ("POST", "exchange/submissions/{theirs}/regrade", None),
    ("GET", "exchange/submissions/{own}/autograded", None),
    ("POST", f"{COURSE}/marks", {"marks": [{"submission_id": "{own}", "notebook": cast.EXERCISE, "grade_id": "why",
                                          "seen_at": "2100-01-01T00:00:00Z", "score": 2}]}),
)  # fmt: skip


def test_a_trainers_doors_are_shut(
    platform: Platform,
    state: Services,
    program: Callable[[str], Program],
    workspace: Callable[[str], Workspace],
    submitted: Submitted,
    everything: Callable[[], dict[str, list[Any]]],
    theirs: str,
) -> None:
    own = submitted(cast.ATTACKER, cast.work())
    before = everything()
    for attacker in (program(cast.ATTACKER), Program(platform, workspace(cast.ATTACKER).token)):
        for method, path, body in TRAINERS_DOORS:
            sent = json.loads(json.dumps(body).replace("{own}", own)) if isinstance(body, dict) else body
            answer = attacker.call(method, path.format(own=own, theirs=theirs), sent)
            assert answer.status == 404, (method, path, answer.text)
            assert says_nothing(answer.text), (method, path)
            assert cast.HIDDEN not in answer.text, (method, path)
    assert everything() == before


def test_the_same_doors_open_for_the_trainer(
    program: Callable[[str], Program], graded: Callable[[str], str], theirs: str
) -> None:
    """Without this the requests above could be refused for being wrong."""
    tess = program(cast.TRAINER)
    for method, path, body in TRAINERS_DOORS:
        if method == "GET" or path.endswith(("/marks", "/feedback")) or "{theirs}" in path:
            sent = json.loads(json.dumps(body).replace("{own}", theirs)) if isinstance(body, dict) else body
            answer = tess.call(method, path.format(own=theirs, theirs=theirs), sent)
            assert answer.status in (200, 202), (method, path, answer.text)
    graded(theirs)


def test_more_than_was_asked_for_is_refused(
    program: Callable[[str], Program], everything: Callable[[], dict[str, list[Any]]], theirs: str
) -> None:
    before = everything()
    mark = {
        "submission_id": theirs,
        "notebook": cast.EXERCISE,
        "grade_id": "why",
        "seen_at": "2100-01-01T00:00:00Z",
    }
    for method, path, body in (
        ("PUT", f"{PLACE}/deadline", {"deadline": None, "course_id": 1}),
        ("POST", f"{PLACE}/feedback", {"learner": None, "score": 99}),
        ("POST", f"{COURSE}/marks", {"marks": [mark | {"score": 1, "max_score": 100}]}),
        ("POST", f"{COURSE}/marks", {"marks": [mark | {"score": 1, "given_by": 1}]}),
        ("POST", f"{COURSE}/marks", {"marks": [mark | {"score": 1000}]}),
        ("POST", f"{COURSE}/marks", {"marks": [mark | {"score": -1}]}),
        ("POST", f"{COURSE}/marks", {"marks": [mark | {"score": float("nan")}]}),
        ("POST", f"{COURSE}/marks", {"marks": [mark | {"extra_credit": 1e308}]}),
        ("POST", f"{COURSE}/marks", {"marks": [], "person_id": 1}),
    ):
        answer = program(cast.TRAINER).call(method, path, body)
        assert answer.status in (400, 422), (path, body, answer.text)
        assert answer.json()["error"]["message"]
    assert everything() == before


def test_what_a_learner_adds_to_a_request_changes_nothing(
    platform: Platform, state: Services, signed_in: SignedIn, submitted: Submitted, people: dict[str, int]
) -> None:
    wishes = f"?person_id={people[cast.VICTIM]}&learner={cast.VICTIM}&score=4&attempt=99&state=graded&received_at=2001-01-01"
    view = state.submissions.view(
        submitted(cast.ATTACKER, cast.work("def greet(name):\n    return ''"), wishes)
    )
    assert view.submission.person_id == people[cast.ATTACKER]
    assert view.submission.attempt < 99
    assert view.submission.received_at.year > 2001
    assert view.result is not None
    assert view.result.score == 0
    client = signed_in(cast.ATTACKER)
    csrf = client.get(platform.page_url("path")).text.split('name="csrf" value="')[1].split('"')[0]
    form = {
        "csrf": csrf,
        "language": "nl",
        "role": "admin",
        "active": "0",
        "name": cast.VICTIM,
        "person_id": "1",
    }
    origin = {"Origin": platform.service_url.split("/services")[0], "Sec-Fetch-Site": "same-origin"}
    assert client.request("POST", platform.page_url("language"), form, origin).status == 303
    mallory = state.people.by_name(cast.ATTACKER)
    assert (mallory.language, mallory.role, mallory.active) == ("nl", "learner", True)
    assert state.people.by_name(cast.VICTIM).language == "en"
    state.people.set_language(mallory.id, "en")
