"""The catalogue: `track.yml` in each track's folder says its titles, its place and the order of its exercises.

Called by set-up and by `atelier publish`. Must not know how a version is built: the service of courses does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hub.errors import InvalidExerciseError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hub.courses.service import Courses

TRACK_FILE = "track.yml"


class Titles(BaseModel):
    """A track's title in every language of the platform."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    en: str = Field(min_length=1, max_length=80)
    fr: str = Field(min_length=1, max_length=80)
    nl: str = Field(min_length=1, max_length=80)


class Track(BaseModel):
    """What `track.yml` holds. `exercises` is the order in which the path shows them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    position: int = Field(ge=0, le=1000)
    titles: Titles
    exercises: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Published:
    """One exercise of the catalogue, and the number of the version that learners get now."""

    track: str
    slug: str
    version: int


def load_track(folder: Path) -> Track:
    """Read a track's file.

    Raises:
        InvalidExerciseError: it is missing, isn't YAML, or a key is wrong; the message names it.
    """
    path = folder / TRACK_FILE
    try:
        return Track.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise InvalidExerciseError("%(file)s can't be read.", file=path) from error
    except yaml.YAMLError as error:
        raise InvalidExerciseError("%(file)s is not YAML: %(why)s", file=path, why=error) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise InvalidExerciseError(
            "%(file)s: %(where)s: %(why)s", file=path, where=where, why=first["msg"]
        ) from error


def publish_catalogue(
    courses: Courses, folder: Path, tell: Callable[[Published], None] = lambda _published: None
) -> list[Published]:
    """Publish every track below `folder`: the tracks, then their exercises in the order their files give.

    The same exercise published again is the same version. An exercise folder that no track file names is an error:
    it would be invisible, and nobody would know why.

    Raises:
        InvalidExerciseError: a track file or an exercise is not usable.
    """
    published = []
    for track_file in sorted(folder.glob(f"*/{TRACK_FILE}")):
        track_folder = track_file.parent
        track = load_track(track_folder)
        _check_names(track_folder, track)
        courses.ensure_course(track_folder.name, track.titles.model_dump(), track.position)
        for slug in track.exercises:
            (version,) = courses.publish_folder(track_folder / slug)
            published.append(Published(track_folder.name, slug, version.number))
            tell(published[-1])
        courses.order(track_folder.name, track.exercises)
    return published


def _check_names(folder: Path, track: Track) -> None:
    there = {path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")}
    named = set(track.exercises)
    if len(named) != len(track.exercises):
        raise InvalidExerciseError("%(file)s names an exercise twice.", file=folder / TRACK_FILE)
    for slug in sorted(named ^ there):
        problem = "names an exercise that isn't there" if slug in named else "does not name the exercise"
        raise InvalidExerciseError(
            "%(file)s %(problem)s: %(slug)s", file=folder / TRACK_FILE, problem=problem, slug=slug
        )
