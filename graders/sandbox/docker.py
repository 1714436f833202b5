"""Sandboxes through the Docker engine: the only file that talks to it for grading.

Called by the pool and, for one run at a time, by the pipeline through SandboxRunner. A sandbox is created,
attached, started, spoken to once, and removed, whatever happens. It must not know what the frames mean:
protocol.py does.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import struct
import time
import uuid
from typing import TYPE_CHECKING, Any

import docker
import requests
import structlog
from docker.errors import DockerException, NotFound

from graders.errors import EngineError, SandboxError
from graders.sandbox import protocol
from graders.sandbox.job import End, SandboxJob, SandboxRun
from graders.sandbox.options import Shape, container_options

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from graders.results import Limits

log = structlog.get_logger(__name__)

READY_TIMEOUT_S = 30.0
GRACE_S = 8.0
"""What the sandbox may take beyond the job's wall clock to report that time is up, before we stop it. Its own
PID 1 gives up after 5."""
EXIT_TIMEOUT_S = 3.0
STDERR_KEPT = 4000
READ_BYTES = 1 << 16
READY_BYTES = 1 << 16
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
        self._client = _engine(lambda: docker.APIClient(version="auto", timeout=60))
        with _translated("ask the engine about itself and the grader image"):
            info = self._client.info()
            found = self._client.inspect_image(image)
        self._cgroup_version = int(info.get("CgroupVersion") or 1)
        self._fingerprint = f"docker:{found['Id']}:{runtime or 'default'}"

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
        with _translated("create a sandbox"):
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


class DockerSandbox:
    """One container, from start to removal. It takes one job."""

    def __init__(self, client: docker.APIClient, container_id: str, shape: Shape) -> None:
        """Wrap a created container."""
        self._client = client
        self.container_id = container_id
        self.shape = shape
        self.started_at = time.monotonic()
        self._socket: socket.socket | None = None
        self._response: Any = None
        self._demultiplexer = _Demultiplexer()
        self._reader = protocol.FrameReader(READY_BYTES)
        self._removed = False

    def start(self) -> None:
        """Attach to the container's streams, then start it."""
        with _translated("start a sandbox"):
            self._response = self._client.attach_socket(
                self.container_id, params={"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
            )
            raw = getattr(self._response, "_sock", self._response)
            raw.setblocking(False)
            self._socket = raw
            self._client.start(self.container_id)

    def await_ready(self, timeout_s: float = READY_TIMEOUT_S) -> None:
        """Wait for the checker's first word.

        Raises:
            SandboxError: it did not come in time, or something else came.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            data = self._receive(deadline)
            if data is None:
                raise SandboxError(f"a sandbox was not ready after {timeout_s:.0f} s: {self._stderr}")
            if data == b"":
                raise SandboxError(f"a sandbox ended before it was ready: {self._stderr}")
            messages = self._reader.feed(self._demultiplexer.feed(data))
            if messages:
                if len(messages) != 1 or messages[0].get("kind") != "ready":
                    raise protocol.ProtocolError("a sandbox's first message was not `ready`")
                return

    def is_alive(self) -> bool:
        """Say whether an idle sandbox still holds its end of the line."""
        if self._socket is None:
            return False
        readable, _, _ = select.select([self._socket], [], [], 0)
        return not readable  # an idle sandbox says nothing: bytes or an end of file mean trouble

    def converse(self, job: SandboxJob, *, waited_s: float = 0.0) -> SandboxRun:
        """Send the job and take what comes until `done`, an end, or a limit.

        Args:
            job: what to run.
            waited_s: what it took until the sandbox was ready, for the books.
        """
        conversation = protocol.Conversation(job)
        self._reader = protocol.FrameReader(_output_budget(job))
        began = time.monotonic()
        deadline = began + job.limits.wall_s + GRACE_S
        try:
            end = self._exchange(protocol.encode(protocol.job_message(job)), conversation, deadline)
        except protocol.OverflowReached:
            end = End.OUTPUT_OVERFLOW
        talked = time.monotonic() - began
        statuses = {item.status for item in conversation.verdicts} | {
            item.status for item in conversation.cells
        }
        suspicious = end is not End.FINISHED or bool(statuses & {"died", "timeout", "not_run", "error"})
        out_of_memory, exit_code = self._state_at_exit(end) if suspicious else (False, None)
        return SandboxRun(
            end=end,
            cells=tuple(conversation.cells),
            verdicts=tuple(conversation.verdicts),
            records=conversation.records,
            verdict=conversation.done,
            out_of_memory=out_of_memory,
            exit_code=exit_code,
            seconds={
                "sandbox_wait": waited_s,
                "sandbox_run": talked,
                **{f"inside_{name}": value for name, value in conversation.seconds.items()},
            },
            detail=self._stderr,
        )

    def remove(self) -> None:
        """Kill and remove the container. Never raises: what is left over is the reaper's."""
        if self._removed:
            return
        self._removed = True
        if self._response is not None:
            with contextlib.suppress(OSError):
                self._response.close()
        try:
            self._client.remove_container(self.container_id, force=True, v=True)
        except NotFound:
            pass
        except ENGINE_FAULTS as error:
            log.warning("sandbox_not_removed", container=self.container_id[:12], error=str(error))

    @property
    def _stderr(self) -> str:
        return self._demultiplexer.stderr.decode("utf-8", "replace").strip()

    def _exchange(self, outgoing: bytes, conversation: protocol.Conversation, deadline: float) -> End:
        """Send and receive at once: neither side may wait for the other's full pipe."""
        pending = memoryview(outgoing)
        raw = self._open_socket()
        while conversation.done is None:
            left = deadline - time.monotonic()
            if left <= 0:
                return End.WALL_CLOCK
            readable, writable, _ = select.select([raw], [raw] if pending else [], [], left)
            if writable:
                with contextlib.suppress(BlockingIOError):
                    try:
                        pending = pending[raw.send(pending[:READ_BYTES]) :]
                    except (BrokenPipeError, ConnectionResetError):
                        pending = pending[:0]
            if readable:
                data = self._read_now()
                if data == b"":
                    return End.ENDED_EARLY
                for message in self._reader.feed(self._demultiplexer.feed(data)):
                    conversation.take(message)
        return End.FINISHED

    def _receive(self, deadline: float) -> bytes | None:
        raw = self._open_socket()
        left = deadline - time.monotonic()
        readable, _, _ = select.select([raw], [], [], max(left, 0))
        return self._read_now() if readable else None

    def _read_now(self) -> bytes:
        try:
            return self._open_socket().recv(READ_BYTES)
        except (BlockingIOError, InterruptedError):
            return self._demultiplexer.nothing
        except ConnectionResetError:
            return b""

    def _open_socket(self) -> socket.socket:
        if self._socket is None:
            raise SandboxError("a sandbox was used before it was started")
        return self._socket

    def _state_at_exit(self, end: End) -> tuple[bool, int | None]:
        """Ask the engine how the container ended: the only word on memory that we believe."""
        with _translated("read a sandbox's state"):
            if end in (End.WALL_CLOCK, End.OUTPUT_OVERFLOW):
                with contextlib.suppress(docker.errors.APIError):
                    self._client.kill(self.container_id)
            deadline = time.monotonic() + EXIT_TIMEOUT_S
            with contextlib.suppress(requests.RequestException):
                self._client.wait(self.container_id, timeout=max(deadline - time.monotonic(), 0.1))
            state = self._client.inspect_container(self.container_id)["State"]
        running = bool(state.get("Running"))
        return bool(state.get("OOMKilled")), None if running else int(state.get("ExitCode", -1))


class _Demultiplexer:
    """Takes the engine's stream apart: standard output is returned, the head of standard error is kept."""

    nothing = b"\x01\x00\x00\x00\x00\x00\x00\x00"  # an empty piece of standard output

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


def _output_budget(job: SandboxJob) -> int:
    """Bytes that may come out in all: the job's output, escaped at its worst, and room for the verdicts."""
    cells = sum(len(notebook.cells) for notebook in job.notebooks)
    return 6 * job.limits.output_bytes + 8 * 1024 * cells + protocol.MAX_RECORD_BYTES


def _engine(connect: Callable[[], docker.APIClient]) -> docker.APIClient:
    with _translated("reach the Docker engine"):
        return connect()


@contextlib.contextmanager
def _translated(doing: str) -> Iterator[None]:
    try:
        yield
    except ENGINE_FAULTS as error:
        raise EngineError(f"could not {doing}: {error}") from error
