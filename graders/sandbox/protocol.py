"""The wire between host and sandbox: frames of a 4-byte length and UTF-8 JSON, and what we believe of them.

Called by the runners. Everything that comes out is hostile: unknown kinds, unknown keys, wrong types, NaN,
doubled keys, cells nobody asked for and second answers are refused; texts and lists are cut. It must not know
how the bytes travel.
"""

from __future__ import annotations

import base64
import json
import math
import struct
from dataclasses import asdict
from typing import Any

from graders.errors import SandboxError
from graders.sandbox.job import CellOutput, Role, SandboxJob, TestVerdict

HEADER = struct.Struct(">I")
MAX_FRAMES = 4000
MAX_OUTPUTS_PER_CELL = 400
MAX_MESSAGE = 4000
MAX_RECORD_BYTES = 2 * 1024 * 1024
MAX_MARKS = 400_000
"""Brackets and commas in one frame: each may cost fifty times its text once it is parsed."""

CELL_STATUSES = frozenset({"ok", "error", "timeout", "died"})
VERDICT_STATUSES = frozenset({"passed", "failed", "error", "timeout", "died", "tampered", "not_run"})
CREDITED = frozenset({"passed", "failed"})
WAYS = frozenset({"isolated", "fork"})
DONE_VERDICTS = frozenset(
    {"graded", "timeout", "out_of_memory", "output_overflow", "tampered", "internal_error"}
)
OUTPUT_KEYS = {
    "stream": frozenset({"output_type", "name", "text"}),
    "display_data": frozenset({"output_type", "data", "metadata"}),
    "execute_result": frozenset({"output_type", "data", "metadata", "execution_count"}),
    "error": frozenset({"output_type", "ename", "evalue", "traceback"}),
}


class ProtocolError(SandboxError):
    """A sandbox sent what it may not send: nothing of it is believed."""

    reason = "protocol_broken"


class OverflowReached(Exception):  # noqa: N818 - a limit that struck, not a fault of ours
    """More bytes came out than the job allows."""


