"""JupyterLab as a person uses it: open an exercise, type an answer, fetch and submit through the Assignment List."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.sync_api import Page, expect

if TYPE_CHECKING:
    from tests.running_platform import Platform

SPAWN_MS = 120_000


def open_lab(page: Page, platform: Platform, name: str) -> None:
    """Start the person's server from the hub and wait for JupyterLab's launcher."""
    page.goto(f"{platform.url}/hub/spawn/{name}?next=/user/{name}/lab?reset")
    page.locator(".jp-Launcher").wait_for(timeout=SPAWN_MS)


def open_exercise(page: Page, track: str, slug: str, platform: Platform) -> Page:
    """Press the exercise page's button; return JupyterLab with the notebook open."""
    page.goto(platform.page_url(f"exercises/{track}/{slug}"))
    with page.expect_popup() as popup:
        page.locator("a.btn-primary").first.click()
    lab = popup.value
    lab.wait_for_url(re.compile(rf"/lab/tree/{track}/{slug}/"), timeout=SPAWN_MS)
    lab.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=60_000)
    return lab


def open_assignments(lab: Page, course: str) -> None:
    """Open nbgrader's Assignment List on a course."""
    lab.get_by_role("menuitem", name="Nbgrader").click()
    lab.locator(".lm-Menu").get_by_text("Assignment List").click()
    listed = lab.locator("#released_assignments_list")
    listed.wait_for()
    chooser = lab.locator("#course_list_default")
    if chooser.inner_text().strip() != course:
        lab.locator("#course_list_dropdown").click()
        lab.locator("#assignments_toolbar .dropdown-menu").get_by_text(course, exact=True).click()
    expect(chooser).to_have_text(course)


def fetch(lab: Page, assignment: str) -> None:
    """Press Fetch beside an assignment and wait until it is among the downloaded ones."""
    row = lab.locator("#released_assignments_list .list_item", has_text=assignment)
    row.get_by_role("button", name="Fetch").click()
    lab.locator("#fetched_assignments_list .list_item", has_text=assignment).first.wait_for()


def submit(lab: Page, assignment: str) -> None:
    """Press Submit beside a downloaded assignment and wait until one more submission is listed."""
    listed = lab.locator("#submitted_assignments_list", has_text=assignment).locator(".list_item .list_item")
    before = listed.count()
    row = lab.locator("#fetched_assignments_list .list_item", has_text=assignment).first
    row.get_by_role("button", name="Submit").click()
    expect(listed).not_to_have_count(before)


def open_notebook(lab: Page, path: str) -> None:
    """Open a notebook of the person's home in the running JupyterLab, by its own menu."""
    lab.get_by_role("menuitem", name="File", exact=True).click()
    lab.locator(".lm-Menu").get_by_text("Open from Path…").click()
    box = lab.locator(".jp-Dialog input")
    box.fill(path)
    box.press("Enter")
    lab.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=60_000)


def write_cell(lab: Page, holds: str, text: str) -> None:
    """Replace the code of the cell that holds a text, as a person would, and save."""
    editor = lab.locator(".jp-Notebook .jp-CodeCell", has_text=holds).first.locator(".cm-content").first
    editor.scroll_into_view_if_needed()
    editor.click()
    lab.keyboard.press("ControlOrMeta+a")
    lab.keyboard.insert_text(text)
    expect(editor).to_contain_text(text.splitlines()[-1].strip())
    lab.keyboard.press("ControlOrMeta+s")
    expect(lab.locator(".jp-mod-dirty")).to_have_count(0)
