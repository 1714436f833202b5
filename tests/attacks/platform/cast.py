"""Who takes part in attacks on the platform, what they hand in, and how their programs speak to it.

Everybody here is made for these tests, in a track of their own: the demo people of the same platform stay as they are.
Used by conftest.py and the tests beside it.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from tests.doubles.hub_client import Answer, HubClient
from tests.doubles.notebooks import cell, notebook

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import docker

    from tests.running_platform import Platform

T = TypeVar("T")

TRACK = "attacks"
EXERCISE = "greeting"
ATTACKER, VICTIM, TRAINER, MENTOR, ADMIN = "mallory", "victor", "tess", "mona", "ada"
HOSTILE_NAME = """Mallory <img src=x onerror="top.canary='name'"><script>top.canary='name'</script>"""
DEADLINE_S = 240
"""A machine that does much else at once is slow, not broken."""

HIDDEN = "assert greet('') == 'Hello, you', 'a name can be empty'"

PEOPLE = {
    ATTACKER: (HOSTILE_NAME, "learner", "en"),
    VICTIM: ("Victor Claes", "learner", "en"),
    TRAINER: ("Tess Aerts", "trainer", "en"),
    MENTOR: ("Mona Khalil", "mentor", "en"),
    ADMIN: ("Ada Simons", "admin", "en"),
}


def answer(code: str, grade_id: str = "greet") -> dict[str, Any]:
    """Return a learner's code cell."""
    return cell(code, grade_id, solution=True)


def essay(text: str) -> dict[str, Any]:
    """Return a learner's written answer."""
    return cell(text, "why", kind="markdown", solution=True, grade=True, points=2)


def check(hidden: str = "") -> dict[str, Any]:
    """Return the cell that grades."""
    text = "got = greet('Ana')\nassert got == 'Hello, Ana', 'Your greeting is ' + got"
    return cell(text + hidden, "greet-check", grade=True, locked=True, points=2)


def source() -> dict[str, bytes]:
    """Return the exercise as its author wrote it: one question for the machine, one for a human."""
    solution = "def greet(name):\n    ### BEGIN SOLUTION\n    return 'Hello, ' + (name or 'you')\n    ### END SOLUTION"
    hidden = f"\n### BEGIN HIDDEN TESTS\n{HIDDEN}\n### END HIDDEN TESTS"
    return pack(notebook(answer(solution), check(hidden), essay("Because it is polite.")))


def work(code: str = "", text: str = "I do not know.", *more: dict[str, Any]) -> dict[str, bytes]:
    """Return what a learner hands in; by default a right answer."""
    right = "def greet(name):\n    return 'Hello, ' + (name or 'you')\n"
    return pack(notebook(answer(code or right), check(), essay(text), *more))


def pack(book: dict[str, Any]) -> dict[str, bytes]:
    """Return the exercise's folder."""
    return {f"{EXERCISE}.ipynb": json.dumps(book).encode()}


@dataclass(frozen=True)
class Program:
    """A program with a hub token, such as code in somebody's container."""

    platform: Platform
    token: str

    def call(
        self, method: str, path: str, body: bytes | object = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Ask the service's API. Bytes go as a tar, anything else as JSON."""
        kind = "application/x-tar" if isinstance(body, bytes) else "application/json"
        data = body if isinstance(body, bytes) or body is None else json.dumps(body)
        sent = {"Authorization": f"token {self.token}", "Sec-Fetch-Mode": "cors", "Content-Type": kind}
        return HubClient(self.platform.url).request(
            method, f"{self.platform.service_url}api/{path}", data, {**sent, **(headers or {})}
        )

    def ask_hub(self, method: str, path: str, body: object = None) -> Answer:
        """Ask JupyterHub's API."""
        return HubClient(self.platform.url).request(
            method,
            f"/hub/api/{path}",
            None if body is None else json.dumps(body),
            {"Authorization": f"token {self.token}", "Sec-Fetch-Mode": "cors"},
        )


@dataclass(frozen=True)
class Workspace:
    """Somebody's container, started by the real hub, and their signed-in client."""

    name: str
    container: docker.models.containers.Container
    client: HubClient

    @property
    def environment(self) -> dict[str, str]:
        """What its processes are started with."""
        return dict(entry.split("=", 1) for entry in self.container.attrs["Config"]["Env"])

    @property
    def token(self) -> str:
        """The token that anything in it can read."""
        return self.environment["JUPYTERHUB_API_TOKEN"]

    def run(self, *command: str, **options: Any) -> tuple[int, str]:
        """Run a command in it as its person; return the exit status and what it said."""
        done = self.container.exec_run(list(command), **options)
        return done.exit_code, done.output.decode("utf-8", "replace")

    def python(self, code: str, *arguments: str) -> Any:
        """Run a program that prints JSON."""
        status, said = self.run("/opt/venv/bin/python3", "-c", code, *arguments)
        assert status == 0, said
        return json.loads(said)

    def write(self, name: str, text: str) -> None:
        """Put a file into its home."""
        status, said = self.run("/bin/sh", "-c", 'printf %s "$2" > "$HOME/$1"', "sh", name, text)
        assert status == 0, said


def wait_for(question: Callable[[], T], what: str, deadline_s: float = DEADLINE_S) -> T:
    """Ask until the answer is true; return it."""
    until = time.monotonic() + deadline_s
    while time.monotonic() < until:
        if found := question():
            return found
        time.sleep(0.1)
    raise AssertionError(f"not within {deadline_s:.0f} s: {what}")
