"""From verdicts to points: one CellResult for every cell of the source in which points can be earned.

Called by the pipeline. Points come from the source and from the checker's verdicts alone; a grade cell without a
verdict gets none. nbgrader's rules hold but for what docs/grading-differences.md lists. Pure functions.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from graders.results import CellResult, CellVerdict, Limits, NotebookResult, Verdict, Way
from graders.sandbox.job import End, SandboxRun, TestVerdict
from graders.source import Kind, SourceCell, SourceNotebook
from graders.words import say

if TYPE_CHECKING:
    from graders.sanitise import Assembled, Cell
    from graders.sheet import Sheet

DECIMALS = 9
"""Points are cut here: a third of three points is one, not 0.9999999999999998."""

_CHECKERS_WORDS = (
    (re.compile(r"Your code raised (?P<name>\w+): (?P<text>.*)", re.DOTALL), "raised_text"),
    (re.compile(r"Your code raised (?P<name>\w+)\."), "raised"),
    (re.compile(r"NameError: name '(?P<name>\w+)' is not defined"), "name_missing"),
)
"""What the checker says in English where no author wrote a message."""

_FAILURES = {
    "failed": CellVerdict.FAILED,
    "error": CellVerdict.ERROR,
    "timeout": CellVerdict.TIMEOUT,
    "died": CellVerdict.DIED,
    "tampered": CellVerdict.TAMPERED,
    "not_run": CellVerdict.NOT_RUN,
}


def score_notebook(
    notebook: SourceNotebook, assembled: Assembled, run: SandboxRun, sheet: Sheet, language: str
) -> NotebookResult:
    """Return the judgement on one notebook that was run."""
    verdicts = {item.grade_id: item for item in run.verdicts if item.notebook == notebook.name}
    cells = {cell.grade_id: cell for cell in assembled.cells if cell.grade_id}
    unjudged = CellVerdict.TIMEOUT if run.end is End.WALL_CLOCK else CellVerdict.NOT_RUN
    results = []
    for cell in notebook.graded:
        if cell.kind is Kind.TEST:
            results.append(_tested(cell, verdicts.get(str(cell.grade_id)), unjudged, sheet, language))
        else:
            results.append(_by_hand(cell, cells[str(cell.grade_id)], language))
    return NotebookResult(notebook.name, tuple(results))


def no_points(notebook: SourceNotebook, verdict: CellVerdict, language: str) -> NotebookResult:
    """Return a judgement that gives nothing: the notebook is missing, or nothing could be graded."""
    message = (say(verdict.value, language),)
    return NotebookResult(
        notebook.name,
        tuple(
            CellResult(
                grade_id=str(cell.grade_id),
                score=0.0,
                max_score=cell.points or 0.0,
                verdict=verdict,
                way=Way.ISOLATED if cell.kind is Kind.TEST else Way.MANUAL,
                messages=message,
            )
            for cell in notebook.graded
        ),
    )


def _tested(
    cell: SourceCell, verdict: TestVerdict | None, unjudged: CellVerdict, sheet: Sheet, language: str
) -> CellResult:
    points = cell.points or 0.0
    if verdict is None:
        if not cell.source.strip():
            return _result(cell, 0.0, CellVerdict.ERROR, Way.ISOLATED, say("error", language))
        return _result(cell, 0.0, unjudged, Way.ISOLATED, say(unjudged.value, language))
    way = Way.FORK if verdict.way == "fork" else Way.ISOLATED
    score = round(min(max(verdict.credit, 0.0), 1.0) * points, DECIMALS)
    if verdict.status == "passed" and verdict.credit == 1.0:
        return _result(cell, score, CellVerdict.PASSED, way, say("passed", language))
    if verdict.credit > 0.0:
        percent = round(100 * verdict.credit)
        return _result(cell, score, CellVerdict.PARTIAL, way, say("partial", language, percent=percent))
    failure = _FAILURES.get(verdict.status, CellVerdict.FAILED)
    return CellResult(
        grade_id=str(cell.grade_id),
        score=0.0,
        max_score=points,
        verdict=failure,
        way=way,
        messages=_messages(cell, verdict, failure, sheet, language),
        evidence=verdict.evidence,
    )


def _messages(
    cell: SourceCell, verdict: TestVerdict, failure: CellVerdict, sheet: Sheet, language: str
) -> tuple[str, ...]:
    """Return what the learner is told about a check that gave nothing."""
    if failure is not CellVerdict.FAILED:
        return (say(failure.value, language),)
    said = verdict.message.strip()
    if said and not repeats_hidden(cell, said):
        return (in_language(sheet.message(said, language), language),)
    line = _visible_failure(cell, verdict.evidence or "")
    if line:
        return (say("failed_line", language, line=line),)
    return (say("failed_hidden" if cell.hidden_lines else "failed", language),)


def in_language(said: str, language: str) -> str:
    """Return what the checker itself says of an exception, in `language`; an author's words stay as they are."""
    for pattern, key in _CHECKERS_WORDS:
        match = pattern.fullmatch(said)
        if match:
            return say(key, language, **match.groupdict())
    return said


