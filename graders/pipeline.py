"""The recipe: one submission in, one result out. Read it from top to bottom.

Called by the worker and by `atelier grade`. read the exercise → take the submission in → put it together around the
source → run it in one single-use sandbox → score → gradebook → feedback. Only the sandbox step runs code that
somebody handed in. It must not know of people, pages or queues.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from graders.autograded import autograded_notebook
from graders.errors import SandboxError, SubmissionError
from graders.feedback import FeedbackInput, render_feedback
from graders.gradebook import save_result
from graders.intake import Submission, read_submission
from graders.results import CellVerdict, GradingJob, GradingResult, NotebookResult, Verdict
from graders.sandbox.job import End, SandboxJob, SandboxRun, SandboxRunner
from graders.sanitise import Assembled, assemble
from graders.scoring import no_points, reason_of, score_notebook, submission_verdict
from graders.words import Note, say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graders.recipe import Recipe, RecipeBook
    from graders.source import Source

NOTHING_RUN = SandboxRun(end=End.FINISHED)


@dataclass(frozen=True, slots=True)
class Books:
    """Where scores go: the course's gradebook, as an SQLAlchemy URL."""

    gradebook_url: str


@dataclass(slots=True)
class _Clock:
    """Seconds spent in each step, for the profile."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        began = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - began


def grade(
    job: GradingJob, sandbox: SandboxRunner, *, recipes: RecipeBook, books: Books | None = None
) -> GradingResult:
    """Grade one submission.

    Args:
        job: what to grade; its folders are only read.
        sandbox: runs the submitted code.
        recipes: remembers how each version of an exercise is graded; trusted.
        books: where to write scores; None writes none (`atelier grade`).

    Returns:
        The judgement, whatever the learner did. Never `internal_error`: that is for the caller to say, after an
        error and as many tries as it sees fit.

    Raises:
        SourceError: the exercise can't be graded; its author has to act.
        GradebookError: the scores could not be written.
        SandboxError: the platform failed; trying again may help.
    """
    clock = _Clock()
    with clock.step("total"):
        with clock.step("source"):
            recipe = recipes.of(job.source_dir, job.version)
        try:
            with clock.step("intake"):
                submission = read_submission(job.submission_dir, _names(recipe.source))
        except SubmissionError as error:
            result = _rejected(job, recipe.source, error)
        else:
            result = _judge(job, recipe, submission, sandbox, clock)
        if books is not None:
            with clock.step("gradebook"):
                result = _write(job, recipe.source, books, result)
    return replace(result, seconds=clock.seconds)


def _judge(
    job: GradingJob, recipe: Recipe, submission: Submission, sandbox: SandboxRunner, clock: _Clock
) -> GradingResult:
    source = recipe.source
    with clock.step("sanitise"):
        assembled = {
            notebook.name: assemble(source, notebook, submission.notebooks[notebook.name])
            for notebook in source.notebooks
            if notebook.name in submission.notebooks
        }
        work = _sandbox_job(job, recipe, submission, assembled)
    with clock.step("sandbox"):
        run = sandbox.run(work) if _has_code(work) else NOTHING_RUN
    if run.end is End.ENDED_EARLY and not run.out_of_memory:
        raise SandboxError(
            f"a sandbox ended before it was done (exit code {run.exit_code}): {run.detail[-1500:]}"
        )
    clock.seconds |= run.seconds
    with clock.step("score"):
        results = tuple(_score(job, source, assembled, run))
        verdict = submission_verdict(run, results)
        reason = reason_of(verdict, job.limits, job.language)
    with clock.step("feedback"):
        feedback = _feedback(job, source, assembled, results, run, reason)
    with clock.step("autograded"):
        autograded = _autograded(source, assembled, results, run)
    return GradingResult(
        verdict=verdict,
        notebooks=results,
        warnings=tuple(_warnings(job, source, submission, assembled)),
        reason=reason,
        detail=run.detail or None,
        feedback=feedback,
        autograded=autograded,
    )


def _names(source: Source) -> frozenset[str]:
    return frozenset(notebook.name for notebook in source.notebooks)


def _rejected(job: GradingJob, source: Source, error: SubmissionError) -> GradingResult:
    """Return 0 of the source's points, and one sentence that says what to do."""
    return GradingResult(
        verdict=Verdict.INVALID_SUBMISSION,
        notebooks=tuple(no_points(item, CellVerdict.NOT_RUN, job.language) for item in source.notebooks),
        reason=say(error.key, job.language, **error.values),
        detail=str(error),
    )


def _sandbox_job(
    job: GradingJob, recipe: Recipe, submission: Submission, assembled: dict[str, Assembled]
) -> SandboxJob:
    """Return what runs. The source's files win over the submission's, but for those the learner is to edit."""
    source = recipe.source
    edits = source.sheet.edits if job.edits is None else frozenset(job.edits)
    restored = {
        path: data for path, data in source.files.items() if path not in edits or path not in submission.files
    }
    files = {path: data for path, data in submission.files.items() if not path.endswith(".ipynb")} | restored
    notebooks = tuple(item.job(recipe.records.get(name)) for name, item in assembled.items())
    return SandboxJob(notebooks, files, job.limits, published=frozenset(restored))


def _has_code(work: SandboxJob) -> bool:
    return any(notebook.cells for notebook in work.notebooks)


def _score(
    job: GradingJob, source: Source, assembled: dict[str, Assembled], run: SandboxRun
) -> Iterator[NotebookResult]:
    for notebook in source.notebooks:
        if notebook.name in assembled:
            yield score_notebook(notebook, assembled[notebook.name], run, source.sheet, job.language)
        else:
            yield no_points(notebook, CellVerdict.MISSING, job.language)


def _feedback(  # noqa: PLR0917 - everything that was found out
    job: GradingJob,
    source: Source,
    assembled: dict[str, Assembled],
    results: tuple[NotebookResult, ...],
    run: SandboxRun,
    reason: str | None,
) -> dict[str, bytes]:
    pages = {}
    for notebook, result in zip(source.notebooks, results, strict=True):
        item = assembled.get(notebook.name)
        if item is not None:
            page = FeedbackInput(source, notebook, item, result, run, job.language, item.notes, reason)
            pages[f"{notebook.name}.html"] = render_feedback(page)
    return pages


def _autograded(
    source: Source, assembled: dict[str, Assembled], results: tuple[NotebookResult, ...], run: SandboxRun
) -> dict[str, bytes]:
    return {
        f"{notebook.name}.ipynb": autograded_notebook(notebook, assembled[notebook.name], result, run)
        for notebook, result in zip(source.notebooks, results, strict=True)
        if notebook.name in assembled
    }


def _warnings(
    job: GradingJob, source: Source, submission: Submission, assembled: dict[str, Assembled]
) -> Iterator[str]:
    for notebook in source.notebooks:
        item = assembled.get(notebook.name)
        notes = item.notes if item else (Note("notebook_missing", {"notebook": notebook.name}),)
        yield from (note.text(job.language) for note in notes)
    for path in sorted(submission.files):
        if path.endswith(".ipynb"):
            yield say("notebook_extra", job.language, notebook=path)


def _write(job: GradingJob, source: Source, books: Books, result: GradingResult) -> GradingResult:
    """Write the scores; what the gradebook has no place for is told to the operator."""
    unplaced = save_result(books.gradebook_url, job, source, result)
    if not unplaced:
        return result
    detail = f"the gradebook has no place for {', '.join(unplaced)}"
    return replace(result, detail="\n".join(filter(None, [result.detail, detail])))
