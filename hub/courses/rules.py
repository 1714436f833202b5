"""Names and limits of what can be published: pure functions, no database, no HTTP.

Called by the service of courses.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from hub.errors import InvalidInputError
from hub.people.models import Role
from hub.submissions.archive import ArchiveLimits

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SOURCE_LIMITS = ArchiveLimits(max_bytes=64 * 1024 * 1024, max_files=1000, max_depth=8)
_COURSE = re.compile(r"[a-z][a-z0-9-]{0,39}")
_ASSIGNMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_NOT_SOURCE = frozenset({"__pycache__", "node_modules", "__MACOSX"})


def check_course_slug(slug: str) -> str:
    """Return the track's name when it can be a folder, a URL part and an nbgrader course id.

    Raises:
        InvalidInputError: it can't.
    """
    if not _COURSE.fullmatch(slug):
        raise InvalidInputError(
            "A track's name is made of small letters, digits and hyphens: %(name)s", name=slug[:60]
        )
    return slug


def check_assignment_slug(slug: str) -> str:
    """Return the exercise's name when it can be a folder, a URL part and an nbgrader assignment name.

    Raises:
        InvalidInputError: it can't.
    """
    # nbgrader joins assignment and learner by "+" in file names, and refuses it in names
    if not _ASSIGNMENT.fullmatch(slug) or ".." in slug or slug.endswith("."):
        raise InvalidInputError(
            "An exercise's name is made of letters, digits, dots and hyphens: %(name)s", name=slug[:60]
        )
    return slug


def source_files(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return what of an author's folder belongs to the exercise: no hidden files, no caches."""
    return {path: data for path, data in files.items() if not _is_litter(path)}


def _is_litter(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return any(part.startswith(".") or part in _NOT_SOURCE for part in parts) or path.endswith(".pyc")


def solution_cells(cells: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the grade_ids of the cells where learners write: they take a comment, with or without points."""
    abouts = [cell.get("metadata", {}).get("nbgrader", {}) for cell in cells]
    return [str(about["grade_id"]) for about in abouts if about.get("solution") and about.get("grade_id")]


def exchange_role(role: Role) -> str:
    """Return what nbgrader's exchange calls this person in a course: only trainers and admins are more than learners."""
    return "trainer" if role in (Role.TRAINER, Role.ADMIN) else "learner"
