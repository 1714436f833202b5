"""The part of exercise.yml that grading reads."""

from __future__ import annotations

import pytest

from graders.results import Limits
from graders.sheet import Sheet, parse_sheet

SHEET = parse_sheet(
    """
title: Double
limits: {wall_s: 500, cell_s: 5, memory_mb: 9000, cpu_s: true}
edits: [app.py, 5]
messages:
  "double({x}) must be {y}": {fr: "double({x}) doit valoir {y}", nl: "double({x}) moet {y} zijn"}
  Exactly this: {fr: Exactement ceci}
comments:
  Write your code here: {fr: Écrivez votre code ici}
""".encode()
)


def test_limits_never_exceed_the_promise() -> None:
    limits = SHEET.apply_limits(Limits())
    assert (limits.wall_s, limits.cell_s, limits.cpu_s) == (100.0, 5.0, 60.0)
    assert limits.memory_bytes == 2048 * 2**20
    assert limits.pids == Limits().pids


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("double(3) must be 6", "fr", "double(3) doit valoir 6"),
        ("double(3) must be 6", "nl", "double(3) moet 6 zijn"),
        ("double(3) must be 6", "en", "double(3) must be 6"),
        ("Exactly this", "fr", "Exactement ceci"),
        ("Exactly this", "nl", "Exactly this"),
        ("something else", "fr", "something else"),
    ],
)
def test_messages(text: str, language: str, expected: str) -> None:
    assert SHEET.message(text, language) == expected


def test_released_texts_go_back_to_english() -> None:
    text = "# Écrivez votre code ici\n# VOTRE CODE ICI\nx = 1"
    assert SHEET.in_english(text) == "# Write your code here\n# YOUR CODE HERE\nx = 1"


@pytest.mark.parametrize(
    "data", [b"limits: 5", b"edits: x\nmessages: [1]\ncomments: {a: b}", b"limits: {wall_s: -1}"]
)
def test_odd_values_count_as_absent(data: bytes) -> None:
    assert parse_sheet(data) == Sheet(present=True)
