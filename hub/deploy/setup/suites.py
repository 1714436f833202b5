"""The tests and the checks, as people and CI run them. Called by recipes.py when everything they need is
there.
"""

from __future__ import annotations

import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hub.deploy.setup import images
from hub.deploy.setup.commands import system_environment
from hub.deploy.setup.node import node_home

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hub.deploy.setup.places import Places


@dataclass(frozen=True)
class Suite:
    """One kind of tests: its folders, and how pytest runs them."""

    folders: tuple[str, ...]
    options: tuple[str, ...] = ()


KINDS: Mapping[str, Suite] = {
    "unit": Suite(("tests/unit",), ("--numprocesses=auto",)),
    "integration": Suite(("tests/integration",), ("--numprocesses=2", "--dist=loadfile")),
    "attacks": Suite(("tests/attacks",), ("--ignore=tests/attacks/platform",)),
    "e2e": Suite(("tests/e2e", "tests/attacks/platform")),
}
"""From the quickest to the slowest. Integration tests run file beside file: each has an instance, ports and a network of its
own. What needs the whole platform runs one after the other."""

WITHOUT_ENGINE = frozenset({"unit"})
"""Kinds that need neither Docker nor root."""

CHECKS: Mapping[str, tuple[str, ...]] = {
    "lint": ("ruff", "check", "."),
    "format": ("ruff", "format", "--check", "."),
    "types": ("mypy",),
    "imports": ("lint-imports",),
}


def run_tests(places: Places, kinds: Sequence[str], say: Callable[[str], None]) -> int:
    """Run the named kinds one after another, all of them even when one fails.

    Returns:
        0 when every test passed and every kind has tests; else 1.
    """
    environment = tool_environment(places) | images.image_settings(places.root)
    return _run_all({kind: pytest_command(places, KINDS[kind]) for kind in kinds}, places, environment, say)


def run_checks(places: Places, say: Callable[[str], None]) -> int:
    """Run every check, also after one has failed. Returns 0 when all are clean, else 1."""
    commands = {name: [str(places.venv_bin / command[0]), *command[1:]] for name, command in CHECKS.items()}
    return _run_all(commands, places, tool_environment(places), say)


def pytest_command(places: Places, suite: Suite) -> list[str]:
    """Return the command that runs one kind of tests."""
    return [str(places.venv_python), "-m", "pytest", "-q", "--durations=5", *suite.options, *suite.folders]


def tool_environment(places: Places) -> dict[str, str]:
    """Return our environment with the tools of the venv, and its node, before the machine's own."""
    env = system_environment()
    folders = [str(places.venv_bin)]
    if places.node_modules.is_dir():
        folders += [str(node_home(places.venv) / "bin"), str(places.node_modules / ".bin")]
    env["PATH"] = ":".join([*folders, env["PATH"]])
    return env


def _run_all(
    commands: Mapping[str, Sequence[str]],
    places: Places,
    environment: Mapping[str, str],
    say: Callable[[str], None],
) -> int:
    results = []
    for name, command in commands.items():
        say(f"\n== {name}: {Path(command[0]).name} {' '.join(command[1:])}")
        started = time.monotonic()
        done = subprocess.run(
            command, cwd=places.root, env=dict(environment), stdin=subprocess.DEVNULL, check=False
        )
        results.append((name, done.returncode, time.monotonic() - started))
    say("")
    for name, returncode, seconds in results:
        say(f"{name:<12} {'ok' if returncode == 0 else f'FAILED ({returncode})':<12} {seconds:6.1f} s")
    return int(any(returncode for _, returncode, _ in results))
