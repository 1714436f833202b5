"""The checker's end of the socket to the learner's process: asks, judges what comes back, and never trusts it.

Used by names.py, standins.py and replay.py. Every reply must carry its request's nonce and the exact form that the
request calls for; anything else ends the conversation as `tampered`, a silent or closed socket as `timeout` or `died`.
"""

from __future__ import annotations

import builtins
import sys
import warnings
from typing import TYPE_CHECKING, Any

from graders.inside import crossing, exceptions, hosts, objects, packing, taint, unpacking
from graders.inside.conversation import Conversation, LearnerGoneError
from graders.inside.frames import FrameError
from graders.inside.record import PLAIN, Record
from graders.inside.replacement import is_mutable, replace_content
from graders.inside.standins import Link, link_of
from graders.inside.table import Table
from graders.inside.watching import Watch

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

_original_input = builtins.input
_original_stdin = sys.stdin
_original_filters = warnings.filters


class Remote(Conversation):
    """One conversation with one learner's process (or, for a while, with a twin of it)."""

    def __init__(
        self, connection: socket.socket, record: Record, given_class: Callable[[str], type | None]
    ) -> None:
        super().__init__(connection)
        self.record = record
        self._own_class = given_class
        self.table = Table(self)
        self.hosts = hosts.Hosts()
        self.runs = 0
        self.rebound: set[str] = set()
        self.sources: list[str] = []  # the submitted cells that have run
        self.seeds: list[tuple[str, Any]] = []
        self.given: set[str] = set()
        self.watch = Watch(lambda value: self.packer(by_name=False).pack(value), self._put_back)
        self.fetch_name: Callable[[str], Any] = lambda _: None
        self.before_run: Callable[[], None] = lambda: None
        self.name_of: Callable[[Any], str | None] = lambda _: None
        self._arguments: list[dict[str, Any]] = []

    def given_class(self, name: str) -> type | None:
        """Return the class of that name that a given cell made on both sides, or None."""
        return self._own_class(name) if name in self.given else None

    # --- operations on objects -------------------------------------------------------------------------------

    def operate(
        self, link: Link, name: str, arguments: list[Any], keywords: dict[str, Any], place: str
    ) -> Any:
        """Do one thing with a learner's object and return what came of it.

        Raises:
            BaseException: what the learner's code raised, as this side's own exception.
            LearnerGoneError: there is no reply.
        """
        if not self.table.holds(link):
            raise ReferenceError("this object of the learner's is no longer there")
        self.before_run()
        self.watch.push_changes()
        self.runs += 1
        packer = self.packer()
        frame: dict[str, Any] = {
            "name": name,
            "target": ["ref", link.number],
            "a": [packer.pack(argument) for argument in arguments],
            "k": {key: packer.pack(argument) for key, argument in keywords.items()},
        }
        frame["states"] = packer.states()
        frame |= self._surroundings()
        own = {f"a{at}": thing for at, thing in enumerate(arguments) if is_mutable(thing)}
        own |= {f"k{key}": thing for key, thing in keywords.items() if is_mutable(thing)}
        own |= {f"o{at}": thing for at, thing in enumerate(packer.objects)}
        self._arguments.append(own)
        try:
            reply = self.request("operation", **frame)
            result = self._result_of(reply, name, place, own)
        except (crossing.CrossingError, FrameError) as error:
            self.end("tampered", str(error))
        finally:
            self._arguments.pop()
        if name == "getattr":
            self.watch.took(link, arguments[0], result)
        return result

    def _put_back(self, link: Link, attribute: str, value: Any) -> None:
        packer = self.packer(by_name=False)
        packed = packer.pack(value)
        target = ["ref", link.number]
        self.request("refill", target=target, attribute=attribute, value=packed, states=packer.states())

    def _result_of(self, reply: dict[str, Any], name: str, place: str, own: dict[str, Any]) -> Any:
        self._take_over_changes(reply, own)
        exceptions.warn_again(reply.get("warned", []))
        if "raised" in reply:
            raise exceptions.build(self, reply, name, place)
        if name == "signature":
            place = f"{place}.signature"
        return self.read(reply, place)

    def _take_over_changes(self, reply: dict[str, Any], own: dict[str, Any]) -> None:
        changes = reply.get("changes", {})
        if type(changes) is not dict:
            raise FrameError("changes")
        if changes:
            unpacker = self.unpacker(reply.get("change_states", []))
            for token, packed in changes.items():
                if token not in own:
                    raise FrameError("a change of an argument that was not passed")
                old, new = own[token], unpacker.unpack(packed, "changed argument")
                if token.startswith("o"):
                    self.hosts.take_over_state(old, new)
                elif type(new) is not type(old) or not replace_content(old, new):
                    raise FrameError("an argument changed its kind")

    def _surroundings(self) -> dict[str, Any]:
        surroundings: dict[str, Any] = {"catch": warnings.filters is not _original_filters}
        if self.seeds:
            surroundings["seeds"], self.seeds = [list(seed) for seed in self.seeds], []
        if builtins.input is not _original_input:
            surroundings["input"] = self.hosts.number(builtins.input)
        elif sys.stdin is not _original_stdin:
            surroundings["input"] = self.hosts.number(hosts.read_stdin)
        return surroundings

    def _serve_back(self, frame: dict[str, Any]) -> dict[str, Any]:
        states = frame.get("states")
        unpacker = self.unpacker(states)
        back, listed, named = frame["back"], frame.get("a"), frame.get("k")
        if type(listed) is not list or type(named) is not dict or type(back) is not list or len(back) != 2:  # noqa: PLR2004
            raise FrameError("a malformed call")
        number, operation = back
        arguments = [unpacker.unpack(argument, "called back") for argument in listed]
        keywords = {str(name): unpacker.unpack(argument, "called back") for name, argument in named.items()}
        thing = self.hosts.get(number)
        packer = self.packer()
        try:
            value = self.hosts.serve(thing, operation, arguments, keywords)
            return {"value": packer.pack(value), "states": packer.states()}
        except (LearnerGoneError, FrameError):
            raise
        except BaseException as error:  # noqa: BLE001 - the test's own function may raise anything at its caller
            name = type(error).__name__ if type(error).__module__ == "builtins" else "RuntimeError"
            plain = [part for part in error.args if part is None or type(part) in {str, int, float, bool}]
            return {"raised": [name, [packer.pack(part) for part in plain]], "states": []}

    # --- names -----------------------------------------------------------------------------------------------

    def get(self, name: str) -> tuple[Any, dict[str, Any]]:
        """Fetch what one of the learner's names stands for, and the reply it came in.

        Raises:
            KeyError: the learner has no such name.
        """
        reply = self.request("get", name=name)
        if reply.get("missing") is True:
            raise KeyError(name)
        if "raised" in reply:
            raise KeyError(name)
        path = self.record.libraries.get(name) if name not in self.rebound else None
        if path is None and name not in self.rebound and self.record.recording:
            path = self.table.library_of(reply.get("value"))
            if path is not None:
                self.record.libraries[name] = path
        if path is not None:
            return objects.import_library(path), {}
        try:
            return self.read(reply, name), reply
        except crossing.CrossingError as error:
            self.end("tampered", str(error))

    def bind(self, name: str, value: Any, *, op: str = "bind") -> None:
        """Let one of the learner's names stand for something else, in the learner's process."""
        packer = self.packer(by_name=op == "bind")
        packed = packer.pack(value)
        path = self.record.libraries.get(name)
        if (
            path is not None
        ):  # a library's name is this side's own import, until a test gives it another meaning
            if value is objects.import_library(path):
                self.rebound.discard(name)
            else:
                self.rebound.add(name)
        self.request(op, name=name, value=packed, states=packer.states())

    # --- packing ---------------------------------------------------------------------------------------------

    def read(self, reply: dict[str, Any], place: str) -> Any:
        """Build the value of a reply."""
        if "value" not in reply:
            raise crossing.CrossingError("a reply without a value")
        value = self.unpacker(reply.get("states", [])).unpack(reply["value"], place)
        if link_of(value) is None:
            self.record.saw(place, PLAIN)
        return value

    def packer(self, *, by_name: bool = True) -> packing.Packer:
        """Return a writer for one message to the learner's process; `by_name` passes fetched values as themselves."""
        return packing.Packer(
            self._refer, self._reference_by_name if by_name else self._reference, self._given_name
        )

    def unpacker(self, states: Any) -> unpacking.Unpacker:
        """Return a reader for one message of the learner's process."""
        if type(states) is not list:
            raise crossing.CrossingError("states")
        return unpacking.Unpacker(self._resolve, self.given_class, states, _heard)

    def _reference(self, value: Any) -> Any | None:
        link = link_of(value)
        return None if link is None else ["ref", link.number]

    def _reference_by_name(self, value: Any) -> Any | None:
        name = self.name_of(value)
        return self._reference(value) if name is None else ["name", name]

    def _given_name(self, kind: type) -> str | None:
        name = kind.__name__
        return name if self.given_class(name) is kind and crossing.is_simple_class(kind) else None

    def _refer(self, value: Any) -> Any:
        path = objects.library_path(value) if isinstance(value, (type, *objects.ROUTINES)) else None
        if path is not None and not path[0].startswith("graders"):
            return ["library", *path]
        return self.hosts.refer(value)

    def _resolve(self, data: list[Any], place: str) -> Any:
        if data[0] == "own" and len(data) == 2:  # noqa: PLR2004
            return self.hosts.get(data[1])
        if data[0] == "argument" and len(data) == 2 and self._arguments:  # noqa: PLR2004
            if type(data[1]) is str and data[1].startswith("n"):
                return self.fetch_name(data[1][1:])
            for own in reversed(self._arguments):
                if type(data[1]) is str and data[1] in own:
                    return own[data[1]]
        if data[0] == "named class" and len(data) == 3:  # noqa: PLR2004
            return crossing.named_tuple_class(data[1], data[2])
        return self.table.stand_in(data, place)


def _heard(text: str | bytes) -> None:
    if isinstance(text, bytes) or taint.may_act(text):
        taint.heard(text)
