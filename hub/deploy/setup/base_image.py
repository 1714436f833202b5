"""The image under all images: Debian 12, pulled from a registry or made from Debian's own packages.

Called by images.py.
"""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from hub.deploy.setup import apt
from hub.deploy.setup.commands import Runner, find_program, system_environment
from hub.deploy.setup.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

REGISTRY_IMAGE = "debian:bookworm-slim"
LOCAL_IMAGE = "atelier-debian:bookworm"
PULL_TIMEOUT_S = 300


def wanted_image(environ: Mapping[str, str] = os.environ) -> str:
    """Return the image to build on: ATELIER_BASE_IMAGE for those who keep their own, else Debian's."""
    return environ.get("ATELIER_BASE_IMAGE") or REGISTRY_IMAGE


def ensure_debian(runner: Runner, note: Callable[[str], None]) -> str:
    """Return the name of an image of Debian 12 on this machine, pulled or made where there is none.

    Raises:
        SetupError: it could neither be pulled nor made.
    """
    wanted = wanted_image()
    for image in (wanted, LOCAL_IMAGE) if wanted == REGISTRY_IMAGE else (wanted,):
        if runner.ask(["docker", "image", "inspect", "--format", "{{.Id}}", image]).ok:
            return image
    pulled = runner.ask(["docker", "pull", "--quiet", wanted], timeout_s=PULL_TIMEOUT_S)
    if pulled.ok:
        return wanted
    if wanted != REGISTRY_IMAGE:
        raise SetupError(
            f"The image {wanted} could not be pulled: {pulled.output}",
            advice="Correct ATELIER_BASE_IMAGE, or leave it unset.",
        )
    note("no image registry is reached: making the base image from Debian's packages")
    if find_program("mmdebstrap") is None:
        apt.install(runner, ["mmdebstrap", "debian-archive-keyring"])
    _make(runner.log)
    return LOCAL_IMAGE


def make_command() -> list[str]:
    """Return the command that writes a minimal Debian as a tar archive to its standard output."""
    return [
        "mmdebstrap",
        "--variant=minbase",
        "--include=ca-certificates,python3,python3-venv",
        "bookworm",
        "-",
    ]


def import_command() -> list[str]:
    """Return the command that makes the archive on its standard input an image."""
    return ["docker", "import", "--change", 'CMD ["bash"]', "-", LOCAL_IMAGE]


def _make(log_path: Path) -> None:
    with log_path.open("ab") as log:
        maker = subprocess.Popen(
            make_command(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            env=system_environment(),
        )
        importer = subprocess.run(
            import_command(),
            stdin=maker.stdout,
            stdout=log,
            stderr=log,
            env=system_environment(),
            check=False,
        )
        if maker.stdout:
            maker.stdout.close()
        if maker.wait() != 0 or importer.returncode != 0:
            raise SetupError(
                "The base image could not be made from Debian's packages.",
                advice="Check the network and the free space on disk, then start again.",
                log=log_path,
            )
