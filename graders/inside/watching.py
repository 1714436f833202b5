"""Lists and tables that a test took from a learner's object: what the test does to its copy is done to the original.

Part of remote.py: before the learner's code runs again, every copy that changed since it was taken is written back.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graders.inside.replacement import is_mutable

if TYPE_CHECKING:
    from collections.abc import Callable

    from graders.inside.standins import Link

_MAX_WATCHED = 64
_MAX_WRITTEN = 100_000


@dataclass(slots=True)
class _Taken:
    link: Link
    attribute: str
    value: Any
    written: str


class Watch:
    """The copies of attributes that a test holds.

    Args:
        write: writes a value down as it would cross.
        put_back: gives an attribute of a learner's object a content.
    """

    def __init__(self, write: Callable[[Any], Any], put_back: Callable[[Link, str, Any], None]) -> None:
        self._write = write
        self._put_back = put_back
        self._taken: list[_Taken] = []

    def took(self, link: Link, attribute: str, value: Any) -> None:
        """Remember a copy, if it is of a kind that can change."""
        if is_mutable(value):
            written = json.dumps(self._write(value))
            if len(written) <= _MAX_WRITTEN:
                self._taken = [*self._taken[-_MAX_WATCHED:], _Taken(link, attribute, value, written)]

    def push_changes(self) -> None:
        """Write back what changed."""
        for taken in self._taken:
            written = json.dumps(self._write(taken.value))
            if written != taken.written:
                taken.written = written
                self._put_back(taken.link, taken.attribute, taken.value)

    def forget(self) -> None:
        """Forget all copies; a new cell begins."""
        self._taken.clear()
