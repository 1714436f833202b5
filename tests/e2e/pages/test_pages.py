"""Every page in a real browser: axe finds nothing, nothing is cut off, no script of a learner runs, hints arrive live."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from graders.results import CellResult, CellVerdict, GradingResult, NotebookResult, Verdict, Way
from hub.submissions.models import State, Submission

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hub.service import Services
    from tests.doubles.school import School

pytestmark = pytest.mark.e2e

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PAGES = [
    ("learner3", "path"),
    ("nowhere", "path"),
    ("newcomer", "path"),
    ("learner3", "exercises/data/clean-table"),
    ("newcomer", "exercises/data/clean-table"),
    ("lucas", "exercises/web/first-page"),
    ("mentor1", "mentor"),
    ("mentor2", "mentor"),
    ("mentor1", "mentor/learners/learner3"),
    ("mentor1", "mentor/learners/yusuf"),
    ("mentor1", "submissions/{g5}"),
    ("trainer1", "trainer/overview"),
    ("trainer2", "trainer/overview"),
    ("trainer1", "trainer/submissions"),
    ("trainer1", "trainer/exercises"),
    ("trainer1", "trainer/regrade"),
    ("trainer1", "submissions/{g5}"),
    ("trainer1", "submissions/{l1}"),
    ("admin1", "admin/people"),
    ("admin1", "admin/people/new"),
    ("admin1", "admin/people/learner1"),
    ("learner3", "nothing-here"),
]
# language, width, theme: each language, each width and each theme meets every page
KINDS = [("en", 1280, "light"), ("fr", 390, "dark"), ("nl", 320, "light")]


@dataclass
class Visitor:
    """Somebody in front of a browser."""

    context: BrowserContext
    page: Page
    complaints: list[str]


@pytest.fixture
def visit(browser: Browser, services: Services, school: School, address: str) -> Iterator[Any]:
    contexts: list[BrowserContext] = []

    def open_page(
        name: str, path: str, *, language: str = "en", width: int = 1280, theme: str = "light"
    ) -> Visitor:
        services.people.set_language(school.people[name], language)
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=theme,
            locale=language,
            reduced_motion="reduce",
        )
        contexts.append(context)
        context.add_cookies([{"name": "as", "value": name, "url": address}])
        page = context.new_page()
        complaints: list[str] = []

        def listen(message: ConsoleMessage) -> None:
            if message.type in ("error", "warning") and "404" not in message.text:
                complaints.append(message.text)

        page.on("console", listen)
        page.on("dialog", lambda dialog: (complaints.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        for label, submission in school.submissions.items():
            path = path.replace("{" + label + "}", submission)
        page.goto(address + path)
        return Visitor(context, page, complaints)

    yield open_page
    for context in contexts:
        context.close()


@pytest.mark.parametrize(("language", "width", "theme"), KINDS)
@pytest.mark.parametrize(("name", "path"), PAGES)
def test_a_page_is_whole(name: str, path: str, language: str, width: int, theme: str, visit: Any) -> None:
    visitor = visit(name, path, language=language, width=width, theme=theme)
    found = Axe().run(visitor.page, options={"runOnly": RULES}).response["violations"]
    assert [(one["id"], [node["html"][:120] for node in one["nodes"]]) for one in found] == []
    cut = visitor.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert cut <= 0, "the page is wider than the screen"
    assert visitor.page.get_attribute("html", "lang") == language
    assert visitor.page.get_attribute("html", "data-bs-theme") == theme
    assert visitor.complaints == []


def test_the_page_can_be_used_by_keyboard(visit: Any) -> None:
    page = visit("learner3", "path").page
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator(".next-step a.btn")).to_be_focused()
    page.locator("details.menu summary").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".menu-box")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".menu-box")).to_be_hidden()
    expect(page.locator("details.menu summary")).to_be_focused()


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("learner3", "exercises/data/clean-table"),
        ("trainer1", "submissions/{g5}"),
        ("mentor1", "submissions/{g5}"),
    ],
)
def test_a_script_in_feedback_never_runs(name: str, path: str, visit: Any) -> None:
    visitor = visit(name, path)
    visitor.page.locator("details:has(iframe) > summary").click()
    frame = visitor.page.frame_locator("iframe")
    expect(frame.locator("h1")).to_have_text("Clean a table")  # the comment is there
    assert "owned" not in visitor.page.title()
    assert not [text for text in visitor.complaints if text.startswith("dialog")]
    in_frame = next(one for one in visitor.page.frames if "/feedback/" in one.url)
    assert visitor.page.evaluate("document.querySelector('iframe').contentDocument") is None  # another origin
    assert "owned" not in in_frame.title()


def test_feedback_opened_alone_runs_nothing_either(visit: Any) -> None:
    visitor = visit("learner3", "submissions/{g5}/feedback/notebook.html")
    expect(visitor.page.locator("h1")).to_have_text("Clean a table")
    assert visitor.page.title() != "owned"


def graded(score: float) -> GradingResult:
    verdict = CellVerdict.PASSED if score == 2 else CellVerdict.FAILED
    cell = CellResult("q1-read", score, 2.0, verdict, Way.ISOLATED, () if score == 2 else ("Not yet.",))
    return GradingResult(Verdict.GRADED, (NotebookResult("notebook", (cell,)),))


def test_results_and_lists_change_without_reloading(
    visit: Any, services: Services, school: School, address: str
) -> None:
    learner = visit("lucas", "exercises/security/passwords").page
    mentor = visit("mentor1", "mentor").page
    trainer = visit("trainer1", "trainer/submissions?learner=lucas").page
    learner.evaluate("window.notReloaded = true")
    expect(learner.locator("#state-now")).to_contain_text("next to be graded")
    submission = school.submissions["l2"]
    with services.database.transaction() as session:
        session.get_one(Submission, submission).state = State.GRADING
    expect(learner.locator("#state-now")).to_contain_text("is being graded")
    services.submissions.record_result(submission, graded(2.0))
    expect(learner.locator("#state-now")).to_contain_text("2 of 2 points")
    expect(learner.locator(".card-box")).to_contain_text(["All points. This station is yours."] * 1)
    expect(trainer.locator("tbody")).to_contain_text("2 / 2")
    expect(mentor.locator("#learner-lucas")).to_contain_text("1 / 3")
    assert learner.evaluate("window.notReloaded") is True


def test_the_language_changes_on_the_spot(visit: Any) -> None:
    page = visit("sofia", "exercises/data/join?attempt=1").page
    page.locator("footer button[value=nl]").click()
    expect(page.locator("h1")).to_have_text("Twee bronnen koppelen")
    assert page.url.endswith("exercises/data/join?attempt=1")


def test_light_and_dark_are_ones_own_choice(visit: Any) -> None:
    page = visit("sofia", "path", theme="light").page
    page.locator("details.menu summary").click()
    page.locator("[data-theme=dark]").click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
