"""The error tree. Each error carries a text for the person, a label for logs and metrics, and an HTTP status.

AtelierError
├── NotFoundError          404  it does not exist, or its existence is private
├── NotAllowedError        403  signed in, but not for this
├── NotSignedInError       401
├── InvalidInputError      422  what was sent is not usable; says why in the sender's words
│   ├── InvalidSubmissionError
│   └── InvalidExerciseError
├── ConflictError          409  somebody was faster, or the state has moved on
├── TooLargeError          413
├── TooManyRequestsError   429
├── DeadlinePassedError    409
└── UnavailableError       503  a part of the platform is down; says what to do

`message` is a gettext msgid with `%(name)s` places: the border translates it into the person's language.
"""

from __future__ import annotations


class AtelierError(Exception):
    """The root of what the platform says went wrong."""

    status = 500
    reason = "internal_error"

    def __init__(
        self, message: str, *, reason: str | None = None, log: str | None = None, **values: object
    ) -> None:
        super().__init__(message % values if values else message)
        self.message = message
        self.values = values
        self.reason = reason or type(self).reason
        self.log = log


class NotFoundError(AtelierError):
    status = 404
    reason = "not_found"


class NotAllowedError(AtelierError):
    status = 403
    reason = "not_allowed"


class NotSignedInError(AtelierError):
    status = 401
    reason = "not_signed_in"


class InvalidInputError(AtelierError):
    status = 422
    reason = "invalid_input"


class InvalidSubmissionError(InvalidInputError):
    reason = "invalid_submission"


class InvalidExerciseError(InvalidInputError):
    reason = "invalid_exercise"


class ConflictError(AtelierError):
    status = 409
    reason = "conflict"


class DeadlinePassedError(ConflictError):
    reason = "deadline_passed"


class TooLargeError(AtelierError):
    status = 413
    reason = "too_large"


class TooManyRequestsError(AtelierError):
    status = 429
    reason = "too_many_requests"


class UnavailableError(AtelierError):
    status = 503
    reason = "unavailable"
