"""An exercise's source folder, read once: what nbgrader would register and release, as frozen values.

Called by recipe.py and publish.py. nbgrader's own preprocessors take solutions and hidden tests out and compute
the checksums; no kernel starts and no gradebook opens. Errors name the file, the cell and what to do. It must
not know of submissions.
"""

from __future__ import annotations

import copy
import hashlib
import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import nbformat
from nbgrader.nbgraderformat import (
    MetadataValidator,
    SchemaTooNewError,
    SchemaTooOldError,
    ValidationError,
)
from nbgrader.preprocessors import (
    ClearHiddenTests,
    ClearMarkScheme,
    ClearOutput,
    ClearSolutions,
    ComputeChecksums,
    LockCells,
)
from nbgrader.utils import is_grade, is_locked, is_solution, is_task

from graders.errors import SourceError
from graders.sheet import SHEET_FILE, Sheet, parse_sheet

if TYPE_CHECKING:
    from pathlib import Path

    from nbformat.notebooknode import NotebookNode

NOT_SOURCE = frozenset({"__pycache__", ".ipynb_checkpoints", ".git", ".DS_Store"})
MAX_SOURCE_BYTES = 200 * 1024 * 1024
AUTOTEST = re.compile(r"^\s*#+\s*(HASHED\s+)?AUTOTEST\b", re.MULTILINE)
LANGUAGES = frozenset({"python", "python3", "ipython"})
_STEP_FAULTS = (RuntimeError, ValueError, KeyError, AttributeError, TypeError)


class Kind(StrEnum):
    """What a source cell is for."""

    TEXT = "text"  # markdown or raw, not graded
    GIVEN = "given"  # code that belongs to the exercise
    SOLUTION = "solution"  # the learner's code, judged by tests
    TEST = "test"  # judges by running
    MANUAL = "manual"  # the learner's text or code, judged by a human
    TASK = "task"  # a description whose answers a human judges


@dataclass(frozen=True, slots=True)
class SourceCell:
    """One cell of the source, in the four states that matter."""

    kind: Kind
    cell_type: str
    source: str  # as nbgrader registers it: no solution, hidden tests still in it
    solved: str  # as the author wrote it
    released: str  # as learners get it
    grade_id: str | None = None
    points: float | None = None
    checksum: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    translations: dict[str, str] = field(default_factory=dict)

    @property
    def is_graded(self) -> bool:
        """True where points can be earned."""
        return self.kind in (Kind.TEST, Kind.MANUAL, Kind.TASK)

    @property
    def hidden_lines(self) -> frozenset[str]:
        """Lines of the hidden tests, bare: none of them may reach the learner."""
        shown = {line.strip() for line in self.released.split("\n")}
        return frozenset(line.strip() for line in self.source.split("\n") if line.strip() not in shown)

    def text(self, language: str) -> str:
        """Return a text cell in `language`, or as the author wrote it."""
        return self.translations.get(language, self.source)


@dataclass(frozen=True, slots=True)
class SourceNotebook:
    """One notebook of the source."""

    name: str
    cells: tuple[SourceCell, ...]
    kernelspec: dict[str, Any] = field(default_factory=dict)

    @property
    def graded(self) -> tuple[SourceCell, ...]:
        """The cells in which points can be earned, in order."""
        return tuple(cell for cell in self.cells if cell.is_graded)


@dataclass(frozen=True, slots=True)
class Source:
    """A whole exercise, ready to grade with."""

    digest: str
    notebooks: tuple[SourceNotebook, ...]
    files: dict[str, bytes] = field(repr=False, default_factory=dict)  # laid beside the notebooks
    reference: dict[str, bytes] = field(repr=False, default_factory=dict)  # the same, in their solved state
    sheet: Sheet = field(default_factory=Sheet)
    warnings: tuple[str, ...] = ()

    @property
    def max_score(self) -> float:
        """Points of the whole exercise."""
        return sum(cell.points or 0.0 for notebook in self.notebooks for cell in notebook.graded)


