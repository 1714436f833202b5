"""The Docker engine: found, installed from the distribution, or started; and stopped again by its last user.

Called by recipes.py. An engine that this module started has a lease file. Whoever uses the engine (a running
platform, a test run) holds a shared lock on it; who stops takes the exclusive lock, which only the last one
gets. An engine that somebody else started is never touched.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hub.deploy.setup import apt
from hub.deploy.setup.commands import Runner, find_program, system_environment
from hub.deploy.setup.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LEASE_DIR = Path("/run/atelier-engine")
DOCKER_PID = Path("/var/run/docker.pid")
START_TIMEOUT_S = 90
STOP_TIMEOUT_S = 60


@dataclass(frozen=True)
class Process:
    """A process that can't be mistaken for a later one with the same number."""

    pid: int
    started: str

    @classmethod
    def find(cls, pid: int) -> Process | None:
        """Return the process with this number, if there is one."""
        try:
            stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
        except OSError:
            return None
        fields = stat.rpartition(")")[2].split()
        return None if fields[0] == "Z" else cls(pid, fields[19])

    def is_alive(self) -> bool:
        """Return whether this very process still runs."""
        return Process.find(self.pid) == self


class Lease:
    """Who started the engine, and who uses it."""

    def __init__(self, directory: Path = LEASE_DIR) -> None:
        self.lock = directory / "users.lock"
        self._start_lock = directory / "start.lock"
        self._owner = directory / "dockerd.json"
        self._directory = directory

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Keep the engine from being stopped while the block runs. Without root there is nothing to hold or
        stop.
        """
        if not self.lock.exists():
            if not apt.is_root():
                yield
                return
            self._directory.mkdir(mode=0o755, parents=True, exist_ok=True)
            self.lock.touch(mode=0o644)
        with self.lock.open("rb") as handle:
            fcntl.flock(handle, fcntl.LOCK_SH)
            yield

    @contextlib.contextmanager
    def starting(self) -> Iterator[None]:
        """Let one set-up at a time look for an engine and start one."""
        with self._start_lock.open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    @contextlib.contextmanager
    def last_user(self) -> Iterator[bool]:
        """Tell the block whether nobody else uses the engine; new users wait until the block ends."""
        if not self.lock.exists():
            yield False
            return
        with self.lock.open("rb") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True

    def record(self, process: Process) -> None:
        """Note that the engine is ours to stop."""
        self._owner.write_text(json.dumps({"pid": process.pid, "started": process.started}), encoding="ascii")

    def find_owned(self) -> Process | None:
        """Return the engine that we started, if it still runs."""
        try:
            noted = json.loads(self._owner.read_text(encoding="ascii"))
            process = Process(int(noted["pid"]), str(noted["started"]))
        except (OSError, ValueError, KeyError):
            return None
        return process if process.is_alive() else None

    def forget(self) -> None:
        """Note that there is no engine of ours any more."""
        self._owner.unlink(missing_ok=True)

    @property
    def engine_log(self) -> Path:
        return self._directory / "dockerd.log"


def find_version(runner: Runner) -> str | None:
    """Return the version of the engine that answers us, or None."""
    answer = runner.ask(["docker", "version", "--format", "{{.Server.Version}}"])
    return answer.output if answer.ok and answer.output else None


def has_systemd(marker: Path = Path("/run/systemd/system")) -> bool:
    """Return whether systemd runs the services of this machine."""
    return marker.is_dir()


def ensure_engine(runner: Runner, lease: Lease, note: Callable[[str], None]) -> str:
    """See to it that a Docker engine answers. The caller holds the lease.

    Returns:
        The step's result in words.

    Raises:
        SetupError: there is none and we may not or can't start one.
    """
    version = find_version(runner)
    if version:
        return f"{version} already running"
    if not apt.is_root():
        raise SetupError("No Docker engine answers.", advice=_advice_without_root(runner))
    with lease.starting():
        version = find_version(runner)
        if version:
            return f"{version} already running"
        installed = _ensure_installed(runner, note)
        if installed and not has_systemd():
            _adopt_started_by_package(runner, lease)
        if not find_version(runner):
            _start(runner, lease, note)
    version = _wait_for_engine(runner, lease)
    return f"{version} installed and started" if installed else f"{version} started"


def release_engine(lease: Lease) -> str:
    """Stop the engine if we started it and nobody uses it any more. Returns what was done, in words."""
    with lease.last_user() as is_last:
        engine = lease.find_owned()
        if engine is None:
            return "not ours, left running"
        if not apt.is_root():
            return "root's, left running"
        if not is_last:
            return "in use by another Atelier, left running"
        os.kill(engine.pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_TIMEOUT_S
        while engine.is_alive():
            if time.monotonic() > deadline:
                return f"did not stop within {STOP_TIMEOUT_S} s (process {engine.pid})"
            time.sleep(0.1)
        lease.forget()
        return "stopped"


def packages_to_install(runner: Runner) -> list[str]:
    """Return the distribution's packages that make an engine here."""
    packages = ["docker.io", "iptables"]
    if apt.is_known(runner, "docker-cli"):
        packages.append("docker-cli")  # newer Debian has the command in a package of its own
    if _apparmor_is_on() and find_program("apparmor_parser") is None:
        packages.append("apparmor")  # else the engine refuses to start any container
    return packages


