"""Marks and comments given in formgrader: kept on the platform first, then in the copy.

Used by formgrader_routes.py. A mark that the platform refuses, since there is a newer one, is an error on the screen and
changes nothing here.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from nbgrader.api import MissingEntry
from nbgrader.server_extensions.formgrader import apihandlers
from tornado import web

from hub.exchange.failure import ExchangeFailedError
from hub.exchange.formgrader_handler import CourseHandler
from hub.exchange.language import say
from hub.exchange.record import Mark

if TYPE_CHECKING:
    from collections.abc import Mapping


class GradeHandler(CourseHandler, apihandlers.GradeHandler):  # type: ignore[misc]
    """One score."""

    @web.authenticated
    async def put(self, grade_id: str) -> None:
        """Keep a score on the platform, then in the copy."""
        try:
            grade = self.gradebook.find_grade_by_id(grade_id)
        except MissingEntry as missing:
            raise web.HTTPError(HTTPStatus.NOT_FOUND) from missing
        body = self.get_json_body() or {}
        values: dict[str, float | str | None] = {
            "score": _number(body.get("manual_score")),
            "extra_credit": _number(body.get("extra_credit")),
        }
        await keep_mark(self, grade, values)
        super().put(grade_id)


class CommentHandler(CourseHandler, apihandlers.CommentHandler):  # type: ignore[misc]
    """One comment."""

    @web.authenticated
    async def put(self, grade_id: str) -> None:
        """Keep a comment on the platform, then in the copy."""
        try:
            comment = self.gradebook.find_comment_by_id(grade_id)
        except MissingEntry as missing:
            raise web.HTTPError(HTTPStatus.NOT_FOUND) from missing
        text = (self.get_json_body() or {}).get("manual_comment")
        await keep_mark(self, comment, {"comment": None if text in (None, "") else str(text)})
        super().put(grade_id)


async def keep_mark(handler: CourseHandler, row: Any, values: Mapping[str, float | str | None]) -> None:
    """Send a score or comment to the service; nbgrader's row says which learner, notebook and cell."""
    mirror = handler.open_desk().mirror
    learner, assignment_id = str(row.student.id), str(row.assignment.name)
    submission = mirror.snapshot.graded(assignment_id, learner)
    if submission is None:
        handler.refuse(ExchangeFailedError(say("nothing_submitted", learner=learner, what=assignment_id)))
        raise web.Finish
    cell = (submission.id, str(row.notebook.name), str(row.cell.name))
    mark = Mark(*cell, mirror.seen_at(cell), values)
    mirror.marked[cell] = await handler.ask(lambda client: client.mark(mirror.course_id, mark))


def _number(value: Any) -> float | None:
    """Return what formgrader's script sends: a number, its text, or nothing."""
    if value in (None, ""):
        return None
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise web.HTTPError(HTTPStatus.BAD_REQUEST) from error
