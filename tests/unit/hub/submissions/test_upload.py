"""A body is read up to its limit and no further, whatever its sender says."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from starlette.requests import Request

from hub.errors import InvalidSubmissionError, TooLargeError
from hub.submissions import upload
from hub.submissions.archive import ArchiveLimits
from hub.submissions.upload import LISTEN_TIMES, read_upload

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

LIMITS = ArchiveLimits(max_bytes=100_000, max_files=10, max_depth=2)


def request(receive: Callable[[], Awaitable[dict[str, Any]]], length: str | None = None) -> Request:
    headers = [(b"content-length", length.encode())] if length is not None else []
    return Request({"type": "http", "method": "POST", "path": "/", "headers": headers}, receive)


def test_listening_stops_at_a_multiple_of_the_limit() -> None:
    sent = 0

    async def endless() -> dict[str, Any]:
        nonlocal sent
        sent += 10_000
        return {"type": "http.request", "body": b"x" * 10_000, "more_body": True}

    with pytest.raises(TooLargeError):
        asyncio.run(read_upload(request(endless, "10"), LIMITS))
    assert sent <= LISTEN_TIMES * LIMITS.wire_bytes + 10_000


def test_a_sender_of_a_little_too_much_is_heard_out_so_that_the_answer_arrives() -> None:
    parts = [b"x" * LIMITS.wire_bytes, b"x"]

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

    with pytest.raises(TooLargeError):
        asyncio.run(read_upload(request(receive, str(LIMITS.wire_bytes + 1)), LIMITS))
    assert not parts


def test_a_length_far_over_the_limit_is_believed() -> None:
    async def never() -> dict[str, Any]:
        raise AssertionError("nothing is read")

    with pytest.raises(TooLargeError):
        asyncio.run(read_upload(request(never, str(LISTEN_TIMES * LIMITS.wire_bytes + 1)), LIMITS))


@pytest.mark.parametrize("length", [None, "0", "-5", "many", "3"])
def test_any_other_length_decides_nothing(length: str | None) -> None:
    parts = [b"abc", b"def"]

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

    assert asyncio.run(read_upload(request(receive, length), LIMITS)) == b"abcdef"


def test_an_upload_that_breaks_off_is_refused() -> None:
    async def gone() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    with pytest.raises(InvalidSubmissionError, match="broke off"):
        asyncio.run(read_upload(request(gone), LIMITS))


def test_an_upload_that_trickles_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload, "UPLOAD_SECONDS", 0.01)

    async def nothing() -> dict[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    with pytest.raises(InvalidSubmissionError, match="too slow"):
        asyncio.run(read_upload(request(nothing), LIMITS))
