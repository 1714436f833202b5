"""A double of the service's exchange API: a real HTTP server in this process that keeps its state in memory.

It answers as the contract of hub/exchange/README.md says, so that nbgrader's own programs can be run against it. It grades
nothing: a test says what a submission is worth.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import tarfile
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

Files = dict[str, bytes]
Answer = tuple[int, dict[str, str], bytes]


def make_tar(files: Files) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def read_tar(data: bytes) -> Files:
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as tar:
        return {m.name: tar.extractfile(m).read() for m in tar if m.isreg()}  # type: ignore[union-attr]


@dataclass
class Person:
    name: str
    role: str
    courses: list[str]
    language: str = "en"


@dataclass
class Published:
    source: Files
    release: Files
    version: int = 1
    deadline: datetime | None = None
    closes: bool = False
    """Whether nothing is taken after the deadline."""
    manual_feedback: bool = False
    withdrawn: bool = False

    @property
    def notebooks(self) -> list[str]:
        return sorted(n.removesuffix(".ipynb") for n in self.release if n.endswith(".ipynb") and "/" not in n)


@dataclass
class Submitted:
    id: str
    learner: str
    course: str
    slug: str
    received_at: datetime
    attempt: int
    files: Files
    state: str = "queued"
    score: float | None = None
    max_score: float | None = None
    graded_at: datetime | None = None
    autograded: Files = field(default_factory=dict)
    feedback: Files = field(default_factory=dict)
    feedback_released: bool = False


class ExchangeApi:
    """The double; `url` goes into ATELIER_API_URL. Use as a context manager."""

    def __init__(self) -> None:
        self.people: dict[str, Person] = {}
        self.published: dict[tuple[str, str], Published] = {}
        self.submitted: list[Submitted] = []
        self.gradebooks: dict[str, bytes] = {}
        self.marks: dict[tuple[str, str, str], dict[str, Any]] = {}
        self.requests: list[str] = []
        self.now = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
        self.max_bytes = 20 * 1024 * 1024
        self.fault: Answer | None = None
        """When set, every request gets this."""
        self.hook: Callable[[str], None] = lambda _: None

    def __enter__(self) -> Self:
        api = self

        class Handler(BaseHTTPRequestHandler):
            def _serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                api.requests.append(f"{self.command} {self.path}")
                status, headers, content = api.answer(self.command, self.path, dict(self.headers), body)
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(content))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815

            def log_message(self, *args: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/services/atelier/api/"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    # What a test arranges

    def add(
        self, name: str, role: str = "learner", courses: tuple[str, ...] = ("web",), language: str = "en"
    ) -> str:
        """Add a person. Returns their server's token."""
        token = f"token-of-{name}"
        self.people[token] = Person(name, role, list(courses), language)
        return token

    def publish(self, course: str, slug: str, release: Files, source: Files | None = None) -> Published:
        self.published[course, slug] = published = Published(source or dict(release), dict(release))
        return published

    def grade(
        self, submission: Submitted, score: float, *, feedback: Files, autograded: Files | None = None
    ) -> None:
        """Say what a submission is worth."""
        policy = self.published[submission.course, submission.slug]
        submission.state, submission.score, submission.max_score = "graded", score, 10.0
        submission.feedback, submission.feedback_released = feedback, not policy.manual_feedback
        submission.autograded = autograded or dict(submission.files)
        submission.graded_at = self.tick()

    def tick(self) -> datetime:
        self.now += timedelta(seconds=1, microseconds=250_000)
        return self.now

    def fail(self, status: int, reason: str, message: str = "A sentence of the service.") -> None:
        self.fault = error(status, reason, message)

    # How it answers

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        self.hook(f"{method} {path}")
        if self.fault:
            return self.fault
        parts = urlsplit(path)
        route = parts.path.removeprefix("/services/atelier/api/exchange/")
        person = self.people.get(headers.get("Authorization", "").removeprefix("token "))
        if person is None:
            return error(401, "not_signed_in")
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        for pattern, verb, name in ROUTES:
            match = re.fullmatch(pattern, route)
            if match and verb == method:
                args = [unquote(group) for group in match.groups()]
                answer: Answer = getattr(self, f"_{name}")(
                    person, *args, query=query, body=body, headers=headers
                )
                return answer
        return error(404, "not_found")

    def _courses(self, person: Person, **_: Any) -> Answer:
        return reply(
            {"courses": [{"id": c, "title": c.title(), "role": person.role} for c in person.courses]}
        )

    def _assignments(self, person: Person, *, query: dict[str, str], **_: Any) -> Answer:
        wanted = query.get("course_id", "")
        if wanted and wanted not in person.courses:
            return error(404, "not_found")
        rows = [
            {
                "course_id": course,
                "assignment_id": slug,
                "version": published.version,
                "released_at": self.now.isoformat(),
                "deadline": published.deadline and published.deadline.isoformat(),
                "notebooks": published.notebooks,
                "submissions": [
                    {
                        **row(s),
                        "feedback": s.feedback_released,
                        "feedback_updated": False,
                        "feedback_version": version(s),
                    }
                    for s in self.submitted
                    if (s.learner, s.course, s.slug) == (person.name, course, slug)
                ],
            }
            for (course, slug), published in sorted(self.published.items())
            if course in person.courses and wanted in ("", course) and not published.withdrawn
        ]
        return reply({"assignments": rows})

    def _find(self, person: Person, course: str, slug: str) -> Published | None:
        published = self.published.get((course, slug))
        return published if published and not published.withdrawn and course in person.courses else None

    def _release(self, person: Person, course: str, slug: str, **_: Any) -> Answer:
        published = self._find(person, course, slug)
        return tar(published.release) if published else error(404, "not_found")

    def _source(self, person: Person, course: str, slug: str, **_: Any) -> Answer:
        published = self._find(person, course, slug) if person.role == "trainer" else None
        return tar(published.source) if published else error(404, "not_found")

    def _submit(self, person: Person, course: str, slug: str, *, body: bytes, **_: Any) -> Answer:
        published = self._find(person, course, slug)
        if not published:
            return error(404, "not_found")
        if len(body) > self.max_bytes:
            return error(413, "too_large")
        if published.closes and published.deadline and self.now > published.deadline:
            return error(409, "deadline_passed")
        earlier = [s for s in self.submitted if (s.learner, s.course, s.slug) == (person.name, course, slug)]
        number = len(self.submitted) + 1
        submission = Submitted(
            f"sub-{number}", person.name, course, slug, self.tick(), len(earlier) + 1, read_tar(body)
        )
        self.submitted.append(submission)
        return reply(row(submission), 201)

    def _get(self, person: Person, submission_id: str) -> Submitted | None:
        for s in self.submitted:
            if s.id == submission_id and (
                s.learner == person.name or (person.role == "trainer" and s.course in person.courses)
            ):
                return s
        return None

    def _feedback(self, person: Person, submission_id: str, **_: Any) -> Answer:
        s = self._get(person, submission_id)
        return tar(s.feedback) if s and s.feedback_released else error(404, "not_found")

    def _files(self, person: Person, submission_id: str, **_: Any) -> Answer:
        s = self._get(person, submission_id)
        return tar(s.files) if s and person.role == "trainer" else error(404, "not_found")

    def _autograded(self, person: Person, submission_id: str, **_: Any) -> Answer:
        s = self._get(person, submission_id)
        if not s or person.role != "trainer":
            return error(404, "not_found")
        return tar(s.autograded) if s.state == "graded" else error(409, "not_graded")

    def _regrade(self, person: Person, submission_id: str, **_: Any) -> Answer:
        s = self._get(person, submission_id)
        if not s or person.role != "trainer":
            return error(404, "not_found")
        s.state = "queued"
        return reply({"id": s.id, "state": s.state}, 202)

    def _received(self, person: Person, course: str, slug: str = "", **_: Any) -> Answer:
        if person.role != "trainer" or course not in person.courses:
            return error(404, "not_found")
        rows = [
            {
                **row(s),
                "learner": s.learner,
                "display_name": s.learner.title(),
                "assignment_id": s.slug,
                "late": False,
                "needs_manual_grade": False,
                "graded_at": s.graded_at and s.graded_at.isoformat(),
            }
            for s in self.submitted
            if s.course == course and slug in ("", s.slug)
        ]
        return reply({"submissions": rows})

    def _publish(self, person: Person, course: str, slug: str, *, body: bytes, **_: Any) -> Answer:
        if person.role != "trainer" or course not in person.courses:
            return error(404, "not_found")
        try:
            files = read_tar(body)
        except tarfile.TarError:
            return error(422, "invalid_exercise", "The folder did not arrive whole.")
        if not any(name.endswith(".ipynb") for name in files):
            return error(422, "invalid_exercise", "There is no notebook in the exercise.")
        before = self.published.get((course, slug))
        number = before.version + 1 if before else 1
        self.published[course, slug] = Published(files, files, number)
        return reply({"version": number, "warnings": ["One cell is unprotected."] if number > 1 else []}, 201)

    def _withdraw(self, person: Person, course: str, slug: str, **_: Any) -> Answer:
        published = self._find(person, course, slug) if person.role == "trainer" else None
        if not published:
            return error(404, "not_found")
        published.withdrawn = True
        return 204, {}, b""

    def _deadline(self, person: Person, course: str, slug: str, *, body: bytes, **_: Any) -> Answer:
        published = self._find(person, course, slug) if person.role == "trainer" else None
        if not published:
            return error(404, "not_found")
        value = json.loads(body)["deadline"]
        published.deadline = datetime.fromisoformat(value) if value else None
        return reply({"deadline": value})

    def _release_feedback(self, person: Person, course: str, slug: str, *, body: bytes, **_: Any) -> Answer:
        if person.role != "trainer" or course not in person.courses:
            return error(404, "not_found")
        learner = json.loads(body)["learner"]
        chosen = [
            s
            for s in self.submitted
            if (s.course, s.slug) == (course, slug) and s.state == "graded" and learner in (None, s.learner)
        ]
        for s in chosen:
            s.feedback_released = True
        return reply({"released": len(chosen)})

    def _gradebook(self, person: Person, course: str, *, headers: dict[str, str], **_: Any) -> Answer:
        if person.role != "trainer" or course not in person.courses or course not in self.gradebooks:
            return error(404, "no_gradebook")
        data = self.gradebooks[course]
        tag = f'"{hashlib.sha256(data).hexdigest()}"'
        extra = {"ETag": tag, "X-Atelier-As-Of": self.now.isoformat()}
        if headers.get("If-None-Match") == tag:
            return 304, extra, b""
        return 200, {**extra, "Content-Type": "application/vnd.sqlite3"}, data

    def _marks(self, person: Person, course: str, *, body: bytes, **_: Any) -> Answer:
        if person.role != "trainer" or course not in person.courses:
            return error(404, "not_found")
        marks = json.loads(body)["marks"]
        for mark in marks:
            kept = self.marks.get((mark["submission_id"], mark["notebook"], mark["grade_id"]))
            if kept and kept["given_at"] > datetime.fromisoformat(mark["seen_at"]):
                return error(409, "newer_mark")
            if not self._get(person, mark["submission_id"]):
                return error(404, "not_found")
            if isinstance(mark.get("score"), float | int) and mark["score"] < 0:
                return error(422, "invalid_mark", "A mark can't be negative.")
        given_at = self.tick()
        for mark in marks:
            kept = self.marks.setdefault((mark["submission_id"], mark["notebook"], mark["grade_id"]), {})
            kept.update({k: v for k, v in mark.items() if k in ("score", "extra_credit", "comment")})
            kept.update(given_at=given_at, by=person.name)
        keys = ("submission_id", "notebook", "grade_id")
        return reply(
            {"marks": [{**{k: m[k] for k in keys}, "given_at": given_at.isoformat()} for m in marks]}
        )


