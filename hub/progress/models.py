"""Tables of progress: the append-only events, and what reporters have been told of."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from hub.db import Base, now_utc


class EventType(StrEnum):
    """What can happen in a learner's life here."""

    ENROLLED = "enrolled"
    OPENED = "opened"
    SUBMITTED = "submitted"
    GRADED = "graded"
    GRADING_FAILED = "grading_failed"
    FEEDBACK_READ = "feedback_read"
    MARKED = "marked"  # by a human


class Event(Base):
    """One thing that happened. Never changed, never removed but by erasure of the person."""

    __tablename__ = "events"
    __table_args__ = (
        Index("ix_events_person_at", "person_id", "at"),
        UniqueConstraint("key"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(default=now_utc)
    type: Mapped[EventType] = mapped_column(String(24))
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    course_id: Mapped[int | None] = mapped_column(ForeignKey("courses.id"), default=None)
    assignment_id: Mapped[int | None] = mapped_column(ForeignKey("assignments.id"), default=None)
    submission_id: Mapped[str | None] = mapped_column(String(36), default=None)
    source: Mapped[str] = mapped_column(String(24))  # which part of the platform said so
    key: Mapped[str] = mapped_column(String(100))  # the same happening told twice is one event
    payload: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


class Delivery(Base):
    """An event that a reporter was told of, or could not be."""

    __tablename__ = "deliveries"

    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"), primary_key=True)
    reporter: Mapped[str] = mapped_column(String(60), primary_key=True)
    at: Mapped[datetime] = mapped_column(default=now_utc)
    error: Mapped[str | None] = mapped_column(default=None)
