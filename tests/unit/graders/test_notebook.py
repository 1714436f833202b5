"""Bytes that somebody handed in become cells, or one clear refusal."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.errors import SubmissionError
from graders.notebook import SubmittedNotebook, parse_notebook
from tests.doubles.notebooks import answer, cell, notebook


def parse(value: Any) -> SubmittedNotebook:
    return parse_notebook("nb", value if isinstance(value, bytes) else json.dumps(value).encode())


REFUSED: dict[str, tuple[Any, str]] = {
    "empty": (b"", "notebook_empty"),
    "only spaces": (b"  \n ", "notebook_empty"),
    "truncated": (json.dumps(answer()).encode()[:-40], "notebook_not_json"),
    "HTML": (b"<!doctype html><p>hello", "notebook_not_json"),
    "a list": ([], "notebook_not_a_notebook"),
    "null": (None, "notebook_not_a_notebook"),
    "cells as text": (notebook() | {"cells": "all of them"}, "notebook_not_a_notebook"),
    "cells as an object": (notebook() | {"cells": {}}, "notebook_not_a_notebook"),
    "format 3": (notebook(nbformat=3), "notebook_wrong_format"),
    "format 99": (notebook(nbformat=99), "notebook_wrong_format"),
    "a huge format": (notebook(nbformat=10**300), "notebook_wrong_format"),
    "format as text": (notebook(nbformat="4"), "notebook_not_a_notebook"),
    "format true": (notebook(nbformat=True), "notebook_not_a_notebook"),
    "no format": ({"cells": []}, "notebook_not_a_notebook"),
    "cell without a type": (notebook({"source": "x"}), "cell_without_type"),
    "cell of an unknown type": (notebook({"cell_type": "widget", "source": ""}), "cell_without_type"),
    "cell type as a list": (notebook({"cell_type": ["code"], "source": ""}), "cell_without_type"),
    "cell as text": (notebook("x = 1"), "cell_without_type"),
    "source as a number": (notebook(cell(5)), "cell_without_text"),
    "source as an object": (notebook(cell({"a": "b"})), "cell_without_text"),
    "source a mixed list": (notebook(cell(["a", 1])), "cell_without_text"),
    "half a character": (notebook(cell("x = '\ud800'")), "cell_half_character"),
    "invalid UTF-8": (json.dumps(answer()).encode().replace(b"Double", b"D\xff\xfe"), "notebook_not_utf8"),
    "UTF-16": (json.dumps(answer()).encode("utf-16"), "notebook_not_utf8"),
    "200,000 deep": (b"[" * 200_000 + b"]" * 200_000, "notebook_too_deep"),
    "deep in the metadata": (
        b'{"nbformat":4,"cells":[],"metadata":' + b'{"a":' * 150 + b"1" + b"}" * 151,
        "notebook_too_deep",
    ),
    "too many cells": (notebook(*[cell("1")] * 1001), "notebook_too_many_cells"),
    "too much text": (notebook(cell("x" * 3_000_000)), "notebook_too_large"),
    "11 MB": (b" " * (11 * 2**20), "notebook_too_large"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_one_reason(case: str) -> None:
    value, key = REFUSED[case]
    with pytest.raises(SubmissionError) as caught:
        parse(value)
    assert caught.value.key == key


ODD_METADATA: list[Any] = [
    "text", 5, None, [], True,
    {"nbgrader": []}, {"nbgrader": "x"}, {"nbgrader": {"grade_id": 5}}, {"nbgrader": {"grade_id": ["a"]}},
    {"nbgrader": {"grade_id": ""}}, {"nbgrader": {"grade_id": "../../x"}}, {"nbgrader": {"grade_id": "a" * 201}},
]  # fmt: skip


@pytest.mark.parametrize("metadata", ODD_METADATA, ids=repr)
def test_odd_metadata_is_dropped(metadata: Any) -> None:
    parsed = parse(notebook({"cell_type": "code", "source": "x", "metadata": metadata})).cells[0]
    assert parsed.grade_id is None
    assert parsed.odd_metadata


def test_what_is_kept() -> None:
    parsed = parse(answer("def double(x):\r\n    return 2*x"))
    assert [item.grade_id for item in parsed.cells] == [None, None, "double", "double-check"]
    assert parsed.cells[2].source == "def double(x):\n    return 2*x"


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbf" + json.dumps(answer()).encode(),
        json.dumps(answer()).replace("\n", "\r\n").encode(),
        json.dumps(answer() | {"metadata": {"a": float("nan")}}).encode(),
        json.dumps(notebook(*[item | {"id": "same"} for item in answer()["cells"]])).encode(),
        json.dumps(answer("x = '" + "[" * 500 + "'")).encode(),
    ],
    ids=["byte order mark", "CRLF", "NaN in metadata", "doubled cell ids", "brackets in a string"],
)
def test_honest_oddities_pass(data: bytes) -> None:
    assert len(parse(data).cells) == 4


@given(st.binary(max_size=300))
def test_any_bytes_are_a_notebook_or_refused(data: bytes) -> None:
    try:
        parse(data)
    except SubmissionError:
        return


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(_JSON, _JSON, _JSON)
def test_any_cell_is_taken_or_refused(metadata: Any, source: Any, outputs: Any) -> None:
    strange = {"cell_type": "code", "metadata": metadata, "source": source, "outputs": outputs}
    try:
        parse(notebook(strange))
    except SubmissionError:
        return
