"""The platform's services wired over one database, with a builder that needs no nbgrader.

For tests of submissions, courses and the worker. `publish` and `hand_in` are what most tests begin with.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hub.courses.build import Built
from hub.courses.service import Courses
from hub.people.models import Person, Role
from hub.people.service import People
from hub.progress.service import Progress
from hub.submissions.archive import canonical_tar
from hub.submissions.service import Submissions
from hub.submissions.store import Store
from tests.doubles.notebooks import RELEASED, RIGHT, SOLUTION, cell, check, notebook, solution

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hub.courses.models import AssignmentVersion
    from hub.db import Database
    from hub.settings import Settings
    from hub.submissions.models import Submission


def double_builder(files: Mapping[str, bytes], _course: str, _slug: str) -> Built:
    """Build without nbgrader: the release is the source with RELEASED in the place of every solution."""
    notebooks = sorted(path.removesuffix(".ipynb") for path in files if path.endswith(".ipynb"))
    cells = []
    for name in notebooks:
        for one in json.loads(files[f"{name}.ipynb"])["cells"]:
            about = one["metadata"].get("nbgrader", {})
            if about.get("grade"):
                manual = bool(about.get("solution"))
                cells.append(
                    {
                        "notebook": name,
                        "grade_id": about["grade_id"],
                        "max_score": float(about["points"]),
                        "manual": manual,
                    }
                )
    about = json.loads(files["about.json"]) if "about.json" in files else {}
    released = {
        path: data.replace(json.dumps(SOLUTION).encode(), json.dumps(RELEASED).encode())
        for path, data in files.items()
        if path != "about.json"
    }
    return Built(
        releases={
            language: canonical_tar({**released, "language.txt": language.encode()})
            for language in ("en", "fr", "nl")
        },
        about={"solution_cells": [[name, "double"] for name in notebooks], **about},
        notebooks=notebooks,
        cells=cells,
        max_score=sum(one["max_score"] for one in cells),
    )


def source_notebook(points: float = 2) -> bytes:
    """Return a source notebook: a solution, a test worth `points`, an essay worth 3."""
    essay = cell("Write.", "essay", kind="markdown", grade=True, solution=True, points=3)
    return json.dumps(notebook(solution(), check(points=points), essay)).encode()


def answer_notebook(text: str = RIGHT) -> bytes:
    """Return the notebook as a learner hands it in."""
    return json.dumps(notebook(solution(text), check())).encode()


@dataclass
class Platform:
    """Every service over one database."""

    settings: Settings
    database: Database
    store: Store
    people: People
    courses: Courses
    submissions: Submissions
    progress: Progress

    def person(
        self, name: str, role: Role = Role.LEARNER, language: str = "en", courses: Sequence[str] = ()
    ) -> Person:
        """Make a person who takes part in `courses`."""
        person = self.people.create(name, name.capitalize(), role, language, None)
        for course in courses:
            self.courses.enrol(person.id, course)
        return person

    def publish(self, slug: str = "double", course: str = "data", **about: Any) -> AssignmentVersion:
        """Publish a small exercise in a course that is made where it is missing."""
        self.courses.ensure_course(course, {"en": course.capitalize(), "fr": f"{course} (fr)"}, 1)
        files = {f"{slug}.ipynb": source_notebook(), "given.csv": b"a,b\n1,2\n"}
        if about:
            files["about.json"] = json.dumps(about).encode()
        return self.courses.publish(course, slug, canonical_tar(files))

    def hand_in(
        self, person: Person, slug: str = "double", course: str = "data", **files: bytes
    ) -> Submission:
        """Hand in an answer."""
        work = {f"{slug}.ipynb": answer_notebook(), **files}
        return self.submissions.submit(person, course, slug, canonical_tar(work))


def make_platform(settings: Settings, database: Database) -> Platform:
    """Wire the services to a database."""
    store = Store(settings.store_dir)
    people = People(database, settings)
    courses = Courses(database, store, settings, double_builder)
    progress = Progress(database, settings, reporters=[])
    submissions = Submissions(database, store, settings, people, courses, progress)
    return Platform(settings, database, store, people, courses, submissions, progress)
