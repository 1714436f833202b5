"""What can go wrong between a container and the service, each with a sentence that the person can act on.

All are nbgrader's ExchangeError, so its command line and its extensions handle them as they always do.

ExchangeError (nbgrader)
└── ExchangeFailedError              a sentence for the person, a label, the HTTP status if there was one
    ├── ServiceAwayError             nobody answered
    ├── RefusedError          the service said no
    └── UnsafeArchiveError    what came, or what would be sent, is no plain set of files
"""

from __future__ import annotations

from nbgrader.exchange import ExchangeError

from hub.exchange.language import say


class ExchangeFailedError(ExchangeError):  # type: ignore[misc]
    """Something did not work; `str(failure)` is for the person."""

    def __init__(self, message: str, *, reason: str = "failed", status: int | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.status = status


class ServiceAwayError(ExchangeFailedError):
    """Neither the hub nor the service answered."""

    def __init__(self, message: str | None = None, *, reason: str = "away") -> None:
        super().__init__(message or say("away"), reason=reason)


class RefusedError(ExchangeFailedError):
    """The service answered, and said no."""


class UnsafeArchiveError(ExchangeFailedError):
    """A tar holds something else than plain files below its own folder."""

    def __init__(self, why: str) -> None:
        super().__init__(say("bad_archive", why=why), reason="unsafe_archive")
