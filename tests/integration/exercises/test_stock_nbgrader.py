"""Our exercises on stock nbgrader: its own commands release and grade them, without anything of Atelier's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from nbgrader.api import Gradebook

from hub.courses.exercise import assignment_files, load_exercise

pytestmark = pytest.mark.integration

EXERCISES = Path(__file__).parents[3] / "exercises"
BIN = Path(sys.executable).parent


def nbgrader(course: Path, *arguments: str) -> None:
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    run = subprocess.run(
        [BIN / "nbgrader", *arguments],
        cwd=course,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr


def write(folder: Path, files: dict[str, bytes]) -> None:
    for path, data in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)


def test_the_first_page_is_released_and_graded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{BIN}{os.pathsep}{os.environ['PATH']}")  # nbgrader runs alembic by name
    exercise = load_exercise(EXERCISES / "web" / "first-page")
    edits = {exercise.slug: list(exercise.sheet.edits)}
    (tmp_path / "nbgrader_config.py").write_text(
        f"c = get_config()\nc.CourseDirectory.course_id = 'web'\nc.Autograde.exclude_overwriting = {edits}\n"
    )
    write(tmp_path / "source" / exercise.slug, assignment_files(exercise))
    nbgrader(tmp_path, "generate_assignment", exercise.slug)

    folder = tmp_path / "release" / exercise.slug
    released = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert sorted(released) == ["bread.svg", "first-page.ipynb", "index.html", "style.css"]
    assert b"BEGIN HIDDEN" not in released["first-page.ipynb"]

    tried = {
        answer.name: answer for answer in exercise.answers if answer.name in ("right-french", "wrong-boxes")
    }
    for name, answer in tried.items():
        write(tmp_path / "submitted" / name / exercise.slug, released | answer.files())
    nbgrader(tmp_path, "autograde", exercise.slug, "--create")
    with Gradebook(f"sqlite:///{tmp_path / 'gradebook.db'}", "web") as gradebook:
        scores = {one.student.id: one.score for one in gradebook.assignment_submissions(exercise.slug)}
    assert scores == {"right-french": 10.0, "wrong-boxes": tried["wrong-boxes"].expected.score}
