"""What the names of a namespace stand for at one moment, so that two moments can be compared.

Runs in the learner's process, in record mode alone: there the code is the source's own, and what a solution cell makes
or changes becomes the list of names that stand for the learner's objects.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

from graders.inside import crossing, packing

if TYPE_CHECKING:
    from graders.inside.shell import Shell

_IPYTHON = re.compile(r"_+|_i+|_i?\d+|_(exit_code|dh|ih|oh|sh|)|In|Out|exit|quit|open|get_ipython|__\w+__")
_MAX_LEVELS = 6
_MAX_OBJECTS = 2_000


def take(shell: Shell) -> dict[str, str]:
    """Return a fingerprint of everything that the user's names stand for."""
    names = dict(shell.user_ns)
    return {name: _fingerprint(value) for name, value in names.items() if not _IPYTHON.fullmatch(name)}


def _fingerprint(value: Any) -> str:
    return hashlib.sha256(json.dumps(_Looker().look(value), default=str).encode()).hexdigest()


class _Looker:
    """Writes a value down deeply, objects by identity and state."""

    def __init__(self) -> None:
        self._seen: set[int] = set()
        self._level = 0

    def look(self, value: Any) -> Any:
        packer = packing.Packer(self._refer)
        try:
            return packer.pack(value)
        except crossing.CrossingError:
            return ["deep", id(value)]

    def _is_enough(self) -> bool:
        return self._level > _MAX_LEVELS or len(self._seen) > _MAX_OBJECTS

    def _refer(self, value: Any) -> Any:
        mark = ["at", id(value)]
        state = getattr(value, "__dict__", None)
        if id(value) in self._seen or type(state) is not dict or callable(value) or self._is_enough():
            return mark
        self._seen.add(id(value))
        self._level += 1
        try:
            return [*mark, {str(key): self.look(item) for key, item in state.items()}]
        finally:
            self._level -= 1
