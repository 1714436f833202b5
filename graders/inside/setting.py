"""What the parts of a notebook's run share: the learner's process, the namespace, the clock.

Made by checker.py for each notebook; used by replay.py, given.py and trial.py.
"""

from __future__ import annotations

import contextlib
import signal
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from graders.inside.conversation import LearnerGoneError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graders.inside.files import Workspace
    from graders.inside.limits import Limits
    from graders.inside.names import Names
    from graders.inside.record import Record
    from graders.inside.remote import Remote
    from graders.inside.shell import Shell

_REPEAT_S = 0.2


@dataclass(frozen=True, slots=True)
class Cell:
    """One code cell of a notebook, as the job gives it."""

    index: int
    role: str
    grade_id: str | None
    source: str
    points: float | None


@dataclass(slots=True)
class Setting:
    """Where and until when the cells of one notebook run; `deadline` is the whole job's, in monotonic seconds."""

    remote: Remote
    shell: Shell
    names: Names
    workspace: Workspace
    limits: Limits
    deadline: float
    before: list[str] = field(default_factory=list)  # given and test cells that have run, as Python

    @property
    def record(self) -> Record:
        """The record that is made or obeyed."""
        return self.remote.record

    def start_clock(self) -> float:
        """Give the next cell its time; returns when it ends."""
        self.remote.deadline = min(time.monotonic() + self.limits.cell_s, self.deadline)
        return self.remote.deadline

    def python(self, source: str) -> str:
        """Return a cell as Python, its magics made calls; unreadable cells stay as they are."""
        try:
            return str(self.shell.transform_cell(source))  # type: ignore[no-untyped-call]
        except SyntaxError:
            return source

    @contextlib.contextmanager
    def alarm(self) -> Iterator[None]:
        """Stop code of this process that outlasts its cell's time, and again if it catches that.

        The end of the learner's process is kept in `remote.gone` and not raised.
        """

        def expire(_signal: int, _frame: Any) -> None:
            self.remote.end("timeout")

        previous = signal.signal(signal.SIGALRM, expire)
        left = max(0.01, self.start_clock() - time.monotonic())
        signal.setitimer(signal.ITIMER_REAL, left, _REPEAT_S)
        try:
            yield
        except LearnerGoneError:
            pass
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, previous)
