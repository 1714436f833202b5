"""Limits, deaths and broken frames: what was judged keeps its score, the rest gets none, and each is named."""

# ruff: noqa: E501, ISC004 - the cells read best as their authors would write them
from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.doubles.inside import (
    Frame,
    Inside,
    Run,
    check,
    given,
    job_of,
    learner,
    local_command,
    run_cells,
    submit,
)

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration

SOURCE = [
    learner("one", "def one():\n    return 1"),
    check("first", "assert one() == 1"),
    learner("two", "def two():\n    return 2"),
    given("total = 5"),
    check("second", "assert two() == 2 and total == 5"),
    check("third", "assert two() + one() == 3"),
]


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Frame:
    run = run_cells(local_command(str(tmp_path_factory.mktemp("record"))), SOURCE, mode="record")
    assert all(verdict["credit"] == 1.0 for verdict in run.verdicts.values())
    return run.record


def grade(record: Frame, directory: Path, answers: dict[str | None, str], **limits: float) -> Run:
    cells = submit(SOURCE, answers)
    return run_cells(local_command(str(directory)), cells, record=record, limits=limits)


@pytest.mark.parametrize(
    ("answer", "status", "ended", "second"),
    [
        ("while True: pass", "timeout", "timeout", "not_run"),
        ("import time\ntime.sleep(60)", "timeout", "timeout", "not_run"),
        ("def two():\n    while True:\n        try:\n            while True: pass\n        except BaseException: pass",
         "timeout", "timeout", "timeout"),
        ("import os\nos._exit(0)", "died", "graded", "not_run"),
        ("import os\ndef two():\n    os._exit(0)", "died", "graded", "died"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)", "died", "graded", "not_run"),
        ("while True: print('x' * 1000)", "output_overflow", "output_overflow", "not_run"),
        ("print('x' * 20_000_000)", "output_overflow", "output_overflow", "not_run"),
        ("import os\nwhile True: os.write(1, b'x' * 1000)", "died", "graded", "not_run"),
        ("from IPython.display import display, HTML\nwhile True: display(HTML('x' * 9999))",
         "output_overflow", "output_overflow", "not_run"),
        ("import os\nos.write(3, b'\\xff' * 64)", "tampered", "tampered", "tampered"),
        ("import os\nos.write(3, b'\\0\\0\\0\\2{}')", "tampered", "tampered", "tampered"),
        ("import os\nos.write(3, b'\\0\\0\\0\\2[]')", "tampered", "tampered", "tampered"),
        ("import os\nos.close(3)", "died", "graded", "not_run"),
        ("import subprocess\nsubprocess.Popen(['sleep', '77'], start_new_session=True)\nimport os\nif os.fork(): os._exit(0)\n"
         "import time\ntime.sleep(77)", "died", "graded", "not_run"),
    ],
)  # fmt: skip
def test_what_strikes_leaves_the_rest_alone(
    record: Frame, tmp_path: Path, answer: str, status: str, *, ended: str, second: str
) -> None:
    run = grade(record, tmp_path, {"two": answer}, cell_s=1.0, output_bytes=200_000)
    assert run.status == 0
    assert run.done["verdict"] == ended or (ended == "graded" and status == "died"), run.frames
    assert run.credit("first") == 1.0
    if "write(1" not in answer:
        assert run.verdicts["second"]["status"] == second, run.verdicts["second"]
    assert run.credit("second") == run.credit("third") == 0.0
    if second == "tampered":
        assert run.verdicts["second"]["evidence"]


def test_the_wall_clock_bounds_the_whole_job(record: Frame, tmp_path: Path) -> None:
    run = grade(
        record,
        tmp_path,
        {"one": "import time\ntime.sleep(0.3)\ndef one(): return 1", "two": "time.sleep(30)"},
        wall_s=1.0,
    )
    assert run.credit("first") == 1.0
    assert run.done["verdict"] == "timeout"
    assert run.done["seconds"]["inside"] < 5