ROUTES = (
    (r"courses", "GET", "courses"),
    (r"assignments", "GET", "assignments"),
    (r"courses/([^/]+)/assignments/([^/]+)/release", "GET", "release"),
    (r"courses/([^/]+)/assignments/([^/]+)/source", "GET", "source"),
    (r"courses/([^/]+)/assignments/([^/]+)/submissions", "POST", "submit"),
    (r"courses/([^/]+)/assignments/([^/]+)/submissions", "GET", "received"),
    (r"courses/([^/]+)/assignments/([^/]+)/feedback", "POST", "release_feedback"),
    (r"courses/([^/]+)/assignments/([^/]+)/deadline", "PUT", "deadline"),
    (r"courses/([^/]+)/assignments/([^/]+)", "PUT", "publish"),
    (r"courses/([^/]+)/assignments/([^/]+)", "DELETE", "withdraw"),
    (r"courses/([^/]+)/submissions", "GET", "received"),
    (r"courses/([^/]+)/gradebook", "GET", "gradebook"),
    (r"courses/([^/]+)/marks", "POST", "marks"),
    (r"submissions/([^/]+)/feedback", "GET", "feedback"),
    (r"submissions/([^/]+)/files", "GET", "files"),
    (r"submissions/([^/]+)/autograded", "GET", "autograded"),
    (r"submissions/([^/]+)/regrade", "POST", "regrade"),
)


def row(s: Submitted) -> dict[str, Any]:
    return {
        "id": s.id,
        "timestamp": s.received_at.isoformat(),
        "attempt": s.attempt,
        "state": s.state,
        "score": s.score,
        "max_score": s.max_score,
    }


def version(s: Submitted) -> str | None:
    if not s.feedback_released:
        return None
    return hashlib.sha256(repr(sorted(s.feedback.items())).encode()).hexdigest()


def reply(body: object, status: int = 200) -> Answer:
    return status, {"Content-Type": "application/json"}, json.dumps(body).encode()


def tar(files: Files) -> Answer:
    return 200, {"Content-Type": "application/x-tar"}, make_tar(files)


def error(status: int, reason: str, message: str = "A sentence of the service.") -> Answer:
    body = {"error": {"reason": reason, "message": message, "request_id": "req-7"}}
    return reply(body, status)
