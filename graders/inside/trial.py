"""Test cells: run in the checker against stand-ins, or in a guarded fork of the learner's process; judged here.

Used by replay.py. The way is found when the record is made, on the source's own solution, and obeyed ever after.
"""

from __future__ import annotations

import contextlib
import secrets
import socket
from typing import TYPE_CHECKING, Any

from graders.inside import cellcode, judging, taint
from graders.inside.conversation import LearnerGoneError
from graders.inside.crossing import CrossingError
from graders.inside.frames import Channel, ChannelClosedError, DeadlineError, FrameError
from graders.inside.judging import Verdict
from graders.inside.record import CellWay, cell_key
from graders.inside.sink import Sink

if TYPE_CHECKING:
    from graders.inside.setting import Cell, Setting

_OUTPUT_BYTES = 64 << 10
_MAX_NOTE = 400
_MAX_TEXT = 10_000
_NUMBERS = frozenset({"int", "scalar", "float", "decimal", "fraction"})


class TestCells:
    """Runs and judges test cells."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting

    def judge(self, cell: Cell) -> tuple[Verdict, str]:
        """Run one cell; returns its verdict and the way it ran."""
        record = self._setting.record
        source = self._setting.python(cell.source)
        key = cell.grade_id or cell_key(None, cell.source)
        problem = _problem_of(source)
        if problem is not None:
            if record.recording:
                record.cells[key] = CellWay("isolated", problem.evidence)
            return problem, "isolated"
        if record.recording:
            verdict, record.cells[key] = self._find_way(cell, source)
        elif key not in record.cells:
            return judging.UNKNOWN, "isolated"
        elif record.cells[key].way == "fork":
            verdict = self._run_guarded(cell, source)
            self._run_here(cell, source)  # for the names that later cells use; its verdict counts for nothing
        else:
            verdict = self._run_here(cell, source)
        self._setting.before.append(source)
        return verdict, record.cells[key].way

    def _find_way(self, cell: Cell, source: str) -> tuple[Verdict, CellWay]:
        """Run a cell both ways on its own solution, and choose."""
        guarded = self._run_guarded(cell, source)
        here = self._run_here(cell, source)
        partly = guarded.status == here.status == "failed" and here.credit == guarded.credit > 0
        if here.status == "passed" or partly:
            return here, CellWay("isolated")
        note = (here.evidence or here.message).strip()[-_MAX_NOTE:]
        if guarded.status == "passed" or guarded.credit > 0:
            return guarded, CellWay("fork", f"Runs only in a fork of the learner's process: {note}")
        return here, CellWay("isolated", f"Fails on its own solution: {note}")

    def _run_here(self, cell: Cell, source: str) -> Verdict:
        setting, remote, shell = self._setting, self._setting.remote, self._setting.shell
        setting.names.refresh()
        remote.watch.forget()
        remote.said.clear()
        shell.sink = Sink(_OUTPUT_BYTES)
        result: Any = None
        with setting.alarm(), setting.workspace.following(remote):
            setting.names.prefetch(cellcode.class_level_names(source))
            taint.set_active(active=True)
            try:
                result = shell.run_cell(cell.source, store_history=True)  # type: ignore[no-untyped-call]
            finally:
                taint.set_active(active=False)
        if remote.gone is not None:
            return judging.of_gone(remote.gone)
        error = result.error_in_exec or result.error_before_exec
        if error is not None:
            verdict = judging.judge_exception(error, remote.sources, "".join(remote.said))
        elif not result.success:
            verdict = Verdict("error", 0.0, "This check could not be run.")
        else:
            verdict = judging.judge_value(result.result, cell.points)
        shell.sink.flush()
        verdict.outputs = [output for output in shell.sink.outputs if output["output_type"] == "stream"]
        return verdict

    def _run_guarded(self, cell: Cell, source: str) -> Verdict:
        remote = self._setting.remote
        deadline = self._setting.start_clock()
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                if "raised" in remote.request("guarded", theirs):
                    remote.end("died")
            try:
                return self._ask_guarded(Channel(ours.fileno(), ours.fileno()), cell, source, deadline)
            except ChannelClosedError:
                return Verdict("died", 0.0, judging.GONE["died"])
            except (DeadlineError, FrameError, CrossingError) as error:
                status = "timeout" if isinstance(error, DeadlineError) else "tampered"
                with contextlib.suppress(LearnerGoneError):
                    remote.end(status, str(error) or None)
        return judging.of_gone(remote.gone or LearnerGoneError("died"))

    def _ask_guarded(self, channel: Channel, cell: Cell, source: str, deadline: float) -> Verdict:
        nonce = secrets.token_hex(8)
        channel.send({"n": nonce, "before": self._setting.before, "source": source}, deadline)
        reply = channel.receive(deadline)
        if reply.get("n") != nonce or type(reply.get("passed")) is not bool:
            raise FrameError("a forged answer of a guarded fork")
        if reply["passed"]:
            value = self._setting.remote.unpacker([]).unpack(_only_number(reply.get("value")))
            return judging.judge_value(value, cell.points)
        texts = [reply.get(name) for name in ("exception", "message", "evidence")]
        if not all(type(text) is str and len(text) < _MAX_TEXT for text in texts):
            raise FrameError("a malformed answer of a guarded fork")
        exception, message, evidence = (str(text) for text in texts)
        return Verdict("failed", 0.0, message if reply.get("is_assertion") is True else exception, evidence)


def _problem_of(source: str) -> Verdict | None:
    try:
        return None if cellcode.has_statements(source) else judging.EMPTY
    except (SyntaxError, ValueError) as error:
        return Verdict("error", 0.0, "This check cannot be read. Your trainer has to repair it.", str(error))


def _only_number(value: Any) -> Any:
    if value is None or type(value) in {bool, int, float}:
        return value
    is_number = type(value) is list and value and type(value[0]) is str and value[0] in _NUMBERS
    return value if is_number else "another kind of value"
