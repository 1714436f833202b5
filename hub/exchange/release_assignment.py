"""Publish the source folder of an exercise. The service checks it, makes the learners' version, and keeps it unchangeable.

`nbgrader release_assignment` and formgrader's Release button. What `nbgrader generate_assignment` makes in release/ is the
trainer's preview; it is not what learners get.
"""

from __future__ import annotations

from pathlib import Path

from nbgrader.exchange import abc

from hub.exchange.archive import INCOMING, pack, read_folder
from hub.exchange.exchange import Exchange
from hub.exchange.language import say


class ExchangeReleaseAssignment(Exchange, abc.ExchangeReleaseAssignment):  # type: ignore[misc]
    """nbgrader's `release_assignment` over the service."""

    def init_src(self) -> None:
        """Find the source folder."""
        self.init_names()
        directory = self.coursedir.source_directory
        self.src_path = Path(
            self.coursedir.format_path(directory, ".", self.coursedir.assignment_id)
        ).resolve()
        if not self.src_path.is_dir():
            self.fail(say("no_source", folder=self.shown(self.src_path)))

    def init_dest(self) -> None:
        """A published exercise changes only when that is said."""
        course_id, assignment_id = self.coursedir.course_id, self.coursedir.assignment_id
        published = {record.assignment_id for record in self.client.assignments(course_id)}
        if assignment_id in published and not self.force:
            self.fail(say("already_released", what=f"{course_id}/{assignment_id}"))

    def copy_files(self) -> None:
        """Pack and send."""
        course_id, assignment_id = self.coursedir.course_id, self.coursedir.assignment_id
        entries, left_out = read_folder(self.src_path, INCOMING, self.ignore())
        for name in left_out:
            self.log.warning("Left out, since it is no plain file: %s", name)
        version, warnings = self.client.publish(course_id, assignment_id, pack(entries))
        for warning in warnings:
            self.log.warning("%s", warning)
        self.log.info("Released as: %s %s, version %s", course_id, assignment_id, version)
