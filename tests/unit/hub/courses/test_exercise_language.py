from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hub.courses.exercise import load_exercise, localise_notebook
from hub.courses.exercise_language import localise_code, localise_comments, translate_message
from hub.courses.exercise_sheet import Translation, parse_sheet

if TYPE_CHECKING:
    from tests.unit.hub.courses.conftest import SmallExercise

COMMENT = {"Your text.": Translation(fr="Votre texte.", nl="Jouw tekst.")}


def test_a_notebook_is_in_one_language_and_carries_no_other(small: SmallExercise) -> None:
    exercise = load_exercise(small.folder)
    source = exercise.notebooks["add"]
    french = localise_notebook(source, "fr", exercise.sheet)
    assert french.cells[0].source == "# Additionner\nAllez-y."
    assert french.metadata.atelier.language == "fr"
    assert "i18n" not in str(french)
    assert '"""Renvoie la somme."""' in french.cells[1].source
    assert '"add({first}, 2) donne {got}.".format(' in french.cells[2].source
    assert source.cells[0].source == "# Add\nGo on."


def test_english_is_the_source_itself(small: SmallExercise) -> None:
    exercise = load_exercise(small.folder)
    english = localise_notebook(exercise.notebooks["add"], "en", exercise.sheet)
    assert [cell.source for cell in english.cells] == [
        cell.source for cell in exercise.notebooks["add"].cells
    ]


def test_what_has_no_translation_stays_english(small: SmallExercise) -> None:
    exercise = load_exercise(small.folder)
    del exercise.notebooks["add"].cells[0].metadata.atelier.i18n["fr"]
    assert (
        localise_notebook(exercise.notebooks["add"], "fr", exercise.sheet).cells[0].source == "# Add\nGo on."
    )


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("# Your text.", "# Votre texte."),
        ("    # Your text.", "    # Votre texte."),
        ("// Your text.", "// Votre texte."),
        ("/* Your text. */", "/* Votre texte. */"),
        ("  <!-- Your text. -->", "  <!-- Votre texte. -->"),
        ('    """Your text."""', '    """Votre texte."""'),
        ("    Your text.", "    Votre texte."),
        ("x = 1  # Your text.", "x = 1  # Your text."),
        ('print("Your text.")', 'print("Your text.")'),
    ],
)
def test_whole_lines_of_comment_change(line: str, expected: str) -> None:
    assert localise_comments(line, "fr", COMMENT) == expected


def test_strings_are_replaced_where_they_stand() -> None:
    sheet = parse_sheet('title: x\nmessages: {"Été: try {name}.": {nl: "Zomer: probeer \\"{name}\\"."}}')
    source = 'é = 1; assert é, "Été: try {name}.".format(name="Été")  # é\nb = "Été: try {name}."'
    localised = localise_code(source, "nl", sheet)
    said = r'"Zomer: probeer \"{name}\"."'
    assert localised == f'é = 1; assert é, {said}.format(name="Été")  # é\nb = {said}'
    compile(localised, "cell", "exec")


def test_a_message_over_several_lines_is_one_message() -> None:
    sheet = parse_sheet("title: x\nmessages: {'One two.': {nl: Een twee.}}")
    localised = localise_code('assert 0, (\n    "One "\n    "two."\n)', "nl", sheet)
    assert localised == 'assert 0, (\n    "Een twee."\n)'


def test_magics_stay_as_they_are() -> None:
    sheet = parse_sheet("title: x\nmessages: {'One.': {nl: Een.}}")
    assert localise_code('%run x.py\nassert 0, "One."', "nl", sheet) == '%run x.py\nassert 0, "One."'


def test_what_a_check_said_is_translated_with_its_values() -> None:
    messages = {
        "{name} gives {got}.": Translation(fr="{got} vient de {name}."),
        "f gives {got}.": Translation(fr="f donne {got}."),
        "You find {got}: {reason}": Translation(fr="Vous trouvez {got} : {reason}"),
        "the log is empty.": Translation(fr="le journal est vide."),
        "Only Dutch.": Translation(nl="Enkel Nederlands."),
    }
    assert translate_message("f gives 'a\nb'.", "fr", messages) == "f donne 'a\nb'."
    assert translate_message("g(1) gives 2.", "fr", messages) == "2 vient de g(1)."
    assert (
        translate_message("You find 3: the log is empty.", "fr", messages)
        == "Vous trouvez 3 : le journal est vide."
    )
    assert translate_message("Only Dutch.", "fr", messages) == "Only Dutch."
    assert translate_message("NameError: x", "fr", messages) == "NameError: x"
    assert translate_message("f gives 1.", "en", messages) == "f gives 1."
