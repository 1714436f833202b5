"""Stand-ins, in the learner's process, for functions and objects of the checker that were handed to learner's code.

A call or a public attribute goes back to the checker, which decides what it lets through (remote.py).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Back = Callable[[int, str, list[Any], dict[str, Any]], Any]


class Visitor:
    """An object of the checker: it can be called and asked for public attributes, nothing else."""

    __slots__ = ("__name__", "_back", "_number")

    def __init__(self, back: Back, number: int, name: str) -> None:
        object.__setattr__(self, "_back", back)
        object.__setattr__(self, "_number", number)
        object.__setattr__(self, "__name__", name)

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        return self._back(self._number, "call", list(arguments), keywords)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return self._back(self._number, "getattr", [name], {})

    def __setattr__(self, name: str, value: Any) -> None:
        self._back(self._number, "setattr", [name, value], {})


class IteratorVisitor(Visitor):
    """An iterator or generator of the checker."""

    __slots__ = ()

    def __iter__(self) -> IteratorVisitor:
        return self

    def __next__(self) -> Any:
        return self._back(self._number, "next", [], {})


def number_of(visitor: Visitor) -> int:
    """Return the checker's number of an object."""
    return int(object.__getattribute__(visitor, "_number"))
