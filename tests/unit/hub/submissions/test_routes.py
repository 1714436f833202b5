"""The API of courses and submissions: what each kind of person can do with it, and what nobody can."""

from __future__ import annotations

import os
import sqlite3
import sys
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.testclient import TestClient
from nbgrader.api import Gradebook

from hub.db import now_utc
from hub.people.models import Person, Role
from hub.submissions.archive import canonical_tar, open_canonical
from tests.doubles.grading import result_of
from tests.doubles.platform import Platform, answer_notebook, source_notebook

if TYPE_CHECKING:
    from tests.unit.hub.submissions.conftest import Api

WORK = canonical_tar({"double.ipynb": answer_notebook()})
SOURCE = canonical_tar({"new.ipynb": source_notebook()})


@pytest.fixture
def trainer(platform: Platform) -> Person:
    return platform.person("tom", Role.TRAINER, courses=["data"])


@pytest.fixture
def stranger(platform: Platform) -> Person:
    platform.publish(course="web")
    return platform.person("tim", Role.TRAINER, courses=["web"])


@pytest.fixture
def handed_in(platform: Platform, lea: Person) -> str:
    return platform.hand_in(lea).id


@pytest.fixture
def graded(platform: Platform, handed_in: str) -> str:
    platform.submissions.record_result(handed_in, result_of(2.0), 1)
    return handed_in


def test_a_learner_lists_fetches_hands_in_and_reads_feedback(
    platform: Platform, api: Api, lea: Person
) -> None:
    client = api.as_(lea)
    assert client.get("/exchange/courses").json() == {
        "courses": [{"id": "data", "title": "data (fr)", "role": "learner"}]
    }
    (row,) = client.get("/exchange/assignments").json()["assignments"]
    assert (row["assignment_id"], row["version"], row["notebooks"], row["submissions"]) == (
        "double",
        1,
        ["double"],
        [],
    )
    release = client.get("/exchange/courses/data/assignments/double/release")
    assert release.headers["content-type"] == "application/x-tar"
    assert open_canonical(release.content)["language.txt"] == b"fr"
    answer = client.post("/exchange/courses/data/assignments/double/submissions", content=WORK)
    assert answer.status_code == 201
    accepted = answer.json()
    assert (accepted["attempt"], accepted["state"]) == (1, "queued")
    id_ = accepted["id"]
    assert client.get(f"/exchange/submissions/{id_}/feedback").status_code == 404
    platform.submissions.record_result(id_, result_of(2.0), 1)
    (row,) = client.get("/exchange/assignments", params={"course_id": "data"}).json()["assignments"]
    (own,) = row["submissions"]
    assert (own["id"], own["timestamp"], own["state"]) == (id_, accepted["timestamp"], "graded")
    assert (own["score"], own["max_score"], own["feedback"]) == (2.0, 5.0, True)
    assert own["feedback_version"]
    feedback = client.get(f"/exchange/submissions/{id_}/feedback")
    assert open_canonical(feedback.content) == {"double.html": b"<p>well done</p>"}
    result = client.get(f"/submissions/{id_}").json()
    assert (result["score"], result["complete"], result["learner"]) == (2.0, False, "lea")
    assert "evidence" not in str(result)
    assert open_canonical(client.get(f"/exchange/submissions/{id_}/files").content).keys() == {"double.ipynb"}


def test_what_is_kept_back_shows_nothing(platform: Platform, api: Api, lea: Person, trainer: Person) -> None:
    platform.publish(feedback="manual")
    platform.people.assign_mentor(platform.person("mia", Role.MENTOR).name, "lea")
    id_ = platform.hand_in(lea).id
    platform.submissions.record_result(id_, result_of(2.0), 1)
    for person in (lea, platform.people.by_name("mia")):
        result = api.as_(person, "personal").get(f"/submissions/{id_}").json()
        assert (result["score"], result["result"]) == (None, None)
        assert api.as_(person, "personal").get(f"/exchange/submissions/{id_}/feedback").status_code == 404
    (row,) = api.as_(lea).get("/exchange/assignments").json()["assignments"]
    own = row["submissions"][0]
    assert (own["state"], own["score"], own["feedback"], own["feedback_version"]) == (
        "graded",
        None,
        False,
        None,
    )
    assert api.as_(trainer).get(f"/submissions/{id_}").json()["score"] == 2.0
    url = "/exchange/courses/data/assignments/double/feedback"
    assert api.as_(trainer).post(url, json={"learner": "lea"}).json() == {"released": 1}
    assert api.as_(trainer).post(url, json={"learner": None}).json() == {"released": 0}
    assert api.as_(lea).get(f"/submissions/{id_}").json()["score"] == 2.0


