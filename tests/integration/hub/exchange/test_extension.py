"""The button "Open the exercise", and nbgrader's Assignment List, on a running Jupyter server."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.doubles.exchange_api import ExchangeApi
    from tests.doubles.exchange_seat import Seat, Server

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def page_one(api: ExchangeApi, notebook: Callable[..., bytes]) -> None:
    api.publish(
        "web", "page-one", {"a-first.ipynb": b"{}", "page-one.ipynb": notebook("1"), "files/i.html": b"<p>"}
    )


class TestOpen:
    def test_fetches_and_shows_the_notebook(self, seat: Seat, server: Callable[[], Server]) -> None:
        answer = server().get("atelier/open/web/page-one")
        assert answer.status_code == 302
        assert unquote(answer.headers["Location"]) == "/user/person/lab/tree/web/page-one/page-one.ipynb"
        assert (seat.home / "web/page-one/files/i.html").is_file()

    def test_keeps_work_and_restores_what_is_missing(self, seat: Seat, server: Callable[[], Server]) -> None:
        running = server()
        running.get("atelier/open/web/page-one")
        folder = seat.home / "web/page-one"
        (folder / "page-one.ipynb").write_text("my work")
        (folder / "mine.txt").write_text("mine")
        (folder / "files/i.html").unlink()
        assert running.get("atelier/open/web/page-one").status_code == 302
        assert (folder / "page-one.ipynb").read_text() == "my work"
        assert (folder / "mine.txt").read_text() == "mine"
        assert (folder / "files/i.html").read_bytes() == b"<p>"

    def test_work_opens_while_the_service_is_away(self, seat: Seat, server: Callable[[], Server]) -> None:
        running = server()
        running.get("atelier/open/web/page-one")
        seat.api.fail(503, "unavailable")
        assert running.get("atelier/open/web/page-one").status_code == 302

    def test_first_notebook_of_another_name(self, api: ExchangeApi, server: Callable[[], Server]) -> None:
        api.publish("web", "two", {"b.ipynb": b"{}", "c.ipynb": b"{}"})
        assert server().get("atelier/open/web/two").headers["Location"].endswith("/lab/tree/web/two/b.ipynb")

    def test_failure_is_a_page_in_the_persons_language(
        self, seat: Seat, server: Callable[[], Server]
    ) -> None:
        seat.sit(ATELIER_LANGUAGE="fr")
        seat.api.fail(503, "unavailable")
        answer = server().get("atelier/open/web/page-one")
        assert answer.status_code == 503
        assert '<html lang="fr">' in answer.text
        assert "La plateforme ne répond pas" in answer.text
        assert 'href="http://pages.test/services/atelier/"' in answer.text
        assert not (seat.home / "web").exists()

    def test_foreign_course(self, seat: Seat, server: Callable[[], Server]) -> None:
        answer = server().get("atelier/open/secret/page-one")
        assert answer.status_code == 404
        assert not (seat.home / "secret").exists()

    @pytest.mark.parametrize(
        "path",
        ["..%2F..%2Fetc/x", "web/..%2F..%2Fx", ".ssh/x", "web/%3Cscript%3Ealert(1)%3C%2Fscript%3E", "web/.."],
    )
    def test_names_that_are_no_names(self, path: str, seat: Seat, server: Callable[[], Server]) -> None:
        before = len(seat.api.requests)
        answer = server().get("atelier/open/" + path)
        assert answer.status_code == 404
        assert "<script>alert" not in answer.text
        assert len(seat.api.requests) == before

    def test_never_through_a_link(
        self, seat: Seat, server: Callable[[], Server], tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        elsewhere = tmp_path_factory.mktemp("elsewhere")
        (seat.home / "web").mkdir()
        (seat.home / "web/page-one").symlink_to(elsewhere)
        answer = server().get("atelier/open/web/page-one")
        assert answer.status_code == 409
        assert list(elsewhere.iterdir()) == []

    def test_needs_sign_in(self, seat: Seat, server: Callable[[], Server]) -> None:
        running = server()
        running.app.identity_provider.token = "something"
        assert "/login" in running.get("atelier/open/web/page-one").headers["Location"]
        assert not (seat.home / "web").exists()


class TestAssignmentList:
    def listed(self, running: Server) -> list[dict[str, object]]:
        body = running.get("assignments?course_id=web").json()
        assert body["success"] is True
        value: list[dict[str, object]] = body["value"]
        return value

    def test_a_whole_round(self, seat: Seat, api: ExchangeApi, server: Callable[[], Server]) -> None:
        running = server()
        assert running.get("courses").json() == {"success": True, "value": ["web"]}
        assert [info["status"] for info in self.listed(running)] == ["released"]
        what = {"course_id": "web", "assignment_id": "page-one"}
        body = running.send("POST", "assignments/fetch", what).json()
        assert [(i["status"], i["path"]) for i in body["value"]] == [("fetched", "web/page-one")]
        body = running.send("POST", "assignments/submit", what).json()
        assert [i["status"] for i in body["value"]] == ["fetched", "submitted"]
        assert len(api.submitted) == 1
        api.grade(api.submitted[0], 3, feedback={"page-one.html": b"<p>", "a-first.html": b"<p>"})
        (submission,) = self.listed(running)[1]["submissions"]  # type: ignore[misc]
        assert (submission["has_exchange_feedback"], submission["has_local_feedback"]) == (True, False)
        running.send("POST", "assignments/fetch_feedback", what)
        (submission,) = self.listed(running)[1]["submissions"]  # type: ignore[misc]
        assert submission["local_feedback_path"] == "web/page-one/feedback/2026-03-02 09:00:01.250000 UTC"

    def test_away_is_a_sentence(self, api: ExchangeApi, server: Callable[[], Server]) -> None:
        running = server()
        api.fail(503, "unavailable")
        body = running.get("assignments?course_id=web").json()
        assert body["success"] is False
        assert body["value"].startswith("The platform does not answer")

    def test_refused_submission_is_a_sentence(
        self, seat: Seat, api: ExchangeApi, server: Callable[[], Server]
    ) -> None:
        running = server()
        what = {"course_id": "web", "assignment_id": "page-one"}
        running.send("POST", "assignments/fetch", what)
        api.max_bytes = 1
        body = running.send("POST", "assignments/submit", what).json()
        assert (body["success"], "too large" in body["value"], "Traceback" in body["value"]) == (
            False,
            True,
            False,
        )

    def test_failed_fetch_is_told_once(self, api: ExchangeApi, server: Callable[[], Server]) -> None:
        running = server()
        body = running.send("POST", "assignments/fetch", {"course_id": "web", "assignment_id": "gone"}).json()
        assert (body["success"], "can't find “web/gone”" in body["value"]) == (False, True)
        assert [info["status"] for info in self.listed(running)] == ["released"]

    def test_formgrader_is_not_there(self, server: Callable[[], Server]) -> None:
        running = server()
        assert running.get("formgrader/manage_assignments").status_code == 404
        assert running.get("formgraders").status_code == 404
