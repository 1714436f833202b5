"""Numbered progress lines: "[3/11] Docker engine … already running (0.1 s)". Called by recipes.py and by
long steps.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable


class Progress:
    """Says what set-up is doing, how far it is and how long each step took."""

    def __init__(
        self, total: int, out: TextIO | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._total = total
        self._number = 0
        self._out = out or sys.stdout
        self._clock = clock
        self._line_is_open = False

    def step(self, title: str, action: Callable[[], str]) -> None:
        """Run one step and print its line.

        Args:
            title: what the step is about.
            action: does it and returns its result in a few words, such as "already running".
        """
        self._number += 1
        started = self._clock()
        self._write(f"[{self._number}/{self._total}] {title} … ")
        self._line_is_open = True
        try:
            result = action()
        except BaseException:
            self._finish("stopped", started)
            raise
        self._finish(result, started)

    def note(self, text: str) -> None:
        """Say, on a line of its own, what a long step is busy with."""
        if self._line_is_open:
            self._write("\n")
            self._line_is_open = False
        self._write(f"      {text}\n")

    def say(self, text: str = "") -> None:
        """Print a line that belongs to no step."""
        self._write(f"{text}\n")

    def _finish(self, result: str, started: float) -> None:
        indent = "" if self._line_is_open else "      "
        self._write(f"{indent}{result} ({self._clock() - started:.1f} s)\n")
        self._line_is_open = False

    def _write(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()