def test_others_work_does_not_exist(
    platform: Platform, api: Api, lea: Person, *, max_: Person, eve: Person, stranger: Person, graded: str
) -> None:
    mentor = platform.person("moe", Role.MENTOR, courses=["data"])
    paths = [
        f"/submissions/{graded}",
        f"/exchange/submissions/{graded}/feedback",
        f"/exchange/submissions/{graded}/files",
        f"/exchange/submissions/{graded}/autograded",
    ]
    for person in (max_, eve, stranger, mentor):
        for kind in ("server", "personal"):
            for path in paths:
                refused = api.as_(person, kind).get(path)
                assert refused.status_code == 404
                unknown = api.as_(person, kind).get(path.replace(graded, "0" * 36))
                assert unknown.json() == refused.json()
            assert api.as_(person, kind).post(f"/exchange/submissions/{graded}/regrade").status_code == 404
    assert api.as_(lea).get(f"/exchange/submissions/{graded}/autograded").status_code == 404
    assert api.as_(lea).post(f"/exchange/submissions/{graded}/regrade").status_code == 404


def test_a_mentor_reads_with_a_personal_token_only(
    platform: Platform, api: Api, lea: Person, graded: str
) -> None:
    mentor = platform.person("mia", Role.MENTOR)
    platform.people.assign_mentor("mia", "lea")
    assert api.as_(mentor, "personal").get(f"/submissions/{graded}").json()["score"] == 2.0
    assert api.as_(mentor, "server").get(f"/submissions/{graded}").status_code == 404
    assert api.as_(mentor, "personal").get(f"/exchange/submissions/{graded}/files").status_code == 404


TRAINER_CALLS: list[tuple[str, str, dict[str, Any]]] = [
    ("GET", "/exchange/courses/data/assignments/double/source", {}),
    ("PUT", "/exchange/courses/data/assignments/new", {"content": SOURCE}),
    ("PUT", "/exchange/courses/data/assignments/double/deadline", {"json": {"deadline": None}}),
    ("GET", "/exchange/courses/data/submissions", {}),
    ("GET", "/exchange/courses/data/assignments/double/submissions", {}),
    ("POST", "/exchange/courses/data/assignments/double/feedback", {"json": {}}),
    ("POST", "/exchange/courses/data/marks", {"json": {"marks": []}}),
    ("DELETE", "/exchange/courses/data/assignments/double", {}),
]


@pytest.mark.parametrize(("method", "path", "body"), TRAINER_CALLS)
def test_what_trainers_do_is_for_trainers_of_the_course(
    platform: Platform,
    api: Api,
    lea: Person,
    *,
    trainer: Person,
    stranger: Person,
    method: str,
    path: str,
    body: dict[str, Any],
) -> None:
    mentor = platform.person("moe", Role.MENTOR, courses=["data"])
    for person in (lea, stranger, mentor):
        assert api.as_(person).request(method, path, **body).status_code == 404
    assert api.as_(trainer).request(method, path, **body).status_code in (200, 204)


