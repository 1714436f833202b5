"""What an author's folder becomes, and how unusable ones are named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from graders.errors import SourceError
from graders.source import Kind, read_source
from tests.doubles.notebooks import RELEASED, TEST_SOURCE, cell, check, exercise, notebook, solution, write

if TYPE_CHECKING:
    from pathlib import Path

SHEET = b"title: Double\nlimits: {wall_s: 20, memory_mb: 9000}\nedits: [app.py]\n"


def test_the_four_states_of_a_cell(tmp_path: Path) -> None:
    source = read_source(write(tmp_path / "s", {"double": exercise()}))
    cells = source.notebooks[0].cells
    assert [item.kind for item in cells] == [Kind.TEXT, Kind.GIVEN, Kind.SOLUTION, Kind.TEST]
    assert cells[2].released == cells[2].source == RELEASED
    assert "return 2 * x" in cells[2].solved
    assert cells[3].source == TEST_SOURCE
    assert cells[3].released == "assert double(2) == 4"
    assert source.max_score == 2.0


def test_every_kind(tmp_path: Path) -> None:
    cells = [
        cell("free", kind="markdown"),
        cell("locked", "t", kind="markdown", locked=True),
        cell("why", "m", kind="markdown", grade=True, solution=True, points=1),
        cell("code by hand", "c", grade=True, solution=True, points=1),
        cell("do it", "k", kind="markdown", task=True, locked=True, points=4),
        cell("raw", kind="raw"),
    ]
    source = read_source(write(tmp_path / "s", {"n": notebook(*cells)}))
    kinds = [Kind.TEXT, Kind.TEXT, Kind.MANUAL, Kind.MANUAL, Kind.TASK, Kind.TEXT]
    assert [item.kind for item in source.notebooks[0].cells] == kinds
    assert source.max_score == 6.0


@pytest.mark.parametrize(
    ("book", "words"),
    [
        (b"not json", "double.ipynb: this is not a notebook"),
        (b"\xff\xfe", "double.ipynb: this is not UTF-8"),
        (notebook(solution(), solution()), "Duplicate grade id"),
        (
            notebook(solution("### BEGIN SOLUTION\nx")),
            "double.ipynb, cell 1 (double): ClearSolutions: no end solution",
        ),
        (
            notebook(cell("### BEGIN SOLUTION\nx\n### END SOLUTION")),
            "cell 1: ClearSolutions: Solution region detected",
        ),
        (
            notebook(check("### BEGIN HIDDEN TESTS\nx")),
            "cell 1 (double-check): ClearHiddenTests: No end hidden",
        ),
        (notebook(cell("### BEGIN HIDDEN TESTS\nx\n### END HIDDEN TESTS")), "cell 1: ClearHiddenTests"),
        (notebook(check("### AUTOTEST double(2)")), "cell 1 (double-check): AUTOTEST"),
        (notebook(check("### HASHED AUTOTEST double(2)")), "AUTOTEST"),
        (notebook(check(points=-1)), "nbgrader metadata is wrong"),
        (notebook(cell("x", "a b", solution=True)), "nbgrader metadata is wrong"),
        (notebook(cell("x", "t", kind="markdown", grade=True, points=1)), "not marked as a solution cell"),
        (
            notebook(cell("x")) | {"metadata": {"kernelspec": {"name": "ir", "language": "R"}}},
            "only Python notebooks",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_unusable_sources_are_named(tmp_path: Path, book: Any, words: str) -> None:
    folder = write(tmp_path / "s", {"double": book})
    with pytest.raises(SourceError) as caught:
        read_source(folder)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_without_notebooks_and_no_folder(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no notebook"):
        read_source(write(tmp_path / "s", {}))
    with pytest.raises(SourceError, match="no such folder"):
        read_source(tmp_path / "nowhere")


def test_a_link_in_a_source_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path / "s", {"double": exercise()})
    (folder / "x").symlink_to("/etc/passwd")
    with pytest.raises(SourceError, match="a link"):
        read_source(folder)


def test_old_metadata_is_upgraded_with_a_warning(tmp_path: Path) -> None:
    book = exercise()
    for item in book["cells"]:
        item["metadata"].get("nbgrader", {}).pop("schema_version", None)
    source = read_source(write(tmp_path / "s", {"double": book}))
    assert source.max_score == 2.0
    assert "upgraded" in source.warnings[0]


def test_a_plain_folder_gives_all_its_files(tmp_path: Path) -> None:
    source = read_source(write(tmp_path / "s", {"double": exercise()}, {"data/a.csv": b"1", "files/b": b"2"}))
    assert set(source.files) == {"data/a.csv", "files/b"}


def test_a_folder_with_a_sheet_gives_only_what_is_delivered(tmp_path: Path) -> None:
    files = {
        "exercise.yml": SHEET,
        "files/app.py": b"# start",
        "files/data.csv": b"1",
        "checks/hidden/test_x.py": b"secret",
        "answers/right-all/app.py": b"# solved",
        "answers/right-all/expected.yml": b"score: 2",
        "answers/wrong-none/app.py": b"# wrong",
        "generator.py": b"secret",
    }
    source = read_source(write(tmp_path / "s", {"double": exercise()}, files))
    assert source.files == {"app.py": b"# start", "data.csv": b"1"}
    assert source.reference == {"app.py": b"# solved", "data.csv": b"1"}
    assert source.sheet.edits == {"app.py"}


def test_the_digest_changes_with_any_byte(tmp_path: Path) -> None:
    one = read_source(write(tmp_path / "a", {"double": exercise()}, {"x": b"1"})).digest
    same = read_source(write(tmp_path / "b", {"double": exercise()}, {"x": b"1"})).digest
    other = read_source(write(tmp_path / "c", {"double": exercise()}, {"x": b"2"})).digest
    assert one == same != other


def test_a_broken_sheet_is_named(tmp_path: Path) -> None:
    folder = write(tmp_path / "s", {"double": exercise()}, {"exercise.yml": b"a: [1"})
    with pytest.raises(SourceError, match=r"exercise\.yml"):
        read_source(folder)
