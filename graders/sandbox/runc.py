"""Sandboxes through the engine's OCI runtime directly: the same walls as through the engine, for a tenth of the cost.

Called like docker.py's runner, where we are root on the engine's machine. A sandbox's standard input and output are one
socket pair, so that what talks to it (sandbox.py) does not see a difference. bundle.py has what is started.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import structlog

from graders.errors import SandboxError
from graders.results import Limits
from graders.sandbox import bundle
from graders.sandbox.docker import connect_engine, engine_facts, translated
from graders.sandbox.job import End, SandboxJob, SandboxRun
from graders.sandbox.options import Shape, container_options
from graders.sandbox.rootfs import open_rootfs
from graders.sandbox.sandbox import STDERR_KEPT, Sandbox

if TYPE_CHECKING:
    import docker

log = structlog.get_logger(__name__)

RUNTIME = "runc"
RUNTIME_TIMEOUT_S = 20.0
EXIT_TIMEOUT_S = 3.0
CGROUP_ROOT = Path("/sys/fs/cgroup")


class RuncSandboxRunner:
    """Starts single-use sandboxes with runc. Not shared between threads: each has its own."""

    def __init__(self, image: str, instance: str, *, folder: Path, owner: str | None = None) -> None:
        """Prepare what every sandbox shares.

        Args:
            image: the grader image's name at the engine.
            instance: prefix of every sandbox's name.
            folder: for bundles and the runtime's own state; this machine's disk.
            owner: stable for the life of this process, and no other's.

        Raises:
            SandboxError: not possible here: no runc, not root, no engine, or one that keeps its configuration elsewhere.
        """
        if os.geteuid() != 0 or shutil.which(RUNTIME) is None:
            raise SandboxError("starting sandboxes directly needs root and runc")
        client = connect_engine()
        try:
            facts = engine_facts(client, image)
            self._facts = facts
            self._instance = instance
            self._owner = owner or str(os.getpid())
            self._folder = folder
            self._rootfs = open_rootfs(client, facts.image_id)
            self._templates: dict[Shape, dict[str, Any]] = {}
            self._template(Shape.of(Limits()), client)
        finally:
            client.close()

    @property
    def fingerprint(self) -> str:
        """The image's own digest: what runs inside is the same as through the engine."""
        return f"runc:{self._facts.image_id}"

    def start(self, limits: Limits) -> RuncSandbox:
        """Start one sandbox; it is not yet ready.

        Raises:
            SandboxError: the runtime could not be started.
        """
        shape = Shape.of(limits)
        name = f"{self._instance}-{self._owner}-{uuid.uuid4().hex[:12]}"
        config = bundle.sandbox_config(self._template(shape), self._rootfs.path, f"/atelier/{name}")
        bundles = self._folder / "bundles"
        bundles.mkdir(mode=0o700, parents=True, exist_ok=True)
        place = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=bundles))
        (place / "config.json").write_text(json.dumps(config), encoding="utf-8")
        sandbox = RuncSandbox(name, place, self._folder / "state", shape)
        try:
            sandbox.start()
        except BaseException:
            sandbox.remove()
            raise
        return sandbox

    def run(self, job: SandboxJob) -> SandboxRun:
        """Run `job` in a sandbox of its own. See SandboxRunner."""
        began = time.monotonic()
        sandbox = self.start(job.limits)
        try:
            sandbox.await_ready()
            return sandbox.converse(job, waited_s=time.monotonic() - began)
        finally:
            sandbox.remove()

    def close(self) -> None:
        """Stop using the image's files."""
        self._rootfs.close()

    def _template(self, shape: Shape, client: docker.APIClient | None = None) -> dict[str, Any]:
        if shape not in self._templates:
            own = client is None
            client = client or connect_engine()
            options = container_options(
                self._facts.image_id,
                shape,
                instance=self._instance,
                owner=self._owner,
                cgroup_version=self._facts.cgroup_version,
            )
            try:
                with translated("take over the engine's configuration"):
                    template = bundle.read_template(client, options)
            finally:
                if own:
                    client.close()
            bundle.check_walls(template)
            self._templates[shape] = template
        return self._templates[shape]


