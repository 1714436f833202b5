"""How long it takes until a learner can work: from the click in the hub to JupyterLab's launcher, beside a bare container.

Run by `atelier bench spawn` against the running platform, with its first demo learner, in one headless Chromium. Both sides
run in turn, each after one run that isn't counted, so that images, disk and browser caches are warm on both.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import time
import urllib.request
import uuid
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.error import URLError

from hub.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from hub.settings import Settings

LEARNER = "learner1"
LAUNCHER = ".jp-Launcher"
TIMEOUT_S = 120
FLAGS = ("--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--disable-background-networking")


@dataclass(slots=True)
class SpawnTimes:
    """Seconds of every counted run."""

    bare_s: list[float] = field(default_factory=list)
    hub_s: list[float] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return the medians, their ratio, and every run."""
        bare, hub = statistics.median(self.bare_s), statistics.median(self.hub_s)
        return {
            "bare_s": round(bare, 2),
            "hub_s": round(hub, 2),
            "ratio": round(hub / bare, 3),
            "runs": {
                "bare_s": [round(value, 2) for value in self.bare_s],
                "hub_s": [round(value, 2) for value in self.hub_s],
            },
        }


def bench_spawn(settings: Settings, *, runs: int, tell: Callable[[str], None]) -> SpawnTimes:
    """Measure both sides in turn.

    Args:
        settings: of the running platform.
        runs: counted runs of each side.
        tell: told of each run.

    Raises:
        UnavailableError: there are no demo accounts, no Chromium, or the platform does not answer.
    """
    from playwright.sync_api import Error, sync_playwright

    chromium = shutil.which("chromium")
    if chromium is None:
        raise UnavailableError("Chromium is missing. Type: apt-get install chromium")
    password = _password(settings)
    times = SpawnTimes()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        try:
            hub_page, bare_page = browser.new_context().new_page(), browser.new_context().new_page()
            _sign_in(hub_page, settings, password)
            for run in range(runs + 1):
                hub = _hub_run(hub_page, settings)
                bare = _bare_run(bare_page, settings)
                tell(
                    f"run {run} of {runs}: hub {hub:.2f} s, bare {bare:.2f} s"
                    + (" (warm-up)" if run == 0 else "")
                )
                if run:
                    times.hub_s.append(hub)
                    times.bare_s.append(bare)
        except Error as error:
            raise UnavailableError(
                "The measurement broke off: %(why)s", why=str(error).splitlines()[0]
            ) from error
        finally:
            browser.close()
    return times


def _password(settings: Settings) -> str:
    try:
        accounts = json.loads((settings.state_dir / "demo-accounts.json").read_text(encoding="utf-8"))
        return next(str(account["password"]) for account in accounts if account["name"] == LEARNER)
    except (OSError, StopIteration) as error:
        raise UnavailableError("The demo accounts are missing. Start the platform with: make up") from error


def _sign_in(page: Page, settings: Settings, password: str) -> None:
    page.set_default_timeout(TIMEOUT_S * 1000)
    page.goto(f"{settings.url}/hub/login?next=/hub/home")
    page.locator("input[name=username]").fill(LEARNER)
    page.locator("input[name=password]").fill(password)
    page.locator("input[name=password]").press("Enter")
    page.wait_for_url("**/hub/home")


def _hub_run(page: Page, settings: Settings) -> float:
    """Stop the learner's server, then time from the click that starts it to the launcher."""
    page.goto(f"{settings.url}/hub/home")
    if page.locator("#stop").is_visible():
        page.locator("#stop").click()
        page.locator("#stop").wait_for(state="hidden")
    target = f"{settings.url}/hub/spawn/{LEARNER}?next=/user/{LEARNER}/lab?reset"
    page.locator("#start").evaluate(
        "(link, target) => { link.href = target; link.removeAttribute('target') }", target
    )
    began = time.perf_counter()
    page.locator("#start").click()
    page.locator(LAUNCHER).wait_for()
    return time.perf_counter() - began


def _bare_run(page: Page, settings: Settings) -> float:
    """Start a bare JupyterLab container of the same image and time to the launcher."""
    name = f"{settings.instance}-bench-{uuid.uuid4().hex[:8]}"
    page.set_default_timeout(TIMEOUT_S * 1000)
    began = time.perf_counter()
    command = [
        "docker", "run", "--detach", "--rm", "--name", name, "--label", f"atelier.instance={settings.instance}",
        "--publish", "127.0.0.1::8888", settings.learner_image,
        "jupyter", "lab", "--ip=0.0.0.0", "--no-browser", "--ServerApp.token=", "--ServerApp.password=",
    ]  # fmt: skip
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    try:
        port = (
            subprocess.run(["docker", "port", name, "8888/tcp"], check=True, capture_output=True, text=True)
            .stdout.split(":")[-1]
            .strip()
        )
        address = f"http://127.0.0.1:{port}/lab"
        _await_answer(address)
        page.goto(f"{address}?reset")
        page.locator(LAUNCHER).wait_for()
        return time.perf_counter() - began
    finally:
        subprocess.run(["docker", "rm", "--force", name], check=False, stdout=subprocess.DEVNULL)


def _await_answer(address: str) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while time.monotonic() < deadline:
        with suppress(URLError, OSError), urllib.request.urlopen(address, timeout=2) as answer:  # noqa: S310
            if answer.status == 200:  # noqa: PLR2004
                return
        time.sleep(0.05)
    raise UnavailableError("A bare JupyterLab container does not answer.")
