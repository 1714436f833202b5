"""The HTTP client over the service's API: one method per route, typed answers, and a sentence for every failure.

Used by the operations of the exchange and by the server extensions. Identity is the token's, time is the server's. Nothing
is sent twice by itself: a submission that may have arrived is the person's to look at.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Self, TypeVar
from urllib.parse import quote

import httpx

from hub.exchange.archive import Entry, unpack
from hub.exchange.failure import ExchangeFailedError, RefusedError, ServiceAwayError
from hub.exchange.language import say
from hub.exchange.record import (
    AssignmentRecord,
    AttemptRecord,
    CourseRecord,
    GradebookCopy,
    Mark,
    ReceivedRecord,
    parse_time,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from hub.exchange.environment import Environment

TAR = "application/x-tar"
TIMEOUT = httpx.Timeout(60.0, connect=5.0, pool=5.0)
T = TypeVar("T")

_BY_REASON = {"deadline_passed": "deadline_passed", "newer_mark": "newer_mark"}


class ExchangeClient:
    """The service as one person's container sees it. Use as a context manager, or close it."""

    def __init__(self, environment: Environment, transport: httpx.BaseTransport | None = None) -> None:
        """Connect lazily.

        Args:
            environment: where the service is and who we are.
            transport: another way to reach it, for tests.
        """
        self.environment = environment
        self._http = httpx.Client(
            timeout=TIMEOUT,
            transport=transport,
            trust_env=False,  # a proxy of the site must not see the token
            headers={
                "Authorization": f"token {environment.token}",
                "Accept-Language": environment.language,
            },
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    # What everybody may ask

    def courses(self) -> list[CourseRecord]:
        """Return the person's courses."""
        return self._list("courses", "courses", CourseRecord.parse)

    def assignments(self, course_id: str = "") -> list[AssignmentRecord]:
        """Return the published exercises of one course, or of all of the person's."""
        path = f"assignments?course_id={quote(course_id, safe='')}" if course_id else "assignments"
        return self._list(path, "assignments", AssignmentRecord.parse, what=course_id)

    def release(self, course_id: str, assignment_id: str) -> list[Entry]:
        """Return the files that a learner starts from, in the person's language."""
        return self._files(_assignment(course_id, assignment_id) + "/release", f"{course_id}/{assignment_id}")

    def submit(self, course_id: str, assignment_id: str, tar: bytes) -> AttemptRecord:
        """Hand in a folder. Returns the service's receipt: stored safely, time by the server's clock."""
        answer = self._send(
            "POST",
            _assignment(course_id, assignment_id) + "/submissions",
            what=f"{course_id}/{assignment_id}",
            content=tar,
        )
        return self._parse(answer, AttemptRecord.parse)

    def feedback(self, submission_id: str) -> list[Entry]:
        """Return the feedback pages of a submission of the person's own."""
        return self._files(f"submissions/{quote(submission_id, safe='')}/feedback", submission_id)

    # What trainers may ask

    def publish(self, course_id: str, assignment_id: str, tar: bytes) -> tuple[int, list[str]]:
        """Publish a source folder as a new version. Returns its number and what the author should know."""
        what = f"{course_id}/{assignment_id}"
        answer = self._send("PUT", _assignment(course_id, assignment_id), what=what, content=tar)
        return self._parse(
            answer, lambda data: (int(data["version"]), [str(w) for w in data.get("warnings", [])])
        )

    def withdraw(self, course_id: str, assignment_id: str) -> None:
        """Take an exercise back; what learners handed in stays."""
        self._send("DELETE", _assignment(course_id, assignment_id), what=f"{course_id}/{assignment_id}")

    def source(self, course_id: str, assignment_id: str) -> list[Entry]:
        """Return the source folder of the version in force."""
        return self._files(_assignment(course_id, assignment_id) + "/source", f"{course_id}/{assignment_id}")

    def set_deadline(self, course_id: str, assignment_id: str, deadline: datetime | None) -> None:
        """Set or clear the deadline of a published exercise."""
        body = {"deadline": deadline.astimezone(UTC).isoformat() if deadline else None}
        path = _assignment(course_id, assignment_id) + "/deadline"
        self._send("PUT", path, what=f"{course_id}/{assignment_id}", body=body)

    def received(self, course_id: str, assignment_id: str = "") -> list[ReceivedRecord]:
        """Return every submission of an exercise, or of the whole course, oldest first."""
        where = _assignment(course_id, assignment_id) if assignment_id else _course(course_id)
        return self._list(
            where + "/submissions",
            "submissions",
            lambda data: ReceivedRecord.parse(data, assignment_id),
            what=assignment_id or course_id,
        )

    def submitted_files(self, submission_id: str) -> list[Entry]:
        """Return a learner's files as they were handed in."""
        return self._files(f"submissions/{quote(submission_id, safe='')}/files", submission_id)

    def autograded_files(self, submission_id: str) -> list[Entry]:
        """Return the graded notebooks of a submission, with outputs."""
        return self._files(f"submissions/{quote(submission_id, safe='')}/autograded", submission_id)

    def regrade(self, submission_id: str) -> None:
        """Ask the platform to grade a submission again, in its sandbox."""
        self._send("POST", f"submissions/{quote(submission_id, safe='')}/regrade", what=submission_id)

    def release_feedback(self, course_id: str, assignment_id: str, learner: str | None) -> int:
        """Let learners read their feedback. Returns how many submissions that concerned."""
        path = _assignment(course_id, assignment_id) + "/feedback"
        answer = self._send("POST", path, what=f"{course_id}/{assignment_id}", body={"learner": learner})
        return self._parse(answer, lambda data: int(data.get("released", 0)))

    def gradebook(self, course_id: str, tag: str = "") -> GradebookCopy | None:
        """Return a copy of the gradebook, None when it has not changed since the copy with that tag."""
        headers = {"If-None-Match": tag} if tag else {}
        answer = self._send("GET", _course(course_id) + "/gradebook", what=course_id, headers=headers)
        if answer.status_code == httpx.codes.NOT_MODIFIED:
            return None
        moment = answer.headers.get("X-Atelier-As-Of") or answer.headers.get("Date", "")
        return GradebookCopy(answer.content, answer.headers.get("ETag", ""), _moment(moment))

    def mark(self, course_id: str, mark: Mark) -> datetime:
        """Keep a mark or comment. Returns when, by the server's clock; a newer mark makes it a refusal."""
        answer = self._send(
            "POST", _course(course_id) + "/marks", what=course_id, body={"marks": [mark.to_json()]}
        )
        return self._parse(answer, lambda data: parse_time(str(data["marks"][0]["given_at"])))

    # How it travels

    def _list(
        self, path: str, key: str, parse: Callable[[Mapping[str, Any]], T], *, what: str = ""
    ) -> list[T]:
        answer = self._send("GET", path, what=what)
        return self._parse(answer, lambda data: [parse(item) for item in data[key]])

    def _files(self, path: str, what: str) -> list[Entry]:
        return unpack(self._send("GET", path, what=what).content)

    def _parse(self, answer: httpx.Response, parse: Callable[[Any], T]) -> T:
        try:
            return parse(json.loads(answer.content))
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise RefusedError(
                say("broken", request="200"), reason="unexpected_answer", status=200
            ) from error

    def _send(
        self,
        method: str,
        path: str,
        *,
        what: str = "",
        body: object = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Send one request; return a good answer or raise a ExchangeFailedError that the person can act on."""
        environment = self.environment
        if not environment.api_url or not environment.token:
            raise ServiceAwayError(say("outside"), reason="outside")
        all_headers = dict(headers or {})
        if content is not None:
            all_headers["Content-Type"] = TAR
        url = f"{environment.api_url}exchange/{path}"
        try:
            answer = self._http.request(method, url, json=body, content=content, headers=all_headers)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise ServiceAwayError from error
        except httpx.HTTPError as error:
            raise (
                ServiceAwayError(say("unsure"), reason="unsure") if method == "POST" else ServiceAwayError()
            ) from error
        if answer.is_success or answer.status_code == httpx.codes.NOT_MODIFIED:
            return answer
        raise _refusal(answer, what, environment)


def _course(course_id: str) -> str:
    return f"courses/{quote(course_id, safe='')}"


def _assignment(course_id: str, assignment_id: str) -> str:
    return f"{_course(course_id)}/assignments/{quote(assignment_id, safe='')}"


def _moment(value: str) -> datetime:
    """Return the time of an answer; the oldest possible when it says none, so that nothing newer is overwritten."""
    try:
        return parse_time(value)
    except ValueError:
        pass
    try:
        return parsedate_to_datetime(value).astimezone(UTC)
    except ValueError:
        return datetime.fromtimestamp(0, UTC)


def _refusal(answer: httpx.Response, what: str, environment: Environment) -> ExchangeFailedError:
    """Turn an answer that is no success into a sentence: ours where we know more, else the service's own."""
    status = answer.status_code
    try:
        error = json.loads(answer.content)["error"]
        reason, message = str(error["reason"]), str(error["message"])
        request_id = str(error.get("request_id") or status)
    except (ValueError, KeyError, TypeError):
        reason, message, request_id = "", "", str(status)
    if status in (httpx.codes.BAD_GATEWAY, httpx.codes.SERVICE_UNAVAILABLE, httpx.codes.GATEWAY_TIMEOUT):
        return ServiceAwayError(reason=reason or "away")
    if status == httpx.codes.UNAUTHORIZED:
        message = say("signed_out")
    elif status == httpx.codes.REQUEST_ENTITY_TOO_LARGE:
        message = say("too_large", limit=max(1, environment.max_bytes // 1_000_000))
    elif status == httpx.codes.TOO_MANY_REQUESTS:
        message = say("too_many")
    elif reason in _BY_REASON:
        message = say(_BY_REASON[reason])
    elif status == httpx.codes.NOT_FOUND:
        message = say("not_found", what=what)
    elif status >= httpx.codes.INTERNAL_SERVER_ERROR:
        message = say("broken", request=request_id)
    elif not message:
        message = say("not_allowed") if status == httpx.codes.FORBIDDEN else say("broken", request=request_id)
    return RefusedError(message, reason=reason or f"http_{status}", status=status)
