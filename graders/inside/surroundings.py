"""What a test arranged around a call, brought over into the learner's process for the time of that call.

Used by learner.py: the seed of random numbers, what input() answers, whether warnings are watched.
"""

from __future__ import annotations

import builtins
import contextlib
import sys
import warnings
from typing import TYPE_CHECKING, Any

from graders.inside.visitors import Back, Visitor

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def arranged(request: dict[str, Any], back: Back) -> Iterator[list[list[str]]]:
    """Arrange them; gives a list that holds the warnings issued, once the call is over."""
    for module, seed in request.get("seeds", ()):
        if module in sys.modules:
            sys.modules[module].seed(seed)
    told: list[list[str]] = []
    with contextlib.ExitStack() as stack:
        if request.get("catch"):
            caught = stack.enter_context(warnings.catch_warnings(record=True))
            warnings.simplefilter("always")
            stack.callback(_tell, caught, told)
        number = request.get("input")
        if number is not None:
            stack.callback(setattr, builtins, "input", builtins.input)
            builtins.input = Visitor(back, number, "input")
        yield told


def _tell(caught: Any, told: list[list[str]]) -> None:
    told += [[warning.category.__name__, str(warning.message)] for warning in caught]
