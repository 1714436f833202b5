"""Tables of people: persons, who mentors whom, failed sign-ins."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from hub.db import Base, now_utc


class Role(StrEnum):
    """What a person is on this platform. One each; enrolments say where."""

    LEARNER = "learner"
    TRAINER = "trainer"
    MENTOR = "mentor"
    ADMIN = "admin"


class Person(Base):
    """Somebody who may sign in. `name` is the JupyterHub user name: lower case, never reused."""

    __tablename__ = "people"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(32), unique=True)
    display_name: Mapped[str] = mapped_column(String(120))
    role: Mapped[Role] = mapped_column(String(16))
    language: Mapped[str] = mapped_column(String(2), default="en")
    password_hash: Mapped[str | None] = mapped_column(String(200), default=None)
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(default=now_utc)


class Mentorship(Base):
    """A mentor follows a learner."""

    __tablename__ = "mentorships"

    mentor_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    learner_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True, index=True)


class FailedSignIn(Base):
    """One wrong password for a name (whether or not the name exists), for the throttle."""

    __tablename__ = "failed_sign_ins"
    __table_args__ = (Index("ix_failed_sign_ins_name_at", "name", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(32))
    address: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(default=now_utc)
