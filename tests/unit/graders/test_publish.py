"""What nbgrader's converter makes of a source, and what is said of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import nbformat
import pytest
from nbgrader.utils import compute_checksum

from graders.errors import SourceError
from graders.publish import ReleaseCell, make_release
from tests.doubles.notebooks import RELEASED, cell, check, exercise, notebook, write

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.filterwarnings("ignore")


def test_a_release(tmp_path: Path, source_dir: Path) -> None:
    url = f"sqlite:///{tmp_path / 'gradebook.db'}"
    info = make_release(source_dir, tmp_path / "out", "web", "double", url)
    assert info.notebooks == ("double",)
    assert info.cells == (ReleaseCell("double", "double-check", 2.0, manual=False),)
    assert info.max_score == 2.0
    released = nbformat.read(tmp_path / "out" / "double.ipynb", as_version=4)
    assert released.cells[2].source == RELEASED
    assert released.cells[3].source == "assert double(2) == 4"
    assert released.cells[3].metadata.editable is False
    assert released.cells[3].metadata.nbgrader.checksum == compute_checksum(released.cells[3])
    assert (tmp_path / "out" / "data.csv").exists()


def test_nothing_of_the_sheet_checks_or_answers_leaves(tmp_path: Path) -> None:
    files = {
        "exercise.yml": b"title: x\n",
        "files/app.py": b"1",
        "checks/hidden/test_a.py": b"2",
        "answers/right-a/app.py": b"3",
    }
    source = write(tmp_path / "source", {"double": exercise()}, files)
    make_release(source, tmp_path / "out", "web", "double", None)
    assert sorted(path.name for path in (tmp_path / "out").rglob("*")) == ["app.py", "double.ipynb"]


def test_the_working_directory_is_given_back(
    tmp_path: Path, source_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    make_release(source_dir, tmp_path / "out", "web", "double", None)
    assert tmp_path.samefile(".")


def test_manual_cells_are_marked(tmp_path: Path) -> None:
    essay = cell("model", "essay", kind="markdown", grade=True, solution=True, points=3)
    info = make_release(
        write(tmp_path / "source", {"n": notebook(essay)}), tmp_path / "out", "web", "n", None
    )
    assert info.cells == (ReleaseCell("n", "essay", 3.0, manual=True),)


def test_what_would_run_code_is_refused(tmp_path: Path) -> None:
    source = write(tmp_path / "source", {"n": notebook(check("### AUTOTEST f(2)"))})
    with pytest.raises(SourceError, match=r"n\.ipynb, cell 1 .* AUTOTEST"):
        make_release(source, tmp_path / "out", "web", "n", None)
    assert not (tmp_path / "out").exists()