def test_a_trainer_publishes_sees_and_regrades(
    platform: Platform, api: Api, trainer: Person, graded: str, max_: Person
) -> None:
    client = api.as_(trainer)
    published = client.put("/exchange/courses/data/assignments/new", content=SOURCE)
    assert published.json() == {"version": 1, "warnings": []}
    assert client.put("/exchange/courses/data/assignments/new", content=b"x" * 1024).status_code == 422
    source = client.get("/exchange/courses/data/assignments/new/source").content
    assert open_canonical(source) == {"new.ipynb": source_notebook()}
    platform.hand_in(max_)
    rows = client.get("/exchange/courses/data/submissions").json()["submissions"]
    assert [(row["learner"], row["state"], row["score"], row["needs_manual_grade"]) for row in rows] == [
        ("lea", "graded", 2.0, True),
        ("max", "queued", None, False),
    ]
    since = (now_utc() + timedelta(minutes=1)).isoformat()
    url = "/exchange/courses/data/assignments/double/submissions"
    assert client.get(url, params={"since": since}).json() == {"submissions": []}
    assert len(client.get(url).json()["submissions"]) == 2
    assert open_canonical(client.get(f"/exchange/submissions/{graded}/autograded").content) == {
        "double.ipynb": b"{}"
    }
    again = client.post(f"/exchange/submissions/{graded}/regrade")
    assert (again.status_code, again.json()) == (202, {"id": graded, "state": "queued"})
    assert client.get(f"/submissions/{graded}").json()["result"]["notebooks"]["double"]["cells"][
        "double-check"
    ]["evidence"]
    assert client.delete("/exchange/courses/data/assignments/new").status_code == 204
    assert client.get("/exchange/courses/data/assignments/new/source").status_code == 404


def test_a_deadline_needs_a_zone_and_a_published_exercise(api: Api, trainer: Person) -> None:
    url = "/exchange/courses/data/assignments/double/deadline"
    at = "2026-03-01T12:00:00+00:00"
    assert api.as_(trainer).put(url, json={"deadline": at}).json() == {"deadline": at}
    assert api.as_(trainer).put(url, json={"deadline": "2026-03-01T12:00:00"}).status_code == 422
    assert api.as_(trainer).put(url.replace("double", "none"), json={"deadline": at}).status_code == 404


# --- marks and the gradebook's copy ---


@pytest.fixture
def gradebook(platform: Platform, graded: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # nbgrader calls the program `alembic` by name when it makes a gradebook
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    folder = platform.settings.courses_dir / "data"
    folder.mkdir(parents=True)
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}", "data") as book:
        book.add_student("lea")
        book.add_assignment("double")
        book.add_notebook("double", "double")
        book.add_grade_cell("double-check", "double", "double", max_score=2, cell_type="code")
        book.add_grade_cell("essay", "double", "double", max_score=3, cell_type="markdown")
        book.add_solution_cell("essay", "double", "double")
        book.add_submission("double", "lea")
        grade = book.find_grade("essay", "double", "double", "lea")
        grade.needs_manual_grade = True
        book.db.commit()


def mark(id_: str, grade_id: str = "essay", seen_at: str | None = None, **given: Any) -> dict[str, Any]:
    seen = seen_at or now_utc().isoformat()
    return {"submission_id": id_, "notebook": "double", "grade_id": grade_id, "seen_at": seen, **given}


@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")  # nbgrader's own
@pytest.mark.usefixtures("gradebook")
def test_the_copy_holds_every_mark_and_changes_its_tag(
    api: Api, platform: Platform, trainer: Person, graded: str, tmp_path: Any
) -> None:
    client = api.as_(trainer)
    before = client.get("/exchange/courses/data/gradebook")
    assert before.headers["content-type"] == "application/vnd.sqlite3"
    tag = before.headers["etag"]
    assert client.get("/exchange/courses/data/gradebook", headers={"If-None-Match": tag}).status_code == 304
    seen = before.headers["x-atelier-as-of"]
    sent = {
        "marks": [
            mark(graded, seen_at=seen, score=2.5, comment="good"),
            mark(graded, "double-check", extra_credit=1),
        ]
    }
    answer = client.post("/exchange/courses/data/marks", json=sent)
    assert answer.status_code == 200
    assert [row["grade_id"] for row in answer.json()["marks"]] == ["essay", "double-check"]
    after = client.get("/exchange/courses/data/gradebook", headers={"If-None-Match": tag})
    assert after.status_code == 200
    copy = tmp_path / "copy.db"
    copy.write_bytes(after.content)
    with Gradebook(f"sqlite:///{copy}", "data") as book:
        essay = book.find_grade("essay", "double", "double", "lea")
        assert (essay.manual_score, essay.needs_manual_grade) == (2.5, False)
        assert book.find_grade("double-check", "double", "double", "lea").extra_credit == 1.0
        assert book.find_comment("essay", "double", "double", "lea").manual_comment == "good"
    original = platform.settings.courses_dir / "data" / "gradebook.db"
    with closing(sqlite3.connect(original)) as book:
        assert book.execute("SELECT count(*) FROM grade WHERE manual_score IS NOT NULL").fetchone() == (0,)


