"""What a reporter is, and how reporters are found. An outside package adds one through an entry point:

    [project.entry-points."atelier.reporters"]
    chat = "my_package:ChatReporter"

The class is made without arguments, once a process, and `handle` is called in a thread of its own, once for each new
event. A reporter that raises is tried again later; it never stops grading, nor another reporter.
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import structlog

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hub.progress.reading import ReportedEvent

GROUP = "atelier.reporters"
NAME_MAX = 60  # characters; a column of the deliveries
log = structlog.get_logger(__name__)


@runtime_checkable
class Reporter(Protocol):
    """Tells somebody of what happens. `name` is kept with each delivery: never change it."""

    name: str

    def handle(self, event: ReportedEvent) -> None:
        """Tell of one event. Whatever it raises is logged and kept beside the event."""


def discover(points: Iterable[EntryPoint] | None = None) -> list[Reporter]:
    """Return every installed reporter, sorted by name; a broken one is named in the log and left out.

    Args:
        points: the entry points to try; None means the installed ones.
    """
    found: dict[str, Reporter] = {}
    for point in sorted(
        points if points is not None else entry_points(group=GROUP), key=lambda entry: entry.name
    ):
        try:
            reporter = point.load()()
            usable = (
                isinstance(reporter, Reporter)
                and isinstance(reporter.name, str)
                and 0 < len(reporter.name) <= NAME_MAX
            )
        except Exception as error:  # noqa: BLE001 - the edge to code from outside
            log.error(  # noqa: TRY400 - the name and the problem say enough
                "reporter left out", reporter=point.name, where=point.value, problem=repr(error)
            )
            continue
        if not usable:
            log.error(
                "reporter left out", reporter=point.name, where=point.value, problem="no name, or no handle()"
            )
        elif reporter.name in found:
            log.error(
                "reporter left out", reporter=point.name, where=point.value, problem="its name is taken"
            )
        else:
            found[reporter.name] = reporter
    return [found[name] for name in sorted(found)]