def read_source(folder: Path) -> Source:
    """Read a source folder: plain nbgrader, or with exercise.yml.

    Raises:
        SourceError: it can't be graded with; the message is for its author.
    """
    tree = _tree(folder)
    sheet = parse_sheet(tree[SHEET_FILE]) if SHEET_FILE in tree else Sheet()
    names = sorted(path for path in tree if path.endswith(".ipynb") and "/" not in path)
    if not names:
        raise SourceError(f"{folder.name}: there is no notebook in this folder")
    warnings: list[str] = []
    notebooks = tuple(_read_notebook(path, tree[path], warnings) for path in names)
    files, reference = _beside(tree, sheet)
    return Source(
        digest=_digest(tree),
        notebooks=notebooks,
        files=files,
        reference=reference,
        sheet=sheet,
        warnings=tuple(warnings),
    )


def _tree(folder: Path) -> dict[str, bytes]:
    if not folder.is_dir():
        raise SourceError(f"{folder}: there is no such folder")
    tree: dict[str, bytes] = {}
    total = 0
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if NOT_SOURCE.intersection(parts) or path.suffix == ".pyc":
            continue
        name = "/".join(parts)
        if path.is_symlink():
            raise SourceError(f"{name}: a link can't be part of an exercise; put the file itself there")
        if path.is_file():
            total += path.stat().st_size
            if total > MAX_SOURCE_BYTES:
                raise SourceError(
                    f"{folder.name}: more than {MAX_SOURCE_BYTES // 2**20} MB; take large data out"
                )
            tree[name] = path.read_bytes()
    return tree


def _digest(tree: dict[str, bytes]) -> str:
    digest = hashlib.sha256()
    for path, data in sorted(tree.items()):
        digest.update(f"{len(path)}:{path}:{len(data)}:".encode("utf-8", "surrogateescape"))
        digest.update(data)
    return digest.hexdigest()


def _beside(tree: dict[str, bytes], sheet: Sheet) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """Return the files beside the notebooks, as released and as solved."""
    if not sheet.present:
        files = {path: data for path, data in tree.items() if not path.endswith(".ipynb")}
        return files, files
    files = {path.removeprefix("files/"): data for path, data in tree.items() if path.startswith("files/")}
    right = sorted(path.split("/")[1] for path in tree if path.startswith("answers/right"))
    solved = dict(files)
    if right:
        prefix = f"answers/{right[0]}/"
        solved |= {
            path.removeprefix(prefix): data
            for path, data in tree.items()
            if path.startswith(prefix) and not path.endswith((".ipynb", "/expected.yml"))
        }
    return files, solved


def _read_notebook(path: str, data: bytes, warnings: list[str]) -> SourceNotebook:
    try:
        notebook = nbformat.reads(data.decode("utf-8"), as_version=4)  # type: ignore[no-untyped-call]
    except UnicodeDecodeError:
        raise SourceError(f"{path}: this is not UTF-8; save it again as UTF-8") from None
    except Exception as error:  # noqa: BLE001 - nbformat raises whatever its parsers and converters do
        raise SourceError(f"{path}: this is not a notebook ({str(error)[:200]})") from None
    _check_language(path, notebook)
    _upgrade(path, notebook, warnings)
    name = path.removesuffix(".ipynb")
    registered = _steps(path, notebook, (LockCells, ClearSolutions, ClearOutput, ComputeChecksums))
    released = _steps(path, registered, (ClearHiddenTests, ClearMarkScheme, ComputeChecksums))
    cells = tuple(
        _cell(path, index, solved, known, given)
        for index, (solved, known, given) in enumerate(
            zip(notebook.cells, registered.cells, released.cells, strict=True)
        )
    )
    return SourceNotebook(name, cells, dict(notebook.metadata.get("kernelspec", {})))


def _check_language(path: str, notebook: NotebookNode) -> None:
    kernel = notebook.metadata.get("kernelspec", {})
    language = kernel.get("language") or "python"
    if str(language).lower() not in LANGUAGES:
        raise SourceError(
            f"{path}: the kernel's language is {language!r}; only Python notebooks can be graded"
        )


