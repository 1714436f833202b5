"""A trainer's copy of one course: sources to edit, a gradebook and graded notebooks to look at.

Used by the formgrader of trainer.py. The book is the service's; this is a copy in the trainer's home, refreshed before
pages are shown. `fetch` waits for the service and runs in a thread; `apply` changes what pages read and runs between them.
"""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from hub.exchange.archive import place
from hub.exchange.archive import replace as replace_folder
from hub.exchange.collect import without_configuration
from hub.exchange.failure import ExchangeFailedError, RefusedError
from hub.exchange.language import say

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hub.exchange.client import ExchangeClient
    from hub.exchange.record import AssignmentRecord, GradebookCopy, ReceivedRecord

FRESH_S = 3.0
"""Pages asked for within this time share one look at the service."""

SQLITE = b"SQLite format 3\x00"
CONFIG = '''"""nbgrader's settings of this course. Yours to change; the platform grades with its own."""

c = get_config()  # noqa: F821
c.CourseDirectory.course_id = {course!r}
c.CourseDirectory.root = {root!r}
'''

Cell = tuple[str, str, str]
"""A submission's id, a notebook and a cell."""


@dataclass(frozen=True)
class Snapshot:
    """What the service said, at once."""

    received: tuple[ReceivedRecord, ...] = ()
    published: tuple[AssignmentRecord, ...] = ()
    tag: str = ""
    as_of: datetime = field(default_factory=lambda: datetime.fromtimestamp(0, UTC))

    def submissions(self, assignment_id: str) -> dict[str, ReceivedRecord]:
        """Return each learner's last submission of an exercise; `*` for any exercise."""
        return {row.learner: row for row in self.received if assignment_id in ("*", row.assignment_id)}

    def graded(self, assignment_id: str, learner: str) -> ReceivedRecord | None:
        """Return a learner's last submission that has a grade; one that is graded again keeps its old one."""
        found = [
            row
            for row in self.received
            if row.graded_at and (row.assignment_id, row.learner) == (assignment_id, learner)
        ]
        return found[-1] if found else None


