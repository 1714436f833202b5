"""Exceptions of the learner's code, made anew in the checker: exactly the built-in type, or a stand-in class of it.

Part of remote.py. An exception is one more piece of hostile data: only types on the lists below are ever made, and those
that would steer a test from afar (StopIteration out of a plain call, a skipped unittest) are not among them.
"""

from __future__ import annotations

import builtins
import sys
import warnings
from typing import TYPE_CHECKING, Any

from graders.inside.classes import StandInClass
from graders.inside.crossing import CrossingError
from graders.inside.standins import link_of

if TYPE_CHECKING:
    from graders.inside.remote import Remote

_LIBRARIES = frozenset(
    {
        "json",
        "decimal",
        "subprocess",
        "zipfile",
        "csv",
        "sqlite3",
        "socket",
        "ssl",
        "http",
        "urllib",
        "asyncio",
    }
    | {
        "concurrent",
        "dataclasses",
        "enum",
        "configparser",
        "binascii",
        "struct",
        "re",
        "string",
        "statistics",
    }
    | {
        "fractions",
        "numpy",
        "pandas",
        "queue",
        "shutil",
        "tarfile",
        "copy",
        "ast",
        "tokenize",
        "xml",
        "matplotlib",
    }
    | {"requests", "scipy", "sklearn"}
)
_STEERING = (StopIteration, StopAsyncIteration, GeneratorExit)
_MAX_TEXT = 4000


def find_library_class(path: Any) -> Any | None:
    """Return this side's own exception class for a library's path, `object` for any other library class, else None."""
    if path is None:
        return None
    if type(path) is not list or len(path) != 2 or not all(type(part) is str for part in path):  # noqa: PLR2004
        raise CrossingError("a malformed path")
    module, name = path
    if module == "builtins":
        found: Any = vars(builtins).get(name)
        return found if isinstance(found, type) and issubclass(found, BaseException) else None
    if module.partition(".")[0] not in _LIBRARIES or module not in sys.modules:
        return None
    found = sys.modules[module]
    for part in name.split("."):
        found = vars(found).get(part) if hasattr(found, "__dict__") else None
    return found if isinstance(found, type) and issubclass(found, Exception) else None


def build(remote: Remote, reply: dict[str, Any], operation: str, place: str) -> BaseException:
    """Make the exception that a reply tells of.

    Raises:
        CrossingError: the reply is malformed.
    """
    told = reply["raised"]
    if type(told) is not dict or type(told.get("lineage")) is not list or type(told.get("args")) is not list:
        raise CrossingError("a malformed exception")
    unpacker = remote.unpacker(reply.get("states", []))
    arguments = [unpacker.unpack(argument, f"{place}!") for argument in told["args"][:20]]
    kind, link = _class_of(remote, told, place)
    if issubclass(kind, _STEERING) and operation not in {"next", "__next__"}:
        if not remote.record.permits(place, f"raises:{kind.__name__}"):
            kind = RuntimeError
    elif issubclass(kind, _STEERING) and kind is not StopIteration:
        kind = RuntimeError
    error = _instance(kind, arguments)
    if link is not None:
        error.__dict__["_atelier"] = link
    trace = told.get("trace")
    error.__dict__["_atelier_trace"] = trace[-_MAX_TEXT:] if type(trace) is str else ""
    return error


def _class_of(remote: Remote, told: dict[str, Any], place: str) -> tuple[Any, Any]:
    if told.get("class") is None:
        path = told["lineage"][0] if told["lineage"] else None
        kind = find_library_class(path)
        if kind is None:
            raise CrossingError("an exception of no class")
        return kind, None
    stand_in = remote.table.exception(told["class"], told.get("ref"), place)
    if stand_in is not None:
        return stand_in
    for path in told["lineage"]:
        kind = find_library_class(path)
        if kind is not None:
            return kind, None
    return RuntimeError, None


def _instance(kind: Any, arguments: list[Any]) -> BaseException:
    plain = not isinstance(kind, StandInClass)
    try:
        made: Any = (
            kind(*arguments) if plain and kind.__module__ == "builtins" else kind.__new__(kind, *arguments)
        )
    except Exception:  # noqa: BLE001 - a library's own constructor, fed with hostile arguments
        made = RuntimeError(*arguments)
    return made if isinstance(made, BaseException) else RuntimeError(*arguments)


def warn_again(warned: Any) -> None:
    """Issue here the warnings that the learner's code issued, where a test watches for them.

    Raises:
        CrossingError: the list is malformed.
    """
    if type(warned) is not list:
        raise CrossingError("malformed warnings")
    for entry in warned[:100]:
        if type(entry) is not list or len(entry) != 2 or not all(type(part) is str for part in entry):  # noqa: PLR2004
            raise CrossingError("a malformed warning")
        kind = vars(builtins).get(entry[0])
        if not (isinstance(kind, type) and issubclass(kind, Warning)):
            kind = UserWarning
        warnings.warn_explicit(entry[1][:_MAX_TEXT], kind, "<the learner's code>", 1)


def is_learners(error: BaseException) -> bool:
    """Whether an exception came over from the learner's process."""
    return "_atelier_trace" in error.__dict__ or link_of(error) is not None
