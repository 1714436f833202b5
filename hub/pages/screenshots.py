"""Pictures of every page of a running platform: `atelier screenshots`. Signs in for real with the demo accounts.

Called by hub/cli.py; needs Playwright (the test extra) and a Chromium. Writes docs/images/<page>-<width>-<theme>.png.
It looks and clicks nothing away: what it shoots is what people see.
"""

from __future__ import annotations

import json
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hub.errors import InvalidInputError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext, Page

    from hub.settings import Settings

WIDTHS = {"desktop": (1280, 900), "phone": (390, 844)}
THEMES = ("light", "dark")
PAGE_TIMEOUT_MS = 20_000
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@dataclass(frozen=True, slots=True)
class Shot:
    """One page: what it is called, who sees it, and where. `follow` is a link on that page to shoot instead."""

    name: str
    account: str | None
    path: str
    follow: str = ""


SHOTS = (
    Shot("sign-in", None, ""),
    Shot("path", "learner3", "path"),
    Shot("exercise", "learner3", "path", ".next-step a.btn-primary, .station h3 a"),
    Shot("mentor", "mentor1", "mentor"),
    Shot("learner", "mentor1", "mentor", "li.learner h3 a"),
    Shot("trainer", "trainer1", "trainer/overview"),
    Shot("submissions", "trainer1", "trainer/submissions"),
    Shot("submission", "trainer1", "trainer/submissions", "tbody th a"),
    Shot("exercises", "trainer1", "trainer/exercises"),
    Shot("people", "admin1", "admin/people"),
    Shot("person", "admin1", "admin/people", "tbody th a"),
    Shot("person-new", "admin1", "admin/people/new"),
    Shot("not-found", "learner3", "nowhere"),
)


def take_screenshots(settings: Settings, into: Path, language: str = "") -> list[Path]:
    """Shoot every page at both widths, light and dark; return the files.

    Args:
        settings: of the platform that is running.
        into: the folder; it is made.
        language: set for each account first (`en`, `fr` or `nl`), and part of the file names; empty: as they are.

    Raises:
        UnavailableError: no demo accounts, no browser, or the platform does not answer.
    """
    from playwright.sync_api import Error as BrowserError

    accounts = _accounts(settings)
    into.mkdir(parents=True, exist_ok=True)
    made: list[Path] = []
    try:
        with _browser() as browser:
            for account in dict.fromkeys(shot.account for shot in SHOTS):
                state = _signed_in(browser, settings, accounts, account, language)
                shots = [shot for shot in SHOTS if shot.account == account]
                made += _shoot_all(browser, settings, shots, state, into=into, language=language)
    except BrowserError as error:
        raise UnavailableError(
            "The screenshots stopped: %(why)s", reason="screenshots_failed", why=str(error).splitlines()[0]
        ) from error
    return made


def _accounts(settings: Settings) -> dict[str, str]:
    file = settings.state_dir / "demo-accounts.json"
    try:
        return {account["name"]: account["password"] for account in json.loads(file.read_text("utf-8"))}
    except OSError as error:
        raise UnavailableError(
            "There are no demo accounts in %(file)s. Start the platform first: make up", file=file.name
        ) from error


@contextmanager
def _browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    program = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    with sync_playwright() as playwright:
        # Chromium's own sandbox does not start as root, and the pages are our own.
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


def _signed_in(
    browser: Browser, settings: Settings, accounts: dict[str, str], account: str | None, language: str
) -> Any:
    """Return the browser's cookies once the account is signed in; None for somebody who is not."""
    if account is None:
        return None
    if account not in accounts:
        raise InvalidInputError("There is no demo account %(name)s.", name=account)
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(PAGE_TIMEOUT_MS)
    page.goto(settings.service_url)
    page.fill("#username_input", account)
    page.fill("#password_input", accounts[account])
    page.click("#login_submit")
    page.wait_for_url(settings.service_url + "**")
    page.wait_for_selector("details.menu")
    if language:
        page.click(f"footer button[value={language}]")
        page.wait_for_selector(f"html[lang={language}]")
    state = context.storage_state()
    context.close()
    return state


def _shoot_all(
    browser: Browser, settings: Settings, shots: list[Shot], state: Any, *, into: Path, language: str
) -> list[Path]:
    made = []
    for width, (x, y) in WIDTHS.items():
        for theme in THEMES:
            context: BrowserContext = browser.new_context(
                viewport={"width": x, "height": y},
                color_scheme=theme,  # type: ignore[arg-type]  # one of the two that it knows
                storage_state=state,
                is_mobile=width == "phone",
                reduced_motion="reduce",
                locale=language or "en",
            )
            page = context.new_page()
            page.set_default_timeout(PAGE_TIMEOUT_MS)
            for shot in shots:
                tail = f"-{language}" if language else ""
                made.append(_shoot(page, settings, shot, into / f"{shot.name}-{width}-{theme}{tail}.png"))
            context.close()
    return made


def _shoot(page: Page, settings: Settings, shot: Shot, file: Path) -> Path:
    page.goto(settings.service_url + shot.path)
    if shot.follow and page.locator(shot.follow).count():
        page.locator(shot.follow).first.click()
    page.wait_for_load_state("load")
    page.evaluate("document.fonts.ready")
    page.screenshot(path=file, full_page=True)
    return file
