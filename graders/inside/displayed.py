"""What a learner's cell showed, as the learner's process tells it: checked piece by piece before it goes on to the host.

Used by replay.py. These outputs are for display alone; no score ever comes of one.
"""

from __future__ import annotations

import re
from typing import Any

from graders.inside.frames import FrameError

MAX_OUTPUTS = 400
_MEDIA = re.compile(r"[a-z]+/[\w.+-]{1,100}")
_MAX_LINES = 200
_MAX_LINE = 20_000


def check_outputs(outputs: Any) -> list[dict[str, Any]]:
    """Return outputs in nbformat's form, with nothing else in them.

    Raises:
        FrameError: they have not the form that our own process gives them.
    """
    if type(outputs) is not list or len(outputs) > MAX_OUTPUTS:
        raise FrameError("malformed outputs")
    return [_check(output) for output in outputs]


def _check(output: Any) -> dict[str, Any]:
    if type(output) is not dict:
        raise FrameError("a malformed output")
    kind = output.get("output_type")
    if kind == "stream":
        if output.get("name") not in {"stdout", "stderr"}:
            raise FrameError("an unknown stream")
        return {"output_type": "stream", "name": output["name"], "text": _text(output.get("text"))}
    if kind == "error":
        lines = output.get("traceback")
        if type(lines) is not list:
            raise FrameError("a malformed traceback")
        return {
            "output_type": "error",
            "ename": _text(output.get("ename"))[:200],
            "evalue": _text(output.get("evalue"))[:_MAX_LINE],
            "traceback": [_text(line)[:_MAX_LINE] for line in lines[:_MAX_LINES]],
        }
    if kind in {"display_data", "execute_result"}:
        checked: dict[str, Any] = {"output_type": kind, "data": _bundle(output.get("data")), "metadata": {}}
        if kind == "execute_result":
            count = output.get("execution_count")
            checked["execution_count"] = count if type(count) is int and 0 <= count < 1 << 31 else None
        return checked
    raise FrameError("an unknown kind of output")


def _bundle(data: Any) -> dict[str, Any]:
    if type(data) is not dict or len(data) > 20:  # noqa: PLR2004
        raise FrameError("a malformed bundle")
    for media in data:
        if not _MEDIA.fullmatch(media):
            raise FrameError("a malformed media type")
    # JSON documents are shown by no page of ours, and text is what every other media type is in a notebook.
    return {media: part for media, part in data.items() if type(part) is str}


def _text(value: Any) -> str:
    if type(value) is not str:
        raise FrameError("output that is no text")
    return value


def size_of(outputs: list[dict[str, Any]]) -> int:
    """Return how many characters outputs hold."""
    total = 0
    for output in outputs:
        total += 32 + len(output.get("text", "")) + len(output.get("evalue", ""))
        total += sum(len(part) for part in output.get("data", {}).values())
        total += sum(len(line) for line in output.get("traceback", ()))
    return total
