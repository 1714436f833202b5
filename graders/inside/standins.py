"""What stands, in the checker, for the learner's objects that do not cross as data.

Made by remote.py. A stand-in forwards what a test does with it, as far as the record lets it; a test cannot tell it from
the object in honest use. An `Opaque` stands where the record had plain data: it is equal to nothing, ordered with
nothing, neither true nor false, and has no attributes, so that no answer of a learner's object is ever believed there.
"""

from __future__ import annotations

import abc
import inspect
import types
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from graders.inside import cellcode
from graders.inside.objects import DUNDERS

if TYPE_CHECKING:
    from graders.inside.remote import Remote

_SLOT = "_atelier"
_CLASS_SLOT = "_atelier_class"
_PASSED_ON = frozenset(
    {
        "__name__",
        "__qualname__",
        "__doc__",
        "__dict__",
        "__annotations__",
        "__defaults__",
        "__kwdefaults__",
        "__cause__",
    }
    | {"__context__", "__notes__", "__wrapped__", "__members__", "__dataclass_fields__", "__match_args__"}
)
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


class Link:
    """Where a stand-in leads: the connection, the object's number there, and its place in the record."""

    __slots__ = ("kind", "library", "name", "number", "place", "remote")

    def __init__(self, remote: Remote, number: int, place: str, kind: str, name: str = "") -> None:
        self.remote = remote
        self.number = number
        self.place = place
        self.kind = kind
        self.name = name
        self.library: list[str] | None = None

    @property
    def path(self) -> str:
        """The object's dotted name in the submitted source."""
        return self.place.replace("<", "").replace(">", "")

    def do(self, name: str, *arguments: Any, place: str | None = None) -> Any:
        """Do one thing with the object."""
        return self.remote.operate(
            self, name, list(arguments), {}, place if place is not None else self.place
        )


def link_of(value: Any) -> Link | None:
    """Return where a stand-in leads; None for anything else."""
    kind = type(value)
    if kind is StandInClass or issubclass(kind, StandInClass):
        found = type.__getattribute__(value, "__dict__").get(_CLASS_SLOT)
    elif issubclass(kind, _STAND_INS):
        found = object.__getattribute__(value, _SLOT)
    elif issubclass(kind, BaseException) and isinstance(kind, StandInClass):
        found = object.__getattribute__(value, "__dict__").get(_SLOT)
    else:
        return None
    return found if isinstance(found, Link) else None


def _must(value: Any) -> Link:
    link = link_of(value)
    if link is None:
        raise TypeError("this object of the learner's is no longer there")
    return link


class StandIn:
    """Any object of the learner's."""

    __slots__ = (_SLOT,)

    def __getattr__(self, name: str) -> Any:
        return get_attribute(_must(self), name)

    def __setattr__(self, name: str, value: Any) -> None:
        _must(self).do("setattr", name, value)

    def __delattr__(self, name: str) -> None:
        _must(self).do("delattr", name)

    def __dir__(self) -> list[str]:
        return list(_must(self).do("dir"))

    def __repr__(self) -> str:
        return "<an object of the learner's>"

    def __copy__(self) -> Any:
        return _must(self).do("copy")

    def __deepcopy__(self, _memo: Any) -> Any:
        return _must(self).do("deepcopy")

    def __reduce__(self) -> Any:
        raise TypeError("an object of the learner's cannot be copied")


def get_attribute(link: Link, name: str) -> Any:
    """Read an attribute of a learner's object.

    Raises:
        AttributeError: it has none of that name, or the name belongs to a protocol that is not passed on.
    """
    if name.startswith("__") and name.endswith("__") and name not in _PASSED_ON:
        raise AttributeError(name)
    return link.do("getattr", name, place=f"{link.place}.{name}")


class Function(StandIn):
    """A function or method of the learner's."""

    __slots__ = ()

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        link = _must(self)
        return link.remote.operate(link, "call", list(arguments), keywords, f"{link.place}()")

    @property
    def __class__(self) -> Any:  # type: ignore[override]
        return types.FunctionType

    @property
    def __doc__(self) -> Any:  # type: ignore[override]
        return get_attribute(_must(self), "__doc__")

    @property
    def __signature__(self) -> inspect.Signature:
        return build_signature(_must(self))

    @property
    def __code__(self) -> types.CodeType:
        link = _must(self)
        code = cellcode.find_code(link.remote.sources, link.path)
        if code is None:
            raise AttributeError("__code__")
        return code

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else types.MethodType(self, instance)

    def __repr__(self) -> str:
        return f"<function {_must(self).name}>"


class RemoteIterator(StandIn):
    """A generator or another iterator of the learner's."""

    __slots__ = ()

    @property
    def __class__(self) -> Any:  # type: ignore[override]
        return types.GeneratorType if _must(self).name == "generator" else RemoteIterator

    def __iter__(self) -> RemoteIterator:
        return self

    def __next__(self) -> Any:
        link = _must(self)
        return link.do("next", place=f"{link.place}[]")