def encode(message: dict[str, Any]) -> bytes:
    """Return `message` as one frame."""
    body = json.dumps(message, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode("utf-8")
    return HEADER.pack(len(body)) + body


def job_message(job: SandboxJob) -> dict[str, Any]:
    """Return the wire form of a job."""
    return {
        "kind": "job",
        "mode": job.mode,
        "limits": asdict(job.limits),
        "env": {},
        "files": [
            {
                "path": path,
                "data_b64": base64.b64encode(data).decode("ascii"),
                "from": "source" if path in job.published else "submission",
            }
            for path, data in sorted(job.files.items())
        ],
        "notebooks": [
            {
                "name": notebook.name,
                "files_dir": "",
                "record": notebook.record,
                "cells": [
                    {
                        "index": cell.index,
                        "role": cell.role.value,
                        "grade_id": cell.grade_id,
                        "source": cell.source,
                        "points": cell.points,
                    }
                    for cell in notebook.cells
                ],
            }
            for notebook in job.notebooks
        ],
    }


class FrameReader:
    """Cuts a stream of bytes into JSON objects, within a budget of bytes and frames."""

    def __init__(self, max_bytes: int, max_frames: int = MAX_FRAMES) -> None:
        """Take at most `max_bytes` in all."""
        self._buffer = bytearray()
        self._left = max_bytes
        self._frames_left = max_frames

    def feed(self, data: bytes) -> list[dict[str, Any]]:
        """Take bytes as they come and return the objects that are now complete.

        Raises:
            OverflowReached: the budget is used up, or a frame announces more than is left.
            ProtocolError: what came is no JSON object.
        """
        self._left -= len(data)
        if self._left < 0:
            raise OverflowReached
        self._buffer += data
        messages = []
        while len(self._buffer) >= HEADER.size:
            (length,) = HEADER.unpack_from(self._buffer)
            if length > self._left + len(self._buffer):
                raise OverflowReached
            end = HEADER.size + length
            if len(self._buffer) < end:
                break
            self._frames_left -= 1
            if self._frames_left < 0:
                raise OverflowReached
            messages.append(decode(bytes(self._buffer[HEADER.size : end])))
            del self._buffer[:end]
        return messages


def decode(body: bytes) -> dict[str, Any]:
    """Parse one frame's body strictly.

    Raises:
        ProtocolError: it is not one JSON object, or richer than any honest one.
    """
    if body.count(b"[") + body.count(b"{") + body.count(b",") > MAX_MARKS:
        raise ProtocolError("a frame holds too many values")
    try:
        value = json.loads(
            body.decode("utf-8"), parse_constant=_refuse_constant, object_pairs_hook=_without_doubles
        )
    except (ValueError, RecursionError) as error:
        raise ProtocolError(
            f"a frame is not strict JSON: {type(error).__name__}: {str(error)[:200]}"
        ) from None
    if not isinstance(value, dict):
        raise ProtocolError("a frame is not a JSON object")
    return value


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not allowed")


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a key appears twice")
    return value


class Conversation:
    """What the checker may still say about one job, and what it has said so far."""

    def __init__(self, job: SandboxJob) -> None:
        """Expect answers for the cells of `job` only."""
        self._mode = job.mode
        self._shown = {
            (notebook.name, cell.index)
            for notebook in job.notebooks
            for cell in notebook.cells
            if cell.role is not Role.TEST
        }
        self._asked = {
            (notebook.name, cell.index): cell.grade_id
            for notebook in job.notebooks
            for cell in notebook.cells
            if cell.role is Role.TEST
        }
        self._names = {notebook.name for notebook in job.notebooks}
        self.cells: list[CellOutput] = []
        self.verdicts: list[TestVerdict] = []
        self.records: dict[str, dict[str, Any]] = {}
        self.done: str | None = None
        self.seconds: dict[str, float] = {}

    def take(self, message: dict[str, Any]) -> None:
        """Believe one message or refuse it.

        Raises:
            ProtocolError: it is not one that may come now.
        """
        if self.done is not None:
            raise ProtocolError("a message came after the last one")
        kind = message.get("kind")
        if kind == "cell":
            self._take_cell(message)
        elif kind == "verdict":
            self._take_verdict(message)
        elif kind == "record" and self._mode == "record":
            self._take_record(message)
        elif kind == "done":
            self._take_done(message)
        else:
            raise ProtocolError(f"a message of kind {str(kind)[:40]!r} may not come here")

    def _take_cell(self, message: dict[str, Any]) -> None:
        _exact_keys(message, {"kind", "notebook", "index", "outputs", "status"})
        place = _place(message)
        if place not in self._shown:
            raise ProtocolError("outputs came for a cell that was not asked for, or twice")
        self._shown.discard(place)
        status = _one_of(message, "status", CELL_STATUSES)
        self.cells.append(CellOutput(*place, outputs(message["outputs"]), status))

    def _take_verdict(self, message: dict[str, Any]) -> None:
        _exact_keys(
            message,
            {
                "kind",
                "notebook",
                "grade_id",
                "index",
                "status",
                "credit",
                "way",
                "message",
                "evidence",
                "outputs",
            },
        )
        place = _place(message)
        if place not in self._asked or self._asked[place] != message["grade_id"]:
            raise ProtocolError("a verdict came for a cell that was not asked for, or twice")
        grade_id = self._asked.pop(place)
        status = _one_of(message, "status", VERDICT_STATUSES)
        credit = _number(message, "credit")
        if not 0.0 <= credit <= 1.0 or (credit > 0.0 and status not in CREDITED):
            raise ProtocolError(f"a verdict {status!r} with credit {credit!r}")
        if status == "failed" and credit == 1.0:
            raise ProtocolError("a failed check with full credit")
        evidence = message["evidence"]
        self.verdicts.append(
            TestVerdict(
                notebook=place[0],
                grade_id=str(grade_id),
                index=place[1],
                status=status,
                credit=credit,
                way=_one_of(message, "way", WAYS),
                message=text(message["message"]),
                evidence=None if evidence is None else text(evidence),
                outputs=outputs(message["outputs"]),
            )
        )

    def _take_record(self, message: dict[str, Any]) -> None:
        _exact_keys(message, {"kind", "notebook", "record"})
        name, record = message["notebook"], message["record"]
        if name not in self._names or name in self.records or not isinstance(record, dict):
            raise ProtocolError("a record came for a notebook that was not asked for, or twice")
        if len(json.dumps(record)) > MAX_RECORD_BYTES:
            raise ProtocolError("a record is larger than allowed")
        self.records[name] = record

    def _take_done(self, message: dict[str, Any]) -> None:
        _exact_keys(message, {"kind", "verdict", "seconds"})
        self.done = _one_of(message, "verdict", DONE_VERDICTS)
        seconds = message["seconds"]
        if not isinstance(seconds, dict) or len(seconds) > 40:  # noqa: PLR2004
            raise ProtocolError("seconds is no small object")
        self.seconds = {text(name, 60): _number(seconds, name) for name in seconds}


def outputs(value: Any) -> tuple[dict[str, Any], ...]:
    """Return the outputs among `value` that have the shape of an output, cut to a sane number.

    Raises:
        ProtocolError: `value` is no list of objects of the four known kinds.
    """
    if not isinstance(value, list):
        raise ProtocolError("outputs is no list")
    return tuple(_output(item) for item in value[:MAX_OUTPUTS_PER_CELL])


def _output(item: Any) -> dict[str, Any]:
    kind = item.get("output_type") if isinstance(item, dict) else None
    keys = OUTPUT_KEYS.get(kind) if isinstance(kind, str) else None
    if keys is None or not set(item) <= keys:
        raise ProtocolError("an output of an unknown kind or with unknown keys")
    if kind == "stream":
        if item.get("name") not in ("stdout", "stderr"):
            raise ProtocolError("a stream that is neither stdout nor stderr")
        return {"output_type": kind, "name": item["name"], "text": _joined(item.get("text", ""))}
    if kind == "error":
        traceback = item.get("traceback", [])
        if not isinstance(traceback, list):
            raise ProtocolError("a traceback that is no list")
        return {
            "output_type": kind,
            "ename": text(item.get("ename", ""), 200),
            "evalue": text(item.get("evalue", "")),
            "traceback": [_joined(line) for line in traceback[:200]],
        }
    data = item.get("data", {})
    if not isinstance(data, dict) or len(data) > 20:  # noqa: PLR2004
        raise ProtocolError("display data that is no small object")
    return {
        "output_type": kind,
        "data": {name: _joined(part) for name, part in data.items() if isinstance(part, (str, list))},
        "metadata": {},
    }


def _joined(value: Any) -> str:
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        value = "".join(value)
    return text(value, limit=None)


def text(value: Any, limit: int | None = MAX_MESSAGE) -> str:
    """Return `value` as text that any encoder takes, cut to `limit` characters.

    Raises:
        ProtocolError: it is no string.
    """
    if not isinstance(value, str):
        raise ProtocolError("a text is no string")
    return value[:limit].encode("utf-8", "replace").decode("utf-8")


def _exact_keys(message: dict[str, Any], keys: set[str]) -> None:
    if set(message) != keys:
        odd = sorted(str(key)[:40] for key in set(message) ^ keys)
        raise ProtocolError(
            f"a {str(message.get('kind'))[:20]} message has missing or unknown keys: {odd[:8]}"
        )


def _place(message: dict[str, Any]) -> tuple[str, int]:
    name, index = message["notebook"], message["index"]
    if not isinstance(name, str) or type(index) is not int:
        raise ProtocolError("a message names no notebook or no cell")
    return name, index


def _one_of(message: dict[str, Any], key: str, allowed: frozenset[str]) -> str:
    value = message[key]
    if not isinstance(value, str) or value not in allowed:
        raise ProtocolError(f"{key} is {str(value)[:40]!r}")
    return value


def _number(message: dict[str, Any], key: str) -> float:
    value = message[key]
    if type(value) not in (int, float) or not math.isfinite(value):
        raise ProtocolError(f"{key} is no finite number")
    return float(value)
