"""What formgrader's buttons do here: everything that touches learners' work is asked of the service.

Takes the place of nbgrader's NbGraderAPI in our formgrader. Nothing in this file starts a kernel on a learner's work.
"""

# ruff: noqa: ARG002, FBT001, FBT002 - the signatures are nbgrader\'s

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from nbgrader.api import SubmittedAssignment
from nbgrader.apps.api import NbGraderAPI
from nbgrader.exchange import ExchangeError, ExchangeFactory

from hub.exchange.environment import Environment
from hub.exchange.exchange import Exchange
from hub.exchange.failure import ExchangeFailedError
from hub.exchange.language import say

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from hub.exchange.client import ExchangeClient
    from hub.exchange.mirror import CourseMirror

Answer = dict[str, Any]


class MirrorExchange(ExchangeFactory):  # type: ignore[misc]
    """The configured exchange, but for the list, which is in the mirror already."""

    def __init__(self, mirror: CourseMirror, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mirror = mirror

    def List(self, *_args: Any, **_kwargs: Any) -> MirrorList:  # noqa: N802 - nbgrader's name
        """Return the list of published exercises."""
        return MirrorList(self.mirror)


class MirrorList:
    """Published exercises, as NbGraderAPI asks for them."""

    def __init__(self, mirror: CourseMirror) -> None:
        self._mirror = mirror

    def start(self) -> list[Answer]:
        """Return the list.

        Raises:
            ExchangeError: the service is away.
        """
        if self._mirror.away:
            raise ExchangeError(self._mirror.away)
        return [{"assignment_id": record.assignment_id} for record in self._mirror.snapshot.published]


class MirrorApi(NbGraderAPI):  # type: ignore[misc]
    """nbgrader's API over the mirror and the service."""

    def __init__(self, coursedir: Any, authenticator: Any, mirror: CourseMirror, **kwargs: Any) -> None:
        """Take nbgrader's parts and the copy of the course."""
        self.mirror = mirror
        super().__init__(coursedir, authenticator, exchange=MirrorExchange(mirror, **kwargs), **kwargs)

    # What there is: the service's list, not folders

    def get_submitted_students(self, assignment_id: str) -> set[str]:
        """Return who submitted."""
        return set(self.mirror.snapshot.submissions(assignment_id))

    def get_submitted_timestamp(self, assignment_id: str, student_id: str) -> datetime | None:
        """Return when somebody last submitted, in nbgrader's naive UTC."""
        row = self.mirror.snapshot.submissions(assignment_id).get(student_id)
        return row.received_at.replace(tzinfo=None) if row else None

    def get_autograded_students(self, assignment_id: str) -> set[str]:
        """Return whose last submission has its grade in the copy of the gradebook."""
        with self.gradebook as gradebook:
            rows = gradebook.db.query(SubmittedAssignment.student_id).filter(
                SubmittedAssignment.name == assignment_id
            )
            in_book = {str(row[0]) for row in rows}
        last = self.mirror.snapshot.submissions(assignment_id)
        return {learner for learner, row in last.items() if row.graded and learner in in_book}

    def _filter_existing_notebooks(self, assignment_id: str, notebooks: Any) -> list[Any]:
        """Return all: what is not here yet is fetched when somebody looks at it."""
        return sorted(notebooks, key=lambda notebook: notebook.id)

    # What the buttons do

    def autograde(
        self, assignment_id: str, student_id: str, force: bool = True, create: bool = True
    ) -> Answer:
        """Ask the platform to grade again."""

        def ask(client: ExchangeClient) -> str:
            row = self.mirror.snapshot.submissions(assignment_id).get(student_id)
            if row is None:
                raise ExchangeFailedError(say("nothing_submitted", learner=student_id, what=assignment_id))
            client.regrade(row.id)
            return say("regrade_queued")

        return self._ask(ask)

    def generate_feedback(
        self, assignment_id: str, student_id: str | None = None, force: bool = True
    ) -> Answer:
        """Say that the platform has made it already."""
        return {"success": True, "log": say("feedback_made")}

    def release_feedback(self, assignment_id: str, student_id: str | None = None) -> Answer:
        """Let one learner, or all, read their feedback."""

        def ask(client: ExchangeClient) -> str:
            count = client.release_feedback(self.mirror.course_id, assignment_id, student_id)
            return say("feedback_released", count=count)

        return self._ask(ask)

    def unrelease(self, assignment_id: str) -> Answer:
        """Withdraw an exercise."""

        def ask(client: ExchangeClient) -> str:
            client.withdraw(self.mirror.course_id, assignment_id)
            return f"{self.mirror.course_id}/{assignment_id}"

        return self._ask(ask)

    def release_assignment(self, assignment_id: str) -> Answer:
        """Publish the source folder."""
        return self._changed(super().release_assignment(assignment_id))

    def collect(self, assignment_id: str, update: bool = True) -> Answer:
        """Copy submissions into the course folder, to read."""
        return self._changed(super().collect(assignment_id, update=update))

    def _ask(self, ask: Callable[[ExchangeClient], str]) -> Answer:
        try:
            with Exchange.make_client(Environment.read()) as client:
                return self._changed({"success": True, "log": ask(client)})
        except ExchangeFailedError as failure:
            return {"success": False, "log": str(failure), "error": ""}

    def _changed(self, answer: Any) -> Answer:
        """Look at the service again at the next page; show a failure's sentence, not its stack."""
        self.mirror.expire()
        if not answer["success"]:
            answer["error"] = ""
        return cast("Answer", answer)
