"""One notebook: its cells in order, the learner's in the learner's process, the given ones in both, the tests here.

Used by checker.py. In record mode it also finds out which way each test cell runs; in grade mode it obeys the record.
"""

from __future__ import annotations

import ast
import contextlib
import secrets
import signal
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from graders.inside import cellcode, crossing, displayed, judging, taint
from graders.inside.files import Workspace
from graders.inside.frames import Channel, ChannelClosedError, DeadlineError, FrameError
from graders.inside.judging import Verdict
from graders.inside.limits import Limits
from graders.inside.names import Names
from graders.inside.record import CellWay, GivenWay, Record, cell_key
from graders.inside.remote import LearnerGoneError, Remote
from graders.inside.shell import Shell, Sink

_TEST_OUTPUT_BYTES = 64 << 10
_GONE = {
    "timeout": "Your code ran out of time.",
    "died": "The process that runs your code ended before this check could be made.",
    "tampered": "Your code disturbed the conversation with the checker. This check gives no points.",
    "output_overflow": "Your code printed more than is allowed.",
}


@dataclass(slots=True)
class Cell:
    """One code cell of a notebook, as the job gives it."""

    index: int
    role: str
    grade_id: str | None
    source: str
    points: float | None


class Replay:
    """Runs one notebook.

    Args:
        emit: sends a frame to the host.
        deadline: the end of the whole job, in monotonic seconds.
    """

    def __init__(
        self,
        name: str,
        remote: Remote,
        shell: Shell,
        names: Names,
        workspace: Workspace,
        limits: Limits,
        deadline: float,
        emit: Callable[[dict[str, Any]], None],
    ) -> None:
        self.name = name
        self.remote = remote
        self.record: Record = remote.record
        self.shell = shell
        self.names = names
        self.workspace = workspace
        self.limits = limits
        self.deadline = deadline
        self.emit = emit
        self.submitted = remote.sources
        self._before: list[str] = []
        self._shown: set[int] = set()
        self._judged: set[int] = set()

    def run(self, cells: list[Cell]) -> str | None:
        """Run all cells; returns what stopped the learner's process, or None."""
        for at, cell in enumerate(cells):
            try:
                getattr(self, f"_{cell.role}")(cell)
            except LearnerGoneError as gone:
                self._stopped(cell, gone)
                for later in cells[at + 1 :]:
                    self._not_run(later, gone)
                return gone.status
        return None

    def _stopped(self, cell: Cell, gone: LearnerGoneError) -> None:
        """Report the cell in which the learner's process was lost."""
        if cell.role == "test":
            if cell.index not in self._judged:
                status = "error" if gone.status == "output_overflow" else gone.status
                self._verdict(cell, Verdict(status, 0.0, _GONE[gone.status], gone.evidence), "isolated")
        elif cell.index not in self._shown:
            status = "timeout" if gone.status == "timeout" else "died"
            self._show(cell, [], status)

    def _show(self, cell: Cell, outputs: list[dict[str, Any]], status: str) -> None:
        self._shown.add(cell.index)
        self.emit(
            {"kind": "cell", "notebook": self.name, "index": cell.index, "outputs": outputs, "status": status}
        )

    def _not_run(self, cell: Cell, gone: LearnerGoneError) -> None:
        if cell.role == "test":
            status = "tampered" if gone.status == "tampered" else "not_run"
            message = f"This check was not made. {_GONE[gone.status]}"
            self._verdict(cell, Verdict(status, 0.0, message, gone.evidence), "isolated")

    # --- cells of the learner's process ----------------------------------------------------------------------

    def _learner(self, cell: Cell) -> None:
        before = self._look() if self.record.recording else {}
        self.submitted.append(cell.source)
        self._run_there(cell)
        key = cell.grade_id
        if key is None:
            return
        if self.record.recording:
            after = self._look()
            self.record.names[key] = sorted(
                name
                for name in after
                if before.get(name) != after[name] or (name in _stored_names(cell.source))
            )
        self.names.add_live(self.record.names.get(key, []))
        self.names.refresh()

    def _look(self) -> dict[str, str]:
        reply = self.remote.request("names")
        return dict(reply["names"])

    def _run_there(self, cell: Cell) -> None:
        self.remote.deadline = self._cell_deadline()
        self.names.refresh()
        budget = max(1, min(self.remote.output_budget, self.limits.output_bytes))
        reply = self.remote.request("cell", source=cell.source, budget=budget)
        self.remote.runs += 1
        try:
            outputs = displayed.check_outputs([] if "raised" in reply else reply.get("outputs"))
        except FrameError as error:
            self.remote.end("tampered", str(error))
            raise
        status = "ok" if reply.get("finished") is True else "error"
        self._show(cell, outputs, status)
        self.remote.charge(displayed.size_of(outputs))
        if reply.get("overflow") is True:
            self.remote.end("output_overflow")

    def _cell_deadline(self) -> float:
        return min(time.monotonic() + self.limits.cell_s, self.deadline)

    # --- given cells -----------------------------------------------------------------------------------------

    def _given(self, cell: Cell) -> None:
        key = cell_key(cell.grade_id, cell.source)
        known = self.record.given.get(key)
        if self.record.recording or known is None or known.touches:
            known = self._replay_beside_twin(cell)
            if self.record.recording:
                self.record.given[key] = known
        else:
            self._replay(cell)
        self._run_there(cell)
        self._tell_given_classes()

    def _replay(self, cell: Cell) -> None:
        self.names.replaying = True
        try:
            with self._alarm():
                self.shell.run(cell.source, _TEST_OUTPUT_BYTES)
        finally:
            self.names.replaying = False
        self._before.append(self._python(cell.source))
        if self.remote.gone is not None:
            raise self.remote.gone

    def _replay_beside_twin(self, cell: Cell) -> GivenWay:
        """Replay a cell that uses the learner's objects against a twin, so that nothing is done to them twice.

        What it leaves as data stays the checker's; a name that it left standing for an object of the learner's becomes
        live, for the learner's process makes the same object when it runs the cell itself.
        """
        if not self.names.live:
            self._replay(cell)
            return GivenWay()
        bound_before = {name: id(value) for name, value in dict.items(self.names)}
        requests = self.remote.requests
        with self._twin():
            requests = self.remote.requests
            self._replay(cell)
            touches = self.remote.requests > requests
            bound = [name for name, value in dict.items(self.names) if bound_before.get(name) != id(value)]
            remote_names = [name for name in bound if not name.startswith("_") and self._is_remote(name)]
        self.names.add_live(remote_names)
        return GivenWay(touches, sorted(remote_names))

    def _is_remote(self, name: str) -> bool:
        """Whether the value of a name holds objects of the twin, which end with it."""
        found: list[Any] = []

        def refer(value: Any) -> Any:
            del value
            return ["own"]

        def reference(value: Any) -> Any:
            from graders.inside.standins import link_of

            link = link_of(value)
            if link is None:
                return None
            found.append(link)
            return ["ref"]

        packer = crossing.Packer(
            refer, reference, lambda kind: kind.__name__ if self.names.own_class(kind.__name__) else None
        )
        with contextlib.suppress(Exception):
            packer.pack(dict.get(self.names, name))
            packer.states()
        return any(not self._main_table.holds(link) for link in found)

    @contextlib.contextmanager
    def _twin(self) -> Iterator[None]:
        """Talk to a fork of the learner's process for a while."""
        remote = self.remote
        remote.deadline = self._cell_deadline()
        ours, theirs = socket.socketpair()
        with ours:
            try:
                if "raised" in remote.request("twin", theirs):
                    remote.end("died")  # no more processes or files can be had: its own doing
            finally:
                theirs.close()
            connection, channel, self._main_table = remote.connection, remote.channel, remote.table
            remote.connection, remote.channel = ours, Channel(ours.fileno(), ours.fileno())
            remote.table = self._main_table.copy()
            self.names.refresh()
            try:
                yield
            finally:
                remote.connection, remote.channel, remote.table = connection, channel, self._main_table
                self.names.refresh()

    def _tell_given_classes(self) -> None:
        classes = sorted(name for name in dict.keys(self.names) if self.names.own_class(name) is not None)
        if set(classes) != self.remote.given:
            self.remote.given = set(classes)
            self.remote.request("given", classes=classes)

    # --- test cells ------------------------------------------------------------------------------------------

    def _test(self, cell: Cell) -> None:
        key = cell.grade_id or cell_key(None, cell.source)
        source = self._python(cell.source)
        self.remote.deadline = self._cell_deadline()
        problem = _problem_of(source)
        if problem is not None:
            if self.record.recording:
                self.record.cells[key] = CellWay("isolated", problem.evidence)
            self._verdict(cell, problem, "isolated")
            return
        known = self.record.cells.get(key)
        if self.record.recording:
            verdict, known = self._find_way(cell, source)
            self.record.cells[key] = known
        elif known is None:
            verdict = Verdict(
                "error", 0.0, "This check is not known. Your trainer has to publish the exercise again."
            )
            known = CellWay()
        elif known.way == "fork":
            verdict = self._run_guarded(cell, source)
            self._run_here(cell, source)  # for the names that later cells use; its verdict counts for nothing
        else:
            verdict = self._run_here(cell, source)
        self._before.append(source)
        if self.remote.gone is not None and known.way == "isolated":
            raise self.remote.gone
        self._verdict(cell, verdict, known.way)
        if self.remote.gone is not None:
            raise self.remote.gone

    def _find_way(self, cell: Cell, source: str) -> tuple[Verdict, CellWay]:
        """Run a test cell both ways on its own solution, and choose."""
        guarded = self._run_guarded(cell, source)
        here = self._run_here(cell, source)
        if here.status == "passed" or (
            guarded.status == here.status == "failed" and here.credit == guarded.credit > 0
        ):
            return here, CellWay("isolated")
        if guarded.status == "passed" or guarded.credit > 0:
            note = f"Runs only in a fork of the learner's process: {(here.evidence or here.message).strip()[-400:]}"
            return guarded, CellWay("fork", note)
        return here, CellWay("isolated", f"Fails on its own solution: {(here.evidence or '').strip()[-400:]}")

    def _run_here(self, cell: Cell, source: str) -> Verdict:
        self.names.refresh()
        self.remote.watch.forget()
        self.remote.said.clear()
        with self._alarm(), self.workspace.following(self.remote):
            self.names.prefetch(cellcode.class_level_names(source))
            self.shell.sink = Sink(_TEST_OUTPUT_BYTES)
            taint.set_active(active=True)
            try:
                result = self.shell.run_cell(cell.source, store_history=True)
            finally:
                taint.set_active(active=False)
        error = result.error_in_exec or result.error_before_exec
        if self.remote.gone is not None:
            return Verdict(
                self.remote.gone.status, 0.0, _GONE[self.remote.gone.status], self.remote.gone.evidence
            )
        if error is not None:
            verdict = judging.judge_exception(error, self.submitted, "".join(self.remote.said))
        elif not result.success:
            verdict = Verdict("error", 0.0, "This check could not be run.")
        else:
            verdict = judging.judge_value(result.result, cell.points)
        self.shell.sink.flush()
        verdict.outputs = [output for output in self.shell.sink.outputs if output["output_type"] == "stream"]
        return verdict

    def _run_guarded(self, cell: Cell, source: str) -> Verdict:
        remote = self.remote
        remote.deadline = self._cell_deadline()
        ours, theirs = socket.socketpair()
        with ours:
            try:
                if "raised" in remote.request("guarded", theirs):
                    remote.end("died")
            finally:
                theirs.close()
            channel = Channel(ours.fileno(), ours.fileno())
            nonce = secrets.token_hex(8)
            try:
                channel.send({"n": nonce, "before": self._before, "source": source}, remote.deadline)
                reply = channel.receive(remote.deadline)
                if reply.get("n") != nonce or type(reply.get("passed")) is not bool:
                    raise FrameError("a forged answer of a guarded fork")
                return self._read_guarded(cell, reply)
            except ChannelClosedError:
                return Verdict("died", 0.0, _GONE["died"])
            except DeadlineError:
                self._expire()
            except (FrameError, crossing.CrossingError) as error:
                with contextlib.suppress(LearnerGoneError):
                    remote.end("tampered", str(error))
        gone = remote.gone or LearnerGoneError("died")
        return Verdict(gone.status, 0.0, _GONE[gone.status], gone.evidence)

    def _read_guarded(self, cell: Cell, reply: dict[str, Any]) -> Verdict:
        if reply["passed"]:
            return judging.judge_value(
                self.remote.unpacker([]).unpack(_only_number(reply.get("value"))), cell.points
            )
        texts = {name: reply.get(name) for name in ("exception", "message", "evidence")}
        if not all(type(text) is str and len(text) < 10_000 for text in texts.values()):
            raise FrameError("a malformed answer of a guarded fork")
        message = texts["message"] if reply.get("is_assertion") is True else f"{texts['exception']}"
        return Verdict("failed", 0.0, str(message), texts["evidence"])

    def _python(self, source: str) -> str:
        try:
            return self.shell.transform_cell(source)
        except SyntaxError:
            return source

    @contextlib.contextmanager
    def _alarm(self) -> Iterator[None]:
        """Stop code of this process that outlasts the cell's time, and again if it catches that."""

        def expire(_signal: int, _frame: Any) -> None:
            self.remote.end("timeout")

        previous = signal.signal(signal.SIGALRM, expire)
        self.remote.deadline = self._cell_deadline()
        signal.setitimer(signal.ITIMER_REAL, max(0.01, self.remote.deadline - time.monotonic()), 0.2)
        try:
            yield
        except LearnerGoneError:
            pass  # kept in remote.gone
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, previous)

    def _expire(self) -> None:
        with contextlib.suppress(LearnerGoneError):
            self.remote.end("timeout")

    def _verdict(self, cell: Cell, verdict: Verdict, way: str) -> None:
        self._judged.add(cell.index)
        self.emit(
            {
                "kind": "verdict",
                "notebook": self.name,
                "grade_id": cell.grade_id,
                "index": cell.index,
                "status": verdict.status,
                "credit": verdict.credit,
                "way": way,
                "message": verdict.message,
                "evidence": verdict.evidence,
                "outputs": verdict.outputs,
            }
        )


def _problem_of(source: str) -> Verdict | None:
    try:
        if cellcode.has_statements(source):
            return None
    except (SyntaxError, ValueError) as error:
        return Verdict("error", 0.0, "This check cannot be read. Your trainer has to repair it.", str(error))
    return judging.EMPTY


def _only_number(value: Any) -> Any:
    is_number = type(value) is list and value[:1] in (
        ["int"],
        ["scalar"],
        ["float"],
        ["decimal"],
        ["fraction"],
    )
    if value is None or type(value) in {bool, int, float, str} or is_number:
        return value
    return "another kind of value"


def _stored_names(source: str) -> set[str]:
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return set()
    return {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