class CourseMirror:
    """The copy of one course below the trainer's home."""

    def __init__(self, course_id: str, title: str, folder: Path) -> None:
        self.course_id = course_id
        self.title = title
        self.folder = folder
        self.snapshot = Snapshot()
        self.away = ""
        """The sentence to show while the service does not answer."""

        self.marked: dict[Cell, datetime] = {}
        """When marks of this session were kept, so that one's own mark is no newer mark."""

        self._looked_at = float("-inf")

    def ensure_folder(self) -> None:
        """Make the course folder as nbgrader wants it."""
        (self.folder / "source").mkdir(parents=True, exist_ok=True)
        config = self.folder / "nbgrader_config.py"
        if not config.exists():
            config.write_text(CONFIG.format(course=self.course_id, root=str(self.folder)), encoding="utf-8")

    @property
    def gradebook_path(self) -> Path:
        """Where nbgrader looks for the gradebook."""
        return self.folder / "gradebook.db"

    def is_due(self) -> bool:
        """Whether the service should be asked again; asking this starts the clock anew."""
        now = time.monotonic()
        due = now - self._looked_at >= FRESH_S
        if due:
            self._looked_at = now
        return due

    def expire(self) -> None:
        """Something was changed: look again at the next page."""
        self._looked_at = float("-inf")

    def fetch(self, client: ExchangeClient) -> tuple[Snapshot, GradebookCopy | None]:
        """Ask the service for everything that pages need; writes only source folders that are absent.

        Raises:
            ExchangeFailedError: the service is away or says no.
        """
        published = tuple(client.assignments(self.course_id))
        received = tuple(client.received(self.course_id))
        tag = self.snapshot.tag if self.gradebook_path.exists() else ""
        try:
            copy = client.gradebook(self.course_id, tag)
        except RefusedError as refused:
            if refused.reason != "no_gradebook":
                raise
            copy = None
        for record in published:
            folder = self.folder / "source" / record.assignment_id
            if not folder.exists():
                place(client.source(self.course_id, record.assignment_id), folder)
        if copy and not copy.data.startswith(SQLITE):
            raise RefusedError(say("broken", request="gradebook"), reason="unexpected_answer")
        snapshot = Snapshot(received, published, tag, self.snapshot.as_of)
        if copy:
            snapshot = replace(snapshot, tag=copy.tag, as_of=copy.as_of)
        return snapshot, copy

    def apply(self, snapshot: Snapshot, copy: GradebookCopy | None) -> None:
        """Put what was fetched in the place of the old copy. Nobody may hold the old gradebook open."""
        self.snapshot = snapshot
        self.away = ""
        if copy is not None:
            fresh = self.gradebook_path.with_suffix(".new")
            fresh.write_bytes(copy.data)
            for leftover in ("-journal", "-wal", "-shm"):
                Path(f"{self.gradebook_path}{leftover}").unlink(missing_ok=True)
            fresh.replace(self.gradebook_path)
        self._add_own_notes()

    def _add_own_notes(self) -> None:
        """Write into the copy what only formgrader needs: due dates and the trainer's flags."""
        if not self.gradebook_path.exists():
            return
        with closing(sqlite3.connect(self.gradebook_path)) as book, book:
            for record in self.snapshot.published:
                due = record.deadline.replace(tzinfo=None).isoformat(" ") if record.deadline else None
                if due and "." not in due:
                    due += ".000000"
                book.execute("UPDATE assignment SET duedate = ? WHERE name = ?", (due, record.assignment_id))
            flagged = self.flags()
            ids = [(name,) for name in self._notebook_ids(book, flagged)]
            book.executemany("UPDATE submitted_notebook SET flagged = 1 WHERE id = ?", ids)

    @staticmethod
    def _notebook_ids(book: sqlite3.Connection, flagged: Iterable[Cell]) -> list[str]:
        query = (
            "SELECT sn.id FROM submitted_notebook sn JOIN notebook n ON n.id = sn.notebook_id"
            " JOIN submitted_assignment sa ON sa.id = sn.assignment_id JOIN assignment a ON a.id = sa.assignment_id"
            " WHERE a.name = ? AND sa.student_id = ? AND n.name = ?"
        )
        return [row[0] for names in flagged for row in book.execute(query, names)]

    def flags(self) -> set[Cell]:
        """Return which notebooks the trainer flagged: exercise, learner, notebook."""
        try:
            written = json.loads((self.folder / ".flags.json").read_text(encoding="utf-8"))
            return {(str(a), str(b), str(c)) for a, b, c in written}
        except (OSError, ValueError, TypeError):
            return set()

    def flag(self, assignment_id: str, learner: str, notebook: str, *, flagged: bool) -> None:
        """Remember a flag; it is the trainer's own note and stays in this home."""
        name = (assignment_id, learner, notebook)
        flags = self.flags() | {name} if flagged else self.flags() - {name}
        (self.folder / ".flags.json").write_text(json.dumps(sorted(flags)), encoding="utf-8")

    def ensure_autograded(self, client: ExchangeClient, assignment_id: str, learner: str) -> None:
        """Fetch the graded notebooks of a learner unless the copy is the newest.

        Raises:
            ExchangeFailedError: the service is away, and there is no copy to show.
        """
        row = self.snapshot.graded(assignment_id, learner)
        if row is None:
            return
        folder = self.folder / "autograded" / learner / assignment_id
        stamp = folder.parent / f".{assignment_id}.stamp"
        wanted = f"{row.id} {row.graded_at}"
        if folder.is_dir() and stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
            return
        try:
            files = without_configuration(client.autograded_files(row.id))
        except ExchangeFailedError:
            if folder.is_dir():
                return
            raise
        replace_folder(files, folder)
        stamp.write_text(wanted, encoding="utf-8")

    def seen_at(self, cell: Cell) -> datetime:
        """Return up to when the trainer knows the marks of a cell."""
        return max(self.snapshot.as_of, self.marked.get(cell, self.snapshot.as_of))
