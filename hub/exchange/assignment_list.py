"""nbgrader's Assignment List with errors that a learner can act on.

The extension's own handlers and JavaScript stay as they are; only the object behind them (`assignment_list_manager`) is
ours. nbgrader's tells people to set up an exchange directory whatever went wrong, and says nothing when a fetch fails.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbgrader.auth import Authenticator
from nbgrader.coursedir import CourseDirectory
from nbgrader.exchange import ExchangeError, ExchangeFactory
from nbgrader.server_extensions.assignment_list.handlers import AssignmentList as NbGraderAssignmentList

from hub.exchange.language import say

if TYPE_CHECKING:
    from collections.abc import Callable

Answer = dict[str, Any]


class AssignmentList(NbGraderAssignmentList):  # type: ignore[misc]
    """The manager behind the Assignment List."""

    notice: str = ""
    """What went wrong with the last fetch; shown once in the place of the list."""

    def list_released_assignments(self, course_id: str | None = None) -> Answer:
        """Return the published exercises."""

        def ask(config: Any) -> list[Answer]:
            found: list[Answer] = self._lister(config, course_id).start()
            for info in found:
                if info["status"] == "fetched":
                    for item in (info, *info["notebooks"]):
                        item["path"] = self._below_root(item["path"])
            return sorted(found, key=lambda info: (info["course_id"], info["assignment_id"]))

        return self._answer(ask)

    def list_submitted_assignments(self, course_id: str | None = None) -> Answer:
        """Return the person's submissions."""

        def ask(config: Any) -> list[Answer]:
            config.ExchangeList.cached = True
            found: list[Answer] = self._lister(config, course_id).start()
            for submission in (item for info in found for item in info["submissions"]):
                if submission["local_feedback_path"]:
                    submission["local_feedback_path"] = self._below_root(submission["local_feedback_path"])
            return sorted(found, key=lambda info: str(info["assignment_id"]))

        return self._answer(ask)

    def list_assignments(self, course_id: str | None = None) -> Answer:
        """Return both lists, or once what went wrong before."""
        notice, self.notice = self.notice, ""
        if notice:
            return {"success": False, "value": notice}
        answer: Answer = super().list_assignments(course_id=course_id)
        return answer

    def fetch_assignment(self, course_id: str, assignment_id: str) -> Answer:
        """Fetch an exercise."""
        return self._noticed(self._run("FetchAssignment", course_id, assignment_id))

    def fetch_feedback(self, course_id: str, assignment_id: str) -> Answer:
        """Fetch the feedback of an exercise."""
        return self._noticed(self._run("FetchFeedback", course_id, assignment_id))

    def submit_assignment(self, course_id: str, assignment_id: str) -> Answer:
        """Submit an exercise."""
        return self._run("Submit", course_id, assignment_id)

    def _run(self, operation: str, course_id: str, assignment_id: str) -> Answer:
        def ask(config: Any) -> None:
            config.CourseDirectory.course_id = course_id
            config.CourseDirectory.assignment_id = assignment_id
            self._make(operation, config).start()

        return self._answer(ask)

    def _lister(self, config: Any, course_id: str | None) -> Any:
        if course_id:
            config.CourseDirectory.course_id = course_id
        return self._make("List", config)

    def _make(self, operation: str, config: Any) -> Any:
        return getattr(ExchangeFactory(config=config), operation)(
            coursedir=CourseDirectory(config=config),
            authenticator=Authenticator(config=config),
            config=config,
        )

    def _answer(self, ask: Callable[[Any], Any]) -> Answer:
        """Return what the handlers send: the value, or the sentence for the person."""
        try:
            with self.get_assignment_dir_config() as config:
                value = ask(config)
        except ExchangeError as failure:
            return {"success": False, "value": str(failure)}
        except (
            Exception
        ):  # the edge of the process: whatever it is, the person reads a sentence and the log the rest
            self.log.exception("The assignment list failed")
            return {"success": False, "value": say("broken", request="assignment list")}
        return {"success": True} if value is None else {"success": True, "value": value}

    def _noticed(self, answer: Answer) -> Answer:
        if not answer["success"]:
            self.notice = str(answer["value"])
        return answer

    def _below_root(self, path: str) -> str:
        root = Path(self.root_dir).absolute()
        return str(Path(path).relative_to(root)) if Path(path).is_relative_to(root) else path
