"""One submission lived through as learner, mentor and trainer, in a real browser on a whole platform."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.e2e import lab as jupyterlab

if TYPE_CHECKING:
    from tests.running_platform import Platform, SignIn

pytestmark = pytest.mark.e2e

GRADED_MS = 60_000
WRONG = 'def clean_name(text):\n    """Return the name."""\n    return text.upper()'
RIGHT = 'def clean_name(text):\n    """Return the name."""\n    return " ".join(text.split()).title()'


def test_a_submission_from_the_lab_to_the_mentor_and_the_gradebook(
    platform: Platform, sign_in: SignIn
) -> None:
    mentor = sign_in("mentor1")
    rows = mentor.locator("main")
    expect(rows).to_contain_text("Chen Wei")

    learner = sign_in("learner3")
    learner.goto(platform.page_url("exercises/data/clean-table"))
    state = learner.locator("#state-now")
    expect(state).to_contain_text("You have not handed in anything yet.")

    lab = learner.context.new_page()
    jupyterlab.open_lab(lab, platform, "learner3")
    jupyterlab.open_assignments(lab, "data")
    jupyterlab.fetch(lab, "clean-table")
    jupyterlab.open_notebook(lab, "data/clean-table/clean-table.ipynb")

    jupyterlab.write_cell(lab, "def clean_name(text):", WRONG)
    jupyterlab.open_assignments(lab, "data")
    jupyterlab.submit(lab, "clean-table")
    expect(state).to_contain_text("Attempt 1 is graded: 0 of 10 points.", timeout=GRADED_MS)
    expect(learner.locator("#work")).to_contain_text("One thing to do next")
    expect(learner.locator("#work")).to_contain_text("clean_name")

    jupyterlab.open_notebook(lab, "data/clean-table/clean-table.ipynb")
    jupyterlab.write_cell(lab, "def clean_name(text):", RIGHT)
    jupyterlab.open_assignments(lab, "data")
    jupyterlab.submit(lab, "clean-table")
    expect(state).to_contain_text("Attempt 2 is graded: 1 of 10 points.", timeout=GRADED_MS)
    expect(learner.locator("#work")).to_contain_text("What went well")
    learner.locator("#notebook-title").click()
    feedback = learner.frame_locator("iframe.feedback-frame").locator("body")
    expect(feedback).to_contain_text("clean_name")
    expect(feedback).not_to_contain_text("HIDDEN TESTS")

    # Nobody reloaded the mentor's page: it has heard of the submission by itself.
    row = rows.get_by_role("listitem").filter(has=mentor.get_by_role("link", name="Chen Wei")).first
    expect(row).to_contain_text("Dernière activité", timeout=10_000)
    row.get_by_role("link", name="Chen Wei").click()
    expect(mentor.locator("main")).to_contain_text("1 / 10")

    trainer = sign_in("trainer1")
    trainer.goto(platform.page_url("trainer/submissions"))
    expect(trainer.locator("main")).to_contain_text("Chen Wei")
    formgrader = trainer.context.new_page()
    book = "atelier/courses/data/formgrader/gradebook"
    formgrader.goto(f"{platform.url}/hub/spawn/trainer1?next=/user/trainer1/{book}")
    formgrader.wait_for_url(re.compile("/formgrader/gradebook"), timeout=jupyterlab.SPAWN_MS)
    formgrader.get_by_role("link", name="clean-table").click(timeout=jupyterlab.SPAWN_MS)
    formgrader.wait_for_url(re.compile("/gradebook/clean-table$"))
    formgrader.locator("td").get_by_role("link", name="clean-table").click()
    formgrader.wait_for_url(re.compile("/gradebook/clean-table/clean-table$"))
    expect(formgrader.locator("tr", has_text="Submission #1")).to_contain_text("1 / 10")


def test_one_button_opens_the_exercise_in_the_learners_language(platform: Platform, sign_in: SignIn) -> None:
    learner = sign_in("learner1")
    lab = jupyterlab.open_exercise(learner, "security", "find-the-attack", platform)
    expect(lab.locator(".jp-Notebook")).to_contain_text("Trouver l'attaque")
