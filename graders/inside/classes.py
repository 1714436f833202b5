"""Stand-ins for the learner's classes, made with the special methods that those have. The other half of standins.py."""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING, Any

from graders.inside.objects import DUNDERS
from graders.inside.standins import (
    CLASS_SLOT,
    PASSED_ON,
    SLOT,
    Link,
    StandIn,
    build_signature,
    get_attribute,
    link_of,
    must_link,
)

if TYPE_CHECKING:
    import inspect
    from collections.abc import Iterator

# Answers that a test would believe: they are passed on only where the record has them.
_JUDGED = {
    "__eq__": "eq",
    "__ne__": "eq",
    "__lt__": "order",
    "__le__": "order",
    "__gt__": "order",
    "__ge__": "order",
}
_JUDGED |= {
    "__bool__": "bool",
    "__contains__": "contains",
    "__str__": "text",
    "__repr__": "text",
    "__format__": "text",
}
_JUDGED |= {
    "__hash__": "hash",
    "__len__": "len",
    "__int__": "number",
    "__float__": "number",
    "__index__": "number",
}
_JUDGED |= {"__complex__": "number"}


class StandInClass(abc.ABCMeta):
    """The class of stand-ins for one of the learner's classes; itself a stand-in for that class."""

    def __new__(mcs, name: str, bases: tuple[type, ...], names: dict[str, Any], **keywords: Any) -> Any:
        if CLASS_SLOT not in names:
            raise TypeError(f"a class of the learner's ({bases[0].__name__}) cannot be extended here")
        return super().__new__(mcs, name, bases, names, **keywords)

    def __call__(cls, *arguments: Any, **keywords: Any) -> Any:
        link = must_link(cls)
        return link.remote.operate(link, "call", list(arguments), keywords, f"{link.place}()")

    def __getattribute__(cls, name: str) -> Any:
        if name.startswith("_"):
            if name == "__doc__":
                return get_attribute(must_link(cls), name)
            return super().__getattribute__(name)
        return get_attribute(must_link(cls), name)

    def __getattr__(cls, name: str) -> Any:
        return get_attribute(must_link(cls), name)

    def __setattr__(cls, name: str, value: Any) -> None:
        if name.startswith(("_abc_", "__abstractmethods__")):
            super().__setattr__(name, value)
        else:
            must_link(cls).do("setattr", name, value)

    def __delattr__(cls, name: str) -> None:
        must_link(cls).do("delattr", name)

    def __dir__(cls) -> list[str]:
        return list(must_link(cls).do("dir"))

    def __iter__(cls) -> Iterator[Any]:
        link = must_link(cls)  # the members of an Enum
        return iter(link.do("iter", place=f"{link.place}[]"))

    def __getitem__(cls, key: Any) -> Any:
        link = must_link(cls)
        return link.do("__getitem__", key, place=f"{link.place}[]")

    def __len__(cls) -> int:
        return int(must_link(cls).do("__len__"))

    def __bool__(cls) -> bool:
        return True

    @property
    def __signature__(cls) -> inspect.Signature:
        return build_signature(must_link(cls))


def make_class(link: Link, name: str, bases: tuple[type, ...], dunders: list[str], *, hashable: bool) -> Any:
    """Make the stand-in for one of the learner's classes, with the special methods that it has."""
    names: dict[str, Any] = {CLASS_SLOT: link, "__module__": "__main__", "__qualname__": name}
    roots = bases if any(issubclass(base, StandIn | BaseException) for base in bases) else (StandIn, *bases)
    is_exception = any(issubclass(base, BaseException) for base in roots)
    if is_exception:
        names["__getattr__"] = _exception_attribute
    else:
        names["__slots__"] = ()
        if any(link_of(base) is None for base in bases):
            names["__getattribute__"] = _attribute_past_bases
        names |= {dunder: _forwarder(dunder) for dunder in dunders if dunder in DUNDERS}
        if not hashable:
            names["__hash__"] = None
        elif "__eq__" in names and "__hash__" not in names:
            names["__hash__"] = object.__hash__
    made = type.__call__(StandInClass, name.rpartition(".")[2] or "object", roots, names)
    type.__setattr__(made, "__abstractmethods__", frozenset())
    return made


def _attribute_past_bases(self: Any, name: str) -> Any:
    """Ask the learner's object, and not this side's own class that it derives from."""
    if name.startswith("__") and name not in PASSED_ON:
        return object.__getattribute__(self, name)
    return get_attribute(must_link(self), name)


def _exception_attribute(self: Any, name: str) -> Any:
    link = object.__getattribute__(self, "__dict__").get(SLOT)
    if link is None:
        raise AttributeError(name)
    return get_attribute(link, name)


def kind_of(value: Any) -> str:
    """Say, for the record, whether a value is plain or the learner's."""
    return "learner" if link_of(value) is not None else "plain"


def _forwarder(dunder: str) -> Any:
    if dunder in _JUDGED:
        return _judged(dunder, _JUDGED[dunder])
    if dunder == "__call__":

        def call(self: Any, *arguments: Any, **keywords: Any) -> Any:
            link = must_link(self)
            return link.remote.operate(link, "call", list(arguments), keywords, f"{link.place}()")

        return call
    if dunder == "__iter__":

        def iterate(self: Any) -> Any:
            link = must_link(self)
            return link.do("iter", place=f"{link.place}.iter()")

        return iterate
    if dunder == "__next__":

        def following(self: Any) -> Any:
            link = must_link(self)
            return link.do("next", place=f"{link.place}[]")

        return following

    def forward(self: Any, *arguments: Any) -> Any:
        link = must_link(self)
        if dunder == "__exit__" and arguments and arguments[0] is not None:
            arguments = (arguments[0], arguments[1], None)
        return link.do(dunder, *arguments, place=f"{link.place}.{dunder}")

    return forward


def _judged(dunder: str, use: str) -> Any:
    def judged(self: Any, *arguments: Any) -> Any:
        link = must_link(self)
        asked = f"{use}:{kind_of(arguments[0])}" if arguments and use in {"eq", "order", "contains"} else use
        if link.remote.record.permits(link.place, asked):
            return link.do(dunder, *arguments, place=f"{link.place}.{dunder}")
        if use == "eq":
            return (self is arguments[0]) is (dunder == "__eq__")
        if use == "hash":
            return id(self)
        if use == "text":
            return "<an object of the learner's>"
        raise TypeError(f"{dunder} is not passed on here")

    return judged
