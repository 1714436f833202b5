"""What crosses between the checker and the learner's process as plain data, and what both ends know of it.

A value of exactly one of the types that packing.py lists is written out, and built anew at the other end by unpacking.py
from built-in types of that end. Nothing is ever pickled, and no code of the other side takes part in building a value.
"""

from __future__ import annotations

import builtins
import collections
from typing import Any

Packed = Any
MAX_DEPTH = 60
MAX_NUMBER_DIGITS = 250_000
FACTORIES: dict[str, type] = {kind.__name__: kind for kind in (list, dict, set, int, float, str, tuple, bool)}
TYPES: dict[str, type] = {name: kind for name, kind in vars(builtins).items() if isinstance(kind, type)}
_MAX_FIELDS = 100
_MAX_NAMED_CLASSES = 1000


class CrossingError(Exception):
    """Data that no honest other end would have written, or that cannot be written at all."""


def is_named_tuple(kind: type) -> bool:
    """Whether a class is what `collections.namedtuple` makes, and nothing was added to it."""
    fields: Any = getattr(kind, "_fields", None)
    return (
        kind.__bases__ == (tuple,)
        and type(fields) is tuple
        and all(type(name) is str for name in fields)
        and set(vars(kind)) <= _NAMED_TUPLE_PARTS | set(fields)
    )


_NAMED_TUPLE_PARTS = set(vars(collections.namedtuple("_", "a"))) | {"__orig_bases__", "__annotations__"}  # noqa: PYI024 - made to look at


def is_simple_class(kind: type) -> bool:
    """Whether instances of a class are nothing but their `__dict__`, so that they can be built from data."""
    return (
        all(base is object or "__slots__" not in vars(base) for base in kind.__mro__)
        and not any("__new__" in vars(base) for base in kind.__mro__[:-1])
        and kind.__dictoffset__ != 0
        and kind.__basicsize__ <= _PLAIN_SIZE
    )


class _Plain:
    pass


_PLAIN_SIZE = _Plain.__basicsize__


_named_classes: dict[tuple[str, tuple[str, ...]], type] = {}


def named_tuple_class(name: Any, fields: Any) -> Any:
    """One class for every name and list of fields, so that equal classes are identical.

    Raises:
        CrossingError: the fields are malformed, or there are too many.
    """
    if type(name) is not str or type(fields) is not list:
        raise CrossingError("malformed fields")
    if not all(type(field) is str and field.isidentifier() for field in fields):
        raise CrossingError("malformed fields")
    if len(fields) > _MAX_FIELDS or len(_named_classes) > _MAX_NAMED_CLASSES:
        raise CrossingError("too many fields")
    key = (name, tuple(fields))
    if key not in _named_classes:
        # The fields are data: there is no class statement to write.
        _named_classes[key] = collections.namedtuple(name, fields, module="__main__")  # noqa: PYI024
    return _named_classes[key]
