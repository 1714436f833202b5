"""Bring an exercise into the person's folder. Only ever adds files.

`nbgrader fetch_assignment`, the Assignment List and the platform's button (extension.py) all end here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbgrader.exchange import abc

from hub.exchange.archive import place
from hub.exchange.exchange import Exchange
from hub.exchange.failure import ExchangeFailedError, ServiceAwayError
from hub.exchange.language import say

if TYPE_CHECKING:
    from pathlib import Path

    from hub.exchange.client import ExchangeClient


class ExchangeFetchAssignment(Exchange, abc.ExchangeFetchAssignment):  # type: ignore[misc]
    """nbgrader's `fetch_assignment` over the service."""

    def init_src(self) -> None:
        """Settle which exercise."""
        self.init_names()

    def init_dest(self) -> None:
        """Refuse to touch a folder that exists, unless only missing files are asked for."""
        self.dest_path = self.work_folder(self.coursedir.course_id, self.coursedir.assignment_id)
        if self.dest_path.is_dir() and not self.replace_missing_files:
            self.fail(say("already_fetched", folder=self.shown(self.dest_path)))

    def copy_files(self) -> None:
        """Fetch and place."""
        entries = self.client.release(self.coursedir.course_id, self.coursedir.assignment_id)
        ignored = self.ignore()
        kept = [
            entry
            for entry in entries
            if not any(ignored(str(entry.path.parent), [part]) for part in entry.path.parts)
        ]
        for path in place(kept, self.dest_path):
            self.log.info("Added: %s", path)
        self.log.info("Fetched as: %s %s", self.coursedir.course_id, self.coursedir.assignment_id)


def ensure_exercise(client: ExchangeClient, root: Path, course_id: str, assignment_id: str) -> Path:
    """Make sure that an exercise lies in its folder, and return the notebook to open first.

    Fetches what is absent and changes nothing that exists. Work that is there opens even when the service is away.

    Args:
        client: the service.
        root: the person's home.
        course_id: the course's short name, already checked to be one plain name.
        assignment_id: the exercise's, likewise.

    Raises:
        ExchangeFailedError: it could not be fetched, or has no notebook.
    """
    folder = root / course_id / assignment_id
    try:
        entries = client.release(course_id, assignment_id)
        place(entries, folder)
    except ServiceAwayError:
        entries = []
        if not any(folder.glob("*.ipynb")):
            raise
    order = [entry.path.name for entry in entries if len(entry.path.parts) == 1]
    order += sorted(path.name for path in folder.glob("*.ipynb"))
    own = f"{assignment_id}.ipynb"
    for name in sorted(order, key=lambda name: name != own):
        if name.endswith(".ipynb") and (folder / name).is_file():
            return folder / name
    raise ExchangeFailedError(say("no_notebook"), reason="no_notebook")
