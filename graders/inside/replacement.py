"""Gives an object the content of another of its kind, in place, so that whoever holds it sees the change.

Used at both ends: a list that a called function sorted, a table that a test changed before the next call.
"""

from __future__ import annotations

import collections
import io
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_DICTS = (dict, collections.OrderedDict, collections.Counter, collections.defaultdict)
_KINDS = (list, set, bytearray, collections.deque, io.StringIO, *_DICTS)


def is_mutable(value: Any) -> bool:
    """Whether a value crosses as data and can change in place."""
    kind = type(value)
    if kind in _KINDS:
        return True
    numpy, pandas = sys.modules.get("numpy"), sys.modules.get("pandas")
    if numpy is not None and kind is getattr(numpy, "ndarray", None):
        return True
    return pandas is not None and kind in {
        getattr(pandas, "DataFrame", None),
        getattr(pandas, "Series", None),
    }


def replace_content(old: Any, new: Any, given_name: Callable[[type], str | None] = lambda _: None) -> bool:
    """Make `old` hold what `new` holds; False when that cannot be done in place.

    `given_name` tells the classes whose objects are nothing but their attributes.
    """
    kind = type(old)
    if kind is not type(new):
        return False
    if given_name(kind) is not None:
        vars(old).clear()
        vars(old).update(vars(new))
        return True
    if not is_mutable(old):
        return False
    return _REPLACERS.get(kind, _replace_table)(old, new)


def _replace_list(old: list[Any], new: list[Any]) -> bool:
    if len(old) == len(new):
        for at, item in enumerate(new):
            if not replace_content(old[at], item):
                old[at] = item
    else:
        old[:] = new
    return True


def _replace_dict(old: dict[Any, Any], new: dict[Any, Any]) -> bool:
    kept = {key: old[key] for key in new if key in old}
    old.clear()
    for key, item in new.items():
        old[key] = kept[key] if key in kept and replace_content(kept[key], item) else item
    return True


def _replace_stream(old: io.StringIO, new: io.StringIO) -> bool:
    if new.closed:
        old.close()
        return True
    position = new.tell()
    old.seek(0)
    old.truncate()
    old.write(new.getvalue())
    old.seek(position)
    return True


def _replace_bytes(old: bytearray, new: bytearray) -> bool:
    old[:] = new
    return True


def _refill(old: Any, new: Any) -> bool:
    items = list(new)
    old.clear()
    (old.update if isinstance(old, set) else old.extend)(items)
    return True


def _replace_table(old: Any, new: Any) -> bool:
    """Give an array, a frame or a series the content of another."""
    if type(old).__name__ == "ndarray":
        if old.shape != new.shape or old.dtype != new.dtype or not old.flags.writeable:
            return False
        old[...] = new
        return True
    old._mgr = new._mgr  # noqa: SLF001 - pandas has no public way to take over another frame's content
    if hasattr(old, "_clear_item_cache"):
        old._clear_item_cache()  # noqa: SLF001 - older pandas keeps columns beside it
    return True


_REPLACERS: dict[type, Callable[[Any, Any], bool]] = {
    list: _replace_list,
    set: _refill,
    bytearray: _replace_bytes,
    collections.deque: _refill,
    io.StringIO: _replace_stream,
    **dict.fromkeys(_DICTS, _replace_dict),
}
