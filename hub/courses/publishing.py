"""Publishing: an author's folder in, an immutable version out. The second part of what `Courses` is made of.

Called through `Courses` by the routes, by `atelier publish` and at set-up. Must not know HTTP or grading.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from hub.courses.models import Assignment, AssignmentVersion
from hub.courses.rules import SOURCE_LIMITS, check_assignment_slug, source_files
from hub.courses.tracks import Tracks, find_assignment, get_assignment, get_course, no_assignment
from hub.db import now_utc
from hub.errors import ConflictError, InvalidExerciseError, InvalidInputError, NotFoundError, TooLargeError
from hub.submissions.archive import canonical_tar, read_archive
from hub.submissions.intake import NOTEBOOK_MAX_DEPTH, json_depth

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path


class Publishing(Tracks):
    """Versions of exercises."""

    def publish(self, course_slug: str, slug: str, tar: bytes, by: int | None = None) -> AssignmentVersion:
        """Publish an author's folder as a new version; the same folder again is the same version.

        Args:
            course_slug: the track.
            slug: the exercise.
            tar: the folder, as untrusted bytes.
            by: the trainer's id; None: set-up or the command line.

        Raises:
            NotFoundError: there is no such track.
            InvalidExerciseError: the folder or something in it is not usable; says what.
            TooLargeError: too many bytes or files.
            ConflictError: somebody else published the same exercise at this moment.
        """
        course = self.by_slug(course_slug)
        check_assignment_slug(slug)
        try:
            files = source_files(read_archive(tar, SOURCE_LIMITS))
        except TooLargeError:
            raise
        except InvalidInputError as error:
            raise _as_exercise_error(error) from error
        _check_depth(files)
        source = canonical_tar(files)
        known = self._known_version(course.id, slug, hashlib.sha256(source).hexdigest())
        if known is not None:
            return self._make_current(known)
        built = self._build(files, course_slug, slug)
        digest = self._store.put(source)  # what can't be built is not kept
        releases = {language: self._store.put(data) for language, data in built.releases.items()}
        version = AssignmentVersion(
            source_digest=digest,
            releases=releases,
            about={**built.about, "warnings": list(built.warnings)},
            notebooks=built.notebooks,
            cells=built.cells,
            max_score=built.max_score,
            published_by=by,
            published_at=now_utc(),
        )
        return self._add_version(course.id, slug, version)

    def _known_version(self, course_id: int, slug: str, digest: str) -> int | None:
        query = (
            select(AssignmentVersion.id)
            .join(Assignment, Assignment.id == AssignmentVersion.assignment_id)
            .where(Assignment.course_id == course_id, Assignment.slug == slug)
            .where(AssignmentVersion.source_digest == digest)
            .order_by(AssignmentVersion.number.desc())
        )
        with self._database.reading() as session:
            return session.scalar(query)

    def _make_current(self, version_id: int) -> AssignmentVersion:
        with self._database.transaction() as session:
            version = session.get_one(AssignmentVersion, version_id)
            session.get_one(Assignment, version.assignment_id).current_version_id = version.id
            return version

    def _add_version(self, course_id: int, slug: str, version: AssignmentVersion) -> AssignmentVersion:
        try:
            with self._database.transaction() as session:
                assignment = find_assignment(session, course_id, slug)
                if assignment is None:
                    last = select(func.max(Assignment.position)).where(Assignment.course_id == course_id)
                    position = (session.scalar(last) or 0) + 1
                    assignment = Assignment(course_id=course_id, slug=slug, position=position)
                    session.add(assignment)
                    session.flush()
                newest = select(func.max(AssignmentVersion.number)).where(
                    AssignmentVersion.assignment_id == assignment.id
                )
                version.assignment_id = assignment.id
                version.number = (session.scalar(newest) or 0) + 1
                session.add(version)
                session.flush()
                assignment.current_version_id = version.id
                return version
        except IntegrityError as error:
            raise ConflictError(
                "Somebody else published this exercise at the same moment. Try again."
            ) from error

    def publish_folder(self, path: Path, by: int | None = None) -> list[AssignmentVersion]:
        """Publish a folder of tracks (`exercises/`), one track, or one exercise, in alphabetical order.

        The last two parts of an exercise's path are its track and its slug. A track that does not exist yet
        is made.

        Raises:
            InvalidExerciseError: no exercise there, or one that is not usable.
        """
        published = []
        for folder in exercise_folders(path):
            course, slug = folder.parent.name, folder.name
            try:
                self.by_slug(course)
            except NotFoundError:
                self.ensure_course(course, {"en": course.capitalize()}, len(self.all()) + 1)
            published.append(self.publish(course, slug, _tar_of_folder(folder), by))
        if not published:
            raise InvalidExerciseError("There is no exercise in %(folder)s.", folder=path)
        return published

    def order(self, course_slug: str, slugs: Sequence[str]) -> None:
        """Put a track's exercises in this order on the path; those not named come after, as they were."""
        with self._database.transaction() as session:
            course = get_course(session, course_slug)
            assignments = session.scalars(select(Assignment).where(Assignment.course_id == course.id))
            places = {slug: place for place, slug in enumerate(slugs, start=1)}
            for assignment in assignments:
                assignment.position = places.get(assignment.slug, len(slugs) + assignment.position)

    def withdraw(self, course_slug: str, slug: str) -> None:
        """Take an exercise off the path. Its versions, submissions and marks stay.

        Raises:
            NotFoundError: there is none.
        """
        with self._database.transaction() as session:
            get_assignment(session, get_course(session, course_slug).id, slug).current_version_id = None

    def set_deadline(self, course_slug: str, slug: str, deadline: datetime | None) -> None:
        """Set or lift the deadline. What was handed in before keeps its mark of being late or not.

        Raises:
            NotFoundError: there is no such exercise, or it is withdrawn.
        """
        with self._database.transaction() as session:
            assignment = get_assignment(session, get_course(session, course_slug).id, slug)
            if assignment.current_version_id is None:
                raise no_assignment()
            assignment.deadline = deadline


def exercise_folders(path: Path) -> list[Path]:
    """Return the exercise folders at, one below or two below `path`: those that hold a notebook."""
    path = path.resolve()
    if any(path.glob("*.ipynb")):
        return [path]
    for pattern in ("*/*.ipynb", "*/*/*.ipynb"):
        found = {file.parent for file in path.glob(pattern) if not file.parent.name.startswith(".")}
        if found:
            return sorted(found)
    return []


def _tar_of_folder(folder: Path) -> bytes:
    files = {}
    for file in sorted(folder.rglob("*")):
        if file.is_symlink():
            raise InvalidExerciseError("%(file)s is a link. Put the file itself there.", file=file)
        if file.is_file():
            files[file.relative_to(folder).as_posix()] = file.read_bytes()
    return canonical_tar(source_files(files))


def _check_depth(files: Mapping[str, bytes]) -> None:
    """Refuse notebooks that are nested so deep that they would end the builder instead of telling their author."""
    for path, data in files.items():
        if path.endswith(".ipynb") and json_depth(data) > NOTEBOOK_MAX_DEPTH:
            raise InvalidExerciseError(
                "The notebook %(name)s can't be read. Open it in JupyterLab, save it, and hand it in again.",
                name=path,
                log=f"{path}: it is nested too deep",
            )


def _as_exercise_error(error: InvalidInputError) -> InvalidExerciseError:
    values: dict[str, Any] = dict(error.values)
    return InvalidExerciseError(error.message, log=error.log, **values)
