"""What the seven operations share: whose folder, which course, the connection, and failing in the person's words.

Subclassed by fetch_assignment.py and the others; nbgrader makes them through its ExchangeFactory (see wiring.py).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from jupyter_core.paths import jupyter_data_dir
from nbgrader.exchange import abc
from nbgrader.utils import ignore_patterns
from traitlets import Bool, Unicode, default

from hub.exchange.client import ExchangeClient
from hub.exchange.environment import Environment
from hub.exchange.failure import ExchangeFailedError
from hub.exchange.language import say

if TYPE_CHECKING:
    from collections.abc import Callable


class Exchange(abc.Exchange):  # type: ignore[misc]
    """The base of our operations; configured as `c.Exchange`, like nbgrader's own."""

    make_client: ClassVar[Callable[[Environment], ExchangeClient]] = ExchangeClient
    """How the service is reached."""

    path_includes_course = Bool(True, help="Work lies in COURSE/ASSIGNMENT below assignment_dir.").tag(
        config=True
    )
    cache = Unicode("", help="Where receipts of submissions are kept.").tag(config=True)

    @default("cache")
    def _cache_default(self) -> str:
        return str(Path(jupyter_data_dir()) / "nbgrader_cache")

    def __init__(self, coursedir: Any = None, authenticator: Any = None, **kwargs: Any) -> None:
        """Take what nbgrader hands to every operation."""
        super().__init__(coursedir=coursedir, authenticator=authenticator, **kwargs)
        self.environment = Environment.read()

    def start(self) -> Any:
        """Run the operation; a failure is logged and raised as nbgrader's ExchangeError."""
        with type(self).make_client(self.environment) as client:
            self.client = client
            try:
                return super().start()
            except ExchangeFailedError as failure:
                self.log.critical("%s", failure)
                raise

    def init_src(self) -> None:
        """Nothing to prepare unless an operation says so."""

    def init_dest(self) -> None:
        """Nothing to prepare unless an operation says so."""

    def copy_files(self) -> None:
        """Nothing to copy unless an operation says so."""

    def fail(self, msg: str) -> NoReturn:
        """Stop with a sentence for the person; logged once, by `start`."""
        raise ExchangeFailedError(msg)

    def init_names(self) -> None:
        """Settle course and exercise: `web/page-one` names both, a person with one course need not name it."""
        assignment_id = self.coursedir.assignment_id.strip("/")
        course_id, slash, name = assignment_id.rpartition("/")
        if slash and "/" not in course_id and self.coursedir.course_id in ("", course_id):
            self.coursedir.course_id = course_id
            assignment_id = name
        self.coursedir.assignment_id = assignment_id
        if not assignment_id:
            self.fail(say("which_assignment"))
        if not self.coursedir.course_id:
            courses = [course.id for course in self.client.courses()]
            if not courses:
                self.fail(say("no_course"))
            if len(courses) > 1:
                self.fail(say("which_course", courses=", ".join(courses)))
            self.coursedir.course_id = courses[0]

    def work_folder(self, course_id: str, assignment_id: str) -> Path:
        """Return where this person's work on an exercise lies."""
        root = Path(self.assignment_dir).absolute()
        return root / course_id / assignment_id if self.path_includes_course else root / assignment_id

    def shown(self, folder: Path) -> str:
        """Return a folder's name as the person knows it."""
        root = Path(self.assignment_dir).absolute()
        return str(folder.relative_to(root)) if folder.is_relative_to(root) else str(folder)

    def ignore(self) -> Callable[[str, list[str]], list[str]]:
        """Return what nbgrader's settings say to leave out of a copy."""
        patterns: Callable[[str, list[str]], list[str]] = ignore_patterns(
            exclude=self.coursedir.ignore,
            include=self.coursedir.include,
            max_file_size=self.coursedir.max_file_size,
            log=self.log,
        )
        return patterns
