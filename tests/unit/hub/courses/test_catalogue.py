"""The tracks' own files: what they must hold, and that they and the folders agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hub.courses.catalogue import load_track, publish_catalogue
from hub.errors import InvalidExerciseError

if TYPE_CHECKING:
    from pathlib import Path

GOOD = "position: 1\ntitles: {en: Web, fr: Web, nl: Web}\nexercises: [one]\n"


def track(folder: Path, text: str, *exercises: str) -> Path:
    place = folder / "web"
    place.mkdir()
    (place / "track.yml").write_text(text, encoding="utf-8")
    for name in exercises:
        (place / name).mkdir()
    return place


def test_a_track_is_read(tmp_path: Path) -> None:
    assert load_track(track(tmp_path, GOOD)).exercises == ("one",)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("position: [", "is not YAML"),
        ("position: 1\n", "titles"),
        (GOOD.replace("nl: Web", "nl: ''"), r"titles\.nl"),
        (GOOD + "colour: red\n", "colour"),
        (GOOD.replace("position: 1", "position: -1"), "position"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(InvalidExerciseError, match=says):
        load_track(track(tmp_path, text))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidExerciseError, match=r"track\.yml can't be read"):
        load_track(tmp_path)


class Courses:
    """Nothing may be published when the names don't agree."""

    def ensure_course(self, *_: object) -> None:
        raise AssertionError("published in spite of a wrong track file")


@pytest.mark.parametrize(
    ("text", "folders", "says"),
    [
        (GOOD, ("one", "two"), "does not name the exercise: two"),
        (GOOD, (), "names an exercise that isn't there: one"),
        (GOOD.replace("[one]", "[one, one]"), ("one",), "names an exercise twice"),
    ],
)
def test_files_and_folders_agree(tmp_path: Path, text: str, folders: tuple[str, ...], says: str) -> None:
    track(tmp_path, text, *folders)
    with pytest.raises(InvalidExerciseError, match=says):
        publish_catalogue(Courses(), tmp_path)  # type: ignore[arg-type]
