"""What grading says, as frozen values: verdicts, whose fault each is, scores, limits, the job itself.

Used by the pipeline, the worker, the `atelier grade` command and by hub (which may import nothing else of
graders but this and the queue). Knows nothing of containers, notebooks or databases.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


class Fault(StrEnum):
    """Who has to act on a verdict."""

    NOBODY = "nobody"
    LEARNER = "learner"
    AUTHOR = "author"
    PLATFORM = "platform"


class Verdict(StrEnum):
    """How the grading of one submission ended. The list is closed: the database and the pages know these."""

    GRADED = "graded"
    TIMEOUT = "timeout"
    OUT_OF_MEMORY = "out_of_memory"
    OUTPUT_OVERFLOW = "output_overflow"
    TAMPERED = "tampered"
    INVALID_SUBMISSION = "invalid_submission"
    INTERNAL_ERROR = "internal_error"

    @property
    def fault(self) -> Fault:
        """Whose turn it is: nobody's, the learner's, or the platform's operator."""
        if self is Verdict.GRADED:
            return Fault.NOBODY
        return Fault.PLATFORM if self is Verdict.INTERNAL_ERROR else Fault.LEARNER


class CellVerdict(StrEnum):
    """How one grade cell was judged."""

    PASSED = "passed"
    PARTIAL = "partial"
    FAILED = "failed"
    UNCHANGED = "unchanged"
    MANUAL = "manual"
    TIMEOUT = "timeout"
    DIED = "died"
    TAMPERED = "tampered"
    NOT_RUN = "not_run"
    MISSING = "missing"
    ERROR = "error"


class Way(StrEnum):
    """How a grade cell was judged: apart from the learner's process, in a fork of it, by hand, by its text."""

    ISOLATED = "isolated"
    FORK = "fork"
    MANUAL = "manual"
    CHECK = "check"


@dataclass(frozen=True, slots=True)
class Limits:
    """What one submission may use in its sandbox; a request from inside can never raise them.

    Times in seconds, sizes in bytes. `wall_s` bounds the whole submission, `cell_s` one cell.
    """

    wall_s: float = 60.0
    cell_s: float = 20.0
    cpu_s: float = 60.0
    memory_bytes: int = 512 * 1024 * 1024
    pids: int = 128
    disk_bytes: int = 64 * 1024 * 1024
    inodes: int = 4096
    output_bytes: int = 1024 * 1024
    open_files: int = 256


@dataclass(frozen=True, slots=True)
class CellResult:
    """The judgement on one grade cell. `score` is None while a human still has to judge it."""

    grade_id: str
    score: float | None
    max_score: float
    verdict: CellVerdict
    way: Way
    messages: tuple[str, ...] = ()
    evidence: str | None = None  # for trainers only: never shown to the learner


@dataclass(frozen=True, slots=True)
class NotebookResult:
    """The judgement on one notebook of a submission."""

    name: str
    cells: tuple[CellResult, ...] = ()

    @property
    def score(self) -> float:
        """Sum of the scores known by now."""
        return sum(cell.score or 0.0 for cell in self.cells)

    @property
    def max_score(self) -> float:
        """Sum of the points that the source gives."""
        return sum(cell.max_score for cell in self.cells)


@dataclass(frozen=True, slots=True)
class GradingResult:
    """The judgement on one submission, and the feedback that was rendered for it."""

    verdict: Verdict
    notebooks: tuple[NotebookResult, ...] = ()
    warnings: tuple[str, ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)
    reason: str | None = None  # one sentence for the learner when the verdict is not `graded`
    detail: str | None = None  # for the operator's log and the trainer; never shown to the learner
    feedback: dict[str, bytes] = field(default_factory=dict)  # file name -> HTML, hidden tests removed
    autograded: dict[str, bytes] = field(
        default_factory=dict
    )  # path -> file, as nbgrader's autograded/ has them

    @property
    def score(self) -> float:
        """Sum over the notebooks."""
        return sum(notebook.score for notebook in self.notebooks)

    @property
    def max_score(self) -> float:
        """Sum over the notebooks."""
        return sum(notebook.max_score for notebook in self.notebooks)

    @property
    def needs_manual_grade(self) -> bool:
        """True while a human still has to judge a cell."""
        return any(cell.score is None for notebook in self.notebooks for cell in notebook.cells)

    def to_json(self) -> dict[str, Any]:
        """Return the object that `atelier grade --json` prints and the service stores (no feedback in it)."""
        return {
            "verdict": self.verdict.value,
            "score": self.score,
            "max_score": self.max_score,
            "notebooks": {
                notebook.name: {
                    "score": notebook.score,
                    "max_score": notebook.max_score,
                    "cells": {cell.grade_id: _cell_json(cell) for cell in notebook.cells},
                }
                for notebook in self.notebooks
            },
            "warnings": list(self.warnings),
            "seconds": {name: round(value, 4) for name, value in self.seconds.items()},
            "reason": self.reason,
        }


def _cell_json(cell: CellResult) -> dict[str, Any]:
    fields = asdict(cell)
    del fields["grade_id"]
    fields["messages"] = list(cell.messages)
    return fields


@dataclass(frozen=True, slots=True)
class GradingJob:
    """One submission to grade: immutable copies on the trusted side.

    `source_dir` is an nbgrader source folder (notebooks with solutions, extra files beside them);
    `submission_dir` holds what the learner handed in, already through the border's checks or not (the pipeline
    checks again). `language` is the learner's: feedback is rendered in it.
    """

    submission_id: str
    course: str
    assignment: str
    learner: str
    source_dir: Path
    submission_dir: Path
    version: str = ""  # content hash of the published source; recipes are kept by it
    received_at_utc: str = ""  # ISO 8601
    language: str = "en"
    limits: Limits = field(default_factory=Limits)
    edits: tuple[str, ...] | None = (
        None  # files besides the notebooks that the learner changes; None: not said
    )
