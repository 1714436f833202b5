"""The same notebooks through nbgrader and through us: the same scores, cell by cell, but for documented differences.

The notebooks are nbgrader's own: its example course, and those of its tests that have a source and a submission.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbgrader
import pytest
from nbgrader.api import Gradebook

from graders.pipeline import Books, grade
from graders.publish import make_release
from graders.results import GradingJob, Limits

if TYPE_CHECKING:
    from graders.recipe import RecipeBook
    from graders.sandbox.docker import DockerSandboxRunner

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(600),
    pytest.mark.filterwarnings(
        "ignore::sqlalchemy.exc.SAWarning", "ignore::ResourceWarning", "ignore::DeprecationWarning"
    ),
    pytest.mark.filterwarnings(
        "ignore::pytest.PytestUnraisableExceptionWarning"
    ),  # nbgrader leaves files open
]

HERE = Path(nbgrader.__file__).parent
GUIDE = HERE / "docs/source/user_guide"
APPS = HERE / "tests/apps/files"
STEPS = HERE / "tests/preprocessors/files"
RELEASED, SOLVED = "released", "solved"

SUBMITTED = {
    "unchanged": APPS / "submitted-unchanged.ipynb",
    "changed": APPS / "submitted-changed.ipynb",
    "cheat": APPS / "submitted-cheat-attempt.ipynb",
    "cheat2": APPS / "submitted-cheat-attempt-alternative.ipynb",
    "gradecell": APPS / "submitted-grade-cell-changed.ipynb",
    "lockedcell": APPS / "submitted-locked-cell-changed.ipynb",
    "answertype": STEPS / "submitted-answer-cell-type-changed.ipynb",
    "gradetype": STEPS / "submitted-grade-cell-type-changed.ipynb",
}
ALONE = {
    "test": APPS / "test.ipynb",
    "output": APPS / "test-with-output.ipynb",
    "hidden": APPS / "test-hidden-tests.ipynb",
    "zero": APPS / "validation-zero-points.ipynb",
    "slow": APPS / "timeout.ipynb",
    "task": STEPS / "test_taskcell.ipynb",
    "byhand": STEPS / "manually-graded-code-cell.ipynb",
}
"""Sources without a submission of their own: handed in as released, and as solved."""

NBGRADER_GIVES_UP = {"unsolved/answertype", "unsolved/gradetype"}
"""A cell that changed between code and text: docs/grading-differences.md, "The order of cells, and what is restored"."""


def _course(root: Path) -> list[tuple[str, str]]:
    """Lay out one nbgrader course; return its (assignment, student) pairs."""
    pairs = []
    shutil.copytree(GUIDE / "source/ps1", root / "source/ps1")
    for student in ("bitdiddle", "hacker"):
        shutil.copytree(GUIDE / "submitted" / student / "ps1", root / "submitted" / student / "ps1")
        pairs.append(("ps1", student))
    _put(APPS / "submitted-unchanged.ipynb", root / "source/unsolved")
    for student, path in SUBMITTED.items():
        _put(path, root / "submitted" / student / "unsolved")
        pairs.append(("unsolved", student))
    for name, path in ALONE.items():
        _put(path, root / "source" / name)
        make_release(root / "source" / name, root / "submitted" / RELEASED / name, "identity", name, None)
        _put(path, root / "submitted" / SOLVED / name)
        pairs += [(name, RELEASED), (name, SOLVED)]
    return pairs


def _put(path: Path, folder: Path) -> None:
    folder.mkdir(parents=True)
    shutil.copyfile(path, folder / "p1.ipynb")
    for beside in ("jupyter.png",):
        shutil.copyfile(APPS / beside, folder / beside)


@pytest.fixture(scope="module")
def scores(
    tmp_path_factory: pytest.TempPathFactory, sandbox: DockerSandboxRunner, recipes: RecipeBook
) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """Return, for each submission, nbgrader's automatic scores and ours, both read from gradebooks."""
    root = tmp_path_factory.mktemp("identity")
    pairs = _course(root)
    program = Path(__file__).with_name("nbgrader_side.py")
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    run = subprocess.run(
        [sys.executable, "-W", "ignore", program, root],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": path, "HOME": str(root)},
    )
    assert run.returncode == 0, run.stderr[-3000:] + run.stdout[-1000:]
    theirs = json.loads(run.stdout.splitlines()[-1])
    url = f"sqlite:///{root / 'ours.db'}"
    both = {}
    for assignment, student in pairs:
        job = GradingJob(
            submission_id=f"{assignment}-{student}",
            course="identity",
            assignment=assignment,
            learner=student,
            source_dir=root / "source" / assignment,
            submission_dir=root / "submitted" / student / assignment,
            limits=Limits(cell_s=20.0),  # one solution sleeps for 5 s
        )
        grade(job, sandbox, recipes=recipes, books=Books(url))
        both[f"{assignment}/{student}"] = (theirs[f"{assignment}/{student}"], _ours(url, assignment, student))
    return both


def _ours(url: str, assignment: str, student: str) -> dict[str, Any]:
    with Gradebook(url, "identity") as book:
        return {
            f"{notebook.name}/{item.name}": [item.auto_score, item.max_score, bool(item.needs_manual_grade)]
            for notebook in book.find_submission(assignment, student).notebooks
            for item in notebook.grades
        }


PAIRS = [
    *(f"ps1/{student}" for student in ("bitdiddle", "hacker")),
    *(f"unsolved/{student}" for student in SUBMITTED),
    *(f"{name}/{student}" for name in ALONE for student in (RELEASED, SOLVED)),
]


@pytest.mark.parametrize("pair", PAIRS)
def test_the_same_scores(scores: dict[str, tuple[dict[str, Any], dict[str, Any]]], pair: str) -> None:
    theirs, ours = scores[pair]
    if pair in NBGRADER_GIVES_UP:
        assert theirs is None
        assert ours == scores["unsolved/unchanged"][1]
        return
    assert theirs
    assert {cell: (theirs[cell], ours.get(cell)) for cell in theirs if theirs[cell] != ours.get(cell)} == {}
    assert set(theirs) == set(ours)


def test_the_known_scores(scores: dict[str, tuple[dict[str, Any], dict[str, Any]]]) -> None:
    """What nbgrader's documentation and tests say, whatever is installed."""
    totals = {pair: sum(score[0] or 0 for score in ours.values()) for pair, (_, ours) in scores.items()}
    assert totals["ps1/bitdiddle"] == 1.5
    assert totals["ps1/hacker"] == 3.0
    assert totals["unsolved/unchanged"] == 1.0
    assert totals["unsolved/changed"] == 2.0
    assert totals["unsolved/cheat"] == totals["unsolved/cheat2"] == 1.0
