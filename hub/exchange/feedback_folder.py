"""Where fetched feedback lies, and whether it is still the newest: ASSIGNMENT/feedback/TIME/NOTEBOOK.html.

Used by fetch_feedback.py, which writes it, and list.py, which tells the Assignment List.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hub.exchange.archive import Entry, replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from hub.exchange.record import AttemptRecord

VERSION = ".version"


@dataclass(frozen=True)
class FeedbackFolder:
    """The feedback of one submission in the person's folder."""

    path: Path

    @classmethod
    def of(cls, work_folder: Path, attempt: AttemptRecord) -> FeedbackFolder:
        """Return the place of a submission's feedback."""
        return cls(work_folder / "feedback" / attempt.timestamp)

    def page(self, notebook: str) -> Path:
        """Return where a notebook's feedback lies."""
        return self.path / f"{notebook}.html"

    def has(self, notebooks: Iterable[str]) -> bool:
        """Whether the feedback of all these notebooks was fetched."""
        names = list(notebooks)
        return bool(names) and all(self.page(name).is_file() for name in names)

    def is_outdated(self, attempt: AttemptRecord) -> bool:
        """Whether the service has other feedback than what was fetched."""
        if attempt.feedback_version is None:
            return attempt.feedback_updated
        try:
            return (self.path / VERSION).read_text(encoding="utf-8") != attempt.feedback_version
        except OSError:
            return True

    def save(self, entries: Sequence[Entry], attempt: AttemptRecord) -> None:
        """Put fetched pages in the place of the old ones."""
        replace([entry for entry in entries if entry.path.suffix == ".html"], self.path)
        self.path.mkdir(parents=True, exist_ok=True)
        (self.path / VERSION).write_text(attempt.feedback_version or "", encoding="utf-8")
