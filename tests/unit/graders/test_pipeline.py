"""The recipe as a whole, over a sandbox that runs nothing: what goes in, what is kept, what is raised."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from graders.command import grade_command
from graders.errors import SandboxError, SourceError
from graders.recipe import RecipeBook
from graders.results import Limits
from graders.sandbox.job import End
from tests.doubles.notebooks import TEST_SOURCE, answer, cell, check, exercise, notebook, solution, write
from tests.doubles.sandbox import ScriptedSandbox

if TYPE_CHECKING:
    from pathlib import Path


def test_what_goes_into_the_sandbox(grade_answer: Any, source_dir: Path) -> None:
    sandbox = ScriptedSandbox()
    grade_answer(sandbox=sandbox, files={"data.csv": b"mine", "own.txt": b"1", "extra.ipynb": b"{}"})
    recording, grading = sandbox.jobs
    assert recording.mode == "record"
    assert recording.files == {"data.csv": b"a,b\n"}
    assert "return 2 * x" in recording.notebooks[0].cells[1].source
    assert grading.files == {"data.csv": b"a,b\n", "own.txt": b"1"}
    assert grading.published == {"data.csv"}
    assert grading.notebooks[0].record == {}
    assert grading.notebooks[0].cells[2].source == TEST_SOURCE


def test_files_that_the_learner_edits_are_the_learners(grade_answer: Any) -> None:
    sandbox = ScriptedSandbox()
    grade_answer(sandbox=sandbox, files={"data.csv": b"mine"}, edits=("data.csv",))
    assert sandbox.jobs[-1].files == {"data.csv": b"mine"}
    assert sandbox.jobs[-1].published == frozenset()


def test_a_published_exercise_is_recorded_once(grade_answer: Any, source_dir: Path) -> None:
    sandbox = ScriptedSandbox()
    for _ in range(3):
        grade_answer(sandbox=sandbox)
    assert [job.mode for job in sandbox.jobs] == ["record", "grade", "grade", "grade"]
    write(source_dir, {"double": exercise(cell("new = 1"))})
    grade_answer(sandbox=sandbox)
    assert [job.mode for job in sandbox.jobs].count("record") == 2


def test_another_image_records_again(tmp_path: Path, source_dir: Path) -> None:
    one, other = ScriptedSandbox(), ScriptedSandbox()
    other.fingerprint = "another"
    RecipeBook(tmp_path / "r", one).of(source_dir)
    RecipeBook(tmp_path / "r", other).of(source_dir)
    assert len(one.jobs) == len(other.jobs) == 1


def test_a_record_that_was_cut_short_is_made_again(tmp_path: Path, source_dir: Path) -> None:
    sandbox = ScriptedSandbox()
    RecipeBook(tmp_path / "r", sandbox).of(source_dir)
    (kept,) = (tmp_path / "r").glob("*.json")
    kept.write_text('{"records": {')
    RecipeBook(tmp_path / "r", sandbox).of(source_dir)
    assert len(sandbox.jobs) == 2
    assert json.loads(kept.read_text())["records"] == {"double": {}}


def test_a_version_is_read_once(tmp_path: Path, source_dir: Path) -> None:
    book = RecipeBook(tmp_path / "r", ScriptedSandbox())
    assert book.of(source_dir, "v1") is book.of(tmp_path / "elsewhere", "v1")
    assert book.of(source_dir) is not book.of(source_dir)


def test_an_exercise_without_code_needs_no_sandbox(grade_answer: Any, source_dir: Path) -> None:
    essay = {"kind": "markdown", "grade": True, "solution": True, "points": 3}
    write(source_dir, {"double": notebook(cell("model", "essay", **essay))})
    sandbox = ScriptedSandbox()
    result = grade_answer(notebook(cell("Mine.", "essay", **essay)), sandbox=sandbox)
    assert result.needs_manual_grade
    assert not sandbox.jobs


def test_names_of_an_unsolved_source_come_from_its_checks(tmp_path: Path) -> None:
    book = notebook(
        cell("import math"),
        solution("raise NotImplementedError", "make"),
        check("total = math.floor(amount)\nassert total == rate", "check"),
    )
    write(tmp_path / "s", {"n": book})

    class Unsolved(ScriptedSandbox):
        def run(self, job: Any) -> Any:
            from dataclasses import replace

            return replace(super().run(job), verdicts=(), records={"n": {"names": {"make": []}}})

    recipe = RecipeBook(tmp_path / "r", Unsolved()).of(tmp_path / "s")
    assert recipe.records["n"]["names"] == {"make": ["amount", "rate"]}


def test_a_sandbox_that_ends_early_is_the_platforms_fault(grade_answer: Any) -> None:
    with pytest.raises(SandboxError, match="ended before it was done"):
        grade_answer(sandbox=ScriptedSandbox(end=End.ENDED_EARLY, detail="boom"))


def test_a_source_that_cannot_be_used_is_the_authors_fault(grade_answer: Any, source_dir: Path) -> None:
    write(source_dir, {"double": b"nonsense"})
    with pytest.raises(SourceError):
        grade_answer()


def test_the_seconds_of_every_step_are_told(grade_answer: Any) -> None:
    seconds = grade_answer().seconds
    assert {"total", "source", "intake", "sanitise", "sandbox", "score", "feedback"} <= set(seconds)


def command(source: Path, submission: Path, sandbox: Any = None) -> tuple[int, dict[str, Any]]:
    return grade_command(
        source, submission, image="none", instance="ateliertest-unit", sandbox=sandbox or ScriptedSandbox()
    )


def test_the_command_prints_the_contract(tmp_path: Path, source_dir: Path) -> None:
    folder = write(tmp_path / "sub", {"double": answer()})
    code, printed = command(source_dir, folder)
    assert code == 0
    assert {"verdict", "score", "max_score", "notebooks", "warnings", "seconds"} <= set(printed)
    judged = printed["notebooks"]["double"]["cells"]["double-check"]
    assert {"score", "max_score", "verdict", "way", "messages"} <= set(judged)
    assert (printed["verdict"], judged["verdict"], judged["way"]) == ("graded", "passed", "isolated")
    assert json.loads(json.dumps(printed, allow_nan=False)) == printed


def test_the_command_judges_what_cannot_be_graded(tmp_path: Path, source_dir: Path) -> None:
    code, printed = command(source_dir, tmp_path / "nowhere")
    assert (code, printed["verdict"], printed["score"], printed["max_score"]) == (
        0,
        "invalid_submission",
        0.0,
        2.0,
    )


def test_the_command_and_unusable_sources(tmp_path: Path, source_dir: Path) -> None:
    assert command(tmp_path / "nowhere", source_dir)[0] == 2
    write(source_dir, {"double": b"nonsense"})
    code, printed = command(source_dir, source_dir)
    assert code == 2
    assert "double.ipynb: this is not a notebook" in printed["detail"]


def test_the_command_and_a_platform_that_fails(tmp_path: Path, source_dir: Path) -> None:
    folder = write(tmp_path / "sub", {"double": answer()})
    code, printed = command(source_dir, folder, ScriptedSandbox(end=End.ENDED_EARLY, detail="boom"))
    assert (code, printed["verdict"]) == (3, "internal_error")

    class Broken(ScriptedSandbox):
        def run(self, job: Any) -> Any:
            raise ZeroDivisionError

    code, printed = command(source_dir, folder, Broken())
    assert (code, printed["verdict"]) == (3, "internal_error")
    assert "Traceback" not in str(printed)


def test_the_sheets_limits_hold_for_the_command(tmp_path: Path) -> None:
    source = write(tmp_path / "s", {"double": exercise()}, {"exercise.yml": b"limits: {cell_s: 3}\n"})
    sandbox = ScriptedSandbox()
    command(source, write(tmp_path / "sub", {"double": answer()}), sandbox)
    assert sandbox.jobs[-1].limits == Limits(cell_s=3.0)
