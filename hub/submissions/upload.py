"""Reads an archive from a request's body, with a cap that holds before anything is parsed.

Used by the routes of courses and submissions. What the sender says about the length is only believed when it says
"too much".
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect

from hub.errors import InvalidSubmissionError
from hub.submissions.archive import ArchiveLimits, too_large

if TYPE_CHECKING:
    from fastapi import Request

UPLOAD_SECONDS = 120
TAR = "application/x-tar"
LISTEN_TIMES = 4
"""Somebody who sends a little too much gets to hear so: an answer in the middle of an upload only breaks the connection.
What is too much is not kept, and up to this many times the limit it is listened to."""


async def read_upload(request: Request, limits: ArchiveLimits) -> bytes:
    """Return the request's body.

    Raises:
        TooLargeError: more bytes than an archive within `limits` can have; the rest is not kept.
        InvalidSubmissionError: it broke off, or trickles.
    """
    declared = request.headers.get("content-length", "")
    announced = int(declared[:20]) if declared.isdigit() else 0
    if announced > LISTEN_TIMES * limits.wire_bytes:
        raise too_large(limits)
    body = bytearray()
    refused = announced > limits.wire_bytes
    passed = 0
    try:
        async with asyncio.timeout(UPLOAD_SECONDS):
            async for chunk in request.stream():
                passed += len(chunk)
                refused = refused or passed > limits.wire_bytes
                if not refused:
                    body += chunk
                elif passed > LISTEN_TIMES * limits.wire_bytes:
                    break
    except TimeoutError as error:
        raise InvalidSubmissionError(
            "The connection is too slow for this upload. Please try again."
        ) from error
    except ClientDisconnect as error:
        raise InvalidSubmissionError("The upload broke off. Please try again.") from error
    if refused:
        raise too_large(limits)
    return bytes(body)
