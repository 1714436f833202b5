"""Who may see what: every role with every page. What isn't theirs does not exist for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.doubles.school import School
    from tests.unit.hub.pages.conftest import Pages

# page -> who gets it; g5 is learner3's, s-join is sofia's; mentor1 follows both, trainer1 trains all tracks
PAGES = {
    "path": {"learner3", "sofia", "newcomer"},
    "path/lines": {"learner3", "sofia", "newcomer"},
    "exercises/data/clean-table": {"learner3", "sofia", "newcomer", "trainer1", "admin1"},
    "exercises/web/first-page": {"learner3", "newcomer", "trainer1", "admin1"},
    "exercises/web/first-page/work": {"learner3", "newcomer", "trainer1", "admin1"},
    "exercises/web/nothing": set(),
    "exercises/nothing/first-page": set(),
    "mentor": {"mentor1", "mentor2"},
    "mentor/rows": {"mentor1", "mentor2"},
    "mentor/learners/learner3": {"mentor1"},
    "mentor/learners/learner3/now": {"mentor1"},
    "mentor/learners/newcomer": set(),
    "mentor/learners/trainer1": set(),
    "trainer/overview": {"trainer1", "trainer2", "admin1"},
    "trainer/submissions": {"trainer1", "trainer2", "admin1"},
    "trainer/exercises": {"trainer1", "trainer2", "admin1"},
    "trainer/regrade": {"trainer1", "trainer2", "admin1"},
    "trainer/regrade?submission={g5}": {"trainer1", "admin1"},
    "submissions/{g5}": {"mentor1", "trainer1", "admin1"},  # learner3 is led to the exercise's page
    "submissions/{g5}/feedback/notebook.html": {"learner3", "mentor1", "trainer1", "admin1"},
    "submissions/{s-join}/feedback/notebook.html": {"sofia", "mentor1", "trainer1", "admin1"},
    "submissions/none": set(),
    "admin/people": {"admin1"},
    "admin/people/new": {"admin1"},
    "admin/people/learner1": {"admin1"},
    "admin/people/nobody": set(),
}
PEOPLE = ("learner3", "sofia", "newcomer", "mentor1", "mentor2", "trainer1", "trainer2", "admin1")


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_there_for_those_it_is_for(page: str, pages: Pages, school: School) -> None:
    path = page
    for label, submission in school.submissions.items():
        path = path.replace("{" + label + "}", submission)
    seen = {name for name in PEOPLE if pages.as_(name).get(path).status_code == 200}
    assert seen == PAGES[page]
    hidden = {pages.as_(name).get(path).status_code for name in PEOPLE if name not in seen}
    assert hidden <= {404, 303}


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("learner3", "path"),
        ("mentor1", "mentor"),
        ("trainer1", "trainer/overview"),
        ("admin1", "admin/people"),
    ],
)
def test_everybody_starts_where_their_day_begins(name: str, start: str, pages: Pages) -> None:
    answer = pages.as_(name).get("")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/services/atelier/{start}")


POSTS = {
    "trainer/regrade": "trainer1",
    "admin/people/new": "admin1",
    "admin/people/learner1": "admin1",
    "admin/people/learner1/password": "admin1",
    "admin/people/learner1/active": "admin1",
    "language": "learner1",
}


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize(
    ("headers", "csrf"),
    [
        ({"Origin": "http://learner2.atelier.localhost:8000", "Sec-Fetch-Site": "same-site"}, None),
        ({"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}, None),
        ({}, "guessed"),
        ({}, ""),
    ],
)
def test_a_request_from_elsewhere_changes_nothing(
    path: str, headers: dict[str, str], csrf: str | None, pages: Pages
) -> None:
    data = {"active": "false", "language": "nl"} | ({} if csrf is None else {"csrf": csrf})
    assert pages.as_(POSTS[path]).post(path, data, headers=headers).status_code == 403


@pytest.mark.parametrize("path", [path for path in POSTS if path != "language"])
def test_a_learner_can_change_nothing_of_others(path: str, pages: Pages) -> None:
    assert pages.as_("learner3").post(path, {"active": "false"}).status_code == 404


def test_results_that_are_kept_back_are_not_shown_to_the_learner(pages: Pages, school: School) -> None:
    from sqlalchemy import update

    from hub.submissions.models import Result

    submission = school.submissions["g6"]
    with pages.services.database.transaction() as session:
        session.execute(
            update(Result).where(Result.submission_id == submission).values(feedback_released_at=None)
        )
    learner = pages.as_("learner3")
    page = learner.get("exercises/security/find-the-attack").text
    assert "Your trainer looks at it before you see the result" in page
    assert "8 of 10" not in page
    assert "8 of 10" not in learner.get("path").text
    assert learner.get(f"submissions/{submission}/feedback/notebook.html").status_code == 404
    assert pages.as_("mentor1").get(f"submissions/{submission}/feedback/notebook.html").status_code == 404
    assert "8 of 10" in pages.as_("trainer1").get(f"submissions/{submission}").text
