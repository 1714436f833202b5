"""One sandbox, seen from the host: it says `ready`, takes one job, and is talked to until it is done or a limit strikes.

The base of docker.py's and runc.py's sandboxes, which say how it is started, how its end is read, and how it is removed. It
must not know what the frames mean: protocol.py does.
"""

from __future__ import annotations

import contextlib
import select
import time
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from graders.errors import SandboxError
from graders.sandbox import protocol
from graders.sandbox.job import End, SandboxJob, SandboxRun

if TYPE_CHECKING:
    import socket

    from graders.sandbox.options import Shape

READY_TIMEOUT_S = 30.0
GRACE_S = 8.0
"""What the sandbox may take beyond the job's wall clock to report that time is up, before we stop it. Its own
PID 1 gives up after 5."""
STDERR_KEPT = 4000
READ_BYTES = 1 << 16
READY_BYTES = 1 << 16


class Sandbox(ABC):
    """One container, from start to removal. It takes one job."""

    def __init__(self, container_id: str, shape: Shape) -> None:
        """Wrap a container that is to be started."""
        self.container_id = container_id
        self.shape = shape
        self.started_at = time.monotonic()
        self.line: socket.socket | None = None
        self._reader = protocol.FrameReader(READY_BYTES)

    @abstractmethod
    def start(self) -> None:
        """Start the container and open `line`, non-blocking."""

    @abstractmethod
    def stdout_of(self, data: bytes) -> bytes:
        """Return the bytes of standard output among those that came over the line."""

    @property
    @abstractmethod
    def stderr(self) -> str:
        """The head of standard error, for the operator."""

    @abstractmethod
    def state_at_exit(self, end: End) -> tuple[bool, int | None]:
        """Return whether memory ran out, and PID 1's exit code if it has ended: as seen from outside."""

    @abstractmethod
    def remove(self) -> None:
        """Kill and remove the container. Never raises: what is left over is the reaper's."""

    def await_ready(self, timeout_s: float = READY_TIMEOUT_S) -> None:
        """Wait for the checker's first word.

        Raises:
            SandboxError: it did not come in time, or something else came.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            left = deadline - time.monotonic()
            readable, _, _ = select.select([self._open_line()], [], [], max(left, 0))
            if not readable:
                raise SandboxError(f"a sandbox was not ready after {timeout_s:.0f} s: {self.stderr}")
            data = self._read_now()
            if data is None:
                continue
            if data == b"":
                raise SandboxError(f"a sandbox ended before it was ready: {self.stderr}")
            messages = self._reader.feed(self.stdout_of(data))
            if messages:
                if len(messages) != 1 or messages[0].get("kind") != "ready":
                    raise protocol.ProtocolError("a sandbox's first message was not `ready`")
                return

    def is_alive(self) -> bool:
        """Say whether an idle sandbox still holds its end of the line."""
        if self.line is None:
            return False
        readable, _, _ = select.select([self.line], [], [], 0)
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
        suspicious = end is not End.FINISHED or bool(statuses & {"died", "timeout", "not_run"})
        out_of_memory, exit_code = self.state_at_exit(end) if suspicious else (False, None)
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
            detail=self.stderr,
        )

    def _exchange(self, outgoing: bytes, conversation: protocol.Conversation, deadline: float) -> End:
        """Send and receive at once: neither side may wait for the other's full pipe."""
        pending = memoryview(outgoing)
        raw = self._open_line()
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
                for message in self._reader.feed(self.stdout_of(data)) if data else ():
                    conversation.take(message)
        return End.FINISHED

    def _read_now(self) -> bytes | None:
        """Return what came, nothing (None: woken for no reason), or the end (empty)."""
        try:
            return self._open_line().recv(READ_BYTES)
        except (BlockingIOError, InterruptedError):
            return None
        except ConnectionResetError:
            return b""

    def _open_line(self) -> socket.socket:
        if self.line is None:
            raise SandboxError("a sandbox was used before it was started")
        return self.line


def _output_budget(job: SandboxJob) -> int:
    """Bytes that may come out in all: the job's output, escaped at its worst, and room for the verdicts."""
    cells = sum(len(notebook.cells) for notebook in job.notebooks)
    return 6 * job.limits.output_bytes + 8 * 1024 * cells + protocol.MAX_RECORD_BYTES