def _ensure_installed(runner: Runner, note: Callable[[str], None]) -> bool:
    if find_program("dockerd") and find_program("docker"):
        return False
    note("no engine on this machine: installing the distribution's (docker.io)")
    if find_program("apt-get"):
        runner.run(
            ["apt-get", "-o", "DPkg::Lock::Timeout=300", "update"], advice="Check the network.", env=apt.QUIET
        )
    apt.install(runner, packages_to_install(runner))
    return True


def _adopt_started_by_package(runner: Runner, lease: Lease) -> None:
    """Own the engine that the package's init script may have started, so that it is stopped again too."""
    if find_version(runner) is None:
        return
    with contextlib.suppress(OSError, ValueError):
        process = Process.find(int(DOCKER_PID.read_text(encoding="ascii")))
        if process:
            lease.record(process)


def _start(runner: Runner, lease: Lease, note: Callable[[str], None]) -> None:
    if has_systemd():
        runner.run(["systemctl", "start", "docker"], advice="Look at: journalctl --unit docker")
        return
    note("starting dockerd")
    with lease.engine_log.open("ab") as log:
        daemon = subprocess.Popen(
            [find_program("dockerd") or "dockerd"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd="/",
            env=system_environment(),
            start_new_session=True,
        )
    process = Process.find(daemon.pid)
    if process:
        lease.record(process)


def _wait_for_engine(runner: Runner, lease: Lease) -> str:
    deadline = time.monotonic() + START_TIMEOUT_S
    while True:
        version = find_version(runner)
        if version:
            return version
        gave_up = not has_systemd() and lease.find_owned() is None
        if gave_up or time.monotonic() > deadline:
            raise SetupError(
                "The Docker engine ended right after its start."
                if gave_up
                else f"The Docker engine did not answer within {START_TIMEOUT_S} s.",
                advice="Look at the lines above; in a container, Docker needs a privileged one.",
                log=lease.engine_log,
            )
        time.sleep(0.25)


def _advice_without_root(runner: Runner) -> str:
    if find_program("docker") is None:
        return (
            "Docker isn't installed. Type: sudo apt-get install docker.io iptables   "
            "or start Atelier as root: sudo make up"
        )
    answer = runner.ask(["docker", "version"]).output
    if "permission denied" in answer:
        return (
            "You may not use it. Type: sudo usermod --append --groups docker $USER   then sign in again "
            "(members of that group are as good as root), or start Atelier as root: sudo make up"
        )
    return "It isn't running. Type: sudo systemctl start docker   or start Atelier as root: sudo make up"


def _apparmor_is_on(switch: Path = Path("/sys/module/apparmor/parameters/enabled")) -> bool:
    try:
        return switch.read_text(encoding="ascii").strip() == "Y"
    except OSError:
        return False