class RuncSandbox(Sandbox):
    """One container of the runtime, from start to removal. It takes one job."""

    def __init__(self, name: str, place: Path, state: Path, shape: Shape) -> None:
        super().__init__(name, shape)
        self._bundle = place
        self._state = state
        self._process: subprocess.Popen[bytes] | None = None
        self._errors: IO[bytes] | None = None
        self._removed = False

    def start(self) -> None:
        """Start the runtime with one end of a socket pair as the sandbox's standard input and output."""
        ours, theirs = socket.socketpair()
        self._errors = (self._bundle / "stderr").open("w+b")
        self._state.mkdir(mode=0o700, parents=True, exist_ok=True)
        command = [
            RUNTIME, "--root", str(self._state), "run", "--keep", "--bundle", str(self._bundle), self.container_id,
        ]  # fmt: skip
        try:
            self._process = subprocess.Popen(
                command,
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=self._errors,
                env={"PATH": os.defpath + ":/usr/sbin:/sbin"},
            )
        except OSError as error:
            ours.close()
            raise SandboxError(f"could not start {RUNTIME}: {error}") from error
        finally:
            theirs.close()
        ours.setblocking(False)
        self.line = ours

    def stdout_of(self, data: bytes) -> bytes:
        """Standard error goes elsewhere: everything on the line is standard output."""
        return data

    @property
    def stderr(self) -> str:
        """The head of what PID 1 and the runtime wrote to standard error."""
        if self._errors is None:
            return ""
        return os.pread(self._errors.fileno(), STDERR_KEPT, 0).decode("utf-8", "replace").strip()

    def state_at_exit(self, end: End) -> tuple[bool, int | None]:
        """Read from the kernel whether memory ran out, and how PID 1 ended: nothing from inside is believed."""
        if end in (End.WALL_CLOCK, End.OUTPUT_OVERFLOW):
            self._kill()
        process = self._process
        code: int | None = None
        if process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                code = process.wait(EXIT_TIMEOUT_S)
        return self._memory_ran_out(), code

    def remove(self) -> None:
        """Kill and remove the container, its cgroup and its bundle. Never raises: what is left is the reaper's."""
        if self._removed:
            return
        self._removed = True
        if self.line is not None:
            self.line.close()
        self._kill()
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(EXIT_TIMEOUT_S)
        delete(self._state, self.container_id)
        if self._errors is not None:
            self._errors.close()
        shutil.rmtree(self._bundle, ignore_errors=True)

    def _kill(self) -> None:
        """End PID 1, and with it everything in its PID namespace."""
        init = init_pid(self._state, self.container_id)
        if init is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(init, signal.SIGKILL)
        elif self._process is not None:
            self._process.kill()  # not that far yet: the runtime itself

    def _memory_ran_out(self) -> bool:
        group = f"atelier/{self.container_id}"
        for path, key in (
            (CGROUP_ROOT / "memory" / group / "memory.oom_control", "oom_kill"),
            (CGROUP_ROOT / group / "memory.events", "oom_kill"),
        ):
            with contextlib.suppress(OSError):
                counts = dict(line.split() for line in path.read_text(encoding="ascii").splitlines())
                return int(counts.get(key, "0")) > 0
        return False


def init_pid(state: Path, name: str) -> int | None:
    """Return the host's process id of a sandbox's PID 1 while it lives, from the runtime's own books."""
    try:
        book = json.loads((state / name / "state.json").read_text(encoding="utf-8"))
        pid, started = int(book["init_process_pid"]), str(book["init_process_start"])
        # Field 22 of /proc/PID/stat: a process id that was given to somebody else has another start time.
        current = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19]
    except (OSError, ValueError, KeyError, IndexError):
        return None
    return pid if current == started else None


def delete(state: Path, name: str) -> None:
    """Remove a container from the runtime's books and the kernel's cgroups; one that is gone is no error."""
    if not (state / name).exists():
        return
    try:
        done = subprocess.run(
            [RUNTIME, "--root", str(state), "delete", "--force", name],
            capture_output=True,
            timeout=RUNTIME_TIMEOUT_S,
            check=False,
            env={"PATH": os.defpath + ":/usr/sbin:/sbin"},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        log.warning("sandbox_not_removed", container=name, error=str(error))
        return
    if done.returncode != 0 and (state / name).exists():
        log.warning(
            "sandbox_not_removed", container=name, error=done.stderr.decode("utf-8", "replace")[-300:]
        )


def sweep_strays(folder: Path, instance: str) -> list[str]:
    """Remove sandboxes that a dead process left: those whose owner's process is gone.

    Returns:
        The names of those removed.
    """
    state = folder / "state"
    removed = []
    for path in sorted(state.glob(f"{instance}-*")) if state.is_dir() else ():
        owner = path.name.rsplit("-", 2)[-2]
        if owner.isdigit() and Path(f"/proc/{owner}").exists():
            continue
        delete(state, path.name)
        for left in (folder / "bundles").glob(f"{path.name}-*"):
            shutil.rmtree(left, ignore_errors=True)
        removed.append(path.name)
    return removed
