"""What the service tells about courses, exercises and submissions: frozen types, strictly read from its JSON.

Made by client.py, used by every operation. Times are aware UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

NBGRADER_TIME = "%Y-%m-%d %H:%M:%S.%f %Z"
"""How nbgrader writes times in folder names and timestamp.txt."""


def parse_time(value: str) -> datetime:
    """Return an aware UTC time from ISO 8601; one without offset is UTC."""
    moment = datetime.fromisoformat(value)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def _optional_time(value: Any) -> datetime | None:
    return None if value is None else parse_time(str(value))


def _optional_number(value: Any) -> float | None:
    return None if value is None else float(value)


@dataclass(frozen=True)
class CourseRecord:
    """A course that the person takes part in."""

    id: str
    title: str
    role: str

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> CourseRecord:
        """Read one element of `courses`."""
        return cls(str(data["id"]), str(data.get("title") or data["id"]), str(data.get("role", "learner")))


@dataclass(frozen=True)
class AttemptRecord:
    """A submission of the person's own."""

    id: str
    received_at: datetime
    attempt: int
    state: str
    score: float | None = None
    max_score: float | None = None
    feedback: bool = False
    feedback_version: str | None = None
    feedback_updated: bool = False

    @property
    def timestamp(self) -> str:
        """The server's time in nbgrader's writing."""
        return self.received_at.strftime(NBGRADER_TIME)

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> AttemptRecord:
        """Read one element of `submissions`, or the answer to a new one."""
        version = data.get("feedback_version")
        return cls(
            id=str(data["id"]),
            received_at=parse_time(str(data["timestamp"])),
            attempt=int(data["attempt"]),
            state=str(data["state"]),
            score=_optional_number(data.get("score")),
            max_score=_optional_number(data.get("max_score")),
            feedback=bool(data.get("feedback", False)),
            feedback_version=None if version is None else str(version),
            feedback_updated=bool(data.get("feedback_updated", False)),
        )


@dataclass(frozen=True)
class AssignmentRecord:
    """A published exercise, with the person's own submissions of it."""

    course_id: str
    assignment_id: str
    version: int
    notebooks: tuple[str, ...]
    deadline: datetime | None = None
    attempts: tuple[AttemptRecord, ...] = ()

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> AssignmentRecord:
        """Read one element of `assignments`."""
        return cls(
            course_id=str(data["course_id"]),
            assignment_id=str(data["assignment_id"]),
            version=int(data["version"]),
            notebooks=tuple(str(name).removesuffix(".ipynb") for name in data["notebooks"]),
            deadline=_optional_time(data.get("deadline")),
            attempts=tuple(AttemptRecord.parse(item) for item in data.get("submissions", [])),
        )


@dataclass(frozen=True)
class ReceivedRecord:
    """A submission that a trainer may see."""

    id: str
    learner: str
    assignment_id: str
    received_at: datetime
    attempt: int
    state: str
    graded_at: datetime | None = None

    @property
    def timestamp(self) -> str:
        """The server's time in nbgrader's writing."""
        return self.received_at.strftime(NBGRADER_TIME)

    @property
    def graded(self) -> bool:
        """Whether there is a grade to look at."""
        return self.state == "graded"

    @classmethod
    def parse(cls, data: Mapping[str, Any], assignment_id: str = "") -> ReceivedRecord:
        """Read one element of `submissions` in a trainer's list."""
        return cls(
            id=str(data["id"]),
            learner=str(data["learner"]),
            assignment_id=str(data.get("assignment_id") or assignment_id),
            received_at=parse_time(str(data["timestamp"])),
            attempt=int(data["attempt"]),
            state=str(data["state"]),
            graded_at=_optional_time(data.get("graded_at")),
        )


@dataclass(frozen=True)
class Mark:
    """A human's judgement on one cell of a submission; only what is in `values` is changed."""

    submission_id: str
    notebook: str
    grade_id: str
    seen_at: datetime
    values: Mapping[str, float | str | None]
    """`score` and `extra_credit`, or `comment`; None clears."""

    def to_json(self) -> dict[str, Any]:
        """Return the element of `marks` for the service."""
        return {
            "submission_id": self.submission_id,
            "notebook": self.notebook,
            "grade_id": self.grade_id,
            "seen_at": self.seen_at.isoformat(),
            **self.values,
        }


@dataclass(frozen=True)
class GradebookCopy:
    """nbgrader's gradebook of a course as it was at a moment."""

    data: bytes
    tag: str
    as_of: datetime
