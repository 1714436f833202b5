"""Objects of the checker that were handed to the learner's code, and what the learner's process may do with them.

Part of remote.py. The learner's process may call them with data and read public attributes of instances of the test's
own classes; no module, class or library object is ever reached through them, and nothing that starts with an underscore.
"""

from __future__ import annotations

import collections.abc
import sys
import types
from typing import Any

from graders.inside.crossing import CrossingError
from graders.inside.frames import FrameError
from graders.inside.replacement import is_mutable

_MAX_OBJECTS = 10_000
_FUNCTIONS = (types.FunctionType, types.MethodType)
_OWN = frozenset({"__main__", "unittest.mock"})
_DATA = (bool, int, float, complex, str, bytes, tuple, frozenset, type(None))


class Hosts:
    """Numbers the checker's objects that the learner's process may come back to."""

    def __init__(self) -> None:
        self._things: list[Any] = []
        self._numbers: dict[int, int] = {}

    def number(self, value: Any) -> int:
        """Return the number of an object, a new one the first time."""
        found = self._numbers.get(id(value))
        if found is None:
            if len(self._things) > _MAX_OBJECTS:
                raise CrossingError("too many objects handed over")
            found = self._numbers[id(value)] = len(self._things)
            self._things.append(value)
        return found

    def refer(self, value: Any) -> Any:
        """Write a reference to an object.

        Raises:
            TypeError: it is of a kind that is never handed over.
        """
        if isinstance(value, types.ModuleType):
            if value.__name__ == "__main__":
                raise TypeError("the test's own module is not handed over")
            return ["library", value.__name__, ""]
        shape = "iterator" if isinstance(value, collections.abc.Iterator) else "object"
        return ["visitor", self.number(value), shape, str(getattr(value, "__name__", type(value).__name__))]

    def get(self, number: Any) -> Any:
        """Return the object with a number that the learner's process named.

        Raises:
            CrossingError: there is none.
        """
        if type(number) is not int or not 0 <= number < len(self._things):
            raise CrossingError("an object that was not handed over")
        return self._things[number]

    def serve(self, thing: Any, operation: Any, arguments: list[Any], keywords: dict[str, Any]) -> Any:
        """Do for the learner's process what it asks.

        Raises:
            Exception: whatever the test's own function raises, or AttributeError for what is not passed on.
        """
        if operation == "call":
            return thing(*arguments, **keywords)
        if operation == "next":
            if not isinstance(thing, collections.abc.Iterator):
                raise FrameError("no iterator")
            return next(thing)
        if operation not in {"getattr", "setattr"} or not arguments or type(arguments[0]) is not str:
            raise FrameError("an unknown request")
        name = arguments[0]
        if name.startswith("_") or type(thing).__module__ not in _OWN:
            raise AttributeError(name)
        if operation == "setattr":
            setattr(thing, name, arguments[1])
            return None
        value = getattr(thing, name)
        if isinstance(value, _DATA) or is_mutable(value):
            return value
        if isinstance(value, _FUNCTIONS) and value.__module__ == "__main__":
            return value
        if type(value).__module__ in _OWN and not isinstance(value, type):
            return value
        raise AttributeError(name)

    def take_over_state(self, thing: Any, state: Any) -> None:
        """Give an object of a given cell's class the state that the learner's code left it in."""
        if type(state) is not dict or not all(type(key) is str for key in state):
            raise FrameError("a malformed state")
        vars(thing).clear()
        vars(thing).update(state)


def read_stdin(*_prompt: Any) -> str:
    """Answer input() from what a test put in the place of sys.stdin."""
    line = sys.stdin.readline()
    if not line:
        raise EOFError("EOF when reading a line")
    return line.rstrip("\n")
