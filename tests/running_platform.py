"""Fixtures for tests against a whole platform, brought up once a session the way an operator does. A pytest plugin.

platform     | a running platform of its own: own instance name, ports, network and state; down at the end
browser      | headless Chromium
sign_in      | sign_in(name) -> a page, signed in, in a browser context of its own
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-background-networking",
]


def free_ports(count: int) -> list[int]:
    """Return free ports of loopback; held open together so that no two are the same."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for opened in sockets:
            opened.bind(("127.0.0.1", 0))
        return [opened.getsockname()[1] for opened in sockets]
    finally:
        for opened in sockets:
            opened.close()


@dataclass(frozen=True)
class Platform:
    """A running platform."""

    url: str
    service_url: str
    state: Path
    environment: dict[str, str]
    passwords: dict[str, str]

    def atelier(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the `atelier` command against this platform."""
        return subprocess.run(
            [Path(sys.executable).with_name("atelier"), *arguments],
            env=self.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )

    def page_url(self, path: str) -> str:
        """Return the address of one of the service's pages."""
        return self.service_url + path

    def server_url(self, name: str, path: str = "") -> str:
        """Return the address of a person's server."""
        scheme, host = self.url.split("://")
        return f"{scheme}://{name}.{host}/user/{name}/{path}"


def run_setup(recipe: str, environment: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "hub.deploy.setup", recipe],
        env=environment,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=280,
    )
    assert done.returncode == 0, done.stdout


def remove_what_docker_keeps(instance: str) -> None:
    """Remove the volumes and networks of a test's instance: a test leaves nothing."""
    for kind in ("volume", "network"):
        listed = subprocess.run(
            ["docker", kind, "ls", "--quiet", "--filter", f"label=atelier.instance={instance}"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        if listed:
            subprocess.run(["docker", kind, "rm", *listed], check=True, stdout=subprocess.DEVNULL)


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    state = tmp_path_factory.mktemp("platform")
    port, hub_port, service_port, proxy_port = free_ports(4)
    instance = f"ateliertest-e2e-{os.getpid()}"
    environment = {
        **os.environ,
        "ATELIER_STATE_DIR": str(state),
        "ATELIER_INSTANCE": instance,
        "ATELIER_URL": f"http://atelier.localhost:{port}",
        "ATELIER_HUB_PORT": str(hub_port),
        "ATELIER_SERVICE_PORT": str(service_port),
        "ATELIER_PROXY_API_PORT": str(proxy_port),
        "ATELIER_LEARNER_SUBNET": f"10.214.{os.getpid() % 250}.0/24",
    }
    try:
        run_setup("up", environment)
        accounts = json.loads((state / "demo-accounts.json").read_text(encoding="utf-8"))
        about = json.loads((state / "platform.json").read_text(encoding="utf-8"))
        yield Platform(
            url=about["url"],
            service_url=about["service_url"],
            state=state,
            environment=environment,
            passwords={account["name"]: account["password"] for account in accounts},
        )
    finally:
        run_setup("down", environment)
        remove_what_docker_keeps(instance)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM_FLAGS)
        yield chromium
        chromium.close()


SignIn = Callable[..., Page]


@pytest.fixture
def sign_in(platform: Platform, browser: Browser) -> Iterator[SignIn]:
    contexts = []

    def enter(name: str, **options: Any) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        context.set_default_timeout(20_000)
        contexts.append(context)
        page = context.new_page()
        page.goto(platform.url)
        page.locator("input[name=username]").fill(name)
        page.locator("input[name=password]").fill(platform.passwords[name])
        page.locator("input[name=password]").press("Enter")
        page.wait_for_url(re.compile(re.escape(platform.service_url)))
        return page

    yield enter
    for context in contexts:
        context.close()
