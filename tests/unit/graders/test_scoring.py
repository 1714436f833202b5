"""From verdicts to points."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from graders.results import CellVerdict, Verdict, Way
from graders.sandbox.job import End, Role
from tests.doubles.notebooks import HIDDEN, RELEASED, answer, cell, exercise, notebook, write
from tests.doubles.sandbox import ScriptedSandbox, done, verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from graders.results import GradingResult
    from graders.sandbox.job import SandboxJob


def saying(word: str = "graded", **changes: Any) -> Callable[[SandboxJob], Iterable[dict[str, Any]]]:
    """Return a script that gives the one check this verdict."""

    def script(job: SandboxJob) -> Iterator[dict[str, Any]]:
        for entry in job.notebooks[0].cells:
            if entry.role is Role.TEST:
                yield verdict("double", entry, **changes)
        yield done(word)

    return script


def silence(_job: SandboxJob) -> Iterable[dict[str, Any]]:
    return ()


@pytest.mark.parametrize(
    ("status", "credit", "score", "expected"),
    [
        ("passed", 1.0, 2.0, CellVerdict.PASSED),
        ("passed", 0.25, 0.5, CellVerdict.PARTIAL),
        ("passed", 1 / 3, 0.666666667, CellVerdict.PARTIAL),
        ("passed", 0.0, 0.0, CellVerdict.FAILED),
        ("failed", 0.0, 0.0, CellVerdict.FAILED),
        ("error", 0.0, 0.0, CellVerdict.ERROR),
        ("timeout", 0.0, 0.0, CellVerdict.TIMEOUT),
        ("died", 0.0, 0.0, CellVerdict.DIED),
        ("not_run", 0.0, 0.0, CellVerdict.NOT_RUN),
        ("tampered", 0.0, 0.0, CellVerdict.TAMPERED),
    ],
)
def test_one_check(
    grade_answer: Any, status: str, credit: float, score: float, expected: CellVerdict
) -> None:
    result = grade_answer(sandbox=ScriptedSandbox(saying(status=status, credit=credit)))
    judged = result.notebooks[0].cells[0]
    assert (judged.score, judged.max_score, judged.verdict, judged.way) == (
        score,
        2.0,
        expected,
        Way.ISOLATED,
    )
    assert result.verdict is (Verdict.TAMPERED if status == "tampered" else Verdict.GRADED)


def test_no_verdict_is_no_point(grade_answer: Any) -> None:
    result = grade_answer(sandbox=ScriptedSandbox(silence))
    assert (result.score, result.max_score) == (0.0, 2.0)
    assert result.notebooks[0].cells[0].verdict is CellVerdict.NOT_RUN


@pytest.mark.parametrize(
    ("outcome", "word", "status", "expected"),
    [
        ({"end": End.WALL_CLOCK}, "graded", "passed", Verdict.TIMEOUT),
        ({"end": End.OUTPUT_OVERFLOW}, "graded", "passed", Verdict.OUTPUT_OVERFLOW),
        ({"end": End.ENDED_EARLY, "out_of_memory": True}, "graded", "passed", Verdict.OUT_OF_MEMORY),
        ({"out_of_memory": True}, "graded", "died", Verdict.OUT_OF_MEMORY),
        ({"out_of_memory": True}, "graded", "passed", Verdict.GRADED),
        ({}, "timeout", "timeout", Verdict.TIMEOUT),
        ({}, "output_overflow", "not_run", Verdict.OUTPUT_OVERFLOW),
    ],
)
def test_limits_name_the_verdict_and_keep_what_was_judged(
    grade_answer: Any, outcome: dict[str, Any], word: str, status: str, expected: Verdict
) -> None:
    result: GradingResult = grade_answer(sandbox=ScriptedSandbox(saying(word, status=status), **outcome))
    assert result.verdict is expected
    assert result.score == (2.0 if status == "passed" else 0.0)
    assert (result.reason is None) == (expected is Verdict.GRADED)


def test_a_hidden_check_speaks_only_in_our_words(grade_answer: Any) -> None:
    said = f"AssertionError: {HIDDEN}"
    result = grade_answer(sandbox=ScriptedSandbox(saying(status="failed", message=said, evidence=said)))
    judged = result.notebooks[0].cells[0]
    assert "hidden check" in judged.messages[0]
    assert HIDDEN not in str(judged.messages)
    assert HIDDEN not in result.feedback["double.html"].decode()
    assert judged.evidence == said


def test_an_authors_message_reaches_the_learner(grade_answer: Any) -> None:
    result = grade_answer(sandbox=ScriptedSandbox(saying(status="failed", message="double(2) must be 4")))
    assert result.notebooks[0].cells[0].messages == ("double(2) must be 4",)


ESSAY = {"kind": "markdown", "grade": True, "solution": True, "points": 3}
TASK = {"kind": "markdown", "task": True, "locked": True, "points": 4}


def test_what_humans_judge(grade_answer: Any, source_dir: Path) -> None:
    more = (cell("the model answer", "essay", **ESSAY), cell("do", "task", **TASK))
    write(source_dir, {"double": exercise(*more)})
    unanswered = answer(RELEASED, cell("YOUR ANSWER HERE", "essay", **ESSAY), cell("do", "task", **TASK))
    answered = answer(RELEASED, cell("Because.", "essay", **ESSAY), cell("do", "task", **TASK))
    found = {item.grade_id: item for item in grade_answer(unanswered).notebooks[0].cells}
    assert (found["essay"].score, found["essay"].verdict) == (0.0, CellVerdict.UNCHANGED)
    assert (found["task"].score, found["task"].verdict) == (None, CellVerdict.MANUAL)
    result = grade_answer(answered)
    found = {item.grade_id: item for item in result.notebooks[0].cells}
    assert (found["essay"].score, found["essay"].verdict) == (None, CellVerdict.MANUAL)
    assert result.needs_manual_grade
    assert result.max_score == 9.0


def test_a_missing_notebook_gets_nothing_and_the_other_is_graded(grade_answer: Any, source_dir: Path) -> None:
    write(source_dir, {"second": notebook(cell("the answer", "essay", **ESSAY))})
    result = grade_answer()
    assert result.score == 2.0
    assert result.max_score == 5.0
    missing = result.notebooks[1].cells[0]
    assert (missing.score, missing.verdict) == (0.0, CellVerdict.MISSING)
    assert any("second.ipynb" in warning for warning in result.warnings)


def test_an_invalid_submission_gets_0_of_the_maximum(grade_answer: Any) -> None:
    result = grade_answer(b"nonsense", language="fr")
    assert (result.verdict, result.score, result.max_score) == (Verdict.INVALID_SUBMISSION, 0.0, 2.0)
    assert result.reason == (
        "double.ipynb est abîmé : ce n'est pas un notebook complet. "
        "Ouvrez-le dans JupyterLab et enregistrez-le à nouveau."
    )
