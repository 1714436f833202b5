"""The bare conversation with the learner's process: one request, one reply with its nonce, or the end.

Part of remote.py. A reply that is not exactly what the request calls for ends the conversation as `tampered`; a silent
or closed socket ends it as `timeout` or `died`. After an end there is never another reply.
"""

from __future__ import annotations

import abc
import secrets
import socket
import sys
from typing import Any, NoReturn

from graders.inside.crossing import CrossingError
from graders.inside.frames import Channel, ChannelClosedError, DeadlineError, FrameError
from graders.inside.shell import Stream

_MAX_DEPTH = 40


class LearnerGoneError(BaseException):
    """The learner's process can no longer be asked. No subclass of Exception: a test's `except` must not hide it."""

    def __init__(self, status: str, evidence: str | None = None) -> None:
        super().__init__(status)
        self.status = status
        self.evidence = evidence


class Conversation(abc.ABC):
    """Asks one learner's process, and hears what its code prints meanwhile."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.channel = Channel(connection.fileno(), connection.fileno())
        self.deadline: float | None = None
        self.output_budget = 1 << 20
        self.gone: LearnerGoneError | None = None
        self.requests = 0
        self.said: list[str] = []
        self._depth = 0

    @abc.abstractmethod
    def _serve_back(self, frame: dict[str, Any]) -> dict[str, Any]:
        """Do what the learner's code asks of an object that was handed to it, and return the answer."""

    # --- asking ----------------------------------------------------------------------------------------------

    def request(self, op: str, passed: socket.socket | None = None, /, **fields: Any) -> dict[str, Any]:
        """Ask for one thing and return the reply.

        Raises:
            LearnerGoneError: there is no honest reply; from then on there never will be.
        """
        if self.gone is not None:
            raise self.gone
        self.requests += 1
        nonce = secrets.token_hex(8)
        self._depth += 1
        try:
            if self._depth > _MAX_DEPTH:
                raise RecursionError("functions of the test and of the learner call each other without end")
            self.channel.send({"n": nonce, "op": op, **fields}, self.deadline)
            return self._await_reply(nonce, passed)
        except FrameError as error:
            self.end("tampered", f"a frame that no honest process writes: {error}")
        except CrossingError as error:
            self.end("tampered", f"data that no honest process writes: {error}")
        except ChannelClosedError:
            self.end("died")
        except DeadlineError:
            self.end("timeout")
        finally:
            self._depth -= 1

    def _await_reply(self, nonce: str, passed: socket.socket | None) -> dict[str, Any]:
        while True:
            reply = self.channel.receive(self.deadline)
            if reply.get("n") != nonce:
                raise FrameError("a reply to a request that was not made")
            self._hear(reply)
            if "back" in reply:
                self.channel.send(self._serve_back(reply), self.deadline)
            elif "wants" in reply:
                if passed is None:
                    raise FrameError("a socket that was not offered")
                socket.send_fds(self.connection, [b"s"], [passed.fileno()])
            else:
                return reply

    def end(self, status: str, evidence: str | None = None) -> NoReturn:
        """Declare the learner's process gone.

        Raises:
            LearnerGoneError: always.
        """
        self.gone = self.gone or LearnerGoneError(status, evidence)
        raise self.gone

    def charge(self, amount: int) -> None:
        """Take from the job's output budget.

        Raises:
            LearnerGoneError: nothing is left.
        """
        self.output_budget -= amount
        if self.output_budget < 0:
            self.end("output_overflow")

    def _hear(self, reply: dict[str, Any]) -> None:
        for name in ("out", "err"):
            text = reply.get(name, "")
            if type(text) is not str:
                raise FrameError("output that is no text")
            if not text:
                continue
            self.charge(len(text))
            stream = sys.stdout if name == "out" else sys.stderr
            if isinstance(stream, Stream):
                self.said.append(text)  # for the trainer; never shown as the test's own output
            else:
                stream.write(text)
