"""List exercises and submissions in the shape that nbgrader's command line and its extensions expect.

Without a flag: published exercises. `--cached`: the person's own submissions, also when the service is away.
`--inbound`: for trainers, everybody's. `--remove`: withdraw an exercise, or forget receipts. The shape of the dictionaries
is nbgrader's exchange API.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbgrader.exchange import abc
from traitlets import Bool

from hub.exchange.exchange import Exchange
from hub.exchange.failure import ServiceAwayError
from hub.exchange.feedback_folder import FeedbackFolder
from hub.exchange.language import say
from hub.exchange.receipt import Receipt, ReceiptBook
from hub.exchange.record import AssignmentRecord, AttemptRecord

if TYPE_CHECKING:
    from collections.abc import Iterable

Info = dict[str, Any]


class ExchangeList(Exchange, abc.ExchangeList):  # type: ignore[misc]
    """nbgrader's `list` over the service."""

    as_json = Bool(False, help="Print the list as JSON.").tag(config=True)

    def start(self) -> list[Info]:
        """List, and with `remove` take away what is listed."""
        listed: list[Info] = super().start()
        if self.as_json:
            sys.stdout.write(json.dumps(listed) + "\n")
        return listed

    def list_files(self) -> list[Info]:
        """Return what was asked for, and log it for the command line."""
        if self.inbound or self.cached:
            found = self.inbound_submissions() if self.inbound else self.own_submissions()
            self.log.info("Submitted assignments:")
            for info in (info for group in found for info in group["submissions"]):
                self.log.info("%s", describe_submission(info))
            return found
        found = self.published()
        self.log.info("Released assignments:")
        for info in found:
            fetched = " (already downloaded)" if info["status"] == "fetched" else ""
            self.log.info("%s %s%s", info["course_id"], info["assignment_id"], fetched)
        return found

    def remove_files(self) -> list[Info]:
        """Withdraw one named exercise, or forget receipts. Submissions on the platform are never removed."""
        if self.inbound:
            self.fail(say("submissions_stay"))
        if self.cached:
            found = self.own_submissions(local_only=True)
            for info in (info for group in found for info in group["submissions"]):
                shutil.rmtree(info["path"], ignore_errors=True)
                info["status"] = "removed"
        else:
            self.init_names()
            found = self.published()
            if not found:
                self.fail(say("not_found", what=f"{self.coursedir.course_id}/{self.coursedir.assignment_id}"))
            for info in found:
                self.client.withdraw(info["course_id"], info["assignment_id"])
                self.log.info("Withdrawn: %s %s", info["course_id"], info["assignment_id"])
        for info in found:
            info["status"] = "removed"
        return found

    def published(self) -> list[Info]:
        """Return the published exercises, fetched or not."""
        return [self._published(record) for record in self._records()]

    def own_submissions(self, *, local_only: bool = False) -> list[Info]:
        """Return the person's submissions: what the service has, and receipts when it is away.

        Args:
            local_only: only what is kept in this container.
        """
        book = ReceiptBook(Path(self.cache))
        receipts = book.find(self._course_id(), self._assignment_id())
        person = self.environment.person
        found: dict[str, Info] = {r.attempt.id: self._receipt(r) for r in receipts}
        if not local_only:
            try:
                records = self._records()
            except ServiceAwayError as failure:
                self.log.warning("%s", failure)
                records = []
            for record in records:
                for attempt in record.attempts:
                    path = book.folder(record.course_id, person, record.assignment_id, attempt.timestamp)
                    found[attempt.id] = self._own(record, attempt, person, path)
        return group_by_person(found.values())

    def inbound_submissions(self) -> list[Info]:
        """Return all submissions of the courses that the person trains."""
        trained = [
            course.id
            for course in self.client.courses()
            if course.role in ("trainer", "admin") and self._course_id() in ("", course.id)
        ]
        student = self.coursedir.student_id if self.coursedir else "*"
        infos = []
        for course_id in trained:
            names = {record.assignment_id: record.notebooks for record in self.client.assignments(course_id)}
            for row in self.client.received(course_id, self._assignment_id()):
                if student not in ("", "*", row.learner):
                    continue
                notebooks = [_without_feedback(name) for name in names.get(row.assignment_id, ())]
                infos.append(
                    {
                        "course_id": course_id,
                        "student_id": row.learner,
                        "assignment_id": row.assignment_id,
                        "timestamp": row.timestamp,
                        "status": "submitted",
                        "path": f"{course_id}/{row.assignment_id}/{row.id}",
                        "submission_id": row.id,
                        "notebooks": notebooks,
                        "has_local_feedback": False,
                        "has_exchange_feedback": False,
                        "feedback_updated": False,
                        "local_feedback_path": None,
                    }
                )
        return group_by_person(infos)

    def _course_id(self) -> str:
        return str(self.coursedir.course_id) if self.coursedir else ""

    def _assignment_id(self) -> str:
        name = str(self.coursedir.assignment_id) if self.coursedir else ""
        return "" if name == "*" else name

    def _records(self) -> list[AssignmentRecord]:
        wanted = self._assignment_id()
        records = self.client.assignments(self._course_id())
        return [record for record in records if wanted in ("", record.assignment_id)]

    def _published(self, record: AssignmentRecord) -> Info:
        folder = self.work_folder(record.course_id, record.assignment_id)
        if folder.is_dir():
            notebooks = [
                {"notebook_id": path.stem, "path": str(path)} for path in sorted(folder.glob("*.ipynb"))
            ]
            status, path = "fetched", str(folder)
        else:
            status, path = "released", f"{record.course_id}/{record.assignment_id}"
            notebooks = [{"notebook_id": name, "path": f"{path}/{name}.ipynb"} for name in record.notebooks]
        return {
            "course_id": record.course_id,
            "assignment_id": record.assignment_id,
            "status": status,
            "path": path,
            "notebooks": notebooks,
        }

    def _receipt(self, receipt: Receipt) -> Info:
        record = AssignmentRecord(receipt.course_id, receipt.assignment_id, 0, receipt.notebooks)
        return self._own(record, receipt.attempt, receipt.student_id, receipt.path)

    def _own(self, record: AssignmentRecord, attempt: AttemptRecord, person: str, path: Path) -> Info:
        """Return one submission of the person's own, with what is known of its feedback."""
        folder = FeedbackFolder.of(self.work_folder(record.course_id, record.assignment_id), attempt)
        local = folder.has(record.notebooks)
        outdated = local and attempt.feedback and folder.is_outdated(attempt)
        notebooks = [
            {
                "notebook_id": name,
                "path": str(path / f"{name}.ipynb"),
                "has_local_feedback": folder.page(name).is_file(),
                "has_exchange_feedback": attempt.feedback,
                "local_feedback_path": str(folder.page(name)) if folder.page(name).is_file() else None,
                "feedback_updated": outdated,
            }
            for name in record.notebooks
        ]
        return {
            "course_id": record.course_id,
            "student_id": person,
            "assignment_id": record.assignment_id,
            "timestamp": attempt.timestamp,
            "status": "submitted",
            "path": str(path),
            "submission_id": attempt.id,
            "notebooks": notebooks,
            "has_local_feedback": local,
            "has_exchange_feedback": attempt.feedback,
            "feedback_updated": outdated,
            "local_feedback_path": str(folder.path) if local else None,
        }


