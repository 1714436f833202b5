"""The record of a notebook: made once, on its own solution, when it is published; obeyed by every submission.

Used by the checker. It holds which names each solution cell makes, which kind of thing crossed at each place (`squares()`,
`<Account>.balance`), which operators were used on the learner's objects, and which way each test cell runs. While it is
made everything is let through and written down; while it is obeyed, nothing is let through that is not written.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

VERSION = 1
MAX_PLACE = 200
PLAIN = "plain"


@dataclass(slots=True)
class CellWay:
    """How one test cell runs."""

    way: str = "isolated"
    note: str | None = None


@dataclass(slots=True)
class GivenWay:
    """How one given cell is replayed."""

    touches: bool = False
    names: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Record:
    """What is known of a notebook from running its own solution."""

    recording: bool = False
    names: dict[str, list[str]] = field(default_factory=dict)
    given: dict[str, GivenWay] = field(default_factory=dict)
    cells: dict[str, CellWay] = field(default_factory=dict)
    kinds: dict[str, list[str]] = field(default_factory=dict)
    uses: dict[str, list[str]] = field(default_factory=dict)
    libraries: dict[str, list[str]] = field(default_factory=dict)
    _class_names: set[str] | None = None

    def class_names(self) -> set[str]:
        """Return the names of all classes that the record knows; meant for a record that is obeyed."""
        if self._class_names is None:
            labels = [label for kinds in self.kinds.values() for label in kinds if ":" in label]
            self._class_names = {label.partition(":")[2] for label in labels}
        return self._class_names

    def saw(self, place: str, kind: str) -> None:
        """Write down, while recording, what crossed at a place."""
        if self.recording:
            kinds = self.kinds.setdefault(place[:MAX_PLACE], [])
            if kind not in kinds:
                kinds.append(kind)

    def kinds_at(self, place: str) -> list[str]:
        """Return the kinds that crossed at a place."""
        return self.kinds.get(place[:MAX_PLACE], [])

    def permits(self, place: str, use: str) -> bool:
        """Whether an operator may be passed on to the learner's object at a place."""
        uses = self.uses.get(place[:MAX_PLACE], [])
        if self.recording and use not in uses:
            self.uses[place[:MAX_PLACE]] = [*uses, use]
            return True
        return use in uses

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON, for the trusted side to keep."""
        return {
            "version": VERSION,
            "names": self.names,
            "given": {key: {"touches": way.touches, "names": way.names} for key, way in self.given.items()},
            "ways": {key: {"way": way.way, "note": way.note} for key, way in self.cells.items()},
            "kinds": self.kinds,
            "uses": self.uses,
            "libraries": self.libraries,
        }


def parse_record(data: Any) -> Record | None:
    """Read a record that was made by this version; None when there is none to obey."""
    if not isinstance(data, dict) or data.get("version") != VERSION:
        return None
    return Record(
        names={key: list(names) for key, names in data["names"].items()},
        given={key: GivenWay(bool(way["touches"]), list(way["names"])) for key, way in data["given"].items()},
        cells={key: CellWay(str(way["way"]), way["note"]) for key, way in data["ways"].items()},
        kinds={key: list(kinds) for key, kinds in data["kinds"].items()},
        uses={key: list(uses) for key, uses in data["uses"].items()},
        libraries={key: list(path) for key, path in data["libraries"].items()},
    )


def cell_key(grade_id: str | None, source: str) -> str:
    """Name a given cell across notebooks: by its id, or by its text where it has none."""
    return grade_id or "text:" + hashlib.sha256(source.strip().encode("utf-8", "replace")).hexdigest()[:24]
