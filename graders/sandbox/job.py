"""What goes into a sandbox and what comes out, as frozen values; and the seam every runner implements.

Used by the pipeline and by the runners. Knows nothing of containers. The wire form is in protocol.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from graders.results import Limits


class Role(StrEnum):
    """Who a code cell belongs to, and so where it runs."""

    LEARNER = "learner"  # the learner's process
    GIVEN = "given"  # the learner's process, and again beside the checks, from the source
    TEST = "test"  # beside the checks only


@dataclass(frozen=True, slots=True)
class CellJob:
    """One code cell to run. `index` is its place in the assembled notebook."""

    index: int
    role: Role
    source: str
    grade_id: str | None = None
    points: float | None = None


@dataclass(frozen=True, slots=True)
class NotebookJob:
    """One notebook to run: its code cells in order, and the record made when it was published."""

    name: str
    cells: tuple[CellJob, ...]
    record: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class SandboxJob:
    """One submission to run.

    `files` are laid out in the learner's working directory; those that are `published`, the source's own, beside
    the checks too.
    """

    notebooks: tuple[NotebookJob, ...]
    files: dict[str, bytes]
    limits: Limits
    mode: str = "grade"
    published: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class CellOutput:
    """What a learner or given cell displayed. Hostile: for display only, after cleaning."""

    notebook: str
    index: int
    outputs: tuple[dict[str, Any], ...]
    status: str


@dataclass(frozen=True, slots=True)
class TestVerdict:
    """The checker's word on one grade cell."""

    notebook: str
    grade_id: str
    index: int
    status: str
    credit: float
    way: str
    message: str
    evidence: str | None
    outputs: tuple[dict[str, Any], ...]


class End(StrEnum):
    """How a sandbox's run came to its end."""

    FINISHED = "finished"  # the checker said "done"
    WALL_CLOCK = "wall_clock"  # we stopped it
    OUTPUT_OVERFLOW = "output_overflow"  # more came out than allowed
    ENDED_EARLY = "ended_early"  # the container ended without "done"


@dataclass(frozen=True, slots=True)
class SandboxRun:
    """Everything that came out of one sandbox, validated."""

    end: End
    cells: tuple[CellOutput, ...] = ()
    verdicts: tuple[TestVerdict, ...] = ()
    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    verdict: str | None = None  # the checker's own summary, when it gave one
    out_of_memory: bool = False
    exit_code: int | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    detail: str = ""  # standard error of PID 1, for the operator


class SandboxRunner(Protocol):
    """Runs one job in a sandbox of its own that is never used again."""

    @property
    def fingerprint(self) -> str:
        """What records depend on: another image or runtime has another one."""
        ...

    def run(self, job: SandboxJob) -> SandboxRun:
        """Run `job` and return what came out. The sandbox is gone when this returns or raises.

        Raises:
            SandboxError: the engine failed, or the sandbox broke the protocol.
        """
        ...

    def close(self) -> None:
        """Remove what was kept ready."""
        ...
