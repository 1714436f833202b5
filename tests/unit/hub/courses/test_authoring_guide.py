"""docs/authoring.md says what the code does: its keys, its rules, its examples."""

from __future__ import annotations

import re
from pathlib import Path

from hub.courses.exercise_sheet import ExerciseSheet, parse_expected, parse_sheet

ROOT = Path(__file__).parents[4]
GUIDE = ROOT.joinpath("docs", "authoring.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return GUIDE.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def first_column(text: str) -> set[str]:
    return set(re.findall(r"^\| `([a-z_]+)` \|", text, re.MULTILINE))


def yaml_examples(text: str) -> list[str]:
    return re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)


def test_every_key_of_the_sheet_is_described() -> None:
    assert first_column(section("exercise.yml")) == set(ExerciseSheet.model_fields)


def test_every_rule_is_described() -> None:
    named: set[str] = set()
    for module in ("exercise_check", "exercise_texts", "exercise_trial"):
        source = ROOT.joinpath("hub", "courses", f"{module}.py").read_text(encoding="utf-8")
        named |= set(re.findall(r"Finding\(\s*\"([a-z_]+)\"", source))
    assert first_column(section("Proving it")) == named - {"sheet"}


def test_the_examples_are_good() -> None:
    (sheet,) = yaml_examples(section("exercise.yml"))
    assert parse_sheet(sheet).hints[0].task == "names"
    (expected,) = yaml_examples(section("Model answers"))
    assert parse_expected(expected, "expected.yml").score == 8
