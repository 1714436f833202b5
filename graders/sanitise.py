"""Puts a submission's notebook together again around the source: the learner's texts, everything else the author's.

Called by the pipeline. The result has the source's cells in the source's order; only in solution, manual and
added cells does it hold the learner's text. Points, ids, types, locks and the kernel are never the learner's.
Damage that can be repaired is, with a warning. Pure functions.

Why the source's order: checks are recorded in that order when an exercise is published, and a cell that is moved
could otherwise be judged in a state that its author never saw.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from graders.sandbox.job import CellJob, NotebookJob, Role
from graders.source import Kind, Source, SourceCell, SourceNotebook
from graders.words import Note

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graders.notebook import SubmittedCell, SubmittedNotebook

TAKEN = frozenset({Kind.SOLUTION, Kind.MANUAL})
"""Kinds of source cells that hold the learner's text."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of the assembled notebook.

    `origin` is the source's cell, or None for one that the learner added. `text` is what runs and what is shown.
    """

    origin: SourceCell | None
    cell_type: str
    text: str
    changed: bool = False  # a solution or manual cell that is not as it was released
    missing: bool = False  # a solution or manual cell that was not handed in
    shown: bool = True  # False: an unlocked cell of the source that the learner changed or took out

    @property
    def grade_id(self) -> str | None:
        """The source's id, if the cell has one."""
        return self.origin.grade_id if self.origin else None


@dataclass(frozen=True, slots=True)
class Assembled:
    """One notebook, ready to run, and what was repaired in it."""

    name: str
    cells: tuple[Cell, ...]
    notes: tuple[Note, ...] = ()

    def job(self, record: dict[str, object] | None) -> NotebookJob:
        """Return the code cells as the sandbox takes them."""
        return NotebookJob(
            self.name,
            tuple(
                CellJob(
                    index, _role(cell), cell.text, cell.grade_id, cell.origin.points if cell.origin else None
                )
                for index, cell in enumerate(self.cells)
                if cell.cell_type == "code" and (cell.text.strip() or cell.grade_id)
            ),
            record,
        )


def assemble(source: Source, notebook: SourceNotebook, submitted: SubmittedNotebook) -> Assembled:
    """Return the notebook to grade.

    Cells with a grade_id are taken by it, the first one where an id appears twice (what follows is kept as an
    added cell: it is often the second half of a cell that was split). Cells without one are matched by their text.
    """
    by_id: dict[str, SubmittedCell] = {}
    known = {cell.grade_id for cell in notebook.cells if cell.grade_id}
    for cell in submitted.cells:
        if cell.grade_id in known:
            by_id.setdefault(str(cell.grade_id), cell)
    cells: list[Cell] = []
    theirs = [_key_submitted(source, cell, by_id) for cell in submitted.cells]
    ours = [_key_source(cell) for cell in notebook.cells]
    for action, a, b, c, d in SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes():
        same = action == "equal"
        cells.extend(_of_source(source, cell, by_id, matched=same) for cell in notebook.cells[a:b])
        if not same:
            cells.extend(_added(submitted.cells[c:d], by_id))
    return Assembled(notebook.name, tuple(cells), tuple(_notes(notebook, submitted, by_id)))


def solved(notebook: SourceNotebook) -> Assembled:
    """Return the notebook as its author solved it: what is recorded when an exercise is published."""
    return Assembled(
        notebook.name,
        tuple(
            Cell(cell, cell.cell_type, cell.solved if cell.kind in TAKEN else cell.source)
            for cell in notebook.cells
        ),
    )


def _role(cell: Cell) -> Role:
    kind = cell.origin.kind if cell.origin else None
    if kind is Kind.TEST:
        return Role.TEST
    return Role.GIVEN if kind is Kind.GIVEN else Role.LEARNER


def _key_source(cell: SourceCell) -> tuple[str, str]:
    return ("id", cell.grade_id) if cell.grade_id else (cell.cell_type, cell.released.strip())


def _key_submitted(source: Source, cell: SubmittedCell, by_id: dict[str, SubmittedCell]) -> tuple[str, str]:
    if cell.grade_id and by_id.get(cell.grade_id) is cell:
        return ("id", cell.grade_id)
    return (cell.cell_type, source.sheet.in_english(cell.source).strip())


def _of_source(source: Source, cell: SourceCell, by_id: dict[str, SubmittedCell], *, matched: bool) -> Cell:
    if cell.kind in TAKEN and cell.grade_id:
        found = by_id.get(cell.grade_id)
        if found is None:
            return Cell(cell, cell.cell_type, "", missing=True)
        return Cell(cell, cell.cell_type, found.source, changed=is_changed(source, cell, found.source))
    return Cell(cell, cell.cell_type, cell.source, shown=matched or cell.grade_id is not None)


def is_changed(source: Source, cell: SourceCell, text: str) -> bool:
    """Say whether a learner wrote anything: `text` is neither what was released, in any language, nor registered."""
    released = {
        cell.released.strip(),
        cell.source.strip(),
        *(item.strip() for item in cell.translations.values()),
    }
    return text.strip() not in released and source.sheet.in_english(text).strip() not in released


def _added(cells: tuple[SubmittedCell, ...], by_id: dict[str, SubmittedCell]) -> Iterator[Cell]:
    for cell in cells:
        if cell.grade_id and by_id.get(cell.grade_id) is cell:
            continue  # taken at its place in the source
        yield Cell(None, cell.cell_type, cell.source)


def _notes(
    notebook: SourceNotebook, submitted: SubmittedNotebook, by_id: dict[str, SubmittedCell]
) -> Iterator[Note]:
    counts = Counter(cell.grade_id for cell in submitted.cells)
    for cell in notebook.cells:
        if cell.grade_id is None:
            continue
        found = by_id.get(cell.grade_id)
        where = {"notebook": notebook.name, "cell": cell.grade_id}
        if found is None:
            yield Note("cell_missing" if cell.kind in TAKEN else "cell_put_back", where)
            continue
        if counts[cell.grade_id] > 1:
            yield Note("cell_doubled", where)
        if found.cell_type != cell.cell_type:
            yield Note("cell_type_restored", where)
        if cell.kind is Kind.TEST and found.source.strip() not in (
            cell.released.strip(),
            cell.source.strip(),
        ):
            yield Note("test_restored", where)
    if any(cell.odd_metadata for cell in submitted.cells):
        yield Note("metadata_ignored", {"notebook": notebook.name})
    unknown = (
        {cell.grade_id for cell in submitted.cells} - {cell.grade_id for cell in notebook.cells} - {None}
    )
    for grade_id in sorted(str(item) for item in unknown)[:10]:
        yield Note("cell_unknown", {"notebook": notebook.name, "cell": grade_id})
