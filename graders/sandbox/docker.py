"""Sandboxes through the Docker engine: the only file that talks to it for grading.

Called by the pool and, for one run at a time, by the pipeline through SandboxRunner. A sandbox is created,
attached, started, spoken to once, and removed, whatever happens. It must not know what the frames mean:
protocol.py does.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import docker
import requests
import structlog
from docker.errors import DockerException, NotFound

from graders.errors import EngineError
from graders.sandbox.job import End, SandboxJob, SandboxRun
from graders.sandbox.options import Shape, container_options
from graders.sandbox.sandbox import STDERR_KEPT, Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graders.results import Limits

log = structlog.get_logger(__name__)

EXIT_TIMEOUT_S = 3.0
ENGINE_FAULTS = (DockerException, requests.RequestException, OSError)

_STREAM_HEADER = struct.Struct(">BxxxI")
_STDOUT, _STDERR = 1, 2


def owner_name() -> str:
    """Return the name under which this process owns sandboxes: stable for its life, and no other's."""
    return f"{socket.gethostname()}-{os.getpid()}"


class DockerSandboxRunner:
    """Starts single-use sandboxes on the local engine. Not shared between threads: each has its own."""

    def __init__(
        self, image: str, instance: str, *, owner: str | None = None, runtime: str | None = None
    ) -> None:
        """Take the grader image's name, the instance that prefixes names, and another OCI runtime or none."""
        self._image = image
        self._instance = instance
        self._owner = owner or owner_name()
        self._runtime = runtime
        self._client = connect_engine()
        facts = engine_facts(self._client, image)
        self._cgroup_version = facts.cgroup_version
        self._fingerprint = f"docker:{facts.image_id}:{runtime or 'default'}"

    @property
    def fingerprint(self) -> str:
        """The image's own digest and the runtime."""
        return self._fingerprint

    def start(self, limits: Limits) -> DockerSandbox:
        """Create, attach and start one sandbox; it is not yet ready.

        Raises:
            SandboxError: the engine refused.
        """
        shape = Shape.of(limits)
        body = container_options(
            self._image,
            shape,
            instance=self._instance,
            owner=self._owner,
            cgroup_version=self._cgroup_version,
            runtime=self._runtime,
        )
        name = f"{self._instance}-sandbox-{uuid.uuid4().hex[:12]}"
        with translated("create a sandbox"):
            container_id = self._client.create_container_from_config(body, name)["Id"]
        sandbox = DockerSandbox(self._client, container_id, shape)
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
            waited = time.monotonic() - began
            return sandbox.converse(job, waited_s=waited)
        finally:
            sandbox.remove()

    def close(self) -> None:
        """Close the connection to the engine."""
        self._client.close()


class DockerSandbox(Sandbox):
    """One container of the engine, from start to removal. It takes one job."""

    def __init__(self, client: docker.APIClient, container_id: str, shape: Shape) -> None:
        """Wrap a created container."""
        super().__init__(container_id, shape)
        self._client = client
        self._response: Any = None
        self._demultiplexer = _Demultiplexer()
        self._removed = False

    def start(self) -> None:
        """Attach to the container's streams, then start it."""
        with translated("start a sandbox"):
            self._response = self._client.attach_socket(
                self.container_id, params={"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
            )
            raw = getattr(self._response, "_sock", self._response)
            raw.setblocking(False)
            self.line = raw
            self._client.start(self.container_id)

    def stdout_of(self, data: bytes) -> bytes:
        """Take the engine's stream apart."""
        return self._demultiplexer.feed(data)

    @property
    def stderr(self) -> str:
        """The head of standard error."""
        return self._demultiplexer.stderr.decode("utf-8", "replace").strip()

    def state_at_exit(self, end: End) -> tuple[bool, int | None]:
        """Ask the engine how the container ended: the only word on memory that we believe."""
        with translated("read a sandbox's state"):
            if end in (End.WALL_CLOCK, End.OUTPUT_OVERFLOW):
                with contextlib.suppress(docker.errors.APIError):
                    self._client.kill(self.container_id)
            with contextlib.suppress(requests.RequestException):
                self._client.wait(self.container_id, timeout=EXIT_TIMEOUT_S)
            state = self._client.inspect_container(self.container_id)["State"]
        running = bool(state.get("Running"))
        return bool(state.get("OOMKilled")), None if running else int(state.get("ExitCode", -1))

    def remove(self) -> None:
        """Kill and remove the container. Never raises: what is left over is the reaper's."""
        if self._removed:
            return
        self._removed = True
        for end in (self._response, self.line):
            if end is not None:
                with contextlib.suppress(OSError):
                    end.close()
        try:
            self._client.remove_container(self.container_id, force=True, v=True)
        except NotFound:
            pass
        except ENGINE_FAULTS as error:
            log.warning("sandbox_not_removed", container=self.container_id[:12], error=str(error))


class _Demultiplexer:
    """Takes the engine's stream apart: standard output is returned, the head of standard error is kept."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self.stderr = bytearray()

    def feed(self, data: bytes) -> bytes:
        self._buffer += data
        out = bytearray()
        while len(self._buffer) >= _STREAM_HEADER.size:
            stream, length = _STREAM_HEADER.unpack_from(self._buffer)
            end = _STREAM_HEADER.size + length
            if len(self._buffer) < end:
                break
            piece = self._buffer[_STREAM_HEADER.size : end]
            if stream == _STDOUT:
                out += piece
            elif stream == _STDERR and len(self.stderr) < STDERR_KEPT:
                self.stderr += piece[: STDERR_KEPT - len(self.stderr)]
            del self._buffer[:end]
        return bytes(out)


@dataclass(frozen=True, slots=True)
class EngineFacts:
    """What a runner has to know of the engine and the grader image."""

    image_id: str
    cgroup_version: int


def connect_engine() -> docker.APIClient:
    """Return a connection to the local engine.

    Raises:
        EngineError: it does not answer.
    """
    with translated("reach the Docker engine"):
        return docker.APIClient(version="auto", timeout=60)


def engine_facts(client: docker.APIClient, image: str) -> EngineFacts:
    """Ask the engine about itself and the image.

    Raises:
        EngineError: it does not answer, or does not have the image.
    """
    with translated("ask the engine about itself and the grader image"):
        info = client.info()
        found = client.inspect_image(image)
    return EngineFacts(found["Id"], int(info.get("CgroupVersion") or 1))


@contextlib.contextmanager
def translated(doing: str) -> Iterator[None]:
    """Turn the engine's faults into an EngineError that says what was being done."""
    try:
        yield
    except ENGINE_FAULTS as error:
        raise EngineError(f"could not {doing}: {error}") from error