@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")  # nbgrader's own
@pytest.mark.usefixtures("gradebook")
def test_a_mark_given_since_is_not_overwritten(api: Api, trainer: Person, graded: str) -> None:
    client = api.as_(trainer)
    seen = client.get("/exchange/courses/data/gradebook").headers["x-atelier-as-of"]
    url = "/exchange/courses/data/marks"
    assert client.post(url, json={"marks": [mark(graded, seen_at=seen, score=1)]}).status_code == 200
    refused = client.post(url, json={"marks": [mark(graded, seen_at=seen, score=3)]})
    assert (refused.status_code, refused.json()["error"]["reason"]) == (409, "newer_mark")


def test_no_gradebook_before_the_first_grade(api: Api, trainer: Person) -> None:
    refused = api.as_(trainer).get("/exchange/courses/data/gradebook")
    assert (refused.status_code, refused.json()["error"]["reason"]) == (404, "no_gradebook")


@pytest.mark.parametrize(
    "bad",
    [
        {"score": 4},
        {"score": -1},
        {"score": "x"},
        {"comment": "x" * 10_001},
        {"grade_id": "nothing", "score": 1},
        {"score": 1, "given_by": 1},
        {"score": 1, "seen_at": "2026-03-01T12:00:00"},
        {"score": 1, "seen_at": "yesterday"},
    ],
)
def test_marks_that_do_not_fit_are_refused(
    api: Api, platform: Platform, trainer: Person, graded: str, bad: Any
) -> None:
    sent = {"marks": [mark(graded, score=1, grade_id="double-check"), {**mark(graded), **bad}]}
    assert api.as_(trainer).post("/exchange/courses/data/marks", json=sent).status_code == 422
    assert platform.submissions.marks(graded) == []


def test_a_mark_that_is_no_number_is_refused(api: Api, trainer: Person, graded: str) -> None:
    for text in ("NaN", "Infinity", "1e999"):
        row = str(mark(graded)).replace(chr(39), chr(34))[:-1]
        body = f'{{"marks": [{row}, "score": {text}}}]}}'
        answer = api.as_(trainer).post(
            "/exchange/courses/data/marks", content=body, headers={"Content-Type": "application/json"}
        )
        assert answer.status_code == 422


# --- uploads that lie ---


def post(client: TestClient, content: Any, **headers: str) -> Any:
    return client.post(
        "/exchange/courses/data/assignments/double/submissions", content=content, headers=headers
    )


def test_a_body_over_the_limit_is_refused(platform: Platform, api: Api, lea: Person) -> None:
    cap = platform.submissions.limits.wire_bytes
    assert post(api.as_(lea), b"\0" * (cap + 1)).status_code == 413
    assert post(api.as_(lea), iter([b"\0" * 1_000_000] * (cap // 1_000_000 + 1))).status_code == 413
    assert post(api.as_(lea), WORK, **{"Content-Length": str(cap + 1)}).status_code == 413
    assert post(api.as_(lea), WORK, **{"Content-Length": "9" * 30}).status_code == 413


def test_a_stranger_is_refused_before_the_body_is_read(api: Api, eve: Person) -> None:
    assert post(api.as_(eve), b"\0" * 30_000_000).status_code == 404


def test_refusals_say_why(api: Api, lea: Person) -> None:
    empty = post(api.as_(lea), b"")
    assert (empty.status_code, empty.json()["error"]["reason"]) == (422, "invalid_submission")
    renamed = post(api.as_(lea), canonical_tar({"mine.ipynb": answer_notebook()}))
    assert "double.ipynb is not there" in renamed.json()["error"]["message"]


def test_nothing_without_a_token(api: Api, graded: str) -> None:
    client = TestClient(api.app, base_url="http://test/api")
    for path in ("/exchange/courses", "/exchange/assignments", f"/submissions/{graded}"):
        assert client.get(path).status_code == 401
