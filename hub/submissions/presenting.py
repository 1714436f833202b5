"""What grading said about one submission, as a page shows it. Called by the learner's, mentor's and trainer's pages.

Opens with what went well, names one thing to do next, then the rest. Evidence and details are for staff only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from graders.results import CellVerdict, Verdict
from hub.courses.presenting import message_in, sheet_of
from hub.submissions.overview import cells_of
from hub.submissions.reading import SubmissionView, effective_score

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hub.courses.exercise_sheet import ExerciseSheet
    from hub.courses.models import AssignmentVersion
    from hub.pages.texts import Texts
    from hub.service import Services
    from hub.submissions.rules import Score


@dataclass(frozen=True, slots=True)
class Question:
    """One grade cell: its place among the exercise's questions, and what was said about it."""

    label: str
    name: str
    verdict: str
    tone: str  # good | watch | wait | bad
    score: float | None
    max_score: float
    messages: tuple[str, ...] = ()
    evidence: str | None = None
    by_hand: bool = False


@dataclass(frozen=True, slots=True)
class FeedbackFile:
    """One notebook with comments; shown in a sandboxed frame."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Comment:
    """What a human wrote about a question."""

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Shown:
    """One judged attempt."""

    id: str
    attempt: int
    at: object
    verdict: str
    score: float
    max_score: float
    incomplete: bool
    well: tuple[Question, ...]
    next: Question | None
    rest: tuple[Question, ...]
    feedback: tuple[FeedbackFile, ...]
    comments: tuple[Comment, ...] = ()
    for_staff: bool = False
    whose: str = ""

    @property
    def fraction(self) -> float:
        """Share of the points, 0 to 1."""
        return max(0.0, min(1.0, self.score / self.max_score)) if self.max_score > 0 else 1.0

    @property
    def all_right(self) -> bool:
        """Whether nothing is left to do."""
        return self.verdict == Verdict.GRADED and not self.next and not self.rest


def score_of(view: SubmissionView) -> Score:
    """Return the score in force of a judged submission, marks given by hand included."""
    score = effective_score(view)
    assert score is not None  # noqa: S101 - only judged submissions are shown with points
    return score


def show(
    services: Services, view: SubmissionView, words: Texts, *, for_staff: bool = False, whose: str = ""
) -> Shown:
    """Return a judged submission for a page.

    Args:
        services: for the score in force, the version and the names of the feedback files.
        view: a submission with a result.
        words: the reader's language.
        for_staff: with evidence.
        whose: the learner's name, on pages of others.
    """
    result = view.result
    assert result is not None  # noqa: S101 - the callers looked
    submission = view.submission
    version = services.courses.version(submission.version_id)
    sheet = sheet_of(version, "")
    by_hand = {(mark.notebook, mark.grade_id): mark for mark in view.marks}
    questions = _questions(
        result.body, version, sheet, words, {key: mark.score for key, mark in by_hand.items()}
    )
    missed = [question for question in questions if question.tone in ("bad", "watch")]
    first = missed[0] if missed else None
    score = score_of(view)
    labels = {question.name: question.label for question in questions}
    names = sorted(services.submissions.feedback(submission.id)) if result.feedback_digest else []
    prefix = services.settings.service_prefix
    return Shown(
        id=submission.id,
        attempt=submission.attempt,
        at=submission.received_at,
        verdict=result.verdict,
        score=score.score,
        max_score=score.max_score,
        incomplete=not score.complete,
        well=tuple(question for question in questions if question.tone == "good"),
        next=first,
        rest=tuple(question for question in questions if question.tone != "good" and question is not first),
        feedback=tuple(
            FeedbackFile(name, f"{prefix}submissions/{submission.id}/feedback/{quote(name, safe='')}")
            for name in names
        ),
        comments=tuple(
            Comment(labels.get(mark.grade_id, mark.grade_id), mark.comment)
            for mark in view.marks
            if mark.comment
        ),
        for_staff=for_staff,
        whose=whose,
    )


def question_labels(version: AssignmentVersion | None, words: Texts) -> dict[tuple[str, str], str]:
    """Return `Question 1`, `Question 2`, … for the grade cells of a version, in the notebook's order."""
    cells: Sequence[Mapping[str, Any]] = version.cells if version else ()
    return {
        (cell["notebook"], cell["grade_id"]): words.gettext("Task %(number)s", number=number)
        for number, cell in enumerate(cells, start=1)
    }


def _questions(
    body: Mapping[str, Any],
    version: AssignmentVersion,
    sheet: ExerciseSheet,
    words: Texts,
    marks: Mapping[tuple[str, str], float | None],
) -> list[Question]:
    labels = question_labels(version, words)
    order = {key: place for place, key in enumerate(labels)}
    told = {(notebook, grade_id): cell for notebook, grade_id, cell in cells_of(body)}
    found = []
    for key in sorted(told, key=lambda one: (order.get(one, len(order)), one)):
        cell = told[key]
        mark = marks.get(key)
        score = mark if mark is not None else cell["score"]
        verdict = _verdict(cell, mark)
        found.append(
            Question(
                label=labels.get(key) or words.gettext("Task %(number)s", number=key[1]),
                name=key[1],
                verdict=verdict,
                tone=_tone(verdict, score, cell["max_score"]),
                score=score,
                max_score=cell["max_score"],
                messages=tuple(message_in(sheet, message, words) for message in cell.get("messages", ())),
                evidence=cell.get("evidence"),
                by_hand=mark is not None,
            )
        )
    return found


def _verdict(cell: Mapping[str, Any], mark: float | None) -> str:
    if mark is None:
        return str(cell["verdict"])
    if mark >= cell["max_score"]:
        return CellVerdict.PASSED
    return CellVerdict.PARTIAL if mark > 0 else CellVerdict.FAILED


def _tone(verdict: str, score: float | None, max_score: float) -> str:
    if score is None:
        return "wait"
    if score >= max_score and verdict not in (CellVerdict.TAMPERED, CellVerdict.MISSING):
        return "good"
    return "watch" if score > 0 else "bad"
