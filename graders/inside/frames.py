"""Length-prefixed JSON frames, the only thing that ever passes between two processes of a sandbox.

Used by the checker (towards the host and towards the learner's process) and by the learner's process.
Knows nothing of what the frames mean. Whatever a frame holds is hostile until the reader has judged it.
"""

from __future__ import annotations

import json
import os
import select
import struct
import time
from typing import Any

_HEADER = struct.Struct(">I")
_CHUNK = 1 << 20
# A hostile frame of 16 MB can hold eight million empty lists, each fifty times its text: the marks that make
# containers are counted before anything is parsed.
MAX_FRAME_BYTES = 16 << 20
MAX_HOST_FRAME_BYTES = 256 << 20
MAX_MARKS = 3_000_000


class FrameError(Exception):
    """A frame that no honest process of ours would have written."""


class ChannelClosedError(Exception):
    """The other end is gone."""


class DeadlineError(Exception):
    """Nothing arrived in time."""


def _refuse_constant(text: str) -> Any:
    raise FrameError(f"{text} is not a JSON number")


def parse_frame(body: bytes) -> dict[str, Any]:
    """Parse the body of a frame strictly.

    Raises:
        FrameError: the body is not one JSON object, is too rich in containers or is nested too deeply.
    """
    if body.count(b"[") + body.count(b"{") + body.count(b",") > MAX_MARKS:
        raise FrameError("too many values in one frame")
    try:
        parsed = json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise FrameError(f"not JSON: {type(error).__name__}") from error
    if type(parsed) is not dict:
        raise FrameError("a frame is a JSON object")
    return parsed


def dump_frame(frame: dict[str, Any]) -> bytes:
    """Write a frame with its header; text is escaped, so lone surrogates pass."""
    body = json.dumps(frame, allow_nan=False, separators=(",", ":")).encode("ascii")
    return _HEADER.pack(len(body)) + body


class Channel:
    """One frame after another over a pair of file descriptors (a socket, or stdin and stdout)."""

    def __init__(self, read_fd: int, write_fd: int, *, max_bytes: int = MAX_FRAME_BYTES) -> None:
        self.read_fd = read_fd
        self.write_fd = write_fd
        self.max_bytes = max_bytes
        self.sent_bytes = 0

    def send(self, frame: dict[str, Any], deadline: float | None = None) -> None:
        """Write one frame.

        Raises:
            ChannelClosedError: nobody reads any more.
            DeadlineError: the reader did not take it before `deadline` (monotonic seconds).
            FrameError: larger than the other end accepts.
        """
        data = memoryview(dump_frame(frame))
        if len(data) > self.max_bytes + _HEADER.size:
            raise FrameError("the frame is too large to send")
        self.sent_bytes += len(data)
        while data:
            if deadline is not None:
                left = deadline - time.monotonic()
                if left <= 0 or not select.select([], [self.write_fd], [], left)[1]:
                    raise DeadlineError
            try:
                # With a deadline the piece is small enough for a pipe that just said it has room.
                written = os.write(self.write_fd, data[: 4096 if deadline is not None else _CHUNK])
            except OSError as error:
                raise ChannelClosedError from error
            data = data[written:]

    def receive(self, deadline: float | None = None) -> dict[str, Any]:
        """Read one frame.

        Raises:
            ChannelClosedError: the other end closed, perhaps in the middle of a frame.
            DeadlineError: `deadline` (monotonic seconds) passed.
            FrameError: the frame breaks the rules.
        """
        (length,) = _HEADER.unpack(self._read(_HEADER.size, deadline))
        if length > self.max_bytes:
            raise FrameError(f"a frame of {length} bytes")
        return parse_frame(self._read(length, deadline))

    def _read(self, count: int, deadline: float | None) -> bytes:
        parts: list[bytes] = []
        while count:
            if deadline is not None:
                left = deadline - time.monotonic()
                if left <= 0 or not select.select([self.read_fd], [], [], left)[0]:
                    raise DeadlineError
            try:
                part = os.read(self.read_fd, min(count, _CHUNK))
            except OSError as error:
                raise ChannelClosedError from error
            if not part:
                raise ChannelClosedError
            parts.append(part)
            count -= len(part)
        return b"".join(parts)
