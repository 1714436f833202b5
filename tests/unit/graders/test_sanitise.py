"""Whatever was done to a notebook, what is graded has the author's cells and only the learner's texts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from graders.notebook import parse_notebook
from graders.sandbox.job import Role
from graders.sanitise import Assembled, assemble, solved
from graders.source import read_source
from tests.doubles.notebooks import (
    HIDDEN,
    RIGHT,
    TEST_SOURCE,
    answer,
    cell,
    check,
    exercise,
    notebook,
    solution,
    write,
)

if TYPE_CHECKING:
    from pathlib import Path


def put_together(tmp_path: Path, submitted: Any, source: Any = None) -> Assembled:
    read = read_source(write(tmp_path / "source", {"double": source or exercise()}))
    parsed = parse_notebook("double", json.dumps(submitted).encode())
    return assemble(read, read.notebooks[0], parsed)


def code(item: Assembled) -> list[tuple[Role, str, float | None]]:
    return [(entry.role, entry.source, entry.points) for entry in item.job(None).cells]


HONEST = [(Role.GIVEN, "start = 1", None), (Role.LEARNER, RIGHT, None), (Role.TEST, TEST_SOURCE, 2.0)]


def notes(item: Assembled) -> list[str]:
    return [note.key for note in item.notes]


def test_an_honest_answer(tmp_path: Path) -> None:
    item = put_together(tmp_path, answer())
    assert code(item) == HONEST
    assert not item.notes


def changed(index: int, **changes: Any) -> dict[str, Any]:
    made = answer()
    made["cells"][index] |= changes
    return made


def without(index: int) -> dict[str, Any]:
    made = answer()
    del made["cells"][index]
    return made


def with_metadata(index: int, **own: Any) -> dict[str, Any]:
    made = answer()
    made["cells"][index]["metadata"]["nbgrader"] |= own
    return made


@pytest.mark.parametrize(
    ("submitted", "noted"),
    [
        (changed(3, source="pass"), ["test_restored"]),
        (changed(3, cell_type="markdown"), ["cell_type_restored"]),
        (changed(2, cell_type="raw"), ["cell_type_restored"]),
        (without(3), ["cell_put_back"]),
        (with_metadata(3, points=100), []),
        (with_metadata(3, locked=False, grade=False), []),
        (with_metadata(3, solution=True), []),
        (with_metadata(2, grade=True, points=50), []),
        (changed(3, outputs=[{"output_type": "execute_result", "data": {"text/plain": "2.0"}}]), []),
        (answer() | {"metadata": {"kernelspec": {"name": "bash"}}}, []),
        (notebook(*[answer()["cells"][place] for place in (3, 2, 1, 0)]), []),
    ],
    ids=["edited check", "check as text", "answer as raw", "check deleted", "points", "unlocked", "as solution",
         "graded answer", "baked outputs", "kernel", "reordered"],
)  # fmt: skip
def test_what_is_restored(tmp_path: Path, submitted: Any, noted: list[str]) -> None:
    item = put_together(tmp_path, submitted)
    assert [entry for entry in code(item) if entry[1] != "start = 1"] == HONEST[1:]
    assert notes(item) == noted


def test_a_second_cell_with_the_same_id_is_the_learners_own(tmp_path: Path) -> None:
    item = put_together(tmp_path, answer(RIGHT, solution("double = None"), check("print('mine')")))
    assert code(item)[:3] == HONEST
    assert [entry[:2] for entry in code(item)[3:]] == [
        (Role.LEARNER, "double = None"),
        (Role.LEARNER, "print('mine')"),
    ]
    assert notes(item) == ["cell_doubled", "cell_doubled"]


def test_a_renamed_answer_runs_as_an_own_cell(tmp_path: Path) -> None:
    item = put_together(tmp_path, with_metadata(2, grade_id="dubble"))
    assert (Role.LEARNER, RIGHT, None) in code(item)
    assert notes(item) == ["cell_missing", "cell_unknown"]


def test_added_cells_stay_where_they_are(tmp_path: Path) -> None:
    made = answer()
    made["cells"].insert(2, cell("import math"))
    made["cells"].append(cell("print('after')"))
    roles = [(entry[0], entry[1]) for entry in code(put_together(tmp_path, made))]
    assert roles == [
        (Role.GIVEN, "start = 1"),
        (Role.LEARNER, "import math"),
        (Role.LEARNER, RIGHT),
        (Role.TEST, TEST_SOURCE),
        (Role.LEARNER, "print('after')"),
    ]


def test_a_changed_given_cell_runs_beside_the_authors(tmp_path: Path) -> None:
    item = put_together(tmp_path, changed(1, source="start = 5"))
    assert [entry[:2] for entry in code(item)[:2]] == [(Role.GIVEN, "start = 1"), (Role.LEARNER, "start = 5")]
    assert [entry.shown for entry in item.cells if entry.text == "start = 1"] == [False]


def test_locked_code_is_the_authors(tmp_path: Path) -> None:
    source = exercise(cell("LIMIT = 3", "limit", locked=True))
    item = put_together(tmp_path, answer(RIGHT, cell("LIMIT = 99", "limit", locked=False)), source)
    assert code(item)[3] == (Role.GIVEN, "LIMIT = 3", None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("YOUR ANSWER HERE", False),
        ("VOTRE RÉPONSE ICI", False),
        ("  YOUR ANSWER HERE\n", False),
        ("Because.", True),
    ],
)
def test_an_unchanged_answer_is_known_in_every_language(tmp_path: Path, text: str, *, expected: bool) -> None:
    essay = {"grade": True, "solution": True, "points": 3, "kind": "markdown"}
    source = notebook(cell("The right answer.", "essay", **essay))
    item = put_together(tmp_path, notebook(cell(text, "essay", **essay)), source)
    assert [entry.changed for entry in item.cells] == [expected]


def test_the_hidden_part_is_in_no_released_text(tmp_path: Path) -> None:
    read = read_source(write(tmp_path / "source", {"double": exercise()}))
    assert all(HIDDEN not in entry.released for entry in read.notebooks[0].cells)
    assert HIDDEN in read.notebooks[0].cells[3].hidden_lines


def test_what_is_recorded_is_the_authors_solution(tmp_path: Path) -> None:
    read = read_source(write(tmp_path / "source", {"double": exercise()}))
    cells = solved(read.notebooks[0]).job(None).cells
    assert "return 2 * x" in cells[1].source
    assert cells[2].source == TEST_SOURCE
