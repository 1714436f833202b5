"""What of a learner's folder is work, and which notebooks can be read."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from hub.errors import InvalidSubmissionError, TooLargeError
from hub.submissions.intake import check_notebook, json_depth, take_in
from tests.doubles.notebooks import cell, notebook

GOOD = json.dumps(notebook(cell("x = 1"), cell("text", kind="markdown"))).encode()


def test_work_is_kept_and_litter_left_out() -> None:
    work = {
        "double.ipynb": GOOD,
        "mine.py": b"1",
        "data/notes.csv": b"2",
        "scratch.ipynb": b"not even json",
        ".ipynb_checkpoints/double-checkpoint.ipynb": GOOD,
        ".env": b"SECRET",
        "sub/.git/config": b"",
        "__pycache__/x.pyc": b"",
        "conftest.py": b"",
        "sitecustomize.py": b"",
        "timestamp.txt": b"2001-01-01",
    }
    intake = take_in(work, ["double", "other"])
    assert sorted(intake.files) == ["data/notes.csv", "double.ipynb", "mine.py"]
    assert set(intake.left_out) == set(work) - set(intake.files)
    assert intake.missing == ("other.ipynb",)


def test_what_the_exercise_delivers_is_kept_whatever_its_name() -> None:
    intake = take_in({"double.ipynb": GOOD, "setup.cfg": b"mine"}, ["double"], {"setup.cfg"})
    assert intake.files["setup.cfg"] == b"mine"


def test_without_any_of_the_notebooks_it_is_refused() -> None:
    with pytest.raises(InvalidSubmissionError, match=r"double\.ipynb is not there"):
        take_in({"Double.ipynb": GOOD, "double (1).ipynb": GOOD}, ["double"])


def test_a_byte_order_mark_and_windows_line_ends_are_no_fault() -> None:
    assert check_notebook("a", b"\xef\xbb\xbf" + GOOD) == GOOD
    windows = GOOD.replace(b", ", b",\r\n")
    assert check_notebook("a", windows) == windows


def test_a_notebook_without_cell_ids_or_outputs_is_fine() -> None:
    old: dict[str, Any] = {"nbformat": 4, "nbformat_minor": 2, "metadata": {}, "cells": []}
    old["cells"].append({"cell_type": "code", "metadata": {}, "source": ["x = 1\n", "y"], "outputs": []})
    data = json.dumps(old).encode()
    assert check_notebook("a", data) == data


def broken(**changes: Any) -> bytes:
    return json.dumps({**notebook(cell("x")), **changes}).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"null",
        b"{}",
        GOOD[:-5],
        b"<html></html>",
        b"PK\x03\x04",
        "é".encode("latin-1"),
        GOOD.decode().encode("utf-16"),
        GOOD.replace(b"text", b"\\ud800"),
        GOOD.replace(b"text", b"\xff\xfe"),
        b"[" * 200_000,
        b'{"a":' * 200_000,
        broken(nbformat=3),
        broken(nbformat=99),
        broken(nbformat="4"),
        broken(nbformat=True),
        broken(nbformat_minor=-1),
        broken(nbformat_minor=None),
        broken(metadata=[]),
        broken(cells="x"),
        broken(cells={}),
        broken(cells=[1]),
        broken(cells=[{"cell_type": "code"}]),
        broken(cells=[{"cell_type": "python", "source": "", "metadata": {}}]),
        broken(cells=[{"cell_type": "raw", "source": 1, "metadata": {}}]),
        broken(cells=[{"cell_type": "raw", "source": ["a", 1], "metadata": {}}]),
        broken(cells=[{"cell_type": "raw", "source": "", "metadata": "x"}]),
        broken(cells=[{"cell_type": "code", "source": "", "metadata": {}, "outputs": [1]}]),
        broken(cells=[cell("x")] * 2001),
        broken(big=10**5000 if False else "x", cells=None),
        b'{"nbformat": ' + b"9" * 5000 + b"}",
    ],
)
def test_what_is_no_notebook_is_refused_with_one_sentence(data: bytes) -> None:
    with pytest.raises(InvalidSubmissionError) as refusal:
        check_notebook("work.ipynb", data)
    assert str(refusal.value) == (
        "The notebook work.ipynb can't be read. Open it in JupyterLab, save it, and hand it in again."
    )
    assert refusal.value.log


def test_a_huge_notebook_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(TooLargeError):
        check_notebook("work.ipynb", b"[" * (10 * 1024 * 1024 + 1))


def test_depth_counts_brackets_outside_strings_only() -> None:
    assert json_depth(b'{"a": ["[[[[", "\\"[[", {"b": []}]}') == 4
    assert json_depth(b'"[[[') == 0


@pytest.mark.parametrize(
    "data", [b'"' + b'\\"' * 1_000_000, b'"\\' * 500_000, b'"' * 1_000_001, b"[" * 1_000_000]
)
def test_depth_is_counted_in_linear_time(data: bytes) -> None:
    began = time.process_time()
    json_depth(data)
    assert time.process_time() - began < 3
