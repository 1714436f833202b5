"""From the end of a test cell to its verdict: how much of the points, and what the learner may be told.

Used by replay.py. As nbgrader's `determine_grade` for honest cells; where nbgrader gives full marks to what it cannot
read, this gives none and says why.
"""

from __future__ import annotations

import decimal
import dis
import fractions
import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from graders.inside import cellcode, exceptions

if TYPE_CHECKING:
    from graders.inside.conversation import LearnerGoneError

_MAX_MESSAGE = 1000
# Texts that Python itself writes, of which only the names vary: they tell a learner what to look for.
_STOCK = re.compile(
    r"name '\w+' is not defined|division by zero|integer (division or )?modulo by zero"
    r"|maximum recursion depth exceeded( while calling a Python object| in comparison)?"
    r"|(list|string|tuple|pop) index out of range|pop from empty list"
    r"|'\w+'\(\) takes \d positional arguments? but \d (was|were) given"
    r"|'\w+' object is not (callable|iterable|subscriptable)|'\w+' object has no attribute '\w+'"
    r"|unsupported operand type\(s\) for [^:\w]{1,4}: '\w+' and '\w+'"
)
_QUOTED = re.compile(r"'(\w+)'")
_TYPES = frozenset({"NoneType", "int", "float", "str", "list", "dict", "tuple", "set", "bool", "function"})


@dataclass(slots=True)
class Verdict:
    """How one test cell ended."""

    status: str
    credit: float = 0.0
    message: str = ""
    evidence: str | None = None
    outputs: list[dict[str, Any]] = field(default_factory=list)


GONE = {
    "timeout": "Your code ran out of time.",
    "died": "The process that runs your code ended before this check could be made.",
    "tampered": "Your code disturbed the conversation with the checker. This check gives no points.",
    "output_overflow": "Your code printed more than is allowed.",
}
UNKNOWN = Verdict("error", 0.0, "This check is not known. Your trainer has to publish the exercise again.")
EMPTY = Verdict(
    "error",
    0.0,
    "This check is empty. Your trainer has to repair the exercise.",
    "The test cell holds no statement.",
)


def of_gone(gone: LearnerGoneError) -> Verdict:
    """Judge a test cell during which the learner's process was lost."""
    status = "error" if gone.status == "output_overflow" else gone.status
    return Verdict(status, 0.0, GONE[gone.status], gone.evidence)


def judge_value(value: Any, points: float | None) -> Verdict:
    """Judge a test cell that ran to its end, by the value of its last expression."""
    if value is None:
        return Verdict("passed", 1.0)
    number = _number(value)
    if number is None or math.isnan(number) or number < 0:
        shown = type(value).__name__ if number is None else str(number)
        return Verdict(
            "error",
            0.0,
            "This check did not end in a number of points. Your trainer has to look at it.",
            f"The test cell's last expression must be a number from 0 to its points, or nothing; it is {shown}.",
        )
    if isinstance(value, bool):
        credit = float(value)
    elif points:
        credit = min(number / points, 1.0)
    else:
        credit = float(number > 0)
    return Verdict("passed" if credit == 1.0 else "failed", credit)


def _number(value: Any) -> float | None:
    plain = type(value) in {bool, int, float, decimal.Decimal, fractions.Fraction}
    is_numpy = (
        type(value).__module__ == "numpy" and getattr(value, "shape", None) == () and hasattr(value, "dtype")
    )
    if not plain and not (is_numpy and value.dtype.kind in "biuf"):
        return None
    try:
        return float(value)
    except (OverflowError, ValueError):
        return math.inf


def judge_exception(error: BaseException, submitted: list[str], learner_said: str) -> Verdict:
    """Judge a test cell that an exception ended."""
    evidence = cellcode.trace_of(error)
    remote_trace = getattr(error, "__dict__", {}).get("_atelier_trace")
    if remote_trace:
        evidence += f"\nIn the learner's process:\n{remote_trace}"
    if learner_said:
        evidence += f"\nThe learner's code printed:\n{learner_said[-2000:]}"
    return Verdict("failed", 0.0, _message(error, submitted)[:_MAX_MESSAGE], evidence)


def _message(error: BaseException, submitted: list[str]) -> str:
    name = type(error).__name__
    if exceptions.is_learners(error):
        text = _harmless_text(error, submitted)
        return f"Your code raised {name}: {text}" if text else f"Your code raised {name}."
    if isinstance(error, NameError) and not isinstance(error, UnboundLocalError) and error.name:
        return f"NameError: name '{error.name}' is not defined"
    if cellcode.is_authors(error):
        text = _text(error)
        if isinstance(error, AssertionError):
            return text
        return f"{name}: {text}" if _was_raised(error) else ""
    return ""


def _was_raised(error: BaseException) -> bool:
    """Whether a `raise` of the cell made the exception, so that its text is the author's own."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return False
    code = trace.tb_frame.f_code.co_code
    return bool(code[trace.tb_lasti] == _RAISE)


def _raise_opcode() -> int:
    return dis.opmap["RAISE_VARARGS"]


_RAISE = _raise_opcode()


def _text(error: BaseException) -> str:
    if len(error.args) == 1 and type(error.args[0]) is str:
        return error.args[0]
    return ", ".join(
        str(part) for part in error.args if type(part) in {str, int, float, bool, list, tuple, dict}
    )


def _harmless_text(error: BaseException, submitted: list[str]) -> str:
    """Return the text of a learner's exception where it cannot carry a hidden test's values out.

    It is told when it stands word for word in the submission, or when Python wrote it and its names stand there.
    """
    text = error.args[0] if error.args and type(error.args[0]) is str else ""
    if not text:
        return ""
    if any(f'"{text}"' in source or f"'{text}'" in source for source in submitted):
        return text
    quoted = re.sub(r"^(\w+)\(\)", r"'\1'()", text)
    if _STOCK.fullmatch(quoted):
        words = set(_QUOTED.findall(quoted)) - _TYPES
        if all(not word.isdigit() and any(word in source for source in submitted) for word in words):
            return text
    return ""
