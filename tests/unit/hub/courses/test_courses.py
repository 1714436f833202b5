"""Tracks, enrolments, versions: publishing is idempotent and immutable."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from hub.courses.publishing import exercise_folders
from hub.courses.rules import check_assignment_slug, check_course_slug, exchange_role, source_files
from hub.courses.service import Courses
from hub.db import Database, now_utc
from hub.errors import InvalidExerciseError, InvalidInputError, NotFoundError, TooLargeError
from hub.people.models import Role
from hub.submissions.archive import canonical_tar, open_canonical
from tests.doubles.platform import Platform, double_builder, make_platform, source_notebook

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hub.courses.build import Built
    from hub.settings import Settings


@pytest.fixture
def platform(settings: Settings, database: Database) -> Platform:
    return make_platform(settings, database)


def test_tracks_are_made_and_renamed(platform: Platform) -> None:
    first = platform.courses.ensure_course("web", {"en": "Web"}, 2)
    platform.courses.ensure_course("data", {"en": "Data"}, 1)
    again = platform.courses.ensure_course("web", {"en": "Web", "fr": "Le web"}, 0)
    assert again.id == first.id
    assert [course.slug for course in platform.courses.all()] == ["web", "data"]
    assert platform.courses.by_slug("web").titles["fr"] == "Le web"
    assert platform.courses.by_id(first.id).slug == "web"


def test_taking_part(platform: Platform) -> None:
    course = platform.courses.ensure_course("data", {}, 1)
    lea, tom = platform.person("lea"), platform.person("tom", Role.TRAINER)
    gone = platform.person("gone")
    for person in (lea, lea, tom, gone):
        platform.courses.enrol(person.id, "data")
    platform.people.set_active(gone.id, False)
    assert platform.courses.is_enrolled(lea.id, course.id)
    assert not platform.courses.is_enrolled(lea.id, course.id + 1)
    assert [found.slug for found in platform.courses.of_person(tom.id)] == ["data"]
    assert platform.courses.learners(course.id) == [lea.id]


def test_a_version_is_made_once_for_each_folder(platform: Platform) -> None:
    first = platform.publish()
    assert (first.number, first.notebooks, first.max_score) == (1, ["double"], 5.0)
    assert [(cell["grade_id"], cell["manual"]) for cell in first.cells] == [
        ("double-check", False),
        ("essay", True),
    ]
    assert platform.publish().id == first.id
    second = platform.publish(level=2)
    assert second.number == 2
    assert platform.publish().id == first.id  # going back is no new version
    view = platform.courses.assignment("data", "double")
    assert view.version is not None
    assert view.version.id == first.id
    assert platform.courses.version(second.id).about["level"] == 2


def test_everyone_gets_their_language_or_english(platform: Platform) -> None:
    version = platform.publish()
    for asked, got in (("fr", b"fr"), ("nl", b"nl"), ("de", b"en")):
        assert open_canonical(platform.courses.release(version, asked))["language.txt"] == got
    assert b"BEGIN SOLUTION" not in open_canonical(platform.courses.release(version, "en"))["double.ipynb"]
    assert b"BEGIN SOLUTION" in platform.courses.source(version).files["double.ipynb"]
    assert platform.courses.source(version) is platform.courses.source(version)


def test_withdrawing_keeps_versions(platform: Platform) -> None:
    version = platform.publish()
    course = platform.courses.by_slug("data")
    platform.courses.withdraw("data", "double")
    assert platform.courses.assignments(course.id) == []
    (view,) = platform.courses.assignments(course.id, include_withdrawn=True)
    assert view.version is None
    with pytest.raises(NotFoundError):
        platform.courses.set_deadline("data", "double", now_utc())
    assert platform.publish().id == version.id
    assert len(platform.courses.assignments(course.id)) == 1


def test_a_deadline_is_set_and_lifted(platform: Platform) -> None:
    platform.publish()
    at = now_utc() + timedelta(days=1)
    platform.courses.set_deadline("data", "double", at)
    assert platform.courses.assignment("data", "double").assignment.deadline == at
    platform.courses.set_deadline("data", "double", None)
    assert platform.courses.assignment("data", "double").assignment.deadline is None


def test_what_is_not_there_is_not_found(platform: Platform) -> None:
    platform.publish()
    for course, slug in (("none", "double"), ("data", "none"), ("data", "../double"), ("DATA", "double")):
        with pytest.raises(NotFoundError):
            platform.courses.assignment(course, slug)
    with pytest.raises(NotFoundError):
        platform.courses.version(99)
    with pytest.raises(NotFoundError):
        platform.courses.publish("none", "double", canonical_tar({}))


@pytest.mark.parametrize("slug", ["../x", "a/b", ".hidden", "", "a" * 81, "a+b", "a b", "é", "x..y", "x."])
def test_names_of_exercises_that_can_not_be_folders(platform: Platform, slug: str) -> None:
    platform.courses.ensure_course("data", {}, 1)
    with pytest.raises(InvalidInputError):
        platform.courses.publish("data", slug, canonical_tar({"x.ipynb": source_notebook()}))
    with pytest.raises(InvalidInputError):
        check_assignment_slug(slug)


def test_names_of_tracks() -> None:
    assert check_course_slug("dev-sec-ops2") == "dev-sec-ops2"
    for slug in ("", "Web", "../x", "1web", "a" * 41, "web_dev"):
        with pytest.raises(InvalidInputError):
            check_course_slug(slug)


def test_a_hostile_folder_is_an_invalid_exercise(platform: Platform) -> None:
    platform.courses.ensure_course("data", {}, 1)
    with pytest.raises(InvalidExerciseError):
        platform.courses.publish("data", "double", b"not a tar" * 200)
    with pytest.raises(TooLargeError):
        platform.courses.publish("data", "double", canonical_tar({f"f{n}": b"" for n in range(1001)}))


def test_litter_is_not_published() -> None:
    files = {
        "a.ipynb": b"",
        ".git/config": b"",
        "__pycache__/x.pyc": b"",
        "d/.ipynb_checkpoints/a.ipynb": b"",
        "d/b": b"",
    }
    assert sorted(source_files(files)) == ["a.ipynb", "d/b"]


def test_a_builder_that_fails_publishes_nothing(settings: Settings, database: Database) -> None:
    platform = make_platform(settings, database)

    def refuse(_files: Mapping[str, bytes], _course: str, _slug: str) -> Built:
        raise InvalidExerciseError("no")

    courses = Courses(database, platform.store, settings, refuse)
    courses.ensure_course("data", {}, 1)
    with pytest.raises(InvalidExerciseError):
        courses.publish("data", "double", canonical_tar({"double.ipynb": source_notebook()}))
    with pytest.raises(NotFoundError):
        courses.assignment("data", "double")


def test_folders_are_found_and_published(platform: Platform, tmp_path: Path) -> None:
    for track, slug in (("web", "page"), ("data", "table"), ("data", "plot")):
        folder = tmp_path / track / slug
        (folder / "answers" / "right").mkdir(parents=True)
        (folder / f"{slug}.ipynb").write_bytes(source_notebook())
        (folder / ".hidden").write_text("x")
    assert [path.name for path in exercise_folders(tmp_path)] == ["plot", "table", "page"]
    assert exercise_folders(tmp_path / "web" / "page") == [tmp_path / "web" / "page"]
    assert len(platform.courses.publish_folder(tmp_path)) == 3
    assert [course.slug for course in platform.courses.all()] == ["data", "web"]
    version = platform.courses.assignment("web", "page").version
    assert version is not None
    assert sorted(open_canonical(platform.courses.source_tar(version))) == ["page.ipynb"]
    with pytest.raises(InvalidExerciseError):
        platform.courses.publish_folder(tmp_path / "web" / "page" / "answers")


def test_a_link_in_a_folder_is_refused(platform: Platform, tmp_path: Path) -> None:
    folder = tmp_path / "web" / "page"
    folder.mkdir(parents=True)
    (folder / "page.ipynb").write_bytes(source_notebook())
    (folder / "data.csv").symlink_to("/etc/passwd")
    with pytest.raises(InvalidExerciseError, match="link"):
        platform.courses.publish_folder(folder)


def test_only_trainers_are_more_than_learners() -> None:
    assert {role: exchange_role(role) for role in Role} == {
        Role.LEARNER: "learner",
        Role.MENTOR: "learner",
        Role.TRAINER: "trainer",
        Role.ADMIN: "trainer",
    }


def test_the_double_builds_what_the_real_one_builds() -> None:
    assert double_builder({"double.ipynb": source_notebook()}, "data", "double").max_score == 5.0
