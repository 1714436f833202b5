"""Receipts: what the service said when it took a submission, kept beside a copy of the last few in the person's home.

Written by submit.py, read by list.py and fetch_feedback.py. The service's own list is the truth; receipts serve when it is
away, and show a person what exactly was handed in.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hub.exchange.archive import Entry, replace
from hub.exchange.record import AttemptRecord

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

RECEIPT = "submission.json"
COPIES_KEPT = 3


@dataclass(frozen=True)
class Receipt:
    """One submission as this container remembers it."""

    course_id: str
    student_id: str
    assignment_id: str
    notebooks: tuple[str, ...]
    attempt: AttemptRecord
    path: Path


class ReceiptBook:
    """The receipts in nbgrader's cache folder, laid out as nbgrader does: COURSE/STUDENT+ASSIGNMENT+TIME."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def folder(self, course_id: str, student_id: str, assignment_id: str, timestamp: str) -> Path:
        """Return where the receipt of a submission lies, whether or not it is there."""
        return self.root / course_id / f"{student_id}+{assignment_id}+{timestamp}"

    def save(
        self,
        course_id: str,
        student_id: str,
        assignment_id: str,
        attempt: AttemptRecord,
        files: Sequence[Entry],
    ) -> Path:
        """Keep a receipt and a copy of what was handed in; older copies are thinned to their receipts.

        Raises:
            OSError, ExchangeFailedError: the disk is full; the submission itself is safe on the platform.
        """
        folder = self.folder(course_id, student_id, assignment_id, attempt.timestamp)
        replace(files, folder)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "timestamp.txt").write_text(attempt.timestamp, encoding="utf-8")
        body = {
            "id": attempt.id,
            "timestamp": attempt.received_at.isoformat(),
            "attempt": attempt.attempt,
            "state": attempt.state,
            "notebooks": sorted(
                e.path.stem for e in files if len(e.path.parts) == 1 and e.path.suffix == ".ipynb"
            ),
        }
        (folder / RECEIPT).write_text(json.dumps(body), encoding="utf-8")
        for old in self.find(course_id, assignment_id)[:-COPIES_KEPT]:
            _thin(old.path)
        return folder

    def find(self, course_id: str = "", assignment_id: str = "") -> list[Receipt]:
        """Return the receipts of a course, an exercise or all, oldest first; unreadable ones are left out."""
        found = [
            receipt
            for path in self.root.glob(f"*/*+*+*/{RECEIPT}")
            if (receipt := _read(path.parent)) is not None
            and course_id in ("", receipt.course_id)
            and assignment_id in ("", receipt.assignment_id)
        ]
        return sorted(found, key=lambda receipt: receipt.attempt.received_at)


def _read(folder: Path) -> Receipt | None:
    try:
        body = json.loads((folder / RECEIPT).read_text(encoding="utf-8"))
        student_id, assignment_id, _ = folder.name.rsplit("+", 2)
        return Receipt(
            course_id=folder.parent.name,
            student_id=student_id,
            assignment_id=assignment_id,
            notebooks=tuple(str(name) for name in body["notebooks"]),
            attempt=AttemptRecord.parse(body),
            path=folder,
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _thin(folder: Path) -> None:
    """Remove the copy, keep the receipt."""
    for path in folder.iterdir():
        if path.name in (RECEIPT, "timestamp.txt"):
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
