"""nbgrader's command line over the service, as learners and trainers type it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.doubles.exchange_api import ExchangeApi
    from tests.doubles.exchange_seat import Seat

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def page_one(api: ExchangeApi, notebook: Callable[..., bytes]) -> None:
    api.publish("web", "page-one", {"page-one.ipynb": notebook("1"), "files/index.html": b"<p>start"})


def text_of(capsys: pytest.CaptureFixture[str]) -> str:
    """What nbgrader's program wrote to the terminal."""
    return capsys.readouterr().err


class TestFetch:
    def test_brings_every_file(self, seat: Seat) -> None:
        assert seat.run("fetch_assignment", "page-one", "--course", "web") == 0
        assert (seat.home / "web/page-one/page-one.ipynb").is_file()
        assert (seat.home / "web/page-one/files/index.html").read_bytes() == b"<p>start"

    def test_one_course_need_not_be_named(self, seat: Seat) -> None:
        assert seat.run("fetch_assignment", "page-one") == 0

    def test_course_may_stand_before_the_name(self, seat: Seat) -> None:
        seat.sit(courses=("web", "data"))
        assert seat.run("fetch_assignment", "web/page-one") == 0

    def test_several_courses_must_be_named(self, seat: Seat, capsys: pytest.CaptureFixture[str]) -> None:
        seat.sit(courses=("web", "data"))
        assert seat.run("fetch_assignment", "page-one") == 1
        assert "Your courses: web, data" in text_of(capsys)

    def test_never_touches_a_folder_that_is_there(
        self, seat: Seat, capsys: pytest.CaptureFixture[str]
    ) -> None:
        seat.run("fetch_assignment", "page-one")
        work = seat.home / "web/page-one/page-one.ipynb"
        work.write_text("my work")
        assert seat.run("fetch_assignment", "page-one") == 1
        assert work.read_text() == "my work"
        assert "already have this exercise" in text_of(capsys)

    def test_replaces_only_what_is_missing(self, seat: Seat) -> None:
        seat.run("fetch_assignment", "page-one")
        folder = seat.home / "web/page-one"
        (folder / "page-one.ipynb").write_text("my work")
        (folder / "files/index.html").unlink()
        assert (
            seat.run("fetch_assignment", "page-one", ExchangeFetchAssignment__replace_missing_files=True) == 0
        )
        assert (folder / "page-one.ipynb").read_text() == "my work"
        assert (folder / "files/index.html").read_bytes() == b"<p>start"

    def test_foreign_course_is_a_sentence(self, seat: Seat, capsys: pytest.CaptureFixture[str]) -> None:
        assert seat.run("fetch_assignment", "page-one", "--course", "secret") == 1
        assert "can't find “secret/page-one”" in text_of(capsys)

    def test_away_in_the_persons_language(self, seat: Seat, capsys: pytest.CaptureFixture[str]) -> None:
        seat.sit(ATELIER_LANGUAGE="nl", ATELIER_API_URL="http://127.0.0.1:9/services/atelier/api/")
        assert seat.run("fetch_assignment", "page-one", "--course", "web") == 1
        assert "Het platform antwoordt nu niet" in text_of(capsys)


