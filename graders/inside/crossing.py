"""What crosses between the checker and the learner's process as plain data, and how it is written.

Called at both ends. A value of exactly one of the types below is written out and built anew at the other end, from
built-in types of that end; anything else is handed to the caller's `refer`, which makes a reference of it. Nothing is
ever pickled, and no code of the other side takes part in building a value.
"""

from __future__ import annotations

import base64
import builtins
import collections
import datetime
import decimal
import fractions
import io
import math
from collections.abc import Callable
from typing import Any

from graders.inside import tables

Packed = Any
MAX_DEPTH = 60
MAX_NUMBER_DIGITS = 250_000
_SAFE_INT = 1 << 53
_FACTORIES: dict[str, type] = {
    kind.__name__: kind for kind in (list, dict, set, int, float, str, tuple, bool)
}
_TYPES: dict[str, type] = {name: kind for name, kind in vars(builtins).items() if isinstance(kind, type)}
_VIEWS = {type({}.keys()): "keys", type({}.values()): "values", type({}.items()): "items"}


class CrossingError(Exception):
    """Data that no honest other end would have written, or that cannot be written at all."""


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

    def pack(self, value: Any, depth: int = 0) -> Packed:
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
        if kind is type and _TYPES.get(value.__name__) is value:
            return ["type", value.__name__]
        if kind in _VIEWS:
            return ["view", _VIEWS[kind], [self.pack(item, depth + 1) for item in value]]
        table = tables.pack(value, lambda item: self.pack(item, depth + 1))
        if table is not None:
            return table
        if issubclass(kind, tuple) and is_named_tuple(kind):
            items = [self.pack(item, depth + 1) for item in tuple.__iter__(value)]
            return ["named", kind.__name__, list(kind._fields), items]
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

    def _items(self, values: Any, depth: int) -> list[Packed]:
        return [self.pack(item, depth) for item in values]

    def _pairs(self, value: dict[Any, Any], depth: int) -> list[Packed]:
        return [[self.pack(key, depth), self.pack(item, depth)] for key, item in dict.items(value)]


def _hex(value: int) -> str:
    if value.bit_length() > 4 * (MAX_NUMBER_DIGITS - 3):
        raise CrossingError("a number that long does not cross")
    return hex(value)


def is_named_tuple(kind: type) -> bool:
    """Whether a class is what `collections.namedtuple` makes, and nothing was added to it."""
    fields = getattr(kind, "_fields", None)
    return (
        kind.__bases__ == (tuple,)
        and type(fields) is tuple
        and all(type(name) is str for name in fields)
        and set(vars(kind)) <= _NAMED_TUPLE_PARTS | set(fields)
    )


_NAMED_TUPLE_PARTS = set(vars(collections.namedtuple("_", "a"))) | {"__orig_bases__", "__annotations__"}  # noqa: PYI024

