"""What `atelier grade SOURCE_DIR SUBMISSION_DIR --json` does, without the command line around it.

Called by hub/cli.py. Returns the exit code and the JSON object; prints nothing. Exit codes: 0 the work was judged,
whatever the score; 2 the exercise or the arguments can't be used; 3 the platform failed.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from graders.errors import GradingError, SandboxError, SourceError
from graders.pipeline import grade
from graders.recipe import RecipeBook
from graders.results import GradingJob, GradingResult, Limits, Verdict
from graders.sandbox.docker import DockerSandboxRunner
from graders.sheet import SHEET_FILE, parse_sheet
from graders.words import say

if TYPE_CHECKING:
    from collections.abc import Callable

    from graders.sandbox.job import SandboxRunner

log = structlog.get_logger(__name__)

JUDGED, UNUSABLE, PLATFORM_FAILED = 0, 2, 3


def grade_command(
    source_dir: Path,
    submission_dir: Path,
    *,
    image: str,
    instance: str,
    language: str = "en",
    recipes_dir: Path | None = None,
    sandbox: SandboxRunner | None = None,
    open_sandbox: Callable[[], SandboxRunner] | None = None,
) -> tuple[int, dict[str, Any]]:
    """Grade one submission through the whole sandboxed pipeline, without gradebook and without a running hub.

    Args:
        source_dir: an nbgrader source folder.
        submission_dir: what was handed in.
        image: the grader image.
        instance: prefix and label of the container.
        language: of messages: en, fr or nl.
        recipes_dir: where to keep how exercises are graded; a temporary folder by default.
        sandbox: another runner than a cold container; the caller closes it.
        open_sandbox: makes the runner where `sandbox` is not given; the engine's by default.

    Returns:
        The exit code, and the object to print on standard output.
    """
    if not source_dir.is_dir():
        return UNUSABLE, _failure(f"{source_dir} is not a folder")
    try:
        runner = sandbox or (open_sandbox or (lambda: DockerSandboxRunner(image, instance)))()
    except SandboxError as error:
        return PLATFORM_FAILED, _failure(str(error), language)
    try:
        with tempfile.TemporaryDirectory(prefix="atelier-grade-") as temporary:
            job = GradingJob(
                submission_id="command",
                course="command",
                assignment=source_dir.resolve().name,
                learner="learner",
                source_dir=source_dir,
                submission_dir=submission_dir,
                language=language,
                limits=_limits(source_dir),
            )
            result = grade(job, runner, recipes=RecipeBook(recipes_dir or Path(temporary), runner))
    except SourceError as error:
        return UNUSABLE, _failure(str(error))
    except GradingError as error:
        return PLATFORM_FAILED, _failure(str(error), language)
    except (
        Exception
    ) as error:  # the edge of the process: a name in the log and exit code 3, never a stack trace
        log.exception("grading_failed", error=f"{type(error).__name__}: {error}")
        return PLATFORM_FAILED, _failure(type(error).__name__, language)
    finally:
        if sandbox is None:
            runner.close()
    return JUDGED, result.to_json()


def _limits(source_dir: Path) -> Limits:
    sheet = source_dir / SHEET_FILE
    return parse_sheet(sheet.read_bytes()).apply_limits(Limits()) if sheet.is_file() else Limits()


def _failure(detail: str, language: str | None = None) -> dict[str, Any]:
    """Return the object for a run without a judgement; with a language, it is our fault and we say so."""
    reason = say("verdict_internal_error", language) if language else detail
    result = GradingResult(Verdict.INTERNAL_ERROR, reason=reason, detail=detail).to_json()
    return {**result, "detail": detail}