class TestSubmit:
    @pytest.fixture(autouse=True)
    def fetched(self, seat: Seat) -> Path:
        seat.run("fetch_assignment", "page-one")
        return seat.home / "web/page-one"

    def test_server_gets_the_folder(self, seat: Seat, api: ExchangeApi, fetched: Path) -> None:
        (fetched / ".ipynb_checkpoints").mkdir()
        (fetched / ".ipynb_checkpoints/x.ipynb").write_text("old")
        (fetched / "feedback").mkdir()
        (fetched / "feedback/x.html").write_text("old")
        assert seat.run("submit", "page-one", "--course", "web") == 0
        assert set(api.submitted[0].files) == {"page-one.ipynb", "files/index.html"}
        assert api.submitted[0].learner == "alice"

    def test_time_is_the_servers(self, seat: Seat, api: ExchangeApi) -> None:
        seat.run("submit", "page-one")
        receipt = next((seat.home / ".data/nbgrader_cache/web").glob("alice+page-one+*"))
        assert (receipt / "timestamp.txt").read_text() == "2026-03-02 09:00:01.250000 UTC"
        assert (receipt / "page-one.ipynb").is_file()

    def test_identity_is_the_tokens(self, seat: Seat, api: ExchangeApi) -> None:
        assert seat.run("submit", "page-one", "--student", "bob") == 0
        assert api.submitted[0].learner == "alice"

    def test_many_attempts_keep_few_copies(self, seat: Seat, api: ExchangeApi) -> None:
        for _ in range(5):
            assert seat.run("submit", "page-one") == 0
        assert [s.attempt for s in api.submitted] == [1, 2, 3, 4, 5]
        receipts = list((seat.home / ".data/nbgrader_cache/web").glob("alice+page-one+*"))
        assert len(receipts) == 5
        assert sum((path / "page-one.ipynb").exists() for path in receipts) == 3

    def test_missing_notebook_warns(
        self, seat: Seat, fetched: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (fetched / "page-one.ipynb").rename(fetched / "mine.ipynb")
        assert seat.run("submit", "page-one") == 0
        assert "missing notebooks (page-one)" in text_of(capsys)

    def test_strict_refuses(self, seat: Seat, api: ExchangeApi, fetched: Path) -> None:
        (fetched / "page-one.ipynb").rename(fetched / "mine.ipynb")
        assert seat.run("submit", "page-one", "--strict") == 1
        assert api.submitted == []

    def test_nothing_there(self, seat: Seat, capsys: pytest.CaptureFixture[str]) -> None:
        assert seat.run("submit", "page-two", "--course", "web") == 1
        assert "no folder “web/page-two”" in text_of(capsys)

    def test_after_the_deadline(
        self, seat: Seat, api: ExchangeApi, capsys: pytest.CaptureFixture[str]
    ) -> None:
        api.published["web", "page-one"].deadline = api.now - timedelta(days=1)
        api.published["web", "page-one"].closes = True
        assert seat.run("submit", "page-one") == 1
        assert "deadline for this exercise has passed" in text_of(capsys)

    def test_too_often(self, seat: Seat, api: ExchangeApi, capsys: pytest.CaptureFixture[str]) -> None:
        api.hook = lambda request: api.fail(429, "too_many_requests") if request.startswith("POST") else None
        assert seat.run("submit", "page-one") == 1
        assert "Wait a minute" in text_of(capsys)

    def test_too_large_is_not_even_sent(
        self, seat: Seat, api: ExchangeApi, capsys: pytest.CaptureFixture[str]
    ) -> None:
        seat.sit(ATELIER_SUBMISSION_MAX_BYTES="2000000")
        with (seat.home / "web/page-one/big.csv").open("wb") as file:
            file.truncate(2_000_001)
        assert seat.run("submit", "page-one") == 1
        assert "limit is 2 MB" in text_of(capsys)
        assert api.submitted == []

    def test_server_finds_it_too_large(
        self, seat: Seat, api: ExchangeApi, capsys: pytest.CaptureFixture[str]
    ) -> None:
        api.max_bytes = 10
        assert seat.run("submit", "page-one") == 1
        assert "too large" in text_of(capsys)

    def test_links_stay_behind(self, seat: Seat, api: ExchangeApi, fetched: Path) -> None:
        (fetched / "secret").symlink_to("/etc/hostname")
        (fetched / "etc").symlink_to("/etc")
        assert seat.run("submit", "page-one") == 0
        assert set(api.submitted[0].files) == {"page-one.ipynb", "files/index.html"}

    def test_a_full_disk_here_is_no_failure(self, seat: Seat, api: ExchangeApi) -> None:
        (seat.home / "no").write_text("a file where the cache should be")
        assert seat.run("submit", "page-one", Exchange__cache=str(seat.home / "no")) == 0
        assert len(api.submitted) == 1


class TestFeedback:
    @pytest.fixture(autouse=True)
    def submitted(self, seat: Seat, api: ExchangeApi) -> None:
        seat.run("fetch_assignment", "page-one")
        seat.run("submit", "page-one")

    def test_only_when_released(self, seat: Seat, api: ExchangeApi) -> None:
        api.published["web", "page-one"].manual_feedback = True
        assert seat.run("fetch_feedback", "page-one") == 0
        assert not (seat.home / "web/page-one/feedback").exists()
        api.grade(api.submitted[0], 4, feedback={"page-one.html": b"<p>good"})
        seat.run("fetch_feedback", "page-one")
        assert not (seat.home / "web/page-one/feedback").exists()
        api.submitted[0].feedback_released = True
        seat.run("fetch_feedback", "page-one")
        page = seat.home / "web/page-one/feedback/2026-03-02 09:00:01.250000 UTC/page-one.html"
        assert page.read_bytes() == b"<p>good"

    def test_changed_feedback_is_fetched_again(self, seat: Seat, api: ExchangeApi) -> None:
        api.grade(api.submitted[0], 4, feedback={"page-one.html": b"<p>good"})
        seat.run("fetch_feedback", "page-one")
        before = len(api.requests)
        seat.run("fetch_feedback", "page-one")
        assert not [r for r in api.requests[before:] if r.endswith("/feedback")]
        api.submitted[0].feedback = {"page-one.html": b"<p>better"}
        seat.run("fetch_feedback", "page-one")
        assert next((seat.home / "web/page-one/feedback").glob("*/*.html")).read_bytes() == b"<p>better"


class TestList:
    def listed(self, seat: Seat, capsys: pytest.CaptureFixture[str], *argv: str) -> list[dict[str, object]]:
        capsys.readouterr()
        assert seat.run("list", "--json", *argv) == 0
        found: list[dict[str, object]] = json.loads(capsys.readouterr().out)
        return found

    def test_released_then_fetched(self, seat: Seat, capsys: pytest.CaptureFixture[str]) -> None:
        (found,) = self.listed(seat, capsys)
        assert (found["status"], found["notebooks"]) == (
            "released",
            [{"notebook_id": "page-one", "path": "web/page-one/page-one.ipynb"}],
        )
        seat.run("fetch_assignment", "page-one")
        (found,) = self.listed(seat, capsys)
        assert (found["status"], found["path"]) == ("fetched", str(seat.home / "web/page-one"))

    def test_by_course_and_name(
        self, seat: Seat, api: ExchangeApi, capsys: pytest.CaptureFixture[str]
    ) -> None:
        seat.sit(courses=("web", "data"))
        api.publish("data", "clean", {"clean.ipynb": b"{}"})
        assert {i["assignment_id"] for i in self.listed(seat, capsys)} == {"page-one", "clean"}
        assert {i["assignment_id"] for i in self.listed(seat, capsys, "--course", "data")} == {"clean"}
        assert self.listed(seat, capsys, "nothing") == []

    def test_cached(self, seat: Seat, api: ExchangeApi, capsys: pytest.CaptureFixture[str]) -> None:
        seat.run("fetch_assignment", "page-one")
        seat.run("submit", "page-one")
        seat.run("submit", "page-one")
        api.grade(api.submitted[0], 4, feedback={"page-one.html": b"<p>good"})
        (found,) = self.listed(seat, capsys, "--cached")
        first, second = found["submissions"]  # type: ignore[misc]
        assert (first["has_exchange_feedback"], first["has_local_feedback"]) == (True, False)
        assert (second["has_exchange_feedback"], second["local_feedback_path"]) == (False, None)
        seat.run("fetch_feedback", "page-one")
        (found,) = self.listed(seat, capsys, "--cached")
        first = found["submissions"][0]  # type: ignore[index]
        assert (first["has_local_feedback"], first["feedback_updated"]) == (True, False)
        assert first["local_feedback_path"].endswith("feedback/2026-03-02 09:00:01.250000 UTC")
        api.submitted[0].feedback = {"page-one.html": b"<p>better"}
        (found,) = self.listed(seat, capsys, "--cached")
        assert found["submissions"][0]["feedback_updated"] is True  # type: ignore[index]

    def test_cached_without_the_service(self, seat: Seat, capsys: pytest.CaptureFixture[str]) -> None:
        seat.run("fetch_assignment", "page-one")
        seat.run("submit", "page-one")
        seat.sit(ATELIER_API_URL="http://127.0.0.1:9/services/atelier/api/")
        (found,) = self.listed(seat, capsys, "--cached")
        assert len(found["submissions"]) == 1  # type: ignore[arg-type]

    def test_cached_without_the_cache(self, seat: Seat, capsys: pytest.CaptureFixture[str]) -> None:
        seat.run("fetch_assignment", "page-one")
        seat.run("submit", "page-one", Exchange__cache=str(seat.home / "elsewhere"))
        (found,) = self.listed(seat, capsys, "--cached")
        assert len(found["submissions"]) == 1  # type: ignore[arg-type]

    def test_cached_remove_forgets_receipts_only(
        self, seat: Seat, api: ExchangeApi, capsys: pytest.CaptureFixture[str]
    ) -> None:
        seat.run("fetch_assignment", "page-one")
        seat.run("submit", "page-one")
        (found,) = self.listed(seat, capsys, "--cached", "--remove")
        assert found["status"] == "removed"
        assert not list((seat.home / ".data/nbgrader_cache/web").iterdir())
        assert len(api.submitted) == 1

    def test_inbound_is_empty_for_learners(self, seat: Seat, capsys: pytest.CaptureFixture[str]) -> None:
        seat.run("fetch_assignment", "page-one")
        seat.run("submit", "page-one")
        assert self.listed(seat, capsys, "--inbound") == []

    def test_inbound_for_trainers(self, seat: Seat, capsys: pytest.CaptureFixture[str]) -> None:
        seat.run("fetch_assignment", "page-one")
        seat.run("submit", "page-one")
        seat.sit("tom", "trainer")
        (found,) = self.listed(seat, capsys, "--inbound")
        assert (found["student_id"], found["assignment_id"]) == ("alice", "page-one")
        assert self.listed(seat, capsys, "--inbound", "--student", "bob") == []

    def test_submissions_are_never_removed(self, seat: Seat, capsys: pytest.CaptureFixture[str]) -> None:
        seat.sit("tom", "trainer")
        assert seat.run("list", "--inbound", "--remove") == 1
        assert "can't be removed" in text_of(capsys)

    def test_learner_withdraws_nothing(self, seat: Seat, api: ExchangeApi) -> None:
        assert seat.run("list", "--remove", "page-one", "--course", "web") == 1
        assert not api.published["web", "page-one"].withdrawn

    def test_removing_everything_needs_a_name(self, seat: Seat, api: ExchangeApi) -> None:
        seat.sit("tom", "trainer")
        assert seat.run("list", "--remove", "--course", "web") == 1
        assert not api.published["web", "page-one"].withdrawn
        assert seat.run("list", "--remove", "page-one", "--course", "web") == 0
        assert api.published["web", "page-one"].withdrawn


class TestTrainer:
    @pytest.fixture(autouse=True)
    def source(self, seat: Seat, notebook: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch) -> Path:
        seat.run("fetch_assignment", "page-one")
        seat.run("submit", "page-one")
        seat.sit("tom", "trainer")
        course = seat.home / "courses/web"
        folder = course / "source/page-two"
        folder.mkdir(parents=True)
        (folder / "page-two.ipynb").write_bytes(notebook("### BEGIN SOLUTION"))
        monkeypatch.chdir(course)
        return folder

    def test_publish_sends_the_source(self, seat: Seat, api: ExchangeApi) -> None:
        assert seat.run("release_assignment", "page-two", "--course", "web") == 0
        assert b"BEGIN SOLUTION" in api.published["web", "page-two"].source["page-two.ipynb"]

    def test_publish_again_only_with_force(self, seat: Seat, api: ExchangeApi) -> None:
        seat.run("release_assignment", "page-two", "--course", "web")
        assert seat.run("release_assignment", "page-two", "--course", "web") == 1
        assert seat.run("release_assignment", "page-two", "--course", "web", "--force") == 0
        assert api.published["web", "page-two"].version == 2

    def test_unusable_exercise_says_why(
        self, seat: Seat, source: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (source / "page-two.ipynb").rename(source / "page.txt")
        assert seat.run("release_assignment", "page-two", "--course", "web") == 1
        assert "There is no notebook in the exercise." in text_of(capsys)

    def test_no_source(self, seat: Seat, capsys: pytest.CaptureFixture[str]) -> None:
        assert seat.run("release_assignment", "page-nine", "--course", "web") == 1
        assert "no folder" in text_of(capsys)

    def test_learner_may_not_publish(self, seat: Seat, api: ExchangeApi) -> None:
        seat.sit("alice")
        seat.monkeypatch.chdir(seat.home / "courses/web")
        assert seat.run("release_assignment", "page-two", "--course", "web") == 1
        assert ("web", "page-two") not in api.published

    def test_collect(self, seat: Seat, api: ExchangeApi) -> None:
        api.submitted[0].files |= {
            "nbgrader_config.py": b"evil",
            "files/.hidden": b"evil",
            "timestamp.txt": b"1999",
        }
        assert seat.run("collect", "page-one", "--course", "web") == 0
        folder = seat.home / "courses/web/submitted/alice/page-one"
        assert sorted(p.name for p in folder.iterdir()) == ["files", "page-one.ipynb", "timestamp.txt"]
        assert (folder / "timestamp.txt").read_text() == "2026-03-02 09:00:01.250000 UTC"

    def test_collect_newer_only_with_update(
        self, seat: Seat, api: ExchangeApi, notebook: Callable[..., bytes]
    ) -> None:
        seat.run("collect", "page-one", "--course", "web")
        seat.sit("alice")
        (seat.home / "web/page-one/page-one.ipynb").write_bytes(notebook("2"))
        seat.run("submit", "page-one")
        seat.sit("tom", "trainer")
        seat.monkeypatch.chdir(seat.home / "courses/web")
        copy = seat.home / "courses/web/submitted/alice/page-one/page-one.ipynb"
        seat.run("collect", "page-one", "--course", "web")
        assert copy.read_bytes() == notebook("1")
        seat.run("collect", "page-one", "--course", "web", "--update")
        assert copy.read_bytes() == notebook("2")

    def test_collect_before_the_deadline(
        self, seat: Seat, api: ExchangeApi, notebook: Callable[..., bytes]
    ) -> None:
        api.published["web", "page-one"].deadline = api.now + timedelta(seconds=0.5)
        deadline, api.published["web", "page-one"].deadline = api.published["web", "page-one"].deadline, None
        seat.sit("alice")
        (seat.home / "web/page-one/page-one.ipynb").write_bytes(notebook("late"))
        seat.run("submit", "page-one")
        api.published["web", "page-one"].deadline = deadline
        seat.sit("tom", "trainer")
        seat.monkeypatch.chdir(seat.home / "courses/web")
        seat.run("collect", "page-one", "--course", "web", "--before-duedate")
        copy = seat.home / "courses/web/submitted/alice/page-one/page-one.ipynb"
        assert copy.read_bytes() == notebook("1")

    def test_release_feedback(self, seat: Seat, api: ExchangeApi) -> None:
        api.published["web", "page-one"].manual_feedback = True
        api.grade(api.submitted[0], 4, feedback={"page-one.html": b"<p>good"})
        assert seat.run("release_feedback", "page-one", "--course", "web", "--student", "bob") == 0
        assert not api.submitted[0].feedback_released
        assert seat.run("release_feedback", "page-one", "--course", "web") == 0
        assert api.submitted[0].feedback_released

    @pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")  # nbgrader's own add_submission
    def test_autograde_never_runs_here(
        self, seat: Seat, api: ExchangeApi, notebook: Callable[..., bytes], capsys: pytest.CaptureFixture[str]
    ) -> None:
        proof = seat.home / "ran"
        api.submitted[0].files["page-one.ipynb"] = notebook(f"open({str(proof)!r}, 'w')")
        (seat.home / "courses/web/source/page-one").mkdir()
        (seat.home / "courses/web/source/page-one/page-one.ipynb").write_bytes(notebook("1"))
        seat.run("generate_assignment", "page-one", "--course", "web")
        seat.run("collect", "page-one", "--course", "web")
        assert seat.run("autograde", "page-one", "--course", "web", "--create") != 0
        assert "Work of learners never runs here" in text_of(capsys)
        assert not proof.exists()
