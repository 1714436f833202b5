"""The rules of `atelier exercise check` that need grading: every model answer gets the score its author
declared.

Called by the command line with a `grade` function of its own: the whole sandboxed pipeline. Must not know how
grading works; it reads the public result object, and nothing else.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from hub.courses.exercise_check import check_folder, grade_points
from hub.courses.exercise_finding import Finding, Severity
from hub.courses.exercise_release import answer_files, release_files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from hub.courses.exercise import Exercise

CLOSE = 1e-6


class Grade(Protocol):
    """Grades one submission; what `atelier grade SOURCE SUBMISSION --json` prints, as an object."""

    def __call__(self, source: Path, submission: Path) -> Mapping[str, Any]:
        """Grade `submission` against the exercise folder `source`."""
        ...


@dataclass(frozen=True, slots=True)
class Trial:
    """One submission to try: what it holds, and what it must get. `score` None: every point there is."""

    name: str
    files: dict[str, bytes] = field(repr=False)
    score: float | None = None
    cells: dict[str, float] = field(default_factory=dict)


def check_exercise(
    folder: Path,
    grade: Grade,
    workdir: Path,
    *,
    repeats: int = 3,
    workers: int = 1,
    on_graded: Callable[[str], None] | None = None,
) -> list[Finding]:
    """Apply every rule to one exercise folder.

    Args:
        folder: the exercise folder.
        grade: grades a submission folder against an exercise folder; called from `workers` threads.
        workdir: an empty folder for the submissions.
        repeats: how often each submission is graded; the results must be the same.
        workers: how many gradings run side by side.
        on_graded: told the name of each trial when a grading of it is done, for a progress bar.
    """
    exercise, findings = check_folder(folder)
    if exercise is None or any(finding.rule == "notebook" for finding in findings):
        return findings
    trials = plan_trials(exercise)
    runs = [(trial, number) for trial in trials for number in range(repeats)]

    def run(job: tuple[Trial, int]) -> Mapping[str, Any]:
        trial, number = job
        result = grade(folder, write_submission(trial, workdir / f"{trial.name}-{number}"))
        if on_graded:
            on_graded(trial.name)
        return result

    with ThreadPoolExecutor(max_workers=workers) as pool:
        graded = list(pool.map(run, runs))
    results = {
        trial.name: graded[index * repeats : (index + 1) * repeats] for index, trial in enumerate(trials)
    }
    return [*findings, *judge_trials(exercise, trials, results)]


def plan_trials(exercise: Exercise) -> list[Trial]:
    """Return the untouched release, which must get nothing, and one trial for each model answer."""
    untouched = Trial("untouched", release_files(exercise), score=0.0)
    answers = [
        Trial(answer.name, answer_files(exercise, answer), answer.expected.score, answer.expected.cells)
        for answer in exercise.answers
    ]
    return [untouched, *answers]


def write_submission(trial: Trial, folder: Path) -> Path:
    """Write a trial's files into a folder of its own and return it."""
    for path, data in trial.files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    return folder


def judge_trials(
    exercise: Exercise, trials: list[Trial], results: Mapping[str, list[Mapping[str, Any]]]
) -> Iterator[Finding]:
    """Compare what each trial got with what it must get, and the checks with the answers that fail them."""
    points = grade_points(exercise)
    failing: set[str] = set()
    unprotected: set[str] = set()
    for trial in trials:
        first = results[trial.name][0]
        scores = cell_scores(first)
        yield from _judge(exercise, trial, first, scores, points)
        if any(cell_scores(other) != scores for other in results[trial.name][1:]):
            advice = "Take chance, the clock and the network out of the exercise, or fix a seed."
            yield Finding("repeatable", trial.name, "not the same score each time", advice)
        if trial.name != "untouched":
            failing |= {
                grade_id for grade_id, score in scores.items() if score < points.get(grade_id, 0) - CLOSE
            }
        cells = _cells(first)
        unprotected |= {grade_id for grade_id, cell in cells.items() if cell.get("way") == "fork"}
    judged = all(results[trial.name][0].get("verdict") == "graded" for trial in trials)
    for grade_id in points:
        if judged and grade_id not in failing:
            advice = "Add an answers/wrong-… that fails it: a check that can't fail checks nothing."
            yield Finding("can_fail", grade_id, "no model answer fails this cell", advice)
        if grade_id in unprotected:
            advice = (
                "Call the learner's functions with plain values, so that the check can run apart from them."
            )
            yield Finding(
                "unprotected",
                grade_id,
                "this cell runs inside the learner's process",
                advice,
                Severity.WARNING,
            )


def _judge(
    exercise: Exercise,
    trial: Trial,
    result: Mapping[str, Any],
    scores: dict[str, float],
    points: dict[str, float],
) -> Iterator[Finding]:
    if result.get("verdict") != "graded":
        reason = result.get("reason") or "no reason given"
        advice = "Run it with `atelier grade`, and look at the limits in exercise.yml."
        yield Finding("graded", trial.name, f"the verdict is {result.get('verdict')}: {reason}", advice)
        return
    if abs(float(result.get("max_score", 0)) - sum(points.values())) > CLOSE:
        advice = "Each grade cell of the notebook must be judged exactly once."
        yield Finding(
            "matches",
            trial.name,
            f"{result.get('max_score')} points were judged, not {sum(points.values()):g}",
            advice,
        )
    wanted = sum(points.values()) if trial.score is None else trial.score
    got = float(result.get("score") or 0)
    if abs(got - wanted) > CLOSE:
        lost = "; ".join(_lost(result)) or "every cell passed"
        yield Finding(
            "scores",
            trial.name,
            f"it got {got:g} points, it must get {wanted:g}",
            f"What the checks said: {lost}",
        )
    for grade_id, score in trial.cells.items():
        if abs(scores.get(grade_id, -1.0) - score) > CLOSE:
            advice = "Correct the check, or `cells:` in expected.yml."
            yield Finding(
                "scores",
                f"{trial.name}, {grade_id}",
                f"it got {scores.get(grade_id)}, it must get {score:g}",
                advice,
            )
    spent = result.get("seconds", {})
    seconds = float(spent.get("sandbox_run", spent.get("total", 0)))
    if seconds > exercise.limits.wall_s:
        advice = "Make the checks lighter, or raise `wall_s` in exercise.yml."
        yield Finding("limits", trial.name, f"it took {seconds:.1f} s of {exercise.limits.wall_s:g}", advice)


def _cells(result: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    notebooks = result.get("notebooks", {}).values()
    return {grade_id: cell for notebook in notebooks for grade_id, cell in notebook.get("cells", {}).items()}


def cell_scores(result: Mapping[str, Any]) -> dict[str, float]:
    """Return the score of each grade cell in a result; a cell that a human still has to judge counts 0."""
    return {grade_id: float(cell.get("score") or 0) for grade_id, cell in _cells(result).items()}


def _lost(result: Mapping[str, Any]) -> Iterator[str]:
    for grade_id, cell in _cells(result).items():
        if float(cell.get("score") or 0) < float(cell.get("max_score") or 0):
            yield f"{grade_id}: {' '.join(cell.get('messages') or [str(cell.get('verdict'))])}"