_Writer = Callable[[Packer, Any, int], Packed]
_WRITERS: dict[type, _Writer] = {
    complex: lambda p, v, d: ["complex", p.pack(v.real, d), p.pack(v.imag, d)],
    bytes: lambda _p, v, _d: ["bytes", base64.b64encode(v).decode("ascii")],
    bytearray: lambda _p, v, _d: ["bytearray", base64.b64encode(v).decode("ascii")],
    list: lambda p, v, d: ["list", p._items(v, d)],
    tuple: lambda p, v, d: ["tuple", p._items(v, d)],
    set: lambda p, v, d: ["set", p._items(v, d)],
    frozenset: lambda p, v, d: ["frozenset", p._items(v, d)],
    dict: lambda p, v, d: ["dict", p._pairs(v, d)],
    collections.OrderedDict: lambda p, v, d: ["ordered", p._pairs(v, d)],
    collections.Counter: lambda p, v, d: ["counter", p._pairs(v, d)],
    collections.defaultdict: lambda p, v, d: ["default", _factory_name(v), p._pairs(v, d)],
    collections.deque: lambda p, v, d: ["deque", v.maxlen, p._items(v, d)],
    range: lambda p, v, d: ["range", *p._items((v.start, v.stop, v.step), d)],
    slice: lambda p, v, d: ["slice", *p._items((v.start, v.stop, v.step), d)],
    type(Ellipsis): lambda _p, _v, _d: ["ellipsis"],
    type(NotImplemented): lambda _p, _v, _d: ["notimplemented"],
    datetime.date: lambda _p, v, _d: ["date", v.isoformat()],
    datetime.time: lambda _p, v, _d: ["time", v.isoformat(), v.fold],
    datetime.datetime: lambda _p, v, _d: ["datetime", v.isoformat(), v.fold],
    datetime.timedelta: lambda _p, v, _d: ["timedelta", v.days, v.seconds, v.microseconds],
    decimal.Decimal: lambda _p, v, _d: ["decimal", str(v)],
    fractions.Fraction: lambda p, v, d: ["fraction", p.pack(v.numerator, d), p.pack(v.denominator, d)],
    io.StringIO: lambda _p, v, _d: ["text", "" if v.closed else v.getvalue(), -1 if v.closed else v.tell()],
}


def _factory_name(value: collections.defaultdict[Any, Any]) -> str | None:
    name = getattr(value.default_factory, "__name__", None)
    return name if _FACTORIES.get(str(name)) is value.default_factory else None


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

    def unpack(self, data: Packed, place: str = "", depth: int = 0) -> Any:
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


def is_simple_class(kind: type) -> bool:
    """Whether instances of a class are nothing but their `__dict__`, so that they can be built from data."""
    return (
        all(base is object or "__slots__" not in vars(base) for base in kind.__mro__)
        and kind.__new__ is object.__new__
        and kind.__dictoffset__ != 0
        and kind.__basicsize__ <= _PLAIN_SIZE
    )


class _Plain:
    pass


_PLAIN_SIZE = _Plain.__basicsize__


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


_named_classes: dict[tuple[str, tuple[str, ...]], type] = {}


def named_tuple_class(name: Any, fields: Any) -> Any:
    """One class for every name and list of fields, so that equal classes are identical."""
    if type(name) is not str or not all(
        type(field) is str and field.isidentifier() for field in _list(fields)
    ):
        raise CrossingError("malformed fields")
    if len(fields) > 100 or len(_named_classes) > 1000:  # noqa: PLR2004
        raise CrossingError("too many fields")
    key = (name, tuple(fields))
    if key not in _named_classes:
        _named_classes[key] = collections.namedtuple(name, fields, module="__main__")
    return _named_classes[key]


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
        None if d[1] is None else _FACTORIES[d[1]], _pairs_of(d[2], r)
    ),
    "deque": lambda d, r: collections.deque([r(item) for item in _list(d[2])], d[1]),
    "view": lambda d, r: _view(d[1], d[2], r),
    "named": lambda d, r: _named(d[1], d[2], d[3], r),
    "range": lambda d, r: range(r(d[1]), r(d[2]), r(d[3])),
    "slice": lambda d, r: slice(r(d[1]), r(d[2]), r(d[3])),
    "type": lambda d, _r: _TYPES[d[1]],
    "ellipsis": lambda _d, _r: Ellipsis,
    "notimplemented": lambda _d, _r: NotImplemented,
    "date": lambda d, _r: datetime.date.fromisoformat(d[1]),
    "time": lambda d, _r: datetime.time.fromisoformat(d[1]).replace(fold=d[2]),
    "datetime": lambda d, _r: datetime.datetime.fromisoformat(d[1]).replace(fold=d[2]),
    "timedelta": lambda d, _r: datetime.timedelta(d[1], d[2], d[3]),
    "decimal": lambda d, _r: decimal.Decimal(d[1]),
    "fraction": lambda d, r: fractions.Fraction(r(d[1]), r(d[2])),
    "text": lambda d, _r: _text(d[1], d[2]),
}
