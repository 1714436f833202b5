"""The built-in reporter: one structured log line for each event, for the operator. Holds no names of people."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from hub.progress.reading import ReportedEvent

log = structlog.get_logger("atelier.events")


class LogReporter:
    """Writes events to the service's log."""

    name = "log"

    def handle(self, event: ReportedEvent) -> None:
        """Write one line: what happened and where; who stays the account's name, never the person's."""
        log.info(
            "event",
            event_id=event.id,
            type=event.type.value,
            person=event.person,
            course=event.course,
            assignment=event.assignment,
            submission=event.submission_id,
            happened_at=event.at.isoformat(),
            score=event.payload.get("score"),
            max_score=event.payload.get("max_score"),
        )
