from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hub.deploy.setup import recipes, suites
from hub.deploy.setup.commands import SystemRunner
from hub.deploy.setup.errors import SetupError, last_lines

if TYPE_CHECKING:
    from hub.deploy.setup.places import Places


def test_a_problem_is_shown_with_the_log_and_the_next_thing_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "setup.log"
    log.write_text("".join(f"line {number}\n" for number in range(50)), encoding="ascii")
    recipes.show_problem(SetupError("pip failed.", advice="Check the network.", log=log))
    shown = capsys.readouterr().err
    assert "| line 49" in shown
    assert "| line 29" not in shown
    assert "It did not work: pip failed." in shown
    assert "What to do: Check the network." in shown


def test_an_absent_log_has_no_lines(tmp_path: Path) -> None:
    assert last_lines(tmp_path / "absent") == []


def test_an_unknown_kind_of_tests_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        recipes.run_recipe(["test", "untit"])
    assert "unknown kind of tests: untit" in capsys.readouterr().err


def test_every_kind_of_tests_has_its_folder() -> None:
    root = Path(recipes.__file__).resolve().parents[3]
    assert all((root / folder).is_dir() for suite in suites.KINDS.values() for folder in suite.folders)


def test_all_commands_run_although_one_fails(places: Places, tmp_path: Path) -> None:
    done = tmp_path / "done"
    commands = {"bad": ["false"], "good": ["touch", str(done)]}
    said: list[str] = []
    assert suites._run_all(commands, places, {"PATH": "/usr/bin:/bin"}, said.append) == 1
    assert done.exists()
    assert any("FAILED (1)" in line for line in said)


def test_a_failed_command_leaves_its_output_in_the_log(tmp_path: Path) -> None:
    runner = SystemRunner(tmp_path / "log" / "setup.log")
    with pytest.raises(SetupError) as problem:
        runner.run(["sh", "-c", "echo out; echo err >&2; exit 3"], advice="Try again.")
    assert last_lines(runner.log)[-2:] == ["out", "err"]
    assert problem.value.advice == "Try again."


def test_a_command_reads_nothing_but_what_it_is_given(tmp_path: Path) -> None:
    runner = SystemRunner(tmp_path / "setup.log")
    assert runner.run(["cat"], advice="").output == ""
    assert runner.run(["cat"], advice="", stdin=b"given").output == "given"


def test_an_absent_program_is_an_answer_to_a_question_and_an_error_otherwise(tmp_path: Path) -> None:
    runner = SystemRunner(tmp_path / "setup.log")
    assert runner.ask(["atelier-absent"]).returncode == 127
    assert runner.ask(["sleep", "5"], timeout_s=0.05).returncode == 124
    with pytest.raises(SetupError, match="atelier-absent isn't there"):
        runner.run(["atelier-absent"], advice="Install it.")


def test_stopping_goes_on_after_a_step_that_failed(places: Places) -> None:
    def fail() -> str:
        raise SetupError("It hangs.", advice="Kill it.")

    done: list[str] = []

    def succeed() -> str:
        done.append("second")
        return "stopped"

    problems = recipes.Recipes(places)._run_all([("first", fail), ("second", succeed)])
    assert done == ["second"]
    assert [problem.message for problem in problems] == ["It hangs."]