class Opaque:
    """Stands where the record has plain data and something else arrived."""

    __slots__ = (_SLOT,)

    def __eq__(self, other: object) -> bool:
        return False

    def __ne__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return id(self)

    def __bool__(self) -> bool:
        raise TypeError("an object of another kind than expected is neither true nor false")

    def __repr__(self) -> str:
        return "<an object of another kind than expected>"

    def __reduce__(self) -> Any:
        raise TypeError("an object of the learner's cannot be copied")


class OpaqueIterable(Opaque):
    """Like Opaque, but its items may be taken one by one: each of them crosses by the same rules."""

    __slots__ = ()

    def __iter__(self) -> Iterator[Any]:
        link = _must(self)
        inner = link.remote.operate(link, "iter", [], {}, f"{link.place}[]")
        inner_link = link_of(inner)
        while inner_link is not None:
            try:
                yield link.remote.operate(inner_link, "next", [], {}, f"{link.place}[]")
            except StopIteration:
                return


class StandInClass(abc.ABCMeta):
    """The class of stand-ins for one of the learner's classes; itself a stand-in for that class."""

    def __new__(mcs, name: str, bases: tuple[type, ...], names: dict[str, Any], **keywords: Any) -> Any:
        if _CLASS_SLOT not in names:
            raise TypeError(f"a class of the learner's ({bases[0].__name__}) cannot be extended here")
        return super().__new__(mcs, name, bases, names, **keywords)

    def __call__(cls, *arguments: Any, **keywords: Any) -> Any:
        link = _must(cls)
        return link.remote.operate(link, "call", list(arguments), keywords, f"{link.place}()")

    def __getattribute__(cls, name: str) -> Any:
        if name.startswith("_"):
            if name == "__doc__":
                return get_attribute(_must(cls), name)
            return super().__getattribute__(name)
        return get_attribute(_must(cls), name)

    def __getattr__(cls, name: str) -> Any:
        return get_attribute(_must(cls), name)

    def __setattr__(cls, name: str, value: Any) -> None:
        if name.startswith(("_abc_", "__abstractmethods__")):
            super().__setattr__(name, value)
        else:
            _must(cls).do("setattr", name, value)

    def __delattr__(cls, name: str) -> None:
        _must(cls).do("delattr", name)

    def __dir__(cls) -> list[str]:
        return list(_must(cls).do("dir"))

    def __iter__(cls) -> Iterator[Any]:
        link = _must(cls)  # the members of an Enum
        return iter(link.do("iter", place=f"{link.place}[]"))

    def __getitem__(cls, key: Any) -> Any:
        link = _must(cls)
        return link.do("__getitem__", key, place=f"{link.place}[]")

    def __len__(cls) -> int:
        return int(_must(cls).do("__len__"))

    def __bool__(cls) -> bool:
        return True

    @property
    def __signature__(cls) -> inspect.Signature:
        return build_signature(_must(cls))


_STAND_INS = (StandIn, Opaque)


def build_signature(link: Link) -> inspect.Signature:
    """Build the signature of one of the learner's callables.

    Raises:
        ValueError: it has none.
    """
    rows = link.do("signature")
    if not isinstance(rows, list) or not rows:
        raise ValueError("no signature found")
    parameters = [
        inspect.Parameter(
            str(name),
            inspect._ParameterKind(kind),  # noqa: SLF001 - the enum has no public name
            default=default if has_default else inspect.Parameter.empty,
            annotation=annotation if has_annotation else inspect.Parameter.empty,
        )
        for name, kind, has_default, default, has_annotation, annotation in rows[:-1]
    ]
    returned = rows[-1]
    return inspect.Signature(
        parameters, return_annotation=returned[5] if returned[4] else inspect.Signature.empty
    )


def make_class(link: Link, name: str, bases: tuple[type, ...], dunders: list[str], *, hashable: bool) -> Any:
    """Make the stand-in for one of the learner's classes, with the special methods that it has."""
    names: dict[str, Any] = {_CLASS_SLOT: link, "__module__": "__main__", "__qualname__": name}
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
    if name.startswith("__") and name not in _PASSED_ON:
        return object.__getattribute__(self, name)
    return get_attribute(_must(self), name)


def _exception_attribute(self: Any, name: str) -> Any:
    link = object.__getattribute__(self, "__dict__").get(_SLOT)
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
            link = _must(self)
            return link.remote.operate(link, "call", list(arguments), keywords, f"{link.place}()")

        return call
    if dunder == "__iter__":

        def iterate(self: Any) -> Any:
            link = _must(self)
            return link.do("iter", place=f"{link.place}.iter()")

        return iterate
    if dunder == "__next__":

        def following(self: Any) -> Any:
            link = _must(self)
            return link.do("next", place=f"{link.place}[]")

        return following

    def forward(self: Any, *arguments: Any) -> Any:
        link = _must(self)
        if dunder == "__exit__" and arguments and arguments[0] is not None:
            arguments = (arguments[0], arguments[1], None)
        return link.do(dunder, *arguments, place=f"{link.place}.{dunder}")

    return forward


def _judged(dunder: str, use: str) -> Any:
    def judged(self: Any, *arguments: Any) -> Any:
        link = _must(self)
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
