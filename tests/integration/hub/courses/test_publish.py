"""Publishing with the real builder: graders' release, three languages, in a process of its own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from hub.courses import build as build_module
from hub.courses.build import build
from hub.courses.service import Courses
from hub.errors import InvalidExerciseError, UnavailableError
from hub.submissions.archive import canonical_tar, open_canonical
from hub.submissions.store import Store
from tests.doubles.notebooks import cell, check, notebook, solution

if TYPE_CHECKING:
    from hub.db import Database
    from hub.settings import Settings

pytestmark = pytest.mark.integration
SHEET = """
title: {en: Double, fr: Doubler, nl: Verdubbelen}
edits: [notes.txt]
limits: {wall_s: 30}
comments:
  "Return twice x.": {fr: "Renvoie deux fois x.", nl: "Geeft twee keer x."}
"""


def exercise(**files: str) -> dict[str, bytes]:
    intro = cell("# Double", kind="markdown", atelier={"i18n": {"fr": "# Doubler", "nl": "# Verdubbelen"}})
    content = {
        "exercise.yml": SHEET,
        "double.ipynb": json.dumps(notebook(intro, solution(), check())),
        "files/notes.txt": "# Return twice x.\n",
        "answers/right-one/double.ipynb": "{}",
        **files,
    }
    return {path: text.encode() for path, text in content.items()}


@pytest.fixture
def courses(settings: Settings, database: Database) -> Courses:
    courses = Courses(database, Store(settings.store_dir), settings)
    courses.ensure_course("maths", {"en": "Maths"}, 1)
    return courses


def test_an_exercise_becomes_three_releases_without_secrets(courses: Courses) -> None:
    version = courses.publish("maths", "double", canonical_tar(exercise()))
    assert (version.notebooks, version.max_score) == (["double"], 2.0)
    assert version.cells == [
        {"notebook": "double", "grade_id": "double-check", "max_score": 2.0, "manual": False}
    ]
    assert version.about["edits"] == ["notes.txt"]
    assert version.about["solution_cells"] == [["double", "double"]]
    for language, title, note in (
        ("en", "# Double", "twice"),
        ("fr", "# Doubler", "deux fois"),
        ("nl", "# Verdubbelen", "keer"),
    ):
        files = open_canonical(courses.release(version, language))
        assert sorted(files) == ["double.ipynb", "notes.txt"]
        released = json.loads(files["double.ipynb"])
        assert "".join(released["cells"][0]["source"]) == title
        assert note in files["notes.txt"].decode()
        assert "return 2 * x" not in files["double.ipynb"].decode()
        assert "HIDDEN" not in files["double.ipynb"].decode()
        assert "-3" not in files["double.ipynb"].decode()
    source = courses.source(version)
    assert source.limits.wall_s == 30
    assert source.delivered == {"double.ipynb", "notes.txt"}
    assert "exercise.yml" in source.files


def test_a_plain_nbgrader_folder_is_published_as_it_stands(courses: Courses) -> None:
    files = {"double.ipynb": json.dumps(notebook(solution(), check())).encode(), "data.csv": b"1,2\n"}
    version = courses.publish("maths", "plain", canonical_tar(files))
    assert sorted(open_canonical(courses.release(version, "fr"))) == ["data.csv", "double.ipynb"]
    assert version.about["has_sheet"] is False


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"exercise.yml": "title: [1"}, "exercise.yml"),
        ({"exercise.yml": "title: {en: x}\nlevel: 9"}, "level"),
        ({"exercise.yml": "title: !!python/object/apply:os.system [id]"}, "exercise.yml"),
        ({"exercise.yml": "a: &a [x]\nb: *a"}, "alias"),
        ({"double.ipynb": "[]"}, "double.ipynb"),
        ({"double.ipynb": json.dumps(notebook(solution(), check(), check()))}, "double"),
    ],
)
def test_what_is_wrong_is_said(courses: Courses, files: dict[str, str], says: str) -> None:
    with pytest.raises(InvalidExerciseError, match=says):
        courses.publish("maths", "double", canonical_tar(exercise(**files)))


def test_a_build_without_end_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build_module, "PROGRAM", "import time; time.sleep(60)")
    monkeypatch.setattr(build_module, "BUILD_SECONDS", 0.5)
    with pytest.raises(UnavailableError):
        build(exercise(), "maths", "double")


def test_a_builder_that_dies_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build_module, "PROGRAM", "import os; os._exit(9)")
    with pytest.raises(UnavailableError) as refusal:
        build(exercise(), "maths", "double")
    assert refusal.value.reason == "build_failed"
