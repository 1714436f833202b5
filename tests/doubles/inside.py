"""Runs graders.inside as processes of the test's own user, without a container, and speaks the host's side of its wire."""

from __future__ import annotations

import base64
import json
import struct
import subprocess
import sys
from dataclasses import dataclass, field
from typing import Any

_START = """
import sys
from graders.inside.__main__ import Init, preimport
from graders.inside.shell import make_shell
preimport(sys.argv[2:])
sys.exit(Init(make_shell(sys.argv[1] + "/ipython"), sys.argv[1], same_user=True).run())
"""
LIMITS = {
    "wall_s": 30,
    "cell_s": 10,
    "cpu_s": 30,
    "output_bytes": 1 << 20,
    "disk_bytes": 8 << 20,
    "open_files": 256,
}
Frame = dict[str, Any]


def learner(grade_id: str | None, source: str) -> Frame:
    return {"role": "learner", "grade_id": grade_id, "source": source, "points": None}


def given(source: str, grade_id: str | None = None) -> Frame:
    return {"role": "given", "grade_id": grade_id, "source": source, "points": None}


def check(grade_id: str, source: str, points: float = 1.0) -> Frame:
    return {"role": "test", "grade_id": grade_id, "source": source, "points": points}


@dataclass
class Run:
    """What came out of one sandbox."""

    frames: list[Frame]
    status: int
    verdicts: dict[str, Frame] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.verdicts = {frame["grade_id"]: frame for frame in self.frames if frame["kind"] == "verdict"}

    @property
    def record(self) -> Frame:
        return next(frame["record"] for frame in self.frames if frame["kind"] == "record")

    @property
    def done(self) -> Frame:
        return next(frame for frame in self.frames if frame["kind"] == "done")

    @property
    def shown(self) -> str:
        return json.dumps([frame for frame in self.frames if frame["kind"] == "cell"])

    def credit(self, grade_id: str = "check") -> float:
        return float(self.verdicts[grade_id]["credit"])


class Inside:
    """One sandbox without walls, for one job."""

    def __init__(self, command: list[str]) -> None:
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def run(self, job: Frame) -> Run:
        assert self._process.stdin is not None
        ready = self._receive()
        assert ready == {"kind": "ready"}
        body = json.dumps(job).encode()
        self._process.stdin.write(struct.pack(">I", len(body)) + body)
        self._process.stdin.flush()
        frames = []
        while (frame := self._receive()) is not None:
            frames.append(frame)
        return Run(frames, self._process.wait())

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()

    def _receive(self) -> Frame | None:
        assert self._process.stdout is not None
        header = self._process.stdout.read(4)
        if len(header) < 4:
            return None
        frame: Frame = json.loads(self._process.stdout.read(struct.unpack(">I", header)[0]))
        return frame


def local_command(directory: str, *libraries: str) -> list[str]:
    return [sys.executable, "-c", _START, directory, *libraries]


def job_of(cells: list[Frame], *, record: Frame | None = None, mode: str = "grade", **more: Any) -> Frame:
    numbered = [{"index": at, **cell} for at, cell in enumerate(cells)]
    files = [
        {"path": path, "data_b64": base64.b64encode(data).decode(), "from": "source"}
        for path, data in more.get("files", {}).items()
    ]
    return {
        "kind": "job",
        "mode": mode,
        "limits": LIMITS | more.get("limits", {}),
        "env": {},
        "files": files,
        "notebooks": [{"name": "nb", "files_dir": "", "cells": numbered, "record": record}],
    }


def run_cells(command: list[str], cells: list[Frame], **more: Any) -> Run:
    inside = Inside(command)
    try:
        return inside.run(job_of(cells, **more))
    finally:
        inside.close()


def submit(source: list[Frame], answers: dict[str | None, str]) -> list[Frame]:
    """Return the source's cells with the learner's answers in place; key None adds a cell before the first test."""
    cells = [
        {**cell, "source": answers.get(cell["grade_id"], cell["source"])}
        if cell["role"] == "learner"
        else cell
        for cell in source
    ]
    if None in answers:
        first = next(at for at, cell in enumerate(cells) if cell["role"] == "test")
        cells.insert(first, learner(None, answers[None]))
    return cells
