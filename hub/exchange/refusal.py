"""Stops `nbgrader autograde` in a trainer's container: it would run a learner's code beside the trainer's token.

Set as the only sanitising step of Autograde (wiring.py), so that the command ends before a kernel starts.
"""

from __future__ import annotations

from typing import Any, NoReturn

from nbgrader.preprocessors import NbGraderPreprocessor

from hub.exchange.failure import ExchangeFailedError
from hub.exchange.language import say


class RefuseToRun(NbGraderPreprocessor):  # type: ignore[misc]
    """A preprocessor that never lets a notebook through."""

    def preprocess(self, nb: Any, resources: Any) -> NoReturn:  # noqa: ARG002 - nbgrader's signature
        """Refuse.

        Raises:
            ExchangeFailedError: always.
        """
        raise ExchangeFailedError(say("never_here"), reason="never_here")
