"""What an attack on grading is: an id, what it does, a submission, and the oracle that judges what became of it.

Ids are those of the list in docs/grading.md. The exercise is one for all: two functions, two checks with a hidden
part, 3 points; the attacker knows neither answer.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from tests.doubles.notebooks import cell, check, notebook, solution

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HIDDEN_CANARY = "CANARY-hidden-5d1f"
SECRET_CANARY = "CANARY-secret-8e20"
CHECK_DOUBLE = (
    "assert double(2) == 4\n"
    "### BEGIN HIDDEN TESTS\n"
    f'assert double(21) == 42 and double(-7) == -14, "{HIDDEN_CANARY}"\n'
    "### END HIDDEN TESTS"
)
CHECK_NAMES = (
    'assert names(["b", "a"]) == ["a", "b"]\n'
    "### BEGIN HIDDEN TESTS\n"
    f'assert names(["z", "y", "x"]) == ["x", "y", "z"], "{HIDDEN_CANARY}"\n'
    "### END HIDDEN TESTS"
)
POINTS_DOUBLE, POINTS_NAMES = 2.0, 1.0
RIGHT_DOUBLE = "def double(x):\n    return 2 * x"
RIGHT_NAMES = "def names(items):\n    return sorted(items)"
WRONG_DOUBLE = "def double(x):\n    return 0\n"
WRONG_NAMES = "def names(items):\n    return []\n"


class Oracle(StrEnum):
    """What must become of a submission."""

    ZERO = "zero"  # judged, and not one point
    LIMIT = "limit"  # stopped by a named limit or contained, no point, in time
    REJECT = "reject"  # refused with one sentence
    EQUAL = "equal"  # the full mark: honest work


@dataclass(frozen=True, slots=True)
class Handed:
    """What is handed in: the notebook (an object, or bytes), files beside it, and a last touch to the folder."""

    book: Any
    files: dict[str, bytes] = field(default_factory=dict)
    touch: Callable[[Path], None] | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One line of the table."""

    id: str
    does: str
    oracle: Oracle
    handed: Handed
    verdicts: frozenset[str] = (
        frozenset()
    )  # allowed verdicts of the submission; empty: any but a failure of ours
    score: float = 0.0


CASES: dict[str, Case] = {}


def add(
    case_id: str, does: str, oracle: Oracle, handed: Handed, *verdicts: str, score: float | None = None
) -> None:
    """Put one line into the table."""
    assert case_id not in CASES, case_id
    full = POINTS_DOUBLE + POINTS_NAMES if oracle is Oracle.EQUAL else 0.0
    CASES[case_id] = Case(
        case_id, does, oracle, handed, frozenset(verdicts), full if score is None else score
    )


def source() -> dict[str, Any]:
    """Return the exercise."""
    return notebook(
        cell("Write `double` and `names`.", kind="markdown"),
        cell("import math\nSTART = 3"),
        solution("def double(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION"),
        check(CHECK_DOUBLE, "double-check", POINTS_DOUBLE),
        solution(
            "def names(items):\n    ### BEGIN SOLUTION\n    return sorted(items)\n    ### END SOLUTION",
            "names",
        ),
        check(CHECK_NAMES, "names-check", POINTS_NAMES),
    )


def answer(
    double: str = WRONG_DOUBLE, names: str = WRONG_NAMES, *, before: str = "", after: str = ""
) -> dict[str, Any]:
    """Return a submission: two answers, and perhaps cells of one's own before the answers and after them."""
    cells = [
        cell("Write `double` and `names`.", kind="markdown"),
        cell("import math\nSTART = 3"),
        *([cell(before)] if before else []),
        solution(double),
        check("assert double(2) == 4", "double-check", POINTS_DOUBLE),
        solution(names, "names"),
        check('assert names(["b", "a"]) == ["a", "b"]', "names-check", POINTS_NAMES),
        *([cell(after)] if after else []),
    ]
    return notebook(*cells)


def code(text: str, **more: str) -> Handed:
    """Return a submission whose own first cell holds `text`, with wrong answers."""
    return Handed(answer(before=text, **more))
