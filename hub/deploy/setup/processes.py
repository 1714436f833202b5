"""The platform's processes under supervisord: started and stopped. Called by recipes.py."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

from hub.deploy.setup.commands import Runner, find_program, system_environment
from hub.deploy.setup.errors import SetupError
from hub.deploy.setup.health import PROGRAMS
from hub.deploy.setup.node import node_home
from hub.deploy.setup.places import Places, digest_of_files

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hub.deploy.setup.engine import Lease

STOP_TIMEOUT_S = 60

CODE = ("hub", "graders", "config")
"""Folders whose change means that running processes are out of date."""


def code_digest(places: Places, settings: Mapping[str, str]) -> str:
    """Return the hash of all that running processes were made from, and of the operator's variables."""
    files = {
        str(path.relative_to(places.root)): path
        for folder in CODE
        for path in sorted((places.root / folder).rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".mo"
    }
    files["constraints.txt"] = places.constraints
    own = {name: value for name, value in os.environ.items() if name.startswith("ATELIER_")}
    return digest_of_files(files, repr(sorted((own | dict(settings)).items())))


def find_supervisor(places: Places) -> int | None:
    """Return the process id of this state directory's supervisord, if it runs."""
    try:
        pid = int(places.supervisor_pid.read_text(encoding="ascii"))
        command = Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", errors="replace")
    except (OSError, ValueError):
        return None
    return pid if str(places.supervisor_config) in command else None


def program_environment(places: Places, settings: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of supervisord and its programs: ours, the venv's tools first, and the SETUP_
    variables.
    """
    env = system_environment(settings)
    env["PATH"] = ":".join(
        [
            str(places.venv_bin),
            str(node_home(places.venv) / "bin"),
            str(places.node_modules / ".bin"),
            env["PATH"],
        ]
    )
    env |= {
        "SETUP_ROOT": str(places.root),
        "SETUP_STATE": str(places.state),
        "SETUP_VENV": str(places.venv),
        "SETUP_SOCKET": str(places.supervisor_socket),
        "ATELIER_STATE_DIR": str(places.state),
    }
    return env


def supervisor_command(places: Places, lease: Lease) -> list[str]:
    """Return the command that runs supervisord as a user of the engine: its parent holds the lease as long
    as it lives.
    """
    command = [str(places.venv_bin / "supervisord"), f"--configuration={places.supervisor_config}"]
    flock = find_program("flock")
    if lease.lock.exists() and flock:
        return [flock, "--shared", "--close", str(lease.lock), *command]
    return command


def start(places: Places, lease: Lease, env: Mapping[str, str]) -> None:
    """Start supervisord in a session of its own; it starts the programs."""
    with (places.log / "supervisord.out").open("wb") as out:
        subprocess.Popen(
            supervisor_command(places, lease),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            cwd=places.root,
            env=dict(env),
            start_new_session=True,
        )


def stop(places: Places) -> str:
    """Stop supervisord and its programs. Returns the step's result in words."""
    pid = find_supervisor(places)
    if pid is None:
        return "not running"
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_TIMEOUT_S
    while find_supervisor(places) is not None:
        if time.monotonic() > deadline:
            raise SetupError(
                f"The platform's processes did not stop within {STOP_TIMEOUT_S} s.",
                advice=f"Look at the lines above; kill -9 {pid} ends them the hard way.",
                log=places.log / "supervisord.log",
            )
        time.sleep(0.1)
    return f"{', '.join(PROGRAMS)} stopped"


def remove_containers(runner: Runner, instance: str) -> str:
    """Stop and remove the instance's containers; homes are volumes and stay. Returns the step's result in
    words.

    Raises:
        SetupError: some are still there after a while.
    """

    def listed() -> list[str]:
        label = f"label=atelier.instance={instance}"
        found = runner.ask(["docker", "ps", "--all", "--quiet", "--filter", label])
        return found.output.split() if found.ok else []

    containers = left = listed()
    if not containers:
        return "none running"
    # Some remove themselves once they are stopped, and may be gone, or going, when it is their turn: what counts is
    # that none is left.
    runner.ask(["docker", "stop", "--time", "10", *containers])
    deadline = time.monotonic() + STOP_TIMEOUT_S
    while left:
        runner.ask(["docker", "rm", "--force", *left])
        left = listed()
        if left and time.monotonic() > deadline:
            raise SetupError(
                f"{len(left)} containers can't be removed.", advice=f"Look at: docker inspect {left[0]}"
            )
        time.sleep(0.2 if left else 0)
    return f"{len(containers)} stopped, their volumes kept"
