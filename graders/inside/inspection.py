"""What `inspect` says of the learner's functions: their source, taken from the submitted cells, not from the learner.

Used by checker.py while a notebook runs, together with the other few library functions that a test expects to reach the
learner's process: the seeds of random numbers.
"""

from __future__ import annotations

import inspect
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

from graders.inside import cellcode, taint
from graders.inside.standins import link_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from graders.inside.remote import Remote

_originals: list[tuple[Any, str, Any]] = []


def install(remote: Remote) -> None:
    """Put the functions in place."""
    _replace(inspect, "getsource", _get_source)
    _replace(inspect, "getsourcelines", _get_source_lines)
    for module in ("random", "numpy.random"):
        if module in sys.modules:
            _replace(sys.modules[module], "seed", partial(_seeding, remote, module))


def remove() -> None:
    """Put the library's own functions back."""
    while _originals:
        owner, name, original = _originals.pop()
        setattr(owner, name, original)


def _replace(owner: Any, name: str, make: Callable[[Any], Any]) -> None:
    original = getattr(owner, name)
    _originals.append((owner, name, original))
    setattr(owner, name, make(original))


def _get_source(original: Any) -> Any:
    def getsource(thing: Any) -> str:
        found = _find(thing)
        return original(thing) if found is None else found

    return getsource


def _get_source_lines(original: Any) -> Any:
    def getsourcelines(thing: Any) -> tuple[list[str], int]:
        found = _find(thing)
        return original(thing) if found is None else (found.splitlines(keepends=True), 1)

    return getsourcelines


def _find(thing: Any) -> str | None:
    link = link_of(thing)
    if link is None:
        return None
    found = cellcode.find_definition(link.remote.sources, link.path)
    if found is None:
        raise OSError("could not get source code")
    taint.heard(found)
    return found


def _seeding(remote: Remote, module: str, original: Any) -> Any:
    def seed(a: Any = None, *more: Any, **keywords: Any) -> Any:
        if type(a) in {int, str, float}:
            remote.seeds.append((module, a))
        return original(a, *more, **keywords)

    return seed
