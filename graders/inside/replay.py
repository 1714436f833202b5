"""One notebook: its cells in order, the learner's in the learner's process, the given ones in both, the tests here.

Used by checker.py. In record mode it also writes down what the source's own solution does; in grade mode it obeys that.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from graders.inside import displayed, judging
from graders.inside.conversation import LearnerGoneError
from graders.inside.frames import FrameError
from graders.inside.given import GivenCells
from graders.inside.judging import Verdict
from graders.inside.trial import TestCells

if TYPE_CHECKING:
    from collections.abc import Callable

    from graders.inside.setting import Cell, Setting


class Replay:
    """Runs one notebook.

    Args:
        emit: sends a frame to the host.
    """

    def __init__(self, name: str, setting: Setting, emit: Callable[[dict[str, Any]], None]) -> None:
        self._name = name
        self._setting = setting
        self._remote = setting.remote
        self._emit = emit
        self._given = GivenCells(setting)
        self._tests = TestCells(setting)
        self._told: set[int] = set()

    def run(self, cells: list[Cell]) -> str | None:
        """Run all cells; returns what stopped the learner's process, or None."""
        roles = {"learner": self._run_learner, "given": self._run_given, "test": self._run_test}
        for at, cell in enumerate(cells):
            try:
                roles[cell.role](cell)
            except LearnerGoneError as gone:
                self._report_end(cell, gone)
                for later in cells[at + 1 :]:
                    self._report_not_run(later, gone)
                return gone.status
        return None

    # --- cells by role ---------------------------------------------------------------------------------------

    def _run_learner(self, cell: Cell) -> None:
        record, names = self._remote.record, self._setting.names
        before = self._look() if record.recording else {}
        self._remote.sources.append(cell.source)
        self._run_there(cell)
        if cell.grade_id is None:
            return
        if record.recording:
            after, stored = self._look(), _stored_names(cell.source)
            made = [name for name in after if before.get(name) != after[name] or name in stored]
            record.names[cell.grade_id] = sorted(made)
        names.add_live(record.names.get(cell.grade_id, []))
        names.refresh()

    def _run_given(self, cell: Cell) -> None:
        self._given.replay(cell)
        self._run_there(cell)
        self._given.tell_classes()

    def _run_test(self, cell: Cell) -> None:
        verdict, way = self._tests.judge(cell)
        self._report(cell, verdict, way)
        if self._remote.gone is not None:
            raise self._remote.gone

    def _look(self) -> dict[str, str]:
        self._setting.start_clock()
        return dict(self._remote.request("names").get("names", {}))

    def _run_there(self, cell: Cell) -> None:
        self._setting.start_clock()
        self._setting.names.refresh()
        budget = max(1, min(self._remote.output_budget, self._setting.limits.output_bytes))
        reply = self._remote.request("cell", source=cell.source, budget=budget)
        self._remote.runs += 1
        try:
            outputs = displayed.check_outputs([] if "raised" in reply else reply.get("outputs"))
        except FrameError as error:
            self._remote.end("tampered", str(error))
        self._show(cell, outputs, "ok" if reply.get("finished") is True else "error")
        self._remote.charge(displayed.size_of(outputs))
        if reply.get("overflow") is True:
            self._remote.end("output_overflow")

    # --- reports ---------------------------------------------------------------------------------------------

    def _report_end(self, cell: Cell, gone: LearnerGoneError) -> None:
        """Report the cell in which the learner's process was lost, unless that was done."""
        if cell.index in self._told:
            return
        if cell.role == "test":
            self._report(cell, judging.of_gone(gone), "isolated")
        else:
            self._show(cell, [], "timeout" if gone.status == "timeout" else "died")

    def _report_not_run(self, cell: Cell, gone: LearnerGoneError) -> None:
        if cell.role == "test":
            status = "tampered" if gone.status == "tampered" else "not_run"
            message = f"This check was not made. {judging.GONE[gone.status]}"
            self._report(cell, Verdict(status, 0.0, message, gone.evidence), "isolated")

    def _show(self, cell: Cell, outputs: list[dict[str, Any]], status: str) -> None:
        self._told.add(cell.index)
        frame = {
            "kind": "cell",
            "notebook": self._name,
            "index": cell.index,
            "outputs": outputs,
            "status": status,
        }
        self._emit(frame)

    def _report(self, cell: Cell, verdict: Verdict, way: str) -> None:
        self._told.add(cell.index)
        self._emit(
            {
                "kind": "verdict",
                "notebook": self._name,
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


def _stored_names(source: str) -> set[str]:
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return set()
    return {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