@pytest.mark.parametrize(
    ("test", "points", "credit", "status"),
    [
        ("", 1, 0.0, "error"),
        ("# nothing\n'''text'''\npass", 1, 0.0, "error"),
        ("1 / 0", 1, 0.0, "failed"),
        ("x = 1", 1, 1.0, "passed"),
        ("print('fine')", 1, 1.0, "passed"),
        ("0.5", 2, 0.25, "failed"),
        ("7", 2, 1.0, "passed"),
        ("7;", 2, 1.0, "passed"),
        ("-1", 2, 0.0, "error"),
        ("float('nan')", 2, 0.0, "error"),
        ("'a text'[:3]", 2, 0.0, "error"),
        ("one", 2, 0.0, "error"),
        ("1 == 1", 2, 1.0, "passed"),
        ("1 == 2", 2, 0.0, "failed"),
        ("import sys; print('warning', file=sys.stderr)", 1, 1.0, "passed"),
        ("raise SystemExit", 1, 0.0, "failed"),
        ("assert (", 1, 0.0, "error"),
        ("import os; os.chdir('/')", 1, 1.0, "passed"),
    ],
)
def test_a_test_cell_is_scored_as_nbgrader_does_or_named(
    tmp_path: Path, test: str, points: float, credit: float, status: str
) -> None:
    cells = [SOURCE[0], check("check", test, points)]
    recorded = run_cells(local_command(str(tmp_path)), cells, mode="record")
    run = run_cells(local_command(str(tmp_path)), cells, record=recorded.record)
    assert (run.verdicts["check"]["status"], run.credit()) == (status, credit), run.verdicts["check"]


def test_without_a_record_nothing_is_given(tmp_path: Path) -> None:
    run = run_cells(local_command(str(tmp_path)), SOURCE, record=None)
    assert [verdict["credit"] for verdict in run.verdicts.values()] == [0.0, 0.0, 0.0]
    assert run.verdicts["first"]["status"] == "error"


def test_every_notebook_has_a_fresh_learner_process(record: Frame, tmp_path: Path) -> None:
    poisoned = submit(
        SOURCE, {"two": "import os, subprocess\nsubprocess.Popen(['sleep', '50'])\nos._exit(1)"}
    )
    job = job_of(poisoned, record=record)
    clean = {**job["notebooks"][0], "name": "other", "cells": job_of(SOURCE)["notebooks"][0]["cells"]}
    job["notebooks"].append(clean)
    inside = Inside(local_command(str(tmp_path)))
    try:
        run = inside.run(job)
    finally:
        inside.close()
    credit = {(f["notebook"], f["grade_id"]): f["credit"] for f in run.frames if f["kind"] == "verdict"}
    assert credit["nb", "second"] == 0.0
    assert credit["other", "first"] == credit["other", "second"] == credit["other", "third"] == 1.0


def test_messages_tell_what_the_author_wrote_and_no_hidden_value(tmp_path: Path) -> None:
    source = [
        learner("answer", "def f(x):\n    return x"),
        check("own", "assert f(4711) == 4711, 'f must return its argument'"),
        check("bare", "assert f(4711) == 4711"),
        check("library", "import unittest\nunittest.TestCase().assertEqual(f(4711), 4711)"),
        check("raised", "f(4711)"),
        check("printed", "f(4711); f(4712)\nassert f(1) == 1, 'one'"),
    ]
    recorded = run_cells(local_command(str(tmp_path)), [*source[:4], *source[5:]], mode="record").record
    recorded["ways"]["raised"] = {"way": "isolated", "note": None}
    wrong = submit(
        source,
        {
            "answer": "def f(x):\n    print('saw', x)\n    if x == 1: return 2\n    raise ValueError(f'got {x}')"
        },
    )
    run = run_cells(local_command(str(tmp_path)), wrong, record=recorded)
    shown = [(v["message"], str(v["outputs"])) for v in run.verdicts.values()]
    assert "4711" not in str(shown)
    assert run.verdicts["raised"]["message"] == "Your code raised ValueError."
    assert "4711" in run.verdicts["raised"]["evidence"]
    none = run_cells(
        local_command(str(tmp_path)), submit(source, {"answer": "def f(x): return 0"}), record=recorded
    )
    assert none.verdicts["own"]["message"] == "f must return its argument"
    assert none.verdicts["bare"]["message"] == none.verdicts["library"]["message"] == ""
    missing = run_cells(local_command(str(tmp_path)), submit(source, {"answer": "g = 1"}), record=recorded)
    assert missing.verdicts["own"]["message"] == "NameError: name 'f' is not defined"
    plain = run_cells(
        local_command(str(tmp_path)),
        submit(source, {"answer": "def f(x):\n    raise KeyError('no such key')"}),
        record=recorded,
    )
    assert plain.verdicts["own"]["message"] == "Your code raised KeyError: no such key"
