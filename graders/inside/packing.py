"""Writes values as data that crosses: the writing half of crossing.py. Called at both ends."""

from __future__ import annotations

import base64
import collections
import datetime as dt
import decimal
import fractions
import io
import math
from collections.abc import Callable
from typing import Any

from graders.inside import tables
from graders.inside.crossing import (
    FACTORIES,
    MAX_DEPTH,
    MAX_NUMBER_DIGITS,
    TYPES,
    CrossingError,
    Packed,
    is_named_tuple,
)

_SAFE_INT = 1 << 53
_VIEWS: dict[type, str] = {type({}.keys()): "keys", type({}.values()): "values", type({}.items()): "items"}


class Packer:
    """Writes the values of one message.

    Args:
        refer: makes a reference for an object that does not cross as data.
        own: finds the reference of an object that the other end handed over, or None.
        given_name: the name of the class of an object when that class stands on both sides (made by a given cell),
            or None.
    """

    def __init__(
        self,
        refer: Callable[[Any], Packed],
        own: Callable[[Any], Packed | None] = lambda _: None,
        given_name: Callable[[type], str | None] = lambda _: None,
    ) -> None:
        self._refer = refer
        self._own = own
        self._given_name = given_name
        self.objects: list[Any] = []
        self._names: list[str] = []
        self._index: dict[int, int] = {}
        self._states: list[list[Packed]] = []

    def pack(self, value: Any, depth: int = 0) -> Packed:  # noqa: C901, PLR0911 - one line a kind
        """Write one value.

        Raises:
            CrossingError: nested deeper than crosses.
        """
        if depth > MAX_DEPTH:
            raise CrossingError("the value is nested too deeply to be passed on")
        kind = type(value)
        if value is None or kind is bool or kind is str:
            return value
        if kind is int:
            return value if -_SAFE_INT < value < _SAFE_INT else ["int", _hex(value)]
        if kind is float:
            return value if math.isfinite(value) else ["float", repr(value)]
        own = self._own(value)
        if own is not None:
            return own
        writer = _WRITERS.get(kind)
        if writer is not None:
            return writer(self, value, depth + 1)
        if kind is type and (name := _type_name(value)) is not None:
            return ["type", name]
        if kind in _VIEWS:
            return ["view", _VIEWS[kind], [self.pack(item, depth + 1) for item in value]]
        table = tables.pack(value, lambda item: self.pack(item, depth + 1))
        if table is not None:
            return table
        if issubclass(kind, tuple) and is_named_tuple(kind):
            items = [self.pack(item, depth + 1) for item in tuple.__iter__(value)]
            return ["named", kind.__name__, list(value._fields), items]
        name = self._given_name(kind)
        if name is not None:
            return ["object", self._enlist(value, name)]
        return self._refer(value)

    def states(self) -> list[list[Packed]]:
        """Write the states of all objects met so far; call it after the last `pack` of the message."""
        while len(self._states) < len(self.objects):
            done = len(self._states)
            state = {str(key): item for key, item in vars(self.objects[done]).items()}
            packed = [[key, self.pack(item)] for key, item in state.items()]
            self._states.append([self._names[done], packed])
        return self._states

    def _enlist(self, value: Any, name: str) -> int:
        if id(value) not in self._index:
            self._index[id(value)] = len(self.objects)
            self.objects.append(value)
            self._names.append(name)
        return self._index[id(value)]

    def items(self, values: Any, depth: int) -> list[Packed]:
        """Write the items of a collection."""
        return [self.pack(item, depth) for item in values]

    def pairs(self, value: dict[Any, Any], depth: int) -> list[Packed]:
        """Write the pairs of a mapping."""
        return [[self.pack(key, depth), self.pack(item, depth)] for key, item in dict.items(value)]


def _type_name(value: Any) -> str | None:
    name = str(value.__name__)
    return name if TYPES.get(name) is value else None


def _hex(value: int) -> str:
    if value.bit_length() > 4 * (MAX_NUMBER_DIGITS - 3):
        raise CrossingError("a number that long does not cross")
    return hex(value)


_Writer = Callable[[Packer, Any, int], Packed]
_WRITERS: dict[type, _Writer] = {
    complex: lambda p, v, d: ["complex", p.pack(v.real, d), p.pack(v.imag, d)],
    bytes: lambda _p, v, _d: ["bytes", base64.b64encode(v).decode("ascii")],
    bytearray: lambda _p, v, _d: ["bytearray", base64.b64encode(v).decode("ascii")],
    list: lambda p, v, d: ["list", p.items(v, d)],
    tuple: lambda p, v, d: ["tuple", p.items(v, d)],
    set: lambda p, v, d: ["set", p.items(v, d)],
    frozenset: lambda p, v, d: ["frozenset", p.items(v, d)],
    dict: lambda p, v, d: ["dict", p.pairs(v, d)],
    collections.OrderedDict: lambda p, v, d: ["ordered", p.pairs(v, d)],
    collections.Counter: lambda p, v, d: ["counter", p.pairs(v, d)],
    collections.defaultdict: lambda p, v, d: ["default", _factory_name(v), p.pairs(v, d)],
    collections.deque: lambda p, v, d: ["deque", v.maxlen, p.items(v, d)],
    range: lambda p, v, d: ["range", *p.items((v.start, v.stop, v.step), d)],
    slice: lambda p, v, d: ["slice", *p.items((v.start, v.stop, v.step), d)],
    type(Ellipsis): lambda _p, _v, _d: ["ellipsis"],
    type(NotImplemented): lambda _p, _v, _d: ["notimplemented"],
    dt.date: lambda _p, v, _d: ["date", v.isoformat()],
    dt.time: lambda _p, v, _d: ["time", v.isoformat(), v.fold],
    dt.datetime: lambda _p, v, _d: ["datetime", v.isoformat(), v.fold],
    dt.timedelta: lambda _p, v, _d: ["timedelta", v.days, v.seconds, v.microseconds],
    decimal.Decimal: lambda _p, v, _d: ["decimal", str(v)],
    fractions.Fraction: lambda p, v, d: ["fraction", p.pack(v.numerator, d), p.pack(v.denominator, d)],
    io.StringIO: lambda _p, v, _d: ["text", "" if v.closed else v.getvalue(), -1 if v.closed else v.tell()],
}


def _factory_name(value: collections.defaultdict[Any, Any]) -> str | None:
    name = getattr(value.default_factory, "__name__", None)
    return name if FACTORIES.get(str(name)) is value.default_factory else None
