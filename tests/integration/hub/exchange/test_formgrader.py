"""Formgrader in a trainer's container: nbgrader's own pages and buttons, over the platform."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from bs4 import BeautifulSoup

from hub.exchange import mirror
from tests.doubles.gradebook import hand_in_and_grade, make_gradebook, make_graded_notebook

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.doubles.exchange_api import ExchangeApi, Submitted
    from tests.doubles.exchange_seat import Seat, Server

pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")  # nbgrader's own add_submission

PAGES = "atelier/courses/web/formgrader/"
EVIL = "<script>steal()</script><img src=x onerror=steal()><a href='javascript:steal()'>x</a>"


@pytest.fixture
def graded(api: ExchangeApi, seat: Seat, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Submitted:
    """A graded submission of alice; the trainer tom sits down, and every page looks at the service."""
    monkeypatch.setattr(mirror, "FRESH_S", 0.0)
    source = {"page-one.ipynb": make_graded_notebook()}
    api.publish("web", "page-one", source, source)
    files = {
        "page-one.ipynb": make_graded_notebook(output=EVIL, answer=EVIL),
        "files/evil.html": EVIL.encode(),
    }
    submission = hand_in_and_grade(api, tmp_path / "service.db", files)
    seat.sit("tom", "trainer")
    return submission


def notebook_id(running: Server) -> str:
    (row,) = running.get(PAGES + "api/submitted_notebooks/page-one/page-one").json_body()
    return str(row["id"])


def cells(running: Server, what: str) -> dict[str, dict[str, Any]]:
    rows = running.get(f"{PAGES}api/{what}?submission_id={notebook_id(running)}").json_body()
    return {row["name"]: row for row in rows}


class TestPages:
    def test_menu_leads_to_the_only_course(self, graded: Submitted, server: Callable[[], Server]) -> None:
        answer = server().get("formgrader")
        assert answer.headers["Location"] == "/user/person/atelier/courses/web/formgrader/manage_assignments"

    def test_menu_offers_several_courses(self, seat: Seat, server: Callable[[], Server]) -> None:
        seat.sit("tom", "trainer", ("web", "data"))
        page = server().get("formgrader")
        assert page.status_code == 200
        assert 'href="/user/person/atelier/courses/data/formgrader/manage_assignments"' in page.text

    def test_sources_and_sums(self, graded: Submitted, seat: Seat, server: Callable[[], Server]) -> None:
        running = server()
        page = running.get(PAGES + "manage_assignments")
        assert page.status_code == 200
        assert 'base_url = "/user/person/atelier/courses/web"' in page.text
        assert "frame-ancestors 'self'" in page.headers["Content-Security-Policy"]
        (row,) = running.get(PAGES + "api/assignments").json_body()
        assert (row["name"], row["status"], row["num_submissions"]) == ("page-one", "released", 1)
        assert (row["average_score"], row["source_path"]) == (1.0, "source/page-one")
        assert (seat.home / "courses/web/source/page-one/page-one.ipynb").is_file()

    @pytest.mark.parametrize(
        "page",
        ["manage_assignments", "gradebook", "gradebook/page-one", "gradebook/page-one/page-one",
         "manage_students", "manage_students/alice", "manage_students/alice/page-one", "manage_submissions/page-one"],
    )  # fmt: skip
    def test_every_page_loads_what_it_names(
        self, page: str, graded: Submitted, server: Callable[[], Server]
    ) -> None:
        running = server()
        text = running.get(PAGES + page).text
        assert "marks.js" in text
        for address in {
            part.split('"')[0]
            for part in text.split('src="')[1:] + text.split('<link rel="stylesheet" href="')[1:]
        }:
            assert address.startswith("/user/person/"), address
            assert running.get(address.removeprefix("/user/person/")).status_code == 200, address

    def test_submission_is_graded(self, graded: Submitted, server: Callable[[], Server]) -> None:
        running = server()
        (row,) = running.get(PAGES + "api/submissions/page-one").json_body()
        assert (row["student"], row["autograded"], row["score"], row["max_score"]) == (
            "alice",
            True,
            1.0,
            5.0,
        )
        row = running.get(PAGES + "api/submission/page-one/alice").json_body()
        assert (row["autograded"], row["score"]) == (True, 1.0)
        (row,) = running.get(PAGES + "api/student_notebook_submissions/alice/page-one").json_body()
        assert row["score"] == 1.0

    def test_newer_submission_waits(
        self, graded: Submitted, api: ExchangeApi, server: Callable[[], Server]
    ) -> None:
        running = server()
        api.submitted.append(
            type(graded)("sub-2", "alice", "web", "page-one", api.tick(), 2, dict(graded.files))
        )
        (row,) = running.get(PAGES + "api/submissions/page-one").json_body()
        assert (row["autograded"], row["timestamp"]) == (False, "2026-03-02T09:00:03.750000")

    def test_new_grade_appears(
        self, graded: Submitted, api: ExchangeApi, tmp_path: Path, server: Callable[[], Server]
    ) -> None:
        running = server()
        cells(running, "grades")
        api.gradebooks["web"] = make_gradebook(tmp_path / "next.db", graded, score=2.0)
        assert cells(running, "grades")["q1"]["auto_score"] == 2.0

    def test_service_away_shows_the_last_copy(
        self, graded: Submitted, api: ExchangeApi, server: Callable[[], Server]
    ) -> None:
        running = server()
        running.get(PAGES + "manage_assignments")
        api.fail(503, "unavailable")
        assert "You see the last copy" in running.get(PAGES + "manage_assignments").text
        assert cells(running, "grades")["q1"]["auto_score"] == 1.0

    def test_foreign_course(self, graded: Submitted, server: Callable[[], Server], seat: Seat) -> None:
        assert server().get("atelier/courses/secret/formgrader/manage_assignments").status_code == 404
        assert not (seat.home / "courses/secret").exists()

    def test_names_in_addresses_never_become_script(
        self, graded: Submitted, server: Callable[[], Server]
    ) -> None:
        running = server()
        for path in ("manage_submissions/", "gradebook/", "manage_students/"):
            answer = running.get(PAGES + path + "%22%3B%3C%2Fscript%3E%3Cscript%3Ealert(1)%2F%2F")
            assert answer.status_code == 404
            assert "<script>alert(1)" not in answer.text

    def test_path_can_not_name_a_configuration(
        self, graded: Submitted, seat: Seat, server: Callable[[], Server]
    ) -> None:
        folder = seat.home / "trap"
        folder.mkdir()
        (folder / "nbgrader_config.py").write_text(f"open({str(seat.home / 'ran')!r}, 'w')")
        server().get(f"formgrader?path={folder}")
        assert not (seat.home / "ran").exists()


class TestNotebook:
    def page(self, running: Server) -> Any:
        return running.get(f"{PAGES}submissions/{notebook_id(running)}/")

    def test_no_script_of_a_learner(self, graded: Submitted, server: Callable[[], Server]) -> None:
        page = self.page(server())
        assert page.status_code == 200
        soup = BeautifulSoup(page.text, "html5lib")
        assert "steal" in soup.get_text()  # shown, as text
        assert not [script for script in soup.find_all("script") if "steal" in script.text]
        assert not [tag for tag in soup.find_all() for value in tag.attrs.values() if "steal" in str(value)]
        assert "https://" not in page.text.replace("https://nbgrader.readthedocs.io", "")

    def test_policy_lets_only_our_scripts_run(self, graded: Submitted, server: Callable[[], Server]) -> None:
        policy = self.page(server()).headers["Content-Security-Policy"]
        scripts = next(part for part in policy.split("; ") if part.startswith("script-src"))
        assert "'unsafe-inline'" not in scripts
        assert "'unsafe-eval'" not in scripts
        assert "frame-ancestors 'self'" in policy

    def test_files_beside_it_can_not_run(self, graded: Submitted, server: Callable[[], Server]) -> None:
        running = server()
        page = running.get(f"{PAGES}submissions/{notebook_id(running)}/files/evil.html")
        assert page.status_code == 200
        assert page.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")

    def test_regraded_work_is_fetched_again(
        self, graded: Submitted, api: ExchangeApi, server: Callable[[], Server]
    ) -> None:
        running = server()
        self.page(running)
        graded.autograded = {"page-one.ipynb": make_graded_notebook(answer="A new answer.")}
        graded.graded_at = api.tick()
        assert "A new answer." in self.page(running).text

    def test_navigation(self, graded: Submitted, server: Callable[[], Server]) -> None:
        running = server()
        answer = running.get(f"{PAGES}submissions/{notebook_id(running)}/next")
        assert answer.headers["Location"].endswith(
            "/atelier/courses/web/formgrader/gradebook/page-one/page-one"
        )


class TestMarks:
    def mark(self, running: Server, **body: object) -> Any:
        return running.send("PUT", f"{PAGES}api/grade/{cells(running, 'grades')['essay']['id']}", body)

    def test_mark_is_kept_on_the_platform(
        self, graded: Submitted, api: ExchangeApi, server: Callable[[], Server]
    ) -> None:
        running = server()
        assert self.mark(running, manual_score="2.5", extra_credit=None).status_code == 200
        kept = api.marks[graded.id, "page-one", "essay"]
        assert (kept["score"], kept["extra_credit"], kept["by"]) == (2.5, None, "tom")
        assert cells(running, "grades")["essay"]["manual_score"] == 2.5

    def test_second_thoughts_are_no_newer_mark(
        self, graded: Submitted, api: ExchangeApi, server: Callable[[], Server]
    ) -> None:
        running = server()
        assert self.mark(running, manual_score=1).status_code == 200
        assert self.mark(running, manual_score=2).status_code == 200
        assert api.marks[graded.id, "page-one", "essay"]["score"] == 2

    def test_newer_mark_of_another_wins_and_is_told(
        self, graded: Submitted, api: ExchangeApi, server: Callable[[], Server]
    ) -> None:
        running = server()
        cells(running, "grades")
        api.marks[graded.id, "page-one", "essay"] = {
            "score": 3.0,
            "given_at": api.now + timedelta(hours=1),
            "by": "x",
        }
        answer = self.mark(running, manual_score=0)
        assert answer.status_code == 409
        assert "Your mark was not kept" in answer.json()["message"]
        assert cells(running, "grades")["essay"]["manual_score"] is None
        assert api.marks[graded.id, "page-one", "essay"]["score"] == 3.0

    @pytest.mark.parametrize("status", [503, 422])
    def test_refused_mark_is_an_error(
        self, status: int, graded: Submitted, api: ExchangeApi, server: Callable[[], Server]
    ) -> None:
        running = server()
        grade = cells(running, "grades")["essay"]["id"]
        api.fail(status, "invalid_mark", "Above the maximum.")
        answer = running.send("PUT", f"{PAGES}api/grade/{grade}", {"manual_score": 99})
        assert (answer.status_code, bool(answer.json()["message"])) == (status, True)
        api.fault = None
        assert cells(running, "grades")["essay"]["manual_score"] is None

    def test_comment(self, graded: Submitted, api: ExchangeApi, server: Callable[[], Server]) -> None:
        running = server()
        comment = cells(running, "comments")["essay"]["id"]
        assert (
            running.send("PUT", f"{PAGES}api/comment/{comment}", {"manual_comment": "Good"}).status_code
            == 200
        )
        assert api.marks[graded.id, "page-one", "essay"]["comment"] == "Good"
        assert "score" not in api.marks[graded.id, "page-one", "essay"]

    def test_forged_request(self, graded: Submitted, api: ExchangeApi, server: Callable[[], Server]) -> None:
        running = server()
        grade = cells(running, "grades")["essay"]["id"]
        answer = running.http.put(f"{running.url}{PAGES}api/grade/{grade}", json={"manual_score": 3})
        assert answer.status_code == 403
        assert api.marks == {}

    def test_flag_outlives_a_refresh(
        self, graded: Submitted, api: ExchangeApi, tmp_path: Path, server: Callable[[], Server]
    ) -> None:
        running = server()
        running.send("POST", f"{PAGES}api/submitted_notebook/{notebook_id(running)}/flag")
        api.gradebooks["web"] = make_gradebook(tmp_path / "next.db", graded, score=2.0)
        (row,) = running.get(PAGES + "api/submitted_notebooks/page-one/page-one").json_body()
        assert row["flagged"] is True


class TestButtons:
    def post(self, running: Server, path: str) -> dict[str, Any]:
        body: dict[str, Any] = running.send("POST", f"{PAGES}api/{path}").json_body()
        return body

    def test_autograde_is_the_platforms(
        self, graded: Submitted, api: ExchangeApi, seat: Seat, server: Callable[[], Server]
    ) -> None:
        proof = seat.home / "ran"
        graded.files["page-one.ipynb"] = f"open({str(proof)!r}, 'w')".encode()
        answer = self.post(server(), "submission/page-one/alice/autograde")
        assert answer["success"] is True
        assert graded.state == "queued"
        assert not proof.exists()

    def test_autograde_without_submission(self, graded: Submitted, server: Callable[[], Server]) -> None:
        answer = self.post(server(), "submission/page-one/bob/autograde")
        assert (answer["success"], "no submission of bob" in answer["log"]) == (False, True)

    def test_collect(self, graded: Submitted, seat: Seat, server: Callable[[], Server]) -> None:
        assert self.post(server(), "assignment/page-one/collect")["success"] is True
        assert (seat.home / "courses/web/submitted/alice/page-one/page-one.ipynb").is_file()

    def test_feedback(self, graded: Submitted, server: Callable[[], Server]) -> None:
        graded.feedback_released = False
        running = server()
        assert self.post(running, "assignment/page-one/generate_feedback")["success"] is True
        assert not graded.feedback_released
        assert self.post(running, "assignment/page-one/bob/release_feedback")["success"] is True
        assert not graded.feedback_released
        assert self.post(running, "assignment/page-one/release_feedback")["success"] is True
        assert graded.feedback_released

    def test_unrelease_and_release(
        self, graded: Submitted, api: ExchangeApi, seat: Seat, server: Callable[[], Server]
    ) -> None:
        running = server()
        running.get(PAGES + "manage_assignments")
        assert self.post(running, "assignment/page-one/unrelease")["success"] is True
        (row,) = running.get(PAGES + "api/assignments").json_body()
        assert row["status"] == "draft"
        assert self.post(running, "assignment/page-one/assign")["success"] is True
        assert self.post(running, "assignment/page-one/release")["success"] is True
        assert api.published["web", "page-one"].version == 2
        (row,) = running.get(PAGES + "api/assignments").json_body()
        assert row["status"] == "released"

    def test_unusable_exercise_says_why(
        self, graded: Submitted, seat: Seat, server: Callable[[], Server]
    ) -> None:
        running = server()
        running.send("PUT", f"{PAGES}api/assignment/empty", {"duedate_notimezone": None})
        assert (seat.home / "courses/web/source/empty").is_dir()
        answer = self.post(running, "assignment/empty/release")
        assert (answer["success"], "There is no notebook" in answer["log"]) == (False, True)
        assert not answer["error"]

    def test_deadline_is_the_platforms(
        self, graded: Submitted, api: ExchangeApi, server: Callable[[], Server]
    ) -> None:
        running = server()
        body = {"duedate_notimezone": "2026-04-01T12:00", "duedate_timezone": "+0200"}
        answer = running.send("PUT", f"{PAGES}api/assignment/page-one", body)
        assert answer.status_code == 200
        assert api.published["web", "page-one"].deadline == datetime(2026, 4, 1, 10, tzinfo=UTC)
        (row,) = running.get(PAGES + "api/assignments").json_body()
        assert row["display_duedate"] == "2026-04-01 10:00:00 UTC"

    def test_people_are_managed_elsewhere(self, graded: Submitted, server: Callable[[], Server]) -> None:
        answer = server().send("PUT", f"{PAGES}api/student/eve", {"first_name": "Eve"})
        assert (answer.status_code, "on the platform" in answer.json()["message"]) == (409, True)