def _upgrade(path: str, notebook: NotebookNode, warnings: list[str]) -> None:
    """Bring old nbgrader metadata up to date in memory, then hold it to nbgrader's schema."""
    validator = MetadataValidator()
    try:
        validator.validate_nb(notebook)
    except SchemaTooOldError:
        try:
            validator.upgrade_notebook_metadata(notebook)
            validator.validate_nb(notebook)
        except (ValidationError, *_STEP_FAULTS) as error:
            raise SourceError(
                f"{path}: its nbgrader metadata can't be upgraded ({_first_line(error)})"
            ) from None
        warnings.append(
            f"{path}: old nbgrader metadata, upgraded in memory; run `nbgrader update` to keep it"
        )
    except SchemaTooNewError:
        raise SourceError(f"{path}: made by a newer nbgrader than this platform knows") from None
    except (ValidationError, *_STEP_FAULTS) as error:
        raise SourceError(f"{path}: its nbgrader metadata is wrong ({_first_line(error)})") from None


def _steps(path: str, notebook: NotebookNode, steps: tuple[type[Any], ...]) -> NotebookNode:
    """Run nbgrader's preprocessors cell by cell, so that an error can name the cell."""
    notebook = copy.deepcopy(notebook)
    language = notebook.metadata.get("kernelspec", {}).get("language") or "python"
    for step in steps:
        preprocessor = step(enabled=True)
        for index, cell in enumerate(notebook.cells):
            try:
                notebook.cells[index], _ = preprocessor.preprocess_cell(cell, {"language": language}, index)
            except _STEP_FAULTS as error:
                label = _label(path, index, cell)
                raise SourceError(f"{label}: {step.__name__}: {_first_line(error)}") from None
    return notebook


def _cell(path: str, index: int, solved: Any, registered: Any, released: Any) -> SourceCell:
    kind = _kind(registered)
    own = registered.metadata.get("nbgrader", {})
    label = _label(path, index, registered)
    if kind is Kind.TEST and AUTOTEST.search(registered.source):
        raise SourceError(
            f"{label}: AUTOTEST lines are written by running the solution, which this platform does not do yet; "
            "run `nbgrader generate_assignment` yourself and publish the checks that it wrote"
        )
    points = own.get("points") if kind in (Kind.TEST, Kind.MANUAL, Kind.TASK) else None
    grade_id = own.get("grade_id") if kind not in (Kind.TEXT, Kind.GIVEN) or is_locked(registered) else None
    if points is not None and not 0 <= float(points) < 1e6:  # noqa: PLR2004
        raise SourceError(f"{label}: {points} is no sensible number of points")
    return SourceCell(
        kind=kind,
        cell_type=registered.cell_type,
        source=registered.source,
        solved=solved.source,
        released=released.source,
        grade_id=grade_id,
        points=None if points is None else float(points),
        checksum=own.get("checksum"),
        metadata=dict(own) if grade_id else {},
        translations=_translations(solved),
    )


def _kind(cell: Any) -> Kind:
    if is_task(cell):
        return Kind.TASK
    if is_grade(cell):
        return Kind.MANUAL if is_solution(cell) or cell.cell_type != "code" else Kind.TEST
    if cell.cell_type != "code":
        return Kind.TEXT
    return Kind.SOLUTION if is_solution(cell) else Kind.GIVEN


def _translations(cell: Any) -> dict[str, str]:
    own = cell.metadata.get("atelier", {})
    found = own.get("i18n", {}) if isinstance(own, dict) else {}
    texts = found.items() if isinstance(found, dict) else ()
    return {
        str(language): "".join(text) if isinstance(text, list) else text
        for language, text in texts
        if isinstance(text, str) or (isinstance(text, list) and all(isinstance(line, str) for line in text))
    }


def _label(path: str, index: int, cell: Any) -> str:
    grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
    return f"{path}, cell {index + 1}" + (f" ({grade_id})" if grade_id else "")


def _first_line(error: Exception) -> str:
    message = str(getattr(error, "message", "") or error).strip()
    return message.split("\n")[0][:300]