def group_by_person(infos: Iterable[Info]) -> list[Info]:
    """Return one dictionary a course, person and exercise, with its submissions oldest first."""
    groups: dict[tuple[str, str, str], Info] = {}
    for info in sorted(infos, key=lambda item: str(item["timestamp"])):
        key = (info["course_id"], info["student_id"], info["assignment_id"])
        names = dict(zip(("course_id", "student_id", "assignment_id"), key, strict=True))
        group = groups.setdefault(key, {**names, "status": info["status"], "submissions": []})
        group["submissions"].append(info)
    return [groups[key] for key in sorted(groups)]


def describe_submission(info: Info) -> str:
    """Return the command line's line about a submission."""
    if info["has_local_feedback"] and not info["feedback_updated"]:
        feedback = "feedback already fetched"
    elif info["has_exchange_feedback"]:
        feedback = "feedback ready to be fetched"
    else:
        feedback = "no feedback available"
    return (
        f"{info['course_id']} {info['student_id']} {info['assignment_id']} {info['timestamp']} ({feedback})"
    )


def _without_feedback(notebook: str) -> Info:
    return {
        "notebook_id": notebook,
        "path": f"{notebook}.ipynb",
        "has_local_feedback": False,
        "has_exchange_feedback": False,
        "local_feedback_path": None,
        "feedback_updated": False,
    }
