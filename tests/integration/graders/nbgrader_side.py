"""Grades with nbgrader itself, unsandboxed: only nbgrader's own example notebooks are given to it.

Run as a program by test_identity.py: `python nbgrader_side.py COURSE_ROOT`. Every folder of COURSE_ROOT/source is an
assignment, every one of COURSE_ROOT/submitted a student. Prints the automatic scores as JSON; null where nbgrader
gave up.
"""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.apps import NbGraderAPI
from traitlets.config import Config


def main(root: Path) -> dict[str, Any]:
    config = Config()
    config.CourseDirectory.root = str(root)
    config.CourseDirectory.db_url = f"sqlite:///{root / 'gradebook.db'}"
    config.Execute.timeout = 20
    api = NbGraderAPI(config=config)
    api.log.setLevel(logging.CRITICAL)
    scores: dict[str, Any] = {}
    for assignment in sorted(path.name for path in (root / "source").iterdir()):
        made = api.generate_assignment(assignment)
        if not made["success"]:
            raise SystemExit(str(made))
        for student in sorted(path.parent.name for path in (root / "submitted").glob(f"*/{assignment}")):
            graded = api.autograde(assignment, student)
            found = _scores(root, assignment, student) if graded["success"] else None
            scores[f"{assignment}/{student}"] = found
    return scores


def _scores(root: Path, assignment: str, student: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    with Gradebook(f"sqlite:///{root / 'gradebook.db'}") as book:
        try:
            submission = book.find_submission(assignment, student)
        except MissingEntry:
            return found
        for notebook in submission.notebooks:
            for grade in notebook.grades:
                found[f"{notebook.name}/{grade.name}"] = [
                    grade.auto_score,
                    grade.max_score,
                    bool(grade.needs_manual_grade),
                ]
    return found


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(Path(sys.argv[1]))))
