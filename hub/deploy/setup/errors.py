"""What stops a set-up: always with the next thing to type. Raised by every step, shown by recipes.py."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 -- a dataclass field is read at run time by its users


class SetupError(Exception):
    """Set-up can't go on."""

    def __init__(self, message: str, *, advice: str, log: Path | None = None) -> None:
        """Keep what happened apart from what to do about it.

        Args:
            message: what happened, one sentence.
            advice: what the operator can do or type now.
            log: the file whose last lines tell more.
        """
        super().__init__(message)
        self.message = message
        self.advice = advice
        self.log = log


def last_lines(path: Path, count: int = 20) -> list[str]:
    """Return the last lines of a log file, or nothing when it can't be read."""
    try:
        with path.open("rb") as log:
            log.seek(0, 2)
            log.seek(max(0, log.tell() - 64 * 1024))
            text = log.read().decode("utf-8", errors="replace")
    except OSError:
        return []
    return text.splitlines()[-count:]
