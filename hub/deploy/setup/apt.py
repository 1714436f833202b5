"""Debian's packages: installs what is missing, or says what to type. Called by recipes.py, engine.py and
base_image.py.
"""

from __future__ import annotations

import ctypes.util
import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hub.deploy.setup.commands import Runner, find_program
from hub.deploy.setup.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

QUIET = {"DEBIAN_FRONTEND": "noninteractive", "NEEDRESTART_SUSPEND": "1"}


@dataclass(frozen=True)
class Need:
    """Something of the operating system, the package that brings it, and how to see that it is there."""

    package: str
    is_there: Callable[[], bool]


FOR_THE_VENV = (Need("python3-venv", lambda: importlib.util.find_spec("ensurepip") is not None),)
"""A package is only asked for when what it brings is missing, whoever brought it."""

FOR_THE_PLATFORM = (
    *FOR_THE_VENV,
    Need("iptables", lambda: find_program("iptables") is not None),
)
"""What `make up` needs; the engine is engine.py's."""

FOR_THE_TESTS = (
    *FOR_THE_PLATFORM,
    Need("libatomic1", lambda: ctypes.util.find_library("atomic") is not None),
    Need("chromium", lambda: find_program("chromium") is not None),
    Need("postgresql", lambda: any(Path("/usr/lib/postgresql").glob("*/bin/initdb"))),
)
"""The browser tests drive Debian's Chromium; the program that drives it needs libatomic. The queue and the books are tested
on PostgreSQL too, on a private server of the test's own."""


def missing_packages(needs: Sequence[Need]) -> list[str]:
    """Return the packages of the needs that aren't met."""
    return [need.package for need in needs if not need.is_there()]


def is_root() -> bool:
    """Return whether we may install packages and start services."""
    return os.geteuid() == 0


def require_root(purpose: str) -> None:
    """Stop at once, and not after minutes of work, where root's rights are needed.

    Raises:
        SetupError: we are somebody else.
    """
    if not is_root():
        raise SetupError(
            f"Only root may do this: it needs {purpose}.",
            advice="Type the same with sudo in front, for instance: sudo make up",
        )


def ensure_needs(runner: Runner, needs: Sequence[Need]) -> str:
    """Install the packages of unmet needs. Returns the step's result in words."""
    missing = missing_packages(needs)
    if not missing:
        return "all there"
    install(runner, missing)
    return f"installed {', '.join(missing)}"


def install(runner: Runner, packages: Sequence[str]) -> None:
    """Install packages of the distribution.

    Raises:
        SetupError: we may not, there is no apt, or it failed.
    """
    command = install_command(packages)
    if find_program("apt-get") is None:
        raise SetupError(
            f"These programs are missing: {', '.join(packages)}.",
            advice="This isn't a Debian or Ubuntu machine: install them with its own tool, then start again.",
        )
    if not is_root():
        raise SetupError(
            f"These Debian packages are missing: {', '.join(packages)}. Only root can install them.",
            advice=f"Type: sudo apt-get update && sudo {' '.join(command)}   Then start again.",
        )
    advice = f"Look at the lines above, then try by hand: apt-get update && {' '.join(command)}"
    runner.run(["apt-get", "-o", "DPkg::Lock::Timeout=300", "update"], advice=advice, env=QUIET)
    runner.run(command, advice=advice, env=QUIET)


def install_command(packages: Sequence[str]) -> list[str]:
    """Return the command that installs packages without questions and without recommendations."""
    return [
        "apt-get",
        "-o",
        "DPkg::Lock::Timeout=300",
        "install",
        "--yes",
        "--no-install-recommends",
        *packages,
    ]


def is_known(runner: Runner, package: str) -> bool:
    """Return whether the distribution has a package of that name."""
    return runner.ask(["apt-cache", "show", "--no-all-versions", package]).ok
