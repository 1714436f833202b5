"""The checker's process: takes one job from the host, has the learner's process run, judges, and answers.

Started by PID 1 as the checker's user. It alone holds stdin and stdout, the tests' sources and the points; its results
leave on a channel that no process of the learner's ever held.
"""

from __future__ import annotations

import contextlib
import os
import random
import socket
import sys
import time
from typing import Any

from graders.inside import inspection, taint
from graders.inside.conversation import LearnerGoneError
from graders.inside.files import Workspace, safe_path, watch_files
from graders.inside.frames import MAX_HOST_FRAME_BYTES, Channel, ChannelClosedError
from graders.inside.limits import Limits, parse_limits
from graders.inside.names import Names, clean_namespace
from graders.inside.record import Record, parse_record
from graders.inside.remote import Remote
from graders.inside.replay import Replay
from graders.inside.setting import Cell, Setting
from graders.inside.shell import Shell, module_of

_ENVIRONMENT = {"NBGRADER_EXECUTION": "autograde", "PYTHONHASHSEED": "0"}
_SETUP_S = 10.0


class Control:
    """The checker's line to PID 1: asks for the learner's process, or for its end."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def new_learner(self) -> socket.socket:
        """Have everything of the learner's ended, and return the socket of a fresh learner's process."""
        self._connection.sendall(b"N")
        data, descriptors, _flags, _address = socket.recv_fds(self._connection, 1, 1)
        if data != b"N" or len(descriptors) != 1:
            raise ChannelClosedError
        return socket.socket(fileno=descriptors[0])

    def kill_learner(self) -> None:
        """Have every process of the learner's user killed."""
        self._connection.sendall(b"K")
        if self._connection.recv(1) != b"K":
            raise ChannelClosedError

    def expect_end_within(self, seconds: float) -> None:
        """Tell PID 1 when to end everything without asking."""
        self._connection.sendall(b"T" + int(seconds * 1000).to_bytes(8, "big"))


class Checker:
    """Serves one job."""

    def __init__(
        self, host: Channel, learner: socket.socket, control: Control, shell: Shell, work_dir: str
    ) -> None:
        self.host = host
        self.control = control
        self.shell = shell
        self.work_dir = work_dir
        self._learner: socket.socket | None = learner
        self._directory = f"learner-{os.getpid()}"
        self._output_left = 0

    def serve(self) -> None:
        """Say that all is ready, take the job, do it."""
        self.host.send({"kind": "ready"})
        try:
            job = self.host.receive()
        except ChannelClosedError:
            return
        started = time.monotonic()
        limits = parse_limits(job.get("limits"))
        self.control.expect_end_within(limits.backstop_s)
        os.environ.update(_ENVIRONMENT | {str(key): str(value) for key, value in job.get("env", {}).items()})
        self._output_left = limits.output_bytes
        workspace = Workspace(job.get("files", []))
        ended = "graded"
        for notebook in job["notebooks"]:
            stopped = self._notebook(job, notebook, workspace, limits, started + limits.wall_s)
            ended = _worse(ended, stopped)
        self.control.kill_learner()
        seconds = {"inside": round(time.monotonic() - started, 4)}
        self.host.send({"kind": "done", "verdict": ended, "seconds": seconds})

    def _notebook(
        self,
        job: dict[str, Any],
        notebook: dict[str, Any],
        workspace: Workspace,
        limits: Limits,
        deadline: float,
    ) -> str | None:
        recording = job["mode"] == "record"
        record = Record(recording=True) if recording else parse_record(notebook.get("record")) or Record()
        folder = str(safe_path(notebook["files_dir"])) if notebook.get("files_dir") else ""
        names = self._fresh_namespace()
        workspace.enter(folder)
        connection = self._learner or self.control.new_learner()
        self._learner = None
        remote = Remote(connection, record, names.own_class)
        remote.output_budget = self._output_left
        names.connect(remote)
        inspection.install(remote)
        cells = [_cell(entry) for entry in notebook["cells"]]
        setting = Setting(remote, self.shell, names, workspace, limits, deadline)
        replay = Replay(notebook["name"], setting, self.host.send)
        stopped: str | None = None
        try:
            remote.deadline = time.monotonic() + _SETUP_S
            if "raised" in remote.request("start", **self._start(job, folder, limits)):
                remote.end("died")
            stopped = replay.run(cells)
        except LearnerGoneError as gone:
            stopped = gone.status
        finally:
            self._output_left = max(0, remote.output_budget)
            inspection.remove()
            connection.close()
        if stopped is not None:
            self.control.kill_learner()
        if recording:
            self.host.send({"kind": "record", "notebook": notebook["name"], "record": record.to_json()})
        return stopped

    def _start(self, job: dict[str, Any], folder: str, limits: Limits) -> dict[str, Any]:
        return {
            "work_dir": self.work_dir,
            "directory": self._directory,
            "folder": folder,
            "files": [
                {"path": str(safe_path(f["path"])), "data_b64": f["data_b64"]} for f in job.get("files", [])
            ],
            "env": _ENVIRONMENT | job.get("env", {}),
            "cpu_s": limits.cpu_s,
            "disk_bytes": limits.disk_bytes,
            "open_files": limits.open_files,
        }

    def _fresh_namespace(self) -> Names:
        names = Names()
        clean_namespace(names)
        module = module_of(names)
        self.shell.user_module = module
        self.shell.user_ns = names
        sys.modules["__main__"] = module
        self.shell.user_ns_hidden.clear()
        self.shell.init_user_ns()  # type: ignore[no-untyped-call]
        self.shell.execution_count = 1
        random.seed()
        return names


def _cell(entry: dict[str, Any]) -> Cell:
    if entry["role"] not in {"learner", "given", "test"}:
        raise ValueError(f"an unknown role: {entry['role']}")
    return Cell(entry["index"], entry["role"], entry.get("grade_id"), entry["source"], entry.get("points"))


_ORDER = ("graded", "output_overflow", "timeout", "tampered")


def _worse(one: str, other: str | None) -> str:
    return max(one, other if other in _ORDER else "graded", key=_ORDER.index)


def main(
    host_fds: tuple[int, int], learner: socket.socket, control: socket.socket, shell: Shell, work_dir: str
) -> None:
    """Serve one job; called in the freshly forked process, already as the checker's user."""
    os.umask(0o077)
    host = Channel(*host_fds, max_bytes=MAX_HOST_FRAME_BYTES)
    shell.take_streams()
    watch_files()
    taint.watch_code()
    sys.setrecursionlimit(3000)
    with contextlib.suppress(ChannelClosedError):
        Checker(host, learner, Control(control), shell, work_dir).serve()
