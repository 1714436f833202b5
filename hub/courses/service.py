"""Courses: tracks, who takes part, which exercises there are and in which version. The one door to these tables.

Called by the routes and pages, by the service of submissions, by `atelier publish` and at set-up. Must not know
HTTP, grading, or what a learner handed in.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

from sqlalchemy import select

from hub.courses.build import build
from hub.courses.exercise_sheet import LimitsSheet
from hub.courses.models import Assignment, AssignmentVersion
from hub.courses.publishing import Publishing
from hub.courses.tracks import Builder, get_assignment, get_course, no_assignment
from hub.submissions.archive import open_canonical

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from graders.results import Limits
    from hub.db import Database
    from hub.settings import Settings
    from hub.submissions.store import Store

CACHED_SOURCES = 32


@dataclass(frozen=True, slots=True)
class AssignmentView:
    """An exercise with the version that learners get now; `version` is None once it is withdrawn."""

    assignment: Assignment
    version: AssignmentVersion | None


@dataclass(frozen=True, slots=True)
class Source:
    """What grading needs of a version: the author's whole folder, the paths that learners get, the limits."""

    files: dict[str, bytes]
    delivered: frozenset[str]
    limits: Limits


class Courses(Publishing):
    """Tracks, enrolments, exercises and their immutable versions."""

    def __init__(
        self, database: Database, store: Store, settings: Settings, builder: Builder = build
    ) -> None:
        super().__init__(database, store, settings, builder)
        self._sources: OrderedDict[int, Source] = OrderedDict()
        self._sources_lock = Lock()

    def assignments(self, course_id: int, include_withdrawn: bool = False) -> list[AssignmentView]:  # noqa: FBT001, FBT002 - agreed
        """Return the exercises of a track, in order."""
        query = (
            select(Assignment, AssignmentVersion)
            .outerjoin(AssignmentVersion, AssignmentVersion.id == Assignment.current_version_id)
            .where(Assignment.course_id == course_id)
            .order_by(Assignment.position, Assignment.slug)
        )
        if not include_withdrawn:
            query = query.where(Assignment.current_version_id.is_not(None))
        with self._database.reading() as session:
            return [AssignmentView(assignment, version) for assignment, version in session.execute(query)]

    def assignment(self, course_slug: str, slug: str) -> AssignmentView:
        """Return one exercise, withdrawn or not.

        Raises:
            NotFoundError: there is none.
        """
        with self._database.reading() as session:
            assignment = get_assignment(session, get_course(session, course_slug).id, slug)
            return _view(session, assignment)

    def assignment_by_id(self, assignment_id: int) -> AssignmentView:
        """Return the exercise with this id, withdrawn or not.

        Raises:
            NotFoundError: there is none.
        """
        with self._database.reading() as session:
            assignment = session.get(Assignment, assignment_id)
            if assignment is None:
                raise no_assignment()
            return _view(session, assignment)

    def version(self, version_id: int) -> AssignmentVersion:
        """Return a version, the current one or an old one.

        Raises:
            NotFoundError: there is none.
        """
        with self._database.reading() as session:
            version = session.get(AssignmentVersion, version_id)
        if version is None:
            raise no_assignment()
        return version

    def release(self, version: AssignmentVersion, language: str) -> bytes:
        """Return the tar that a learner gets, in their language or else in English."""
        return self._store.get(version.releases.get(language) or version.releases["en"])

    def source_tar(self, version: AssignmentVersion) -> bytes:
        """Return the author's folder as it was published; for trainers only."""
        return self._store.get(version.source_digest)

    def source(self, version: AssignmentVersion) -> Source:
        """Return what grading needs of a version. Versions never change, so the newest few are kept in memory."""
        with self._sources_lock:
            if version.id in self._sources:
                self._sources.move_to_end(version.id)
                return self._sources[version.id]
        limits = LimitsSheet.model_validate(version.about.get("limits", {})).limits()
        delivered = frozenset(open_canonical(self.release(version, "en")))
        folder = open_canonical(self.source_tar(version))
        needed = {path: data for path, data in folder.items() if not path.startswith("answers/wrong-")}
        source = Source(needed, delivered, limits)
        with self._sources_lock:
            self._sources[version.id] = source
            while len(self._sources) > CACHED_SOURCES:
                self._sources.popitem(last=False)
        return source


def _view(session: Session, assignment: Assignment) -> AssignmentView:
    current = assignment.current_version_id
    return AssignmentView(assignment, session.get_one(AssignmentVersion, current) if current else None)
