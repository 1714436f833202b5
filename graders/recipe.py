"""How one version of an exercise is graded: its source, read once, and what was recorded when it was tried once.

Called by the pipeline and by publishing. A record says for every grade cell which way it runs and what kind of
value crosses where; it is made in a sandbox from the source's own solution, and kept by digest in a folder that
only the trusted side writes. A submission can't change it.
"""

from __future__ import annotations

import ast
import builtins
import json
import os
import tempfile
from collections import OrderedDict
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from graders.errors import SandboxError
from graders.results import Limits
from graders.sandbox.job import End, SandboxJob, SandboxRunner
from graders.sanitise import solved
from graders.source import Kind, Source, SourceNotebook, read_source

KEPT_IN_MEMORY = 32
FORMAT = 2
"""Raise it when what a record means changes: older ones are made again."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that grading one version of an exercise needs."""

    source: Source
    records: dict[str, dict[str, Any]] = field(default_factory=dict)  # by notebook
    own_scores: dict[str, dict[str, float]] = field(
        default_factory=dict
    )  # credit of the author's own solution

    @property
    def unprotected(self) -> tuple[tuple[str, str], ...]:
        """Grade cells (notebook, grade_id) that only run in a fork of the learner's process."""
        found = []
        for name, record in sorted(self.records.items()):
            ways = record.get("ways", {})
            found += [(name, grade_id) for grade_id, way in ways.items() if way.get("way") == "fork"]
        return tuple(found)


class RecipeBook:
    """Finds recipes, and makes those that are missing."""

    def __init__(self, folder: Path, sandbox: SandboxRunner) -> None:
        """Keep records in `folder` (trusted side only) and record in `sandbox`."""
        self._folder = folder
        self._sandbox = sandbox
        self._known: OrderedDict[str, Recipe] = OrderedDict()

    def of(self, source_dir: Path, version: str = "") -> Recipe:
        """Return the recipe of the exercise in `source_dir`.

        Args:
            source_dir: an nbgrader source folder.
            version: the published version's content hash: with it, an unchanged folder is not even read again.

        Raises:
            SourceError: the exercise can't be graded.
            SandboxError: it could not be recorded because the platform failed.
        """
        if version in self._known:
            self._known.move_to_end(version)
            return self._known[version]
        recipe = self._find_or_make(source_dir)
        if version:
            self._known[version] = recipe
            while len(self._known) > KEPT_IN_MEMORY:
                self._known.popitem(last=False)
        return recipe

    def _find_or_make(self, source_dir: Path) -> Recipe:
        source = read_source(source_dir)
        key = sha256(f"{FORMAT}:{self._sandbox.fingerprint}:{source.digest}".encode()).hexdigest()
        path = self._folder / f"{key}.json"
        kept = _load(path)
        if kept is None:
            kept = self._record(source)
            _save(path, kept)
        return Recipe(source, kept["records"], kept["own_scores"])

    def _record(self, source: Source) -> dict[str, Any]:
        """Run the author's solution once and keep what is learnt."""
        notebooks = tuple(solved(notebook).job(None) for notebook in source.notebooks)
        if not any(cell.kind is Kind.TEST for notebook in source.notebooks for cell in notebook.cells):
            return {"records": {}, "own_scores": {}}
        limits = source.sheet.apply_limits(Limits())
        run = self._sandbox.run(
            SandboxJob(
                notebooks,
                source.reference,
                limits,
                mode="record",
                published=frozenset(source.reference) - source.sheet.edits,
            )
        )
        if run.end is End.ENDED_EARLY and not run.out_of_memory:
            raise SandboxError(f"a sandbox ended while an exercise was recorded: {run.detail[-1500:]}")
        own: dict[str, dict[str, float]] = {notebook.name: {} for notebook in source.notebooks}
        for verdict in run.verdicts:
            own[verdict.notebook][verdict.grade_id] = verdict.credit
        for notebook in source.notebooks:
            _name_unsolved(notebook, run.records.get(notebook.name), own[notebook.name])
        return {"records": run.records, "own_scores": own}


def _name_unsolved(notebook: SourceNotebook, record: dict[str, Any] | None, own: dict[str, float]) -> None:
    """Where a source holds no solution, say which names its checks expect of each solution cell.

    A record lists the names that the author's solution made. Stock nbgrader grades sources whose solution cells only
    raise, too: there, names that a check reads, and that nothing else makes, are the learner's.
    """
    names = record.get("names") if record else None
    if not isinstance(names, dict):
        return
    made = {name for known in names.values() for name in known} | set(dir(builtins))
    made |= {
        name
        for cell in notebook.cells
        if cell.kind is Kind.GIVEN
        for name in _names_in(cell.source, ast.Store)
    }
    solution = None
    for cell in notebook.cells:
        if cell.kind is Kind.SOLUTION:
            solution = cell.grade_id
        elif cell.kind is Kind.TEST and solution in names and not own.get(str(cell.grade_id)):
            made |= _names_in(cell.source, ast.Store)
            missing = _names_in(cell.source, ast.Load) - made
            names[solution] = sorted({*names[solution], *missing})
            made |= missing


def _names_in(source: str, context: type[ast.expr_context]) -> set[str]:
    """Return the names that code reads or makes; none of code with magics."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return set()
    found = {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, context)
    }
    if context is ast.Store:
        made = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        found |= {node.name for node in ast.walk(tree) if isinstance(node, made)}
        found |= {
            (item.asname or item.name).split(".")[0]
            for node in ast.walk(tree)
            if isinstance(node, (ast.Import, ast.ImportFrom))
            for item in node.names
        }
        found |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    return found


def _load(path: Path) -> dict[str, Any] | None:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError:  # cut short by a crash: made again
        return None
    return value if isinstance(value, dict) and {"records", "own_scores"} <= set(value) else None


def _save(path: Path, value: dict[str, Any]) -> None:
    """Write whole or not at all: two workers may make the same recipe at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".recipe-")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(value, file)
        file.flush()
        os.fsync(file.fileno())
    Path(name).replace(path)
