"""formgrader's buttons in a trainer's container, on work that waits to be run beside the trainer's token.

Stock formgrader's Autograde executes a learner's notebook where it is pressed. Here the platform's sandbox does.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from hub.submissions.models import State
from tests.attacks.platform import cast
from tests.attacks.platform.cast import DEADLINE_S, Workspace

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.service import Services
    from tests.attacks.platform.conftest import Submitted
    from tests.running_platform import Platform, SignIn

pytestmark = pytest.mark.attacks

FORMGRADER = f"atelier/courses/{cast.TRACK}/formgrader"
MARK = "ran-here-5c0f"
THIEF = f"""
import os, pathlib, socket
for place in ("/home/learner", "/tmp", ".", os.path.expanduser("~"), "/home/learner/courses/{cast.TRACK}"):
    try:
        pathlib.Path(place, "{MARK}").write_text("was here")
    except OSError:
        pass
print("token:", os.environ.get("JUPYTERHUB_API_TOKEN"), os.environ.get("ATELIER_API_URL"))
for pid in filter(str.isdigit, os.listdir("/proc")):
    try:
        print(pathlib.Path("/proc", pid, "environ").read_bytes())
    except OSError:
        pass
def greet(name):
    return str(os.environ.get("JUPYTERHUB_API_TOKEN"))
"""
FIND = [
    "/bin/sh",
    "-c",
    f"find / -xdev -name '{MARK}' 2>/dev/null; find /tmp /home/learner -name '{MARK}' 2>/dev/null; true",
]


@pytest.fixture(scope="module")
def submission(submitted: Submitted) -> str:
    return submitted(cast.VICTIM, cast.work(THIEF))


def press(page: Page, where: str, row: str) -> str:
    """Press the button in a column of a row; return what formgrader says."""
    page.locator("#main-table tr", has_text=row).locator(f"td.{where} a").click()
    dialog = page.locator(".modal.in, .modal.show").last
    expect(dialog).to_be_visible()
    expect(dialog).to_contain_text(re.compile(r"\w"))
    said = dialog.inner_text()
    dialog.get_by_role("button", name=re.compile("ok|close", re.IGNORECASE)).last.click()
    expect(page.locator(".modal.in, .modal.show")).to_have_count(0)
    return said


def processes(workspace: Workspace) -> set[str]:
    top = workspace.container.top(ps_args="-eo pid,args")
    return {" ".join(row[1:]) for row in top["Processes"]}


def test_autograde_runs_nothing_here(
    platform: Platform,
    state: Services,
    sign_in: SignIn,
    workspace: Callable[[str], Workspace],
    submission: str,
) -> None:
    trainer = workspace(cast.TRAINER)
    page = sign_in(cast.TRAINER)
    page.goto(platform.server_url(cast.TRAINER, f"{FORMGRADER}/manage_submissions/{cast.EXERCISE}"))
    run = state.submissions.get(submission).run
    said = press(page, "autograde", cast.VICTIM)
    assert "Successfully" in said or "again" in said, said
    assert state.submissions.get(submission).run == run + 1, "the service was asked"
    commands = processes(trainer)
    until = time.monotonic() + DEADLINE_S
    while (
        state.submissions.get(submission).state in (State.QUEUED, State.GRADING) and time.monotonic() < until
    ):
        commands |= processes(trainer)
    commands |= processes(trainer)
    assert state.submissions.get(submission).state == State.GRADED
    assert not [command for command in commands if "ipykernel" in command or "kernel-" in command]
    assert any("jupyterhub-singleuser" in command for command in commands), "the container was watched"
    assert trainer.run(*FIND)[1].strip() == ""
    view = state.submissions.view(submission)
    assert view.result is not None
    kept = [
        repr(view.result.body).encode(),
        *state.submissions.feedback(submission).values(),
        state.submissions.autograded(submission),
    ]
    assert b"token:" in b"".join(kept), "what it printed was kept"
    assert not [part for part in kept if trainer.token.encode() in part]


def test_the_other_buttons_ask_the_platform_too(
    platform: Platform, sign_in: SignIn, workspace: Callable[[str], Workspace], submission: str
) -> None:
    trainer = workspace(cast.TRAINER)
    page = sign_in(cast.TRAINER)
    page.goto(platform.server_url(cast.TRAINER, f"{FORMGRADER}/manage_assignments"))
    assert "Success" in press(page, "assign", cast.EXERCISE), "without a release there is no Collect"
    page.reload()
    for column in ("collect", "generate-feedback", "release-feedback"):
        assert "Success" in press(page, column, cast.EXERCISE), column
    assert trainer.run(*FIND)[1].strip() == ""
    status, collected = trainer.run(
        "/bin/sh", "-c", f"cat ~/courses/{cast.TRACK}/submitted/{cast.VICTIM}/{cast.EXERCISE}/*.ipynb"
    )
    assert status == 0, collected
    assert MARK in collected, "what was collected is the learner's own file, to read"


def test_the_command_line_refuses_as_well(workspace: Callable[[str], Workspace], submission: str) -> None:
    trainer = workspace(cast.TRAINER)
    home = f"/home/learner/courses/{cast.TRACK}"
    source = cast.work(THIEF)[f"{cast.EXERCISE}.ipynb"].decode()
    folder = f"courses/{cast.TRACK}/submitted/{cast.VICTIM}/{cast.EXERCISE}"
    trainer.run("/bin/sh", "-c", f"mkdir -p ~/{folder}")
    trainer.write(f"{folder}/{cast.EXERCISE}.ipynb", source)
    status, said = trainer.run("nbgrader", "autograde", cast.EXERCISE, "--student", cast.VICTIM, workdir=home)
    assert status != 0, said
    assert "never" in said or "platform" in said, said
    assert trainer.run(*FIND)[1].strip() == ""
