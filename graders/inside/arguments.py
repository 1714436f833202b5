"""The arguments of one operation in the learner's process: which of them the learner's code changed.

Used by learner.py. A list that was passed as data is a copy; what a function did to it goes back with the reply.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from graders.inside.replacement import is_mutable

if TYPE_CHECKING:
    from collections.abc import Callable

    from graders.inside.packing import Packer


class Arguments:
    """The values that came with one request, each mutable one under a token that the checker knows too.

    Args:
        objects: objects of given classes that the request described, in its order.
        named: values that are the learner's own, by identity: their tokens name them, and no change of theirs is told.
    """

    def __init__(
        self, listed: list[Any], keywords: dict[str, Any], objects: list[Any], named: dict[int, str]
    ) -> None:
        found = {f"a{at}": thing for at, thing in enumerate(listed) if is_mutable(thing)}
        found |= {f"k{name}": thing for name, thing in keywords.items() if is_mutable(thing)}
        found |= {f"o{at}": thing for at, thing in enumerate(objects)}
        self._mutable = {token: thing for token, thing in found.items() if id(thing) not in named}
        self.tokens = {id(thing): token for token, thing in self._mutable.items()} | named
        self._before: dict[str, str] = {}

    def look(self, make_packer: Callable[[], Packer]) -> None:
        """Remember what everything holds before the learner's code runs."""
        self._before = {token: self._content(thing, make_packer()) for token, thing in self._mutable.items()}

    def changes(self, make_packer: Callable[[], Packer]) -> dict[str, Any]:
        """Return what changed since, as fields of a reply."""
        changed = [
            token
            for token, thing in self._mutable.items()
            if self._content(thing, make_packer()) != self._before[token]
        ]
        if not changed:
            return {}
        packer = make_packer()
        packed = {token: self._pack(self._mutable[token], packer) for token in changed}
        return {"changes": packed, "change_states": packer.states()}

    def _content(self, thing: Any, packer: Packer) -> str:
        return json.dumps([self._pack(thing, packer), packer.states()])

    def _pack(self, thing: Any, packer: Packer) -> Any:
        token = self.tokens.pop(id(thing))  # or it would be written as a reference to itself
        try:
            return packer.pack(dict(vars(thing)) if token.startswith("o") else thing)
        finally:
            self.tokens[id(thing)] = token
