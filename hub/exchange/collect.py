"""Copy learners' submissions into the trainer's course folder, to read. The originals stay on the platform.

`nbgrader collect` and formgrader's Collect button. Files that would configure a program that starts in that folder are left
out: a learner's folder must not run code because a trainer looks at it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.exchange import abc
from nbgrader.utils import parse_utc

from hub.exchange.archive import Entry, replace
from hub.exchange.exchange import Exchange

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hub.exchange.record import ReceivedRecord

_TIMESTAMP = PurePosixPath("timestamp.txt")
SKEW_S = 0.001
"""Times that differ by less are the same time, written with fewer digits."""


def without_configuration(entries: Sequence[Entry]) -> list[Entry]:
    """Return the files without those that some program would run or obey just because they are there."""
    return [
        entry
        for entry in entries
        if not any(part.startswith(".") for part in entry.path.parts)
        and not entry.path.name.startswith(
            ("nbgrader_config.", "jupyter_", "sitecustomize.", "usercustomize.")
        )
    ]


class ExchangeCollect(Exchange, abc.ExchangeCollect):  # type: ignore[misc]
    """nbgrader's `collect` over the service."""

    def init_src(self) -> None:
        """Choose one submission a learner: the last, or the last before the due date."""
        self.init_names()
        course_id, assignment_id = self.coursedir.course_id, self.coursedir.assignment_id
        due = self.due_date() if self.before_duedate else None
        student = self.coursedir.student_id
        chosen: dict[str, ReceivedRecord] = {}
        for row in self.client.received(course_id, assignment_id):
            if student not in ("", "*", row.learner):
                continue
            if row.learner not in chosen or due is None or row.received_at <= due:
                chosen[row.learner] = row
        self.chosen = [chosen[name] for name in sorted(chosen)]

    def due_date(self) -> datetime | None:
        """Return the due date: the platform's, else that of the copy of the gradebook."""
        course_id, assignment_id = self.coursedir.course_id, self.coursedir.assignment_id
        for record in self.client.assignments(course_id):
            if record.assignment_id == assignment_id and record.deadline:
                return record.deadline
        with Gradebook(self.coursedir.db_url, course_id) as gradebook:
            try:
                due: datetime | None = gradebook.find_assignment(assignment_id).duedate
            except MissingEntry:
                return None
        return due.replace(tzinfo=UTC) if due else None

    def copy_files(self) -> None:
        """Fetch what is not here yet, and with --update what is newer."""
        assignment_id = self.coursedir.assignment_id
        if not self.chosen:
            self.log.warning(
                "No submissions of '%s' for course '%s'", assignment_id, self.coursedir.course_id
            )
        for row in self.chosen:
            directory = self.coursedir.submitted_directory
            folder = Path(self.coursedir.format_path(directory, row.learner, assignment_id))
            if folder.is_dir() and not self.wants(row, folder):
                self.log.info(
                    "Submission already exists, use --update to update: %s %s", row.learner, assignment_id
                )
                continue
            self.log.info("Collecting submission: %s %s", row.learner, assignment_id)
            timestamp = Entry(path=_TIMESTAMP, data=row.timestamp.encode())
            files = without_configuration(self.client.submitted_files(row.id))
            replace([*(entry for entry in files if entry.path != _TIMESTAMP), timestamp], folder)

    def wants(self, row: ReceivedRecord, folder: Path) -> bool:
        """Whether a submission should take the place of the copy that is here."""
        here = existing_time(folder)
        if here is None:
            return bool(self.update or self.before_duedate)
        difference = (row.received_at - here).total_seconds()
        return bool(
            (self.update and difference > SKEW_S) or (self.before_duedate and abs(difference) > SKEW_S)
        )


def existing_time(folder: Path) -> datetime | None:
    """Return the time of a collected submission, None when it is not known."""
    try:
        written = (folder / str(_TIMESTAMP)).read_text(encoding="utf-8").strip()
        moment: datetime = parse_utc(written)
    except (OSError, ValueError):
        return None
    return moment.replace(tzinfo=UTC)
