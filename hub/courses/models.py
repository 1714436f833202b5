"""Tables of courses: tracks, enrolments, assignments and their published versions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from hub.db import Base, now_utc


class Course(Base):
    """A track: an nbgrader course. `slug` is nbgrader's course id."""

    __tablename__ = "courses"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(40), unique=True)
    titles: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)  # language -> title
    position: Mapped[int] = mapped_column(default=0)


class Enrolment(Base):
    """A person takes part in a course: a learner learns, a trainer trains."""

    __tablename__ = "enrolments"

    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id"), primary_key=True, index=True)
    since: Mapped[datetime] = mapped_column(default=now_utc)


class Assignment(Base):
    """An exercise of a track: an nbgrader assignment. Points at the version that learners get now."""

    __tablename__ = "assignments"
    __table_args__ = (UniqueConstraint("course_id", "slug"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id"), index=True)
    slug: Mapped[str] = mapped_column(String(80))
    position: Mapped[int] = mapped_column(default=0)
    deadline: Mapped[datetime | None] = mapped_column(default=None)
    current_version_id: Mapped[int | None] = mapped_column(
        ForeignKey("assignment_versions.id", use_alter=True), default=None
    )  # None: withdrawn


class AssignmentVersion(Base):
    """An immutable published state of an exercise. The blobs are tars in the store, named by their SHA-256."""

    __tablename__ = "assignment_versions"
    __table_args__ = (UniqueConstraint("assignment_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    assignment_id: Mapped[int] = mapped_column(ForeignKey("assignments.id"), index=True)
    number: Mapped[int]
    source_digest: Mapped[str] = mapped_column(String(64))  # the nbgrader source folder
    releases: Mapped[dict[str, str]] = mapped_column(JSON)  # language -> digest of the release tar
    about: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)  # exercise.yml, validated
    notebooks: Mapped[list[str]] = mapped_column(JSON)
    cells: Mapped[list[dict[str, Any]]] = mapped_column(
        JSON
    )  # grade cells: notebook, grade_id, max_score, manual
    max_score: Mapped[float]
    published_at: Mapped[datetime] = mapped_column(default=now_utc)
    published_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"), default=None)
