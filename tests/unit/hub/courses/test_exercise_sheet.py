from __future__ import annotations

import pytest

from graders.results import Limits
from hub.courses.exercise_sheet import MAX_SHEET_BYTES, LocalText, parse_expected, parse_sheet
from hub.errors import InvalidExerciseError


def test_a_title_is_enough() -> None:
    sheet = parse_sheet("title: Add")
    assert (sheet.title, sheet.level, sheet.profile, sheet.feedback) == (
        LocalText(en="Add"),
        1,
        "base",
        "automatic",
    )


def test_what_is_missing_in_a_language_is_read_in_english() -> None:
    text = LocalText(en="Add", nl="Optellen")
    assert [text.text(language) for language in ("en", "fr", "nl")] == ["Add", "Add", "Optellen"]
    assert text.missing() == ("fr",)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "write keys and values"),
        ("- title", "write keys and values"),
        ("title: [", "line 1"),
        ("summary: x", "title: Field required"),
        ("title: x\nlevel: 4", "level: Input should be less than or equal to 3"),
        ("title: x\ncolour: red", "colour: Extra inputs are not permitted"),
        ("title: {en: x, de: y}", "title.de"),
        ("title: {en: ' '}", "title.en"),
        ("title: x\ntitle: y", "the key 'title' is there twice"),
        ("title: &a x\nsummary: *a", "aliases"),
        ("title: x\nlimits: {wall_s: 1000}", "limits.wall_s"),
        ("title: x\nprofile: ../up", "profile"),
        ("title: x\nskills: [{label: y, ecf: F.1}]", "skills.0.ecf"),
        ("title: x\nskills: [{label: y, esco: 'http://example.org/1'}]", "skills.0.esco"),
        ("title: x\nmessages: {'has {count}': {fr: 'a {nombre}'}}", "must use exactly {count}"),
        ("title: !!python/object/apply:os.getcwd []", "line 1"),
        ("title: " + "x" * MAX_SHEET_BYTES, "larger than"),
    ],
)
def test_the_error_names_the_file_and_the_key(text: str, named: str) -> None:
    with pytest.raises(InvalidExerciseError) as caught:
        parse_sheet(text)
    assert str(caught.value).startswith("exercise.yml: ")
    assert named in str(caught.value)


def test_every_problem_is_named_at_once() -> None:
    with pytest.raises(InvalidExerciseError, match=r"level.*minutes"):
        parse_sheet("title: x\nlevel: 9\nminutes: 0")


def test_limits_are_the_platforms_but_for_what_the_author_says() -> None:
    default = Limits()
    limits = parse_sheet("title: x\nlimits: {wall_s: 30, memory_mb: 256}").limits.limits(default)
    assert (limits.wall_s, limits.memory_bytes) == (30, 256 * 1024 * 1024)
    assert (limits.pids, limits.cell_s) == (default.pids, default.cell_s)


def test_expected_scores_are_never_negative() -> None:
    assert parse_expected("score: 3.5\ncells: {sums: 1}", "expected.yml").cells == {"sums": 1.0}
    with pytest.raises(InvalidExerciseError, match="score"):
        parse_expected("score: -1", "expected.yml")
