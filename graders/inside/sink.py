"""Where the outputs of one cell gather, in nbformat's form and within a budget.

Used by shell.py at both ends. In the learner's process the budget is a courtesy; the checker counts again.
"""

from __future__ import annotations

from typing import Any

Output = dict[str, Any]
MAX_OUTPUTS = 390


class OutputOverflowError(BaseException):
    """More was shown than a job may show. No subclass of Exception: a careless `except` must not eat it."""


class Sink:
    """Collects the outputs of one cell, merging neighbouring pieces of a stream."""

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self.outputs: list[Output] = []
        self.overflowed = False
        self._pieces: list[str] = []

    def write(self, name: str, text: str) -> None:
        """Take text of a stream."""
        self._charge(len(text))
        if not (self.outputs and self.outputs[-1].get("name") == name and self._pieces):
            self.flush()
            self.outputs.append({"output_type": "stream", "name": name, "text": ""})
            self._count()
        self._pieces.append(text)

    def add(self, output: Output) -> None:
        """Take a whole output."""
        self.flush()
        self._charge(sum(len(str(part)) for part in output.get("data", {}).values()) + 32)
        self.outputs.append(output)
        self._count()

    def clear(self) -> None:
        """Forget everything, as `clear_output` does."""
        self._pieces.clear()
        self.outputs.clear()

    def flush(self) -> None:
        """Put the open stream's pieces together."""
        if self._pieces:
            self.outputs[-1]["text"] = "".join(self._pieces)
            self._pieces.clear()

    def text(self, name: str) -> str:
        """Return all text of one stream."""
        self.flush()
        return "".join(output["text"] for output in self.outputs if output.get("name") == name)

    def _count(self) -> None:
        if len(self.outputs) > MAX_OUTPUTS:
            self._overflow()

    def _charge(self, amount: int) -> None:
        if amount > self.budget:
            self.budget = 0
            self._overflow()
        self.budget -= amount

    def _overflow(self) -> None:
        if not self.overflowed:
            self.overflowed = True
            raise OutputOverflowError


def safe_text(value: object) -> str:
    """Return str(value), whatever that raises."""
    try:
        return str(value)
    except BaseException:  # noqa: BLE001 - str() of a learner's exception runs the learner's code
        return ""
