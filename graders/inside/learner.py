"""The learner's process: runs the submitted cells and does with their objects what the checker asks.

Started by PID 1 before any byte of a job was read, as the learner's user, with one socket. It never sees a test's
source, except in a guarded fork (guarded.py). Nothing here protects a score: all of it is in the learner's hands.
"""

from __future__ import annotations

import base64
import builtins
import contextlib
import importlib
import json
import os
import socket
import sys
import tempfile
import traceback
import warnings
from pathlib import Path
from typing import Any

from graders.inside import crossing, guarded, limits, objects, snapshot, visitors
from graders.inside.frames import Channel, ChannelClosedError, FrameError
from graders.inside.replacement import is_mutable, replace_content
from graders.inside.shell import Shell, Sink

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
        self._visitors: dict[int, visitors.Visitor] = {}
        self._own: dict[int, Any] = {}
        self._named: dict[int, str] = {}
        self._nonce = ""
        self._owner = os.getpid()
        self._descriptors: list[int] = []
        self._forks: list[int] = []
        self._seen_files: dict[str, tuple[int, int]] = {}

    @property
    def names(self) -> dict[str, Any]:
        """The namespace in which the learner's cells run."""
        return self.shell.user_ns

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
            handler = getattr(self, f"_do_{request['op']}")
            reply: dict[str, Any] = handler(request)
        except BaseException as error:  # noqa: BLE001 - whatever the learner's code raises is an answer
            reply = self._raised(error)
        self._collect_descriptors()
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

    def _packer(self) -> crossing.Packer:
        return crossing.Packer(self.objects.refer, self._reference_to_own, self._given_name)

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

    def _unpacker(self, request: dict[str, Any]) -> crossing.Unpacker:
        return crossing.Unpacker(self._resolve, self._given_class, request.get("states", ()))

    def _resolve(self, data: list[Any], _place: str) -> Any:
        if data[0] == "ref":
            return self.objects.get(data[1])
        if data[0] == "name":
            named = self.names[data[1]]
            self._named[id(named)] = f"n{data[1]}"
            return named
        if data[0] == "library":
            found: Any = importlib.import_module(data[1])
            for part in data[2].split("."):
                found = getattr(found, part)
            return found
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
        roots = [root for root in (request["work_dir"], tempfile.gettempdir()) if os.access(root, os.W_OK)]
        directory = Path(roots[0]) / request["directory"]
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        for entry in request["files"]:
            target = directory / entry["path"]
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(base64.b64decode(entry["data_b64"]))
        os.chdir(directory / request["folder"])
        os.environ.update({str(key): str(value) for key, value in request["env"].items()})
        os.environ["HOME"] = str(directory)
        self._changed_files()
        limits.limit_learner(request["cpu_s"], request["disk_bytes"], request["open_files"])
        return {"value": None}

    def _do_cell(self, request: dict[str, Any]) -> dict[str, Any]:
        outputs, finished = self.shell.run(request["source"], request["budget"])
        sink = self.shell.sink
        self._collect_descriptors()
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
        old = self.names.get(request["name"])
        if type(old) is type(new) and self._given_name(type(new)) is not None:
            vars(old).clear()
            vars(old).update(vars(new))
        elif not replace_content(old, new):
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
        return {"files": self._changed_files(request["suffixes"], request["budget"])}

    def _do_operation(self, request: dict[str, Any]) -> dict[str, Any]:
        self._named = {}
        unpacker = self._unpacker(request)
        target = unpacker.unpack(request["target"])
        arguments = [unpacker.unpack(argument) for argument in request["a"]]
        keywords = {name: unpacker.unpack(argument) for name, argument in request["k"].items()}
        mutable = {f"a{at}": thing for at, thing in enumerate(arguments) if is_mutable(thing)}
        mutable |= {f"k{name}": thing for name, thing in keywords.items() if is_mutable(thing)}
        mutable |= {f"o{at}": thing for at, thing in enumerate(unpacker.objects)}
        mutable = {token: thing for token, thing in mutable.items() if id(thing) not in self._named}
        outer, self._own = self._own, {id(thing): token for token, thing in mutable.items()} | self._named
        try:
            before = {token: self._content(thing) for token, thing in mutable.items()}
            with (
                self._surroundings(request),
                warnings.catch_warnings(record=bool(request.get("catch"))) as caught,
            ):
                if caught is not None:
                    warnings.simplefilter("always")
                reply = self._operate(request, target, arguments, keywords)
            reply["warned"] = [[warning.category.__name__, str(warning.message)] for warning in caught or ()]
            return self._with_changes(reply, before, mutable)
        finally:
            self._own = outer

    def _operate(
        self, request: dict[str, Any], target: Any, arguments: list[Any], keywords: dict[str, Any]
    ) -> dict[str, Any]:
        try:
            result = objects.run_operation(request["name"], target, arguments, keywords)
            packer = self._packer()
            return {"value": packer.pack(result), "states": packer.states()}
        except BaseException as error:  # noqa: BLE001 - whatever the learner's code raises is an answer
            return self._raised(error)

    def _content(self, thing: Any) -> str:
        packer = self._packer()
        return json.dumps([self._own_bare(thing, packer), packer.states()])

    def _own_bare(self, thing: Any, packer: crossing.Packer) -> Any:
        token = self._own.pop(id(thing))
        try:
            return packer.pack(dict(vars(thing)) if token.startswith("o") else thing)
        finally:
            self._own[id(thing)] = token

    def _with_changes(
        self, reply: dict[str, Any], before: dict[str, str], mutable: dict[str, Any]
    ) -> dict[str, Any]:
        changed = [token for token, thing in mutable.items() if self._content(thing) != before[token]]
        if changed:
            packer = self._packer()
            reply["changes"] = {token: self._own_bare(mutable[token], packer) for token in changed}
            reply["change_states"] = packer.states()
        return reply

    @contextlib.contextmanager
    def _surroundings(self, request: dict[str, Any]) -> Any:
        """Bring over what the test arranged for the call: the seed of random numbers, what input() answers."""
        for module, seed in request.get("seeds", ()):
            if module in sys.modules:
                sys.modules[module].seed(seed)
        number = request.get("input")
        if number is None:
            yield
            return
        original = builtins.input
        builtins.input = visitors.Visitor(self._call_back, number, "input")
        try:
            yield
        finally:
            builtins.input = original

    # --- files and descriptors -------------------------------------------------------------------------------

    def _changed_files(self, suffixes: list[str] | None = None, budget: int = 0) -> list[list[str]]:
        changed: list[list[str]] = []
        for path in sorted(Path.cwd().rglob("*"))[:2000]:
            if path.is_symlink() or not path.is_file():
                continue
            state = path.stat()
            name = str(path.relative_to(Path.cwd()))
            stamp = (state.st_mtime_ns, state.st_size)
            if self._seen_files.get(name) == stamp:
                continue
            if suffixes is not None:
                if path.suffix.lower() not in suffixes or state.st_size > budget:
                    continue
                budget -= state.st_size
                changed.append([name, base64.b64encode(path.read_bytes()).decode("ascii")])
            self._seen_files[name] = stamp
        return changed

    def capture_descriptors(self) -> None:
        """Catch what programs and libraries write to descriptors 1 and 2, past sys.stdout."""
        for descriptor in (1, 2):
            memory = os.memfd_create(f"atelier-{descriptor}")
            os.dup2(memory, descriptor)
            os.close(memory)
            self._descriptors.append(descriptor)

    def _collect_descriptors(self) -> None:
        for descriptor in self._descriptors:
            with contextlib.suppress(OSError):
                size = os.fstat(descriptor).st_size
                if size:
                    text = os.pread(descriptor, min(size, _CALL_OUTPUT_BYTES), 0).decode("utf-8", "replace")
                    os.ftruncate(descriptor, 0)
                    os.lseek(descriptor, 0, os.SEEK_SET)
                    with contextlib.suppress(BaseException):
                        self.shell.sink.write("stdout" if descriptor == 1 else "stderr", text)

    # --- forks -----------------------------------------------------------------------------------------------

    def _do_twin(self, _request: dict[str, Any]) -> dict[str, Any]:
        """Fork a twin that serves a socket of its own, so that a replay leaves no trace here."""
        other = self._receive_socket()
        child = os.fork()
        if child == 0:
            self._owner = os.getpid()
            self.connection.close()
            self.connection = other
            self.channel = Channel(other.fileno(), other.fileno())
            self.serve()
            os._exit(0)
        other.close()
        self._forks.append(child)
        return {"value": None}

    def _do_guarded(self, _request: dict[str, Any]) -> dict[str, Any]:
        """Fork a process that runs one test cell; this one never sees its source."""
        other = self._receive_socket()
        child = os.fork()
        if child == 0:
            self.connection.close()
            guarded.serve(Channel(other.fileno(), other.fileno()), self.shell, self.pristine)
            os._exit(0)
        other.close()
        self._forks.append(child)
        return {"value": None}

    def _receive_socket(self) -> socket.socket:
        self._reap()
        self.channel.send({"n": self._nonce, "wants": "socket"})
        _data, descriptors, _flags, _address = socket.recv_fds(self.connection, 1, 1)
        return socket.socket(fileno=descriptors[0])

    def _reap(self) -> None:
        for child in list(self._forks):
            with contextlib.suppress(ChildProcessError):
                if os.waitpid(child, os.WNOHANG)[0] == 0:
                    continue
            self._forks.remove(child)


def main(connection: socket.socket, shell: Shell) -> None:
    """Serve; called in the freshly forked process, already as the learner's user."""
    os.umask(0o077)
    learner = Learner(connection, shell)
    learner.capture_descriptors()
    shell.take_streams()
    if not sys.path or sys.path[0] != "":
        sys.path.insert(0, "")
    sys.setrecursionlimit(3000)
    learner.serve()
