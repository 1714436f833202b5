"""Hand in a folder. The service stores it, gives it its time and answers with a receipt; then nothing can be lost.

`nbgrader submit` and the Assignment List's Submit button.
"""

from __future__ import annotations

from dataclasses import replace as changed
from pathlib import Path

from nbgrader.exchange import abc

from hub.exchange.archive import SUBMISSION, Entry, pack, read_folder
from hub.exchange.exchange import Exchange
from hub.exchange.failure import ExchangeFailedError
from hub.exchange.language import say
from hub.exchange.receipt import ReceiptBook


class ExchangeSubmit(Exchange, abc.ExchangeSubmit):  # type: ignore[misc]
    """nbgrader's `submit` over the service."""

    def init_src(self) -> None:
        """Find the person's folder."""
        self.init_names()
        self.src_path = self.work_folder(self.coursedir.course_id, self.coursedir.assignment_id)
        if not self.src_path.is_dir():
            self.fail(say("nothing_to_submit", folder=self.shown(self.src_path)))

    def copy_files(self) -> None:
        """Pack, compare with what was published, send, keep the receipt."""
        course_id, assignment_id = self.coursedir.course_id, self.coursedir.assignment_id
        limits = changed(SUBMISSION, max_bytes=self.environment.max_bytes)
        entries, left_out = read_folder(self.src_path, limits, self.ignore())
        for name in left_out:
            self.log.warning("Left out, since it is no plain file: %s", name)
        self.check_notebooks(entries)
        attempt = self.client.submit(course_id, assignment_id, pack(entries))
        self.timestamp = attempt.timestamp
        self.log.info("Submitted as: %s %s %s", course_id, assignment_id, attempt.timestamp)
        try:
            book = ReceiptBook(Path(self.cache))
            book.save(course_id, self.environment.person, assignment_id, attempt, entries)
        except (OSError, ExchangeFailedError) as error:
            self.log.warning(
                "The submission is safe on the platform, but no copy could be kept here: %s", error
            )

    def check_notebooks(self, entries: list[Entry]) -> None:
        """Warn when notebooks of the exercise are missing or there are others; with --strict, refuse.

        Raises:
            ExchangeFailedError: strict, and a notebook is missing.
        """
        course_id, assignment_id = self.coursedir.course_id, self.coursedir.assignment_id
        published = {
            name
            for record in self.client.assignments(course_id)
            if record.assignment_id == assignment_id
            for name in record.notebooks
        }
        ours = {
            entry.path.stem
            for entry in entries
            if len(entry.path.parts) == 1 and entry.path.suffix == ".ipynb"
        }
        missing = sorted(published - ours)
        if missing and self.strict:
            self.fail(say("missing_notebooks", names=", ".join(missing)))
        if missing or ours - published:
            self.log.warning(
                "Possible missing notebooks (%s) and/or extra notebooks (%s) submitted for assignment %s",
                ", ".join(missing),
                ", ".join(sorted(ours - published)),
                assignment_id,
            )
