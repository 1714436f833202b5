"""What the pages say and do, without a browser."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from bs4 import BeautifulSoup

from hub.submissions.models import State, Submission

if TYPE_CHECKING:
    from tests.doubles.school import School
    from tests.unit.hub.pages.conftest import Pages


def soup(html: str) -> BeautifulSoup:
    return BeautifulSoup(html, "html5lib")


def words(html: str) -> str:
    return " ".join(soup(html).get_text(" ").split())


# --- learners ---


def test_the_path_draws_every_line_and_marks_one_stop(pages: Pages) -> None:
    page = soup(pages.as_("learner3").get("path").text)
    lines = page.select("ol.metro")
    assert [len(line.select("li.station")) for line in lines] == [5, 4, 3]
    assert [station["class"][1] for station in lines[0].select("li.station")] == [
        "done",
        "done",
        "new",
        "new",
        "new",
    ]
    assert len(page.select(".is-next")) == 1
    assert page.select_one(".next-step a.btn")["href"] == "exercises/data/clean-table"
    assert "You already have 5 of 10 points" in page.get_text()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("nowhere", "Your path starts soon"),
        ("newcomer", "This is the first station"),
        ("learner1", "demander fait partie du métier"),
        ("sofia", "You have reached every station"),
    ],
)
def test_the_next_step_has_a_reason(name: str, text: str, pages: Pages) -> None:
    assert text in words(pages.as_(name).get("path").text)


def test_one_button_leads_into_jupyterlab(pages: Pages) -> None:
    page = soup(pages.as_("learner3").get("exercises/data/clean-table").text)
    link = urlsplit(page.select_one("a.btn-primary")["href"])
    assert f"{link.scheme}://{link.netloc}{link.path}" == "http://atelier.localhost:8000/hub/spawn/learner3"
    assert parse_qs(link.query)["next"] == ["/user/learner3/atelier/open/data/clean-table"]


def test_feedback_opens_with_what_went_well_then_one_thing(pages: Pages) -> None:
    text = words(pages.as_("learner3").get("exercises/data/clean-table").text)
    assert (
        text.index("What went well")
        < text.index("Task 1")
        < text.index("One thing to do next")
        < text.index("Task 3")
    )


def test_messages_come_in_the_readers_language(pages: Pages) -> None:
    page = pages.as_("learner1").get("exercises/data/clean-table").text
    assert "La colonne arrival contient encore des valeurs vides." in words(page)


def test_an_older_attempt_can_be_looked_at(pages: Pages) -> None:
    browser = pages.as_("learner3")
    assert "2 of 10 points" in words(browser.get("exercises/data/clean-table?attempt=1").text)
    assert browser.get("exercises/data/clean-table?attempt=99").status_code == 200


def test_the_living_part_says_nothing_while_nothing_changes(pages: Pages, school: School) -> None:
    browser = pages.as_("lucas")
    first = browser.get("exercises/security/passwords/work?attempt=0")
    seen = re.search(r"seen=([0-9a-f]{16})", first.text)
    assert seen is not None
    assert "is als volgende aan de beurt" in words(first.text)
    again = f"exercises/security/passwords/work?attempt=0&seen={seen[1]}"
    assert browser.get(again).status_code == 204
    with pages.services.database.transaction() as session:
        session.get_one(Submission, school.submissions["l2"]).state = State.GRADING
    assert "wordt beoordeeld" in words(browser.get(again).text)


# --- hostile content ---


@pytest.mark.parametrize("page", ["exercises/data/clean-table", "submissions/{g5}"])
def test_a_script_in_a_message_is_text(page: str, pages: Pages, school: School) -> None:
    name = "learner3" if page.startswith("exercises") else "trainer1"
    html = pages.as_(name).get(page.replace("{g5}", school.submissions["g5"])).text
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(&#39;message&#39;)" in html
    assert "\u202e" not in html
    assert "\x1b" not in html


def test_a_hostile_name_is_text_everywhere(pages: Pages, school: School) -> None:
    from hub.people.models import Person

    with pages.services.database.transaction() as session:
        session.get_one(Person, school.people["learner3"]).display_name = "<img src=x onerror=alert(1)>\u202e"
    for who, page in [
        ("learner3", "path"), ("mentor1", "mentor"), ("mentor1", "mentor/learners/learner3"),
        ("trainer1", "trainer/overview"), ("trainer1", "trainer/submissions"), ("admin1", "admin/people"),
        ("admin1", "admin/people/learner3"), ("trainer1", f"submissions/{school.submissions['g5']}"),
    ]:  # fmt: skip
        html = pages.as_(who).get(page).text
        assert "<img src=x" not in html, page


def test_feedback_is_served_into_a_sandbox_only(pages: Pages, school: School) -> None:
    answer = pages.as_("learner3").get(f"submissions/{school.submissions['g5']}/feedback/notebook.html")
    policy = {
        part.split()[0]: part.split()[1:] for part in answer.headers["content-security-policy"].split("; ")
    }
    assert "allow-scripts" not in policy["sandbox"]
    assert "allow-same-origin" not in policy["sandbox"]
    assert policy["default-src"] == ["'none'"]
    assert "script-src" not in policy
    assert policy["frame-ancestors"] == ["'self'"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    page = soup(pages.as_("learner3").get("exercises/data/clean-table").text)
    assert page.select_one("iframe")["sandbox"] == []


@pytest.mark.parametrize("name", ["../../etc/passwd", "..%2f..%2fgradebook.db", "notebook.html/../x", ""])
def test_no_other_file_comes_out_of_feedback(name: str, pages: Pages, school: School) -> None:
    answer = pages.as_("learner3").get(f"submissions/{school.submissions['g5']}/feedback/{name}")
    assert answer.status_code == 404


def test_our_pages_can_not_be_framed_and_run_only_our_scripts(pages: Pages) -> None:
    policy = pages.as_("learner3").get("path").headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy


def test_reading_feedback_is_an_event_of_the_learner_alone(pages: Pages, school: School) -> None:
    path = f"submissions/{school.submissions['g5']}/feedback/notebook.html"
    before = pages.services.progress.newest_id()
    pages.as_("trainer1").get(path)
    assert pages.services.progress.newest_id() == before
    pages.as_("learner3").get(path)
    pages.as_("learner3").get(path)
    assert [event.type for event in pages.services.progress.after(before)] == ["feedback_read"]


# --- mentors ---


def test_who_never_started_stands_first(pages: Pages) -> None:
    page = soup(pages.as_("mentor1").get("mentor").text)
    rows = [row["id"].removeprefix("learner-") for row in page.select("li.learner")]
    assert rows == ["yusuf", "learner1", "learner2", "lucas", "sofia", "learner3"]
    first = page.select_one("li.learner")
    assert "Inscrit depuis 30 jours et n'a encore rien remis." in first.get_text()
    assert len(first.select(".plot rect")) == 14
    assert len(first.select("table tbody tr")) == 14


def test_a_timeline_tells_what_happened(pages: Pages) -> None:
    text = words(pages.as_("mentor1").get("mentor/learners/learner3").text)
    assert "A remis « Nettoyer un tableau », essai 2".replace(" ", " ") in text.replace("\u00a0", " ")
    assert "5 / 10 points" in text


# --- trainers ---


def test_work_set_aside_stands_first_with_its_reason(pages: Pages) -> None:
    browser = pages.as_("trainer1")
    assert "no space left on device" in words(browser.get("trainer/overview").text)
    first = soup(browser.get("trainer/submissions").text).select_one("tbody tr")
    assert "Set aside" in first.get_text()
    assert "no space left on device" in first.get_text()


def test_the_trainer_learns_which_task_fails_and_why(pages: Pages) -> None:
    text = words(pages.as_("trainer1").get("trainer/overview").text)
    assert "Tasks that fail most" in text
    assert "The column arrival still holds empty values." in text


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 28), ("?state=failed", 1), ("?course=security", 5), ("?learner=learner1", 6),
        ("?learner=nobody", 0), ("?exercise=999999", 0), ("?state=nonsense", 28), ("?exercise=x%27--", 0),
        ("?course=security&learner=sofia", 3),
    ],
)  # fmt: skip
def test_filters(query: str, count: int, pages: Pages) -> None:
    page = soup(pages.as_("trainer1").get(f"trainer/submissions{query}").text)
    assert len(page.select("tbody tr")) == count


def test_a_trainer_without_tracks_sees_nothing_of_others(pages: Pages) -> None:
    browser = pages.as_("trainer2")
    assert "You have no track yet" in words(browser.get("trainer/overview").text)
    assert soup(browser.get("trainer/submissions").text).select("tbody tr") == []
    assert "Amina" not in browser.get("trainer/submissions").text


def test_grading_again_asks_first_and_queues_what_was_chosen(pages: Pages, school: School) -> None:
    browser = pages.as_("trainer1")
    assert "Grade 3 submissions again?" in words(
        browser.get("trainer/regrade?course=security&learner=sofia").text
    )
    answer = browser.post("trainer/regrade", {"course": "security", "learner": "sofia"})
    assert answer.headers["location"].endswith(
        "trainer/submissions?course=security&learner=sofia&regrading=3"
    )
    text = words(browser.get(unquote(answer.headers["location"]).removeprefix(browser.prefix)).text)
    assert "Grading again: 0 of 3 done." in text
    one = browser.post("trainer/regrade", {"submission": school.submissions["l1"]})
    assert one.headers["location"].endswith(f"submissions/{school.submissions['l1']}")
    assert pages.services.submissions.get(school.submissions["l1"]).state == State.QUEUED


def test_a_trainer_cannot_grade_the_work_of_another_track_again(pages: Pages, school: School) -> None:
    browser = pages.as_("trainer2")
    assert browser.post("trainer/regrade", {"submission": school.submissions["g5"]}).status_code == 404
    browser.post("trainer/regrade", {})
    assert pages.services.submissions.get(school.submissions["g5"]).state == State.GRADED


# --- language ---


@pytest.mark.parametrize(
    ("target", "goes_to"),
    [
        ("/services/atelier/mentor?x=1", "/services/atelier/mentor?x=1"),
        ("https://evil.example/", "/services/atelier/"),
        ("//evil.example/services/atelier/", "/services/atelier/"),
        ("", "/services/atelier/"),
    ],
)
def test_the_language_is_kept_and_the_way_back_is_ours(target: str, goes_to: str, pages: Pages) -> None:
    browser = pages.as_("mentor1")
    answer = browser.post("language", {"language": "nl", "next": target})
    assert answer.headers["location"] == goes_to
    assert "Mijn cursisten" in browser.get("mentor").text
    assert browser.post("language", {"language": "xx"}).status_code == 422


def test_errors_speak_the_readers_language(pages: Pages) -> None:
    page = pages.as_("learner2").get("mentor")
    assert page.status_code == 404
    assert "Deze pagina is hier niet" in page.text
    stranger = pages.as_("nobody").get("nothing", headers={"Accept-Language": "fr-BE"})
    assert "Cette page n'est pas ici" in soup(stranger.text).get_text()
