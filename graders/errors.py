"""The errors of grading, as a tree:

    GradingError
    ├── SourceError       the exercise can't be graded: its author has to act (exit code 2 of `atelier grade`)
    ├── SubmissionError   what was handed in can't be graded: the learner has to act (`invalid_submission`)
    ├── GradebookError    the gradebook refused: the trainer has to act
    └── SandboxError      the platform failed: the operator has to act (exit code 3)
        └── EngineError   the container engine is away or refuses: an outage

Raised by everything in graders on the host side; hub translates them at its own border.
"""

from __future__ import annotations


class GradingError(Exception):
    """Base of all. `reason` is a label for metrics and logs, the message a sentence for whoever has to act."""

    reason = "grading_error"
    outage = False
    """True where nothing of this job can be at fault: whoever tries again should wait first."""


class SourceError(GradingError):
    """An exercise's source can't be used. The message names the file, the cell and what to do."""

    reason = "source_unusable"


class SubmissionError(GradingError):
    """What was handed in can't be graded.

    `key` names a sentence of graders.words and `values` fill it, so that the learner reads it in their own
    language.
    """

    reason = "submission_invalid"

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(f"{key}: {values}" if values else key)
        self.key = key
        self.values = values


class GradebookError(GradingError):
    """nbgrader's gradebook refused what was to be written."""

    reason = "gradebook_refused"


class SandboxError(GradingError):
    """The container engine failed, or what came out of a sandbox broke the protocol."""

    reason = "sandbox_failed"


class EngineError(SandboxError):
    """The container engine is away, or refuses what it is asked."""

    reason = "engine_unavailable"
    outage = True
