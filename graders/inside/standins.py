"""What stands, in the checker, for the learner's objects that do not cross as data.

Made by remote.py. A stand-in forwards what a test does with it, as far as the record lets it; a test cannot tell it from
the object in honest use. An `Opaque` stands where the record had plain data: it is equal to nothing, ordered with
nothing, neither true nor false, and has no attributes, so that no answer of a learner's object is ever believed there.
"""

from __future__ import annotations

import abc
import inspect
import types
from typing import TYPE_CHECKING, Any

from graders.inside import cellcode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graders.inside.remote import Remote

SLOT = "_atelier"
_SLOT = SLOT
CLASS_SLOT = "_atelier_class"
PASSED_ON = frozenset(
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
    found: Any = None
    if issubclass(kind, abc.ABCMeta):
        found = type.__getattribute__(value, "__dict__").get(CLASS_SLOT)
    elif issubclass(kind, _STAND_INS):
        found = object.__getattribute__(value, _SLOT)
    elif issubclass(kind, BaseException):
        found = object.__getattribute__(value, "__dict__").get(_SLOT)
    return found if isinstance(found, Link) else None


def must_link(value: Any) -> Link:
    link = link_of(value)
    if link is None:
        raise TypeError("this object of the learner's is no longer there")
    return link


class StandIn:
    """Any object of the learner's."""

    __slots__ = (_SLOT,)

    def __getattr__(self, name: str) -> Any:
        return get_attribute(must_link(self), name)

    def __setattr__(self, name: str, value: Any) -> None:
        must_link(self).do("setattr", name, value)

    def __delattr__(self, name: str) -> None:
        must_link(self).do("delattr", name)

    def __dir__(self) -> list[str]:
        return list(must_link(self).do("dir"))

    def __repr__(self) -> str:
        return "<an object of the learner's>"

    def __copy__(self) -> Any:
        return must_link(self).do("copy")

    def __deepcopy__(self, _memo: Any) -> Any:
        return must_link(self).do("deepcopy")

    def __reduce__(self) -> Any:
        raise TypeError("an object of the learner's cannot be copied")


def get_attribute(link: Link, name: str) -> Any:
    """Read an attribute of a learner's object.

    Raises:
        AttributeError: it has none of that name, or the name belongs to a protocol that is not passed on.
    """
    if name.startswith("__") and name.endswith("__") and name not in PASSED_ON:
        raise AttributeError(name)
    return link.do("getattr", name, place=f"{link.place}.{name}")


class Function(StandIn):
    """A function or method of the learner's."""

    __slots__ = ()

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        link = must_link(self)
        return link.remote.operate(link, "call", list(arguments), keywords, f"{link.place}()")

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return types.FunctionType

    @property
    def __doc__(self) -> Any:  # type: ignore[override]
        return get_attribute(must_link(self), "__doc__")

    @property
    def __signature__(self) -> inspect.Signature:
        return build_signature(must_link(self))

    @property
    def __code__(self) -> types.CodeType:
        link = must_link(self)
        code = cellcode.find_code(link.remote.sources, link.path)
        if code is None:
            raise AttributeError("__code__")
        return code

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else types.MethodType(self, instance)

    def __repr__(self) -> str:
        return f"<function {must_link(self).name}>"


class RemoteIterator(StandIn):
    """A generator or another iterator of the learner's."""

    __slots__ = ()

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return types.GeneratorType if must_link(self).name == "generator" else RemoteIterator

    def __iter__(self) -> RemoteIterator:
        return self

    def __next__(self) -> Any:
        link = must_link(self)
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
        link = must_link(self)
        inner = link.remote.operate(link, "iter", [], {}, f"{link.place}[]")
        inner_link = link_of(inner)
        while inner_link is not None:
            try:
                yield link.remote.operate(inner_link, "next", [], {}, f"{link.place}[]")
            except StopIteration:
                return


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
