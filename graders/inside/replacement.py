"""Gives an object the content of another of its kind, in place, so that whoever holds it sees the change.

Used at both ends: a list that a called function sorted, a table that a test changed before the next call.
"""

from __future__ import annotations

import collections
import io
import sys
from typing import Any

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


def replace_content(old: Any, new: Any) -> bool:
    """Make `old` hold what `new` holds; False when that cannot be done in place."""
    kind = type(old)
    if kind is not type(new) or not is_mutable(old):
        return False
    if kind is list:
        _replace_list(old, new)
    elif kind in _DICTS:
        _replace_dict(old, new)
    elif kind is set:
        old.clear()
        old.update(new)
    elif kind is bytearray:
        old[:] = new
    elif kind is collections.deque:
        old.clear()
        old.extend(new)
    elif kind is io.StringIO:
        return _replace_stream(old, new)
    elif kind.__name__ == "ndarray":
        if old.shape != new.shape or old.dtype != new.dtype or not old.flags.writeable:
            return False
        old[...] = new
    else:
        old._mgr = new._mgr  # noqa: SLF001 - pandas has no public way to take over another frame's content
        old._clear_item_cache() if hasattr(old, "_clear_item_cache") else None  # noqa: SLF001
    return True


def _replace_list(old: list[Any], new: list[Any]) -> None:
    if len(old) == len(new):
        for at, item in enumerate(new):
            if not replace_content(old[at], item):
                old[at] = item
    else:
        old[:] = new


def _replace_dict(old: dict[Any, Any], new: dict[Any, Any]) -> None:
    kept = {key: old[key] for key in new if key in old}
    old.clear()
    for key, item in new.items():
        old[key] = kept[key] if key in kept and replace_content(kept[key], item) else item


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