def _visible_failure(cell: SourceCell, evidence: str) -> str:
    """Return the line of the check at which it failed, where the learner has that line already."""
    shown = {line.strip() for line in cell.released.split("\n") if line.strip()}
    hits = [line.strip() for line in evidence.split("\n") if line.strip() in shown]
    return hits[-1][:200] if hits else ""


def repeats_hidden(cell: SourceCell, text: str) -> bool:
    """Say whether a text holds a line of the cell's hidden tests."""
    return any(len(line) > 5 and line in text for line in cell.hidden_lines)  # noqa: PLR2004 - `pass`, `else:`


def _by_hand(cell: SourceCell, found: Cell, language: str) -> CellResult:
    """Return the judgement that waits for a human, or 0 where the learner wrote nothing."""
    if cell.kind is Kind.MANUAL and not found.changed:
        return _result(cell, 0.0, CellVerdict.UNCHANGED, Way.MANUAL, say("unchanged", language))
    return _result(cell, None, CellVerdict.MANUAL, Way.MANUAL, say("manual", language))


def _result(
    cell: SourceCell, score: float | None, verdict: CellVerdict, way: Way, message: str
) -> CellResult:
    return CellResult(str(cell.grade_id), score, cell.points or 0.0, verdict, way, (message,))


def submission_verdict(run: SandboxRun, notebooks: tuple[NotebookResult, ...]) -> Verdict:
    """Return how the grading of a submission that was run ended.

    The engine's word on memory counts only where something was cut short: a program that catches its own child's
    death has been judged like any other.
    """
    judged = [cell.verdict for notebook in notebooks for cell in notebook.cells]
    cut_short = run.end is not End.FINISHED or any(
        verdict in (CellVerdict.DIED, CellVerdict.NOT_RUN, CellVerdict.TIMEOUT, CellVerdict.ERROR)
        for verdict in judged
    )
    if run.end is End.OUTPUT_OVERFLOW or run.verdict == "output_overflow":
        return Verdict.OUTPUT_OVERFLOW
    if run.out_of_memory and (cut_short or any(cell.status == "died" for cell in run.cells)):
        return Verdict.OUT_OF_MEMORY
    if run.end is End.WALL_CLOCK or run.verdict == "timeout":
        return Verdict.TIMEOUT
    if run.end is End.ENDED_EARLY or run.verdict == "internal_error":
        return Verdict.INTERNAL_ERROR
    if CellVerdict.TAMPERED in judged or run.verdict == "tampered":
        return Verdict.TAMPERED
    return Verdict.GRADED


def reason_of(verdict: Verdict, limits: Limits, language: str) -> str | None:
    """Return the sentence for the learner that goes with a verdict; none for work that was judged in full."""
    if verdict in (Verdict.GRADED, Verdict.INVALID_SUBMISSION):
        return None
    return say(
        f"verdict_{verdict.value}",
        language,
        seconds=round(limits.wall_s),
        megabytes=limits.memory_bytes // 2**20,
    )
