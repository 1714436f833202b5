"""The learner's objects that do not cross as data: their numbers, and the descriptions that cross instead.

Runs in the learner's process. Everything that it says is in the learner's hands: the checker believes a description
only as far as a lie in it would harm nobody but the liar.
"""

from __future__ import annotations

import asyncio
import builtins
import collections.abc
import copy
import functools
import importlib
import inspect
import sys
import types
from typing import TYPE_CHECKING, Any

from graders.inside import crossing, packing

if TYPE_CHECKING:
    from collections.abc import Callable

Packed = Any
# Special methods that a stand-in gets when the learner's class has them.
_PROTOCOLS = (
    (
        "len",
        "iter",
        "next",
        "getitem",
        "setitem",
        "delitem",
        "contains",
        "call",
        "enter",
        "exit",
        "length_hint",
    ),
    (
        "eq",
        "ne",
        "lt",
        "le",
        "gt",
        "ge",
        "hash",
        "bool",
        "str",
        "repr",
        "format",
        "int",
        "float",
        "index",
        "complex",
    ),
    ("abs", "neg", "pos", "invert", "reversed", "round", "floor", "ceil", "trunc"),
)
_ARITHMETIC = (
    "add",
    "sub",
    "mul",
    "matmul",
    "truediv",
    "floordiv",
    "mod",
    "pow",
    "lshift",
    "rshift",
    "and",
    "or",
    "xor",
)
_NAMES = {name for names in _PROTOCOLS for name in names} | {"divmod", "rdivmod"}
_NAMES |= {side + name for name in _ARITHMETIC for side in ("", "r", "i")}
DUNDERS = frozenset(f"__{name}__" for name in _NAMES)
ROUTINES = (
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodType,
    types.MethodWrapperType,
    types.WrapperDescriptorType,
    types.MethodDescriptorType,
    types.ClassMethodDescriptorType,
    functools.partial,
    type(functools.lru_cache(len)),
)
_NO_CLASSES = (object, collections.abc.Hashable)


class Objects:
    """Numbers objects and describes them; a number is given once and holds for the life of the process."""

    def __init__(self) -> None:
        self._things: list[Any] = []
        self._numbers: dict[int, int] = {}
        self._described: set[int] = set()

    def get(self, number: int) -> Any:
        """Return the object with a number."""
        return self._things[number]

    def refer(self, value: Any) -> Packed:  # noqa: PLR0911 - one line a kind
        """Write a reference to an object, with a description that its stand-in is made from."""
        kind = type(value)
        if issubclass(kind, type):
            if crossing.is_named_tuple(value):
                return ["named class", value.__name__, list(value._fields)]
            return ["ref", self.number(value), "class", self._class(value), library_path(value)]
        if issubclass(kind, types.ModuleType):
            return ["ref", self.number(value), "module", str(getattr(value, "__name__", "")), None]
        if issubclass(kind, ROUTINES):
            name = str(getattr(value, "__name__", "function"))
            return ["ref", self.number(value), "function", name, library_path(value)]
        if kind is types.CoroutineType:
            return ["ref", self.number(value), "coroutine", "", None]
        if kind.__module__ in {"builtins", "itertools"} and issubclass(kind, collections.abc.Iterator):
            return ["ref", self.number(value), "iterator", kind.__name__, None]
        return ["ref", self.number(value), "instance", self._class(kind), None]

    def number(self, value: Any) -> int:
        """Return the number of an object, a new one the first time."""
        found = self._numbers.get(id(value))
        if found is None:
            found = self._numbers[id(value)] = len(self._things)
            self._things.append(value)
        return found

    def _class(self, kind: type) -> Packed:
        number = self.number(kind)
        if number in self._described:
            return [number]
        self._described.add(number)
        library = library_path(kind)
        bases = [] if library else [self._class(base) for base in kind.__bases__ if base not in _NO_CLASSES]
        has = {name for part in kind.__mro__ if part is not object for name in vars(part)} & DUNDERS
        hashable = not ("__hash__" in has and getattr(kind, "__hash__", None) is None)
        return [number, kind.__qualname__, library, bases, sorted(has), hashable]


def library_path(value: Any) -> list[str] | None:
    """Return the module and name under which a library has an object, or None for the learner's own."""
    module = getattr(value, "__module__", None)
    name = getattr(value, "__qualname__", None)
    if type(module) is not str or type(name) is not str or module == "__main__" or module not in sys.modules:
        return None
    found: Any = sys.modules[module]
    for part in name.split("."):
        found = getattr(found, part, None)
    return [module, name] if found is value else None


def import_library(path: list[str]) -> Any:
    """Import what stands at a library's path: from the record or the checker, never from a submission."""
    found: Any = importlib.import_module(path[0])
    for part in path[1].split(".") if path[1] else ():
        found = getattr(found, part)
    return found


def describe_signature(value: Any) -> list[list[Any]] | None:
    """Return the parameters of a callable as data, and its return annotation last."""
    try:
        signature = inspect.signature(value)
    except (TypeError, ValueError):
        return None
    rows: list[list[Any]] = []
    for parameter in signature.parameters.values():
        default, annotation = parameter.default, parameter.annotation
        rows.append(
            [
                parameter.name,
                int(parameter.kind),
                default is not parameter.empty,
                None if default is parameter.empty else default,
                annotation is not parameter.empty,
                None if annotation is parameter.empty else annotation,
            ]
        )
    returned = signature.return_annotation
    rows.append(
        [
            "return",
            -1,
            False,
            None,
            returned is not signature.empty,
            None if returned is signature.empty else returned,
        ]
    )
    return rows


def describe_exception(error: BaseException, objects: Objects, packer: packing.Packer) -> dict[str, Any]:
    """Describe what the learner's code raised: its class, the classes beneath it, and its arguments."""
    kind = type(error)
    lineage = [
        [part.__module__, part.__qualname__] for part in kind.__mro__ if issubclass(part, BaseException)
    ]
    try:
        arguments = [packer.pack(argument) for argument in error.args]
    except crossing.CrossingError:
        arguments = []
    builtin = vars(builtins).get(kind.__name__) is kind
    return {
        "lineage": lineage,
        "args": arguments,
        "class": None if builtin else objects.refer(kind),
        "ref": None if builtin else objects.refer(error),
    }


def run_operation(name: str, target: Any, arguments: list[Any], keywords: dict[str, Any]) -> Any:
    """Do one thing with one of the learner's objects.

    Raises:
        BaseException: whatever the learner's code raises.
    """
    if name == "call":
        return target(*arguments, **keywords)
    if name in DUNDERS:
        return getattr(type(target), name)(target, *arguments)
    return _OPERATIONS[name](target, *arguments)


def _await(target: Any) -> Any:
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(target)
    finally:
        loop.close()


_OPERATIONS: dict[str, Callable[..., Any]] = {
    "getattr": getattr,
    "setattr": setattr,
    "delattr": delattr,
    "iter": iter,
    "next": next,
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "dir": lambda target: [str(item) for item in dir(target)],
    "signature": describe_signature,
    "await": _await,
}
