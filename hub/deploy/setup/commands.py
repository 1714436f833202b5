"""The one seam to outside programs: every step runs its commands through a `Runner`, its tests use a double.

Programs never get our standard input: a set-up that waits for an answer is a set-up that hangs in CI.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from hub.deploy.setup.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

SYSTEM_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin")


@dataclass(frozen=True)
class Finished:
    """How a program ended, and what it said."""

    returncode: int
    output: str

    @property
    def ok(self) -> bool:
        """Whether it ended with 0."""
        return self.returncode == 0


class Runner(Protocol):
    """Starts programs and waits for them."""

    @property
    def log(self) -> Path:
        """The file that holds the output of everything that was run."""

    def ask(self, command: Sequence[str], *, timeout_s: float = 30) -> Finished:
        """Run a quick question; its standard output is the answer. Never raises: an absent program has
        failed.
        """

    def run(
        self,
        command: Sequence[str],
        *,
        advice: str,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdin: bytes | None = None,
    ) -> Finished:
        """Run a long command, its output in the log.

        Args:
            command: the program and its arguments.
            advice: what to do when it fails.
            cwd: its working directory.
            env: variables set beside ours.
            stdin: what it reads; nothing by default.

        Raises:
            SetupError: it failed or isn't there.
        """


def system_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return our environment with the administrator's folders on PATH, where an ordinary user's shell has
    none.
    """
    env = dict(os.environ)
    folders = env.get("PATH", "/usr/local/bin:/usr/bin:/bin").split(":")
    env["PATH"] = ":".join([*folders, *(folder for folder in SYSTEM_FOLDERS if folder not in folders)])
    env.update(extra or {})
    return env


def find_program(name: str) -> str | None:
    """Return the full path of a program, also where only root's PATH leads."""
    return shutil.which(name, path=system_environment()["PATH"])


class SystemRunner:
    """Runs programs on this machine."""

    def __init__(self, log: Path) -> None:
        self._log = log

    @property
    def log(self) -> Path:
        return self._log

    def ask(self, command: Sequence[str], *, timeout_s: float = 30) -> Finished:
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=timeout_s,
                check=False,
                env=system_environment(),
            )
        except FileNotFoundError:
            return Finished(127, f"{command[0]}: not found")
        except subprocess.TimeoutExpired:
            return Finished(124, f"{command[0]}: no answer within {timeout_s:.0f} s")
        text = done.stdout if done.returncode == 0 else done.stdout + done.stderr
        return Finished(done.returncode, text.decode("utf-8", errors="replace").strip())

    def run(
        self,
        command: Sequence[str],
        *,
        advice: str,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdin: bytes | None = None,
    ) -> Finished:
        self._log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            log.write(f"\n$ {' '.join(command)}\n".encode())
            log.flush()
            start = log.tell()
            try:
                done = subprocess.run(
                    command,
                    cwd=cwd,
                    env=system_environment(env),
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    check=False,
                    **({"stdin": subprocess.DEVNULL} if stdin is None else {"input": stdin}),
                )
            except FileNotFoundError as missing:
                raise SetupError(f"The program {command[0]} isn't there.", advice=advice) from missing
        if done.returncode != 0:
            raise SetupError(
                f"This command failed with {done.returncode}: {' '.join(command[:6])}",
                advice=advice,
                log=self._log,
            )
        with self._log.open("rb") as log:
            log.seek(start)
            return Finished(0, log.read().decode("utf-8", errors="replace"))
