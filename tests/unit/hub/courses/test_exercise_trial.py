from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from hub.courses.exercise import load_exercise
from hub.courses.exercise_trial import check_exercise, plan_trials

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.hub.courses.conftest import SmallExercise


class Grader:
    """Gives 2 points to a sum with a plus in it, unless the test says otherwise."""

    def __init__(self, **scores: float | list[float]) -> None:
        self.scores = scores
        self.extra: dict[str, Any] = {}
        self.way = "isolated"

    def __call__(self, source: Path, submission: Path) -> dict[str, Any]:
        name, _, run = submission.name.rpartition("-")
        right = "return first + second" in (submission / "add.ipynb").read_text()
        score = self.scores.get(name.replace("-", "_"), 2.0 if right else 0.0)
        if isinstance(score, list):
            score = score[int(run)]
        cell = {
            "score": score,
            "max_score": 2.0,
            "verdict": "passed" if score else "failed",
            "way": self.way,
            "messages": ["No."],
        }
        notebooks = {"add": {"score": score, "max_score": 2.0, "cells": {"sums": cell}}}
        seconds = {"total": 0.2}
        graded = {
            "verdict": "graded",
            "score": score,
            "max_score": 2.0,
            "notebooks": notebooks,
            "seconds": seconds,
        }
        return graded | self.extra


def found(small: SmallExercise, grader: Grader, workdir: Path) -> list[tuple[str, str, str]]:
    findings = check_exercise(small.folder, grader, workdir, workers=2)
    return [(finding.rule, finding.where, finding.problem) for finding in findings]


def test_answers_that_get_what_they_must_are_no_finding(small: SmallExercise, tmp_path: Path) -> None:
    assert found(small, Grader(), tmp_path) == []


def test_each_answer_and_the_untouched_release_are_tried(small: SmallExercise, tmp_path: Path) -> None:
    told: list[str] = []
    check_exercise(small.folder, Grader(), tmp_path, repeats=2, on_graded=told.append)
    names = ["right-plus", "untouched", "wrong-first", "wrong-minus", "wrong-text"]
    assert sorted(told) == sorted(names * 2)
    assert sorted(trial.name for trial in plan_trials(load_exercise(small.folder))) == names


@pytest.mark.parametrize(
    ("scores", "where", "problem"),
    [
        ({"right_plus": 1.0}, "right-plus", "it got 1 points, it must get 2"),
        ({"wrong_minus": 2.0}, "wrong-minus", "it got 2 points, it must get 0"),
        ({"untouched": 0.5}, "untouched", "it got 0.5 points, it must get 0"),
    ],
)
def test_a_score_that_differs_is_found(
    small: SmallExercise, tmp_path: Path, scores: dict[str, float], where: str, problem: str
) -> None:
    assert found(small, Grader(**scores), tmp_path) == [("scores", where, problem)]


def test_a_score_that_changes_from_run_to_run_is_found(small: SmallExercise, tmp_path: Path) -> None:
    grader = Grader(right_plus=[2.0, 2.0, 0.0])
    assert found(small, grader, tmp_path) == [("repeatable", "right-plus", "not the same score each time")]


def test_a_check_that_never_fails_is_found(small: SmallExercise, tmp_path: Path) -> None:
    for name in ("minus", "first", "text"):
        small.write(f"answers/wrong-{name}/expected.yml", "score: 2")
    grader = Grader(wrong_minus=2.0, wrong_first=2.0, wrong_text=2.0)
    assert found(small, grader, tmp_path) == [("can_fail", "sums", "no model answer fails this cell")]


def test_a_cell_score_that_differs_is_found(small: SmallExercise, tmp_path: Path) -> None:
    small.write("answers/wrong-minus/expected.yml", "score: 0\ncells: {sums: 1}")
    assert found(small, Grader(), tmp_path) == [("scores", "wrong-minus, sums", "it got 0.0, it must get 1")]


@pytest.mark.parametrize(
    ("extra", "rule"),
    [
        ({"verdict": "timeout", "reason": "too long"}, "graded"),
        ({"max_score": 5.0}, "matches"),
        ({"seconds": {"total": 1000.0}}, "limits"),
    ],
)
def test_a_run_that_went_wrong_is_found(
    small: SmallExercise, tmp_path: Path, extra: dict[str, Any], rule: str
) -> None:
    grader = Grader()
    grader.extra = extra
    assert {one for one, _, _ in found(small, grader, tmp_path)} == {rule}


def test_a_cell_inside_the_learners_process_is_a_warning(small: SmallExercise, tmp_path: Path) -> None:
    grader = Grader()
    grader.way = "fork"
    (finding,) = check_exercise(small.folder, grader, tmp_path)
    assert (finding.rule, finding.where, finding.severity) == ("unprotected", "sums", "warning")


def test_an_unreadable_exercise_is_not_graded(small: SmallExercise, tmp_path: Path) -> None:
    small.write("exercise.yml", "level: 9")

    def never(source: Path, submission: Path) -> dict[str, Any]:
        raise AssertionError

    assert [finding.rule for finding in check_exercise(small.folder, never, tmp_path)] == ["readable"]
