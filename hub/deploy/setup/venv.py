"""The venv with pinned packages. Called by recipes.py; quick the second time, because a stamp tells what it
was made from.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hub.deploy.setup import certificates
from hub.deploy.setup.places import Places, digest_of_files

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from hub.deploy.setup.commands import Runner

ADVICE = "Check the network, and PIP_INDEX_URL if you use a mirror; then start again."


@dataclass(frozen=True)
class Stamp:
    """What a venv was made from: the hash of the pinned versions, and the optional groups."""

    digest: str
    extras: tuple[str, ...]


def ensure_venv(runner: Runner, places: Places, extras: Sequence[str] = ()) -> str:
    """Make .venv and install Atelier's packages at the versions of constraints.txt.

    Args:
        runner: runs pip.
        places: the checkout.
        extras: optional groups of pyproject.toml, such as "test"; groups installed before are kept.

    Returns:
        The step's result in words.
    """
    digest = wanted_digest(places)
    stamp = read_stamp(places.venv)
    wanted = tuple(sorted({*extras, *stamp.extras}))
    if stamp == Stamp(digest, wanted) and _works(runner, places):
        return "up to date"
    if not _works(runner, places):
        runner.run(
            [sys.executable, "-m", "venv", "--clear", str(places.venv)], advice="Install python3-venv."
        )
    _stamp_file(places.venv).unlink(missing_ok=True)
    runner.run(
        install_command(places, wanted),
        cwd=places.root,
        env=certificates.download_environment(),
        advice=ADVICE,
    )
    _stamp_file(places.venv).write_text(json.dumps({"digest": digest, "extras": wanted}), encoding="utf-8")
    return "packages installed"


def wanted_digest(places: Places) -> str:
    """Return the hash of what decides the venv's content; a moved checkout needs new scripts, so its path
    counts.
    """
    files = {"constraints.txt": places.constraints, "pyproject.toml": places.root / "pyproject.toml"}
    return digest_of_files(files, str(places.root))


def read_stamp(venv: Path) -> Stamp:
    """Return what the venv was made from; an unreadable stamp is that of an empty venv."""
    try:
        stamp = json.loads(_stamp_file(venv).read_text(encoding="utf-8"))
        return Stamp(str(stamp["digest"]), tuple(str(extra) for extra in stamp["extras"]))
    except (OSError, ValueError, KeyError, TypeError):
        return Stamp("", ())


def install_command(places: Places, extras: Sequence[str]) -> list[str]:
    """Return the pip command for the wanted groups."""
    target = f".[{','.join(extras)}]" if extras else "."
    return [
        str(places.venv_python),
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        "--no-input",
        "--progress-bar=off",
        f"--constraint={places.constraints}",
        "--editable",
        target,
    ]


def _works(runner: Runner, places: Places) -> bool:
    """Return whether the venv's Python finds its packages: not after an upgrade of the machine's Python."""
    return runner.ask([str(places.venv_python), "-c", "import pip"]).ok


def _stamp_file(venv: Path) -> Path:
    return venv / ".atelier-stamp.json"
