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


async def read_upload(request: Request, limits: ArchiveLimits) -> bytes:
    """Return the request's body.

    Raises:
        TooLargeError: more bytes than an archive within `limits` can have; the rest is not read.
        InvalidSubmissionError: it broke off, or trickles.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared[:20]) > limits.wire_bytes:
        raise too_large(limits)
    body = bytearray()
    try:
        async with asyncio.timeout(UPLOAD_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > limits.wire_bytes:
                    raise too_large(limits)
    except TimeoutError as error:
        raise InvalidSubmissionError(
            "The connection is too slow for this upload. Please try again."
        ) from error
    except ClientDisconnect as error:
        raise InvalidSubmissionError("The upload broke off. Please try again.") from error
    return bytes(body)
