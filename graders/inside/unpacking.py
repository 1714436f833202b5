"""Builds values from data that crossed: the reading half of crossing.py. The data is hostile until it is built."""

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
    is_simple_class,
    named_tuple_class,
)


class Unpacker:
    """Builds the values of one message.

    Args:
        resolve: finds what a reference stands for; gets the packed reference and the place where it was met.
        given_class: finds this side's class for a name, or None.
        states: the states of the objects of the message.
        heard: is told of every text and bytes object that is built.
    """

    def __init__(
        self,
        resolve: Callable[[list[Any], str], Any],
        given_class: Callable[[str], type | None] = lambda _: None,
        states: Any = (),
        heard: Callable[[str | bytes], None] = lambda _: None,
    ) -> None:
        self._heard = heard
        self._resolve = resolve
        self._given_class = given_class
        self.objects: list[Any] = []
        self._build(states)

    def _build(self, states: Any) -> None:
        for entry in _list(list(states)):
            name, _state = _fields(entry, 2)
            kind = self._given_class(name) if type(name) is str else None
            if kind is None or not is_simple_class(kind):
                raise CrossingError("an object of an unknown class")
            self.objects.append(object.__new__(kind))
        for thing, (name, state) in zip(self.objects, states, strict=True):
            for pair in _list(state):
                key, item = _fields(pair, 2)
                if type(key) is not str:
                    raise CrossingError("an attribute's name is text")
                vars(thing)[key] = self.unpack(item, f"<{name}>.{key}")

    def unpack(self, data: Packed, place: str = "", depth: int = 0) -> Any:  # noqa: C901 - one line a kind
        """Build one value.

        Raises:
            CrossingError: the data is malformed.
        """
        kind = type(data)
        if kind is str:
            self._heard(data)
            return data
        if data is None or kind in {bool, int, float}:
            return data
        if kind is not list or not data or type(data[0]) is not str or depth > MAX_DEPTH:
            raise CrossingError("malformed data")
        tag = data[0]
        reader = _READERS.get(tag)
        inner = place if place.endswith("[]") else f"{place}[]"
        try:
            if reader is not None:
                if tag in {"bytes", "bytearray"}:
                    self._heard(b"")
                return reader(data, lambda item: self.unpack(item, inner, depth + 1))
            if tag in tables.TAGS:
                return tables.unpack(data, lambda item: self.unpack(item, inner, depth + 1))
        except CrossingError:
            raise
        except Exception as error:
            # Every constructor above is a library's own, fed with hostile arguments.
            raise CrossingError(f"malformed {tag}: {type(error).__name__}") from error
        if tag == "object":
            index = data[1] if len(data) == 2 else None  # noqa: PLR2004
            if type(index) is not int or not 0 <= index < len(self.objects):
                raise CrossingError("an object that was not described")
            return self.objects[index]
        return self._resolve(data, place)


def _list(data: Any) -> list[Any]:
    if type(data) is not list:
        raise CrossingError("a list was expected")
    return data


def _fields(data: Any, count: int) -> list[Any]:
    if type(data) is not list or len(data) != count:
        raise CrossingError(f"{count} fields were expected")
    return data


def _whole(text: Any) -> int:
    if type(text) is not str or len(text) > MAX_NUMBER_DIGITS:
        raise CrossingError("a number that long does not cross")
    return int(text, 16)


def _pairs_of(data: Any, read: Callable[[Packed], Any]) -> list[tuple[Any, Any]]:
    return [(read(key), read(item)) for key, item in (_fields(pair, 2) for pair in _list(data))]


def _view(name: Any, data: Any, read: Callable[[Packed], Any]) -> Any:
    items = [read(item) for item in _list(data)]
    if name == "keys":
        return dict.fromkeys(items).keys()
    if name == "values":
        return dict(enumerate(items)).values()
    return dict(items).items()


def _named(name: str, fields: Any, items: Any, read: Callable[[Packed], Any]) -> Any:
    return named_tuple_class(name, fields)(*(read(item) for item in _list(items)))


def _text(content: str, position: int) -> io.StringIO:
    stream = io.StringIO(content)
    if position < 0:
        stream.close()
    else:
        stream.seek(position)
    return stream


_Read = Callable[[Packed], Any]
_READERS: dict[str, Callable[[list[Any], _Read], Any]] = {
    "int": lambda d, _r: _whole(d[1]),
    "float": lambda d, _r: {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}[d[1]],
    "complex": lambda d, r: complex(r(d[1]), r(d[2])),
    "bytes": lambda d, _r: base64.b64decode(d[1], validate=True),
    "bytearray": lambda d, _r: bytearray(base64.b64decode(d[1], validate=True)),
    "list": lambda d, r: [r(item) for item in _list(d[1])],
    "tuple": lambda d, r: tuple([r(item) for item in _list(d[1])]),
    "set": lambda d, r: {r(item) for item in _list(d[1])},
    "frozenset": lambda d, r: frozenset([r(item) for item in _list(d[1])]),
    "dict": lambda d, r: dict(_pairs_of(d[1], r)),
    "ordered": lambda d, r: collections.OrderedDict(_pairs_of(d[1], r)),
    "counter": lambda d, r: collections.Counter(dict(_pairs_of(d[1], r))),
    "default": lambda d, r: collections.defaultdict(
        None if d[1] is None else FACTORIES[d[1]], _pairs_of(d[2], r)
    ),
    "deque": lambda d, r: collections.deque([r(item) for item in _list(d[2])], d[1]),
    "view": lambda d, r: _view(d[1], d[2], r),
    "named": lambda d, r: _named(d[1], d[2], d[3], r),
    "range": lambda d, r: range(r(d[1]), r(d[2]), r(d[3])),
    "slice": lambda d, r: slice(r(d[1]), r(d[2]), r(d[3])),
    "type": lambda d, _r: TYPES[d[1]],
    "ellipsis": lambda _d, _r: Ellipsis,
    "notimplemented": lambda _d, _r: NotImplemented,
    "date": lambda d, _r: dt.date.fromisoformat(d[1]),
    "time": lambda d, _r: dt.time.fromisoformat(d[1]).replace(fold=d[2]),
    "datetime": lambda d, _r: dt.datetime.fromisoformat(d[1]).replace(fold=d[2]),
    "timedelta": lambda d, _r: dt.timedelta(d[1], d[2], d[3]),
    "decimal": lambda d, _r: decimal.Decimal(d[1]),
    "fraction": lambda d, r: fractions.Fraction(r(d[1]), r(d[2])),
    "text": lambda d, _r: _text(d[1], d[2]),
}
