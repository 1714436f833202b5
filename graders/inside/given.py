"""Given cells: the source's own code outside solutions, replayed here from the source and run in the learner's process.

Used by replay.py. Where such a cell uses the learner's objects, the replay talks to a twin, a fork of the learner's
process, so that nothing is done to them twice.
"""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING, Any

from graders.inside.frames import Channel
from graders.inside.packing import Packer
from graders.inside.record import GivenWay, cell_key
from graders.inside.standins import Link, link_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graders.inside.setting import Cell, Setting
    from graders.inside.table import Table

_OUTPUT_BYTES = 64 << 10


class GivenCells:
    """Replays given cells in the checker's namespace."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting

    def replay(self, cell: Cell) -> None:
        """Replay one cell, as its record says.

        Raises:
            LearnerGoneError: the process that it talked to is gone.
        """
        record = self._setting.record
        key = cell_key(cell.grade_id, cell.source)
        known = record.given.get(key)
        if record.recording or known is None or known.touches:
            way = self._run_beside_twin(cell)
            if record.recording:
                record.given[key] = way
        else:
            self._run(cell)

    def tell_classes(self) -> None:
        """Tell the learner's process which classes stand on both sides, so that their objects cross as data."""
        names, remote = self._setting.names, self._setting.remote
        classes = {name for name in dict.keys(names) if names.own_class(name) is not None}
        if classes != remote.given:
            remote.given = classes
            remote.request("given", classes=sorted(classes))

    def _run(self, cell: Cell) -> None:
        setting = self._setting
        setting.names.replaying = True
        try:
            with setting.alarm():
                setting.shell.run(cell.source, _OUTPUT_BYTES)
        finally:
            setting.names.replaying = False
        setting.before.append(setting.python(cell.source))
        if setting.remote.gone is not None:
            raise setting.remote.gone

    def _run_beside_twin(self, cell: Cell) -> GivenWay:
        """Replay a cell against a twin.

        What it leaves as data stays the checker's; a name that it left standing for an object of the learner's becomes
        live, for the learner's process makes the same object when it runs the cell itself.
        """
        names, remote = self._setting.names, self._setting.remote
        if not names.live:
            self._run(cell)
            return GivenWay()
        before = {name: id(value) for name, value in dict.items(names)}
        with self._twin() as main_table:
            requests = remote.requests
            self._run(cell)
            touches = remote.requests > requests
            bound = [name for name, value in dict.items(names) if before.get(name) != id(value)]
            passing = [name for name in bound if not name.startswith("_") and self._ends(name, main_table)]
        names.add_live(passing)
        return GivenWay(touches, sorted(passing))

    def _ends(self, name: str, main_table: Table) -> bool:
        """Whether the value of a name holds objects of the twin, which end with it."""
        names = self._setting.names
        found: list[Link] = []

        def own(value: Any) -> Any | None:
            link = link_of(value)
            if link is None:
                return None
            found.append(link)
            return ["seen"]

        def given_name(kind: type) -> str | None:
            return kind.__name__ if names.own_class(kind.__name__) is kind else None

        packer = Packer(lambda _: ["other"], own, given_name)
        with contextlib.suppress(Exception):
            packer.pack(dict.get(names, name))
            packer.states()
        return any(not main_table.holds(link) for link in found)

    @contextlib.contextmanager
    def _twin(self) -> Iterator[Table]:
        """Talk to a fork of the learner's process for a while; gives the table of the process itself."""
        setting, remote = self._setting, self._setting.remote
        setting.start_clock()
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                if "raised" in remote.request("twin", theirs):
                    remote.end("died")  # no more processes or files can be had: its own doing
            connection, channel, table = remote.connection, remote.channel, remote.table
            remote.connection, remote.channel = ours, Channel(ours.fileno(), ours.fileno())
            remote.table = table.copy()
            setting.names.refresh()
            try:
                yield table
            finally:
                remote.connection, remote.channel, remote.table = connection, channel, table
                setting.names.refresh()
