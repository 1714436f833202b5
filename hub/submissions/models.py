"""Tables of submissions: what was handed in, and what grading said."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from hub.db import Base, now_utc


class State(StrEnum):
    """Where a submission is. Acknowledged ones end in GRADED or FAILED, never in nothing."""

    QUEUED = "queued"
    GRADING = "grading"
    GRADED = "graded"
    FAILED = "failed"  # the platform could not judge it; a trainer sees why and can ask for a regrade


class Submission(Base):
    """One attempt of a learner. The files are a tar in the store, named by its SHA-256."""

    __tablename__ = "submissions"
    __table_args__ = (
        UniqueConstraint("person_id", "assignment_id", "attempt"),
        Index("ix_submissions_assignment_received", "assignment_id", "received_at"),
        Index("ix_submissions_person_received", "person_id", "received_at"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)  # uuid4
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    assignment_id: Mapped[int] = mapped_column(ForeignKey("assignments.id"))
    version_id: Mapped[int] = mapped_column(ForeignKey("assignment_versions.id"))
    attempt: Mapped[int]
    received_at: Mapped[datetime] = mapped_column(default=now_utc)  # the server's clock
    digest: Mapped[str] = mapped_column(String(64))
    size: Mapped[int]
    state: Mapped[State] = mapped_column(String(16), default=State.QUEUED)
    run: Mapped[int] = mapped_column(
        default=1
    )  # the grading that is wanted: 1 the first, each regrade one more
    failure: Mapped[str | None] = mapped_column(default=None)  # why it was set aside; for trainers
    language: Mapped[str] = mapped_column(String(2), default="en")
    late: Mapped[bool] = mapped_column(default=False)
    result_id: Mapped[int | None] = mapped_column(
        ForeignKey("results.id", use_alter=True), default=None
    )  # in force


class Result(Base):
    """One judgement on a submission. A regrade adds another; marks given by hand stand apart and outlive it."""

    __tablename__ = "results"
    __table_args__ = (UniqueConstraint("submission_id", "run"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    submission_id: Mapped[str] = mapped_column(ForeignKey("submissions.id"), index=True)
    run: Mapped[int] = mapped_column(default=1)  # 1 the first grading, 2 the first regrade, …
    verdict: Mapped[str] = mapped_column(String(24))
    score: Mapped[float]
    max_score: Mapped[float]
    needs_manual_grade: Mapped[bool] = mapped_column(default=False)
    body: Mapped[dict[str, Any]] = mapped_column(JSON)  # GradingResult.to_json()
    detail: Mapped[str | None] = mapped_column(default=None)  # for trainer and operator
    feedback_digest: Mapped[str | None] = mapped_column(String(64), default=None)  # tar of HTML files
    autograded_digest: Mapped[str | None] = mapped_column(
        String(64), default=None
    )  # tar of the graded notebooks
    feedback_released_at: Mapped[datetime | None] = mapped_column(default=None)
    graded_at: Mapped[datetime] = mapped_column(default=now_utc)


class ManualMark(Base):
    """A human's score and comment for one grade cell of a learner's work; regrading never touches it."""

    __tablename__ = "manual_marks"
    __table_args__ = (UniqueConstraint("submission_id", "notebook", "grade_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    submission_id: Mapped[str] = mapped_column(ForeignKey("submissions.id"), index=True)
    notebook: Mapped[str] = mapped_column(String(200))
    grade_id: Mapped[str] = mapped_column(String(200))
    score: Mapped[float | None] = mapped_column(default=None)
    extra_credit: Mapped[float | None] = mapped_column(default=None)
    comment: Mapped[str | None] = mapped_column(default=None)
    given_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    given_at: Mapped[datetime] = mapped_column(default=now_utc)
