"""The learner's process: runs the submitted cells and does with their objects what the checker asks.

Started by PID 1 before any byte of a job was read, as the learner's user, with one socket. It never sees a test's
source, except in a guarded fork (guarded.py). Nothing here protects a score: all of it is in the learner's hands.
"""

from __future__ import annotations

import builtins
import os
import sys
import traceback
from typing import TYPE_CHECKING, Any

from graders.inside import crossing, guarded, objects, packing, snapshot, surroundings, unpacking, visitors
from graders.inside.arguments import Arguments
from graders.inside.forks import Forks
from graders.inside.frames import Channel, ChannelClosedError, FrameError
from graders.inside.objects import import_library
from graders.inside.replacement import replace_content
from graders.inside.sink import Sink
from graders.inside.workplace import Workplace

if TYPE_CHECKING:
    import socket

    from graders.inside.shell import Shell

_CALL_OUTPUT_BYTES = 256 << 10


class Learner:
    """Serves one socket until it closes."""

    def __init__(self, connection: socket.socket, shell: Shell) -> None:
        self.connection = connection
        self.channel = Channel(connection.fileno(), connection.fileno())
        self.shell = shell
        self.objects = objects.Objects()
        self.given: set[str] = set()
        self.pristine = guarded.Pristine()
        self.workplace = Workplace()
        self.forks = Forks()
        self._visitors: dict[int, visitors.Visitor] = {}
        self._own: dict[int, Any] = {}
        self._named: dict[int, str] = {}
        self._nonce = ""
        self._owner = os.getpid()

    @property
    def names(self) -> dict[str, Any]:
        """The namespace in which the learner's cells run."""
        names: dict[str, Any] = self.shell.user_ns
        return names

    def serve(self) -> None:
        """Answer requests until the checker closes the socket."""
        while True:
            try:
                request = self.channel.receive()
            except ChannelClosedError:
                return
            self._answer(request)

    def _answer(self, request: dict[str, Any]) -> None:
        outer, self._nonce = self._nonce, request["n"]
        reply = self._reply_to(request)
        if os.getpid() != self._owner:
            os._exit(0)  # a fork that a cell made and that came out of it: only one process answers
        reply["n"], self._nonce = self._nonce, outer
        try:
            self.channel.send(reply)
        except FrameError:
            raised = self._raised(OverflowError("the value is too large to be passed on"))
            self.channel.send({"n": reply["n"], **raised})

    def _reply_to(self, request: dict[str, Any]) -> dict[str, Any]:
        sink, self.shell.sink = self.shell.sink, Sink(_CALL_OUTPUT_BYTES)
        try:
            reply: dict[str, Any] = getattr(self, f"_do_{request['op']}")(request)
        except BaseException as error:  # noqa: BLE001 - whatever the learner's code raises is an answer
            reply = self._raised(error)
        self.workplace.collect_descriptors(self.shell.sink)
        reply["out"] = self.shell.sink.text("stdout")
        reply["err"] = self.shell.sink.text("stderr")
        self.shell.sink = sink
        return reply

    def _raised(self, error: BaseException) -> dict[str, Any]:
        packer = self._packer()
        described = objects.describe_exception(error, self.objects, packer)
        described["trace"] = "".join(traceback.format_exception(error, limit=-8))[-4000:]
        return {"raised": described, "states": packer.states()}

    # --- packing ---------------------------------------------------------------------------------------------

    def _packer(self) -> packing.Packer:
        return packing.Packer(self.objects.refer, self._reference_to_own, self._given_name)

    def _reference_to_own(self, value: Any) -> Any | None:
        if type(value) in {visitors.Visitor, visitors.IteratorVisitor}:
            return ["own", visitors.number_of(value)]
        token = self._own.get(id(value))
        return None if token is None else ["argument", token]

    def _given_name(self, kind: type) -> str | None:
        name = kind.__name__
        if name in self.given and self.names.get(name) is kind and crossing.is_simple_class(kind):
            return name
        return None

    def _given_class(self, name: str) -> type | None:
        found = self.names.get(name) if name in self.given else None
        return found if isinstance(found, type) else None

    def _unpacker(self, request: dict[str, Any]) -> unpacking.Unpacker:
        return unpacking.Unpacker(self._resolve, self._given_class, request.get("states", ()))

    def _resolve(self, data: list[Any], _place: str) -> Any:
        if data[0] == "ref":
            return self.objects.get(data[1])
        if data[0] == "name":
            named = self.names[data[1]]
            self._named[id(named)] = f"n{data[1]}"
            return named
        if data[0] == "library":
            return import_library(data[1:])
        if data[0] == "visitor":
            number, shape, name = data[1:]
            if number not in self._visitors:
                kind = visitors.IteratorVisitor if shape == "iterator" else visitors.Visitor
                self._visitors[number] = kind(self._call_back, number, name)
            return self._visitors[number]
        raise crossing.CrossingError(data[0])

    def _call_back(self, number: int, operation: str, arguments: list[Any], keywords: dict[str, Any]) -> Any:
        own, self._own = self._own, {}
        packer = self._packer()
        call = {
            "n": self._nonce,
            "back": [number, operation],
            "a": [packer.pack(argument) for argument in arguments],
            "k": {name: packer.pack(argument) for name, argument in keywords.items()},
        }
        call["states"] = packer.states()
        call["out"], call["err"] = self.shell.sink.text("stdout"), self.shell.sink.text("stderr")
        self.shell.sink.clear()
        self._own = own
        self.channel.send(call)
        while True:
            answer = self.channel.receive()
            if "op" not in answer:
                break
            self._answer(answer)
        unpacker = self._unpacker(answer)
        if "raised" in answer:
            name, arguments = answer["raised"]
            kind = vars(builtins).get(name, RuntimeError)
            raise kind(*[unpacker.unpack(argument) for argument in arguments])
        return unpacker.unpack(answer["value"])

    # --- requests --------------------------------------------------------------------------------------------

    def _do_start(self, request: dict[str, Any]) -> dict[str, Any]:
        self.workplace.lay_out(request)
        return {"value": None}

    def _do_cell(self, request: dict[str, Any]) -> dict[str, Any]:
        outputs, finished = self.shell.run(request["source"], request["budget"])
        sink = self.shell.sink
        self.workplace.collect_descriptors(self.shell.sink)
        sink.flush()
        self.shell.sink = Sink(_CALL_OUTPUT_BYTES)
        return {"outputs": outputs, "finished": finished, "overflow": sink.overflowed}

    def _do_names(self, _request: dict[str, Any]) -> dict[str, Any]:
        return {"names": snapshot.take(self.shell)}

    def _do_given(self, request: dict[str, Any]) -> dict[str, Any]:
        self.given = set(request["classes"])
        return {"value": None}

    def _do_get(self, request: dict[str, Any]) -> dict[str, Any]:
        name = request["name"]
        if name not in self.names:
            return {"missing": True}
        packer = self._packer()
        return {"value": packer.pack(self.names[name]), "states": packer.states()}

    def _do_bind(self, request: dict[str, Any]) -> dict[str, Any]:
        self.names[request["name"]] = self._unpacker(request).unpack(request["value"])
        return {"value": None}

    def _do_update(self, request: dict[str, Any]) -> dict[str, Any]:
        new = self._unpacker(request).unpack(request["value"])
        if not replace_content(self.names.get(request["name"]), new, self._given_name):
            self.names[request["name"]] = new
        return {"value": None}

    def _do_refill(self, request: dict[str, Any]) -> dict[str, Any]:
        unpacker = self._unpacker(request)
        target = unpacker.unpack(request["target"])
        new = unpacker.unpack(request["value"])
        replace_content(getattr(target, request["attribute"], None), new)
        return {"value": None}

    def _do_unbind(self, request: dict[str, Any]) -> dict[str, Any]:
        self.names.pop(request["name"], None)
        return {"value": None}

    def _do_files(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"files": self.workplace.changed_files(request["suffixes"], request["budget"])}

    def _do_operation(self, request: dict[str, Any]) -> dict[str, Any]:
        named, self._named = self._named, {}
        unpacker = self._unpacker(request)
        target = unpacker.unpack(request["target"])
        listed = [unpacker.unpack(argument) for argument in request["a"]]
        keywords = {name: unpacker.unpack(argument) for name, argument in request["k"].items()}
        arguments = Arguments(listed, keywords, unpacker.objects, self._named)
        outer, self._own = self._own, arguments.tokens
        try:
            arguments.look(self._packer)
            with surroundings.arranged(request, self._call_back) as warned:
                reply = self._operate(request["name"], target, listed, keywords)
            return {**reply, **arguments.changes(self._packer), "warned": warned}
        finally:
            self._own, self._named = outer, named

    def _operate(self, name: str, target: Any, listed: list[Any], keywords: dict[str, Any]) -> dict[str, Any]:
        try:
            result = objects.run_operation(name, target, listed, keywords)
            packer = self._packer()
            return {"value": packer.pack(result), "states": packer.states()}
        except BaseException as error:  # noqa: BLE001 - whatever the learner's code raises is an answer
            return self._raised(error)

    # --- forks -----------------------------------------------------------------------------------------------

    def _do_twin(self, _request: dict[str, Any]) -> dict[str, Any]:
        """Fork a twin that serves a socket of its own, so that a replay leaves no trace here."""
        self.channel.send({"n": self._nonce, "wants": "socket"})
        self.forks.start(self.connection, self._serve_as_twin)
        return {"value": None}

    def _serve_as_twin(self, connection: socket.socket) -> None:
        self._owner = os.getpid()
        self.connection = connection
        self.channel = Channel(connection.fileno(), connection.fileno())
        self.serve()

    def _do_guarded(self, _request: dict[str, Any]) -> dict[str, Any]:
        """Fork a process that runs one test cell; this one never sees its source."""
        self.channel.send({"n": self._nonce, "wants": "socket"})
        self.forks.start(self.connection, self._serve_guarded)
        return {"value": None}

    def _serve_guarded(self, connection: socket.socket) -> None:
        guarded.serve(Channel(connection.fileno(), connection.fileno()), self.shell, self.pristine)


def main(connection: socket.socket, shell: Shell) -> None:
    """Serve; called in the freshly forked process, already as the learner's user."""
    os.umask(0o077)
    learner = Learner(connection, shell)
    learner.workplace.capture_descriptors()
    shell.take_streams()
    if not sys.path or sys.path[0] != "":
        sys.path.insert(0, "")
    sys.setrecursionlimit(3000)
    learner.serve()
