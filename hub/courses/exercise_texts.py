"""The rules of `atelier exercise check` over what learners read: every language, every message of a check.

Called by `hub.courses.exercise_check`. Must not know grading.
"""

from __future__ import annotations

import ast
from itertools import product
from typing import TYPE_CHECKING, Any

from hub.courses.exercise import SHEET, Exercise
from hub.courses.exercise_finding import Finding
from hub.courses.exercise_language import cell_translation
from hub.courses.exercise_sheet import LANGUAGES, PLACEHOLDER, ExerciseSheet, LocalText

if TYPE_CHECKING:
    from collections.abc import Iterator


def check_languages(exercise: Exercise) -> Iterator[Finding]:
    """Every text that a learner reads is there in every language."""
    if not exercise.has_sheet:
        return
    for key, text in _sheet_texts(exercise.sheet):
        for language in text.missing():
            yield _untranslated(SHEET, key, language)
    for name, notebook in exercise.notebooks.items():
        written = [cell for cell in notebook.cells if cell.cell_type == "markdown"]
        for cell, language in product(written, LANGUAGES[1:]):
            if not (cell_translation(cell, language) or "").strip():
                yield _untranslated(f"{name}.ipynb", f"cell {cell.get('id', '?')}", language)


def _sheet_texts(sheet: ExerciseSheet) -> Iterator[tuple[str, LocalText]]:
    yield "title", sheet.title
    if sheet.summary:
        yield "summary", sheet.summary
    for number, hint in enumerate(sheet.hints):
        yield f"hints.{number}", hint.text
    for kind, table in (("messages", sheet.messages), ("comments", sheet.comments)):
        for english, translation in table.items():
            yield f"{kind}: {english}", LocalText(en=english, fr=translation.fr, nl=translation.nl)


def _untranslated(file: str, key: str, language: str) -> Finding:
    name = {"en": "English", "fr": "French", "nl": "Dutch"}[language]
    return Finding(
        "languages", f"{file}, {key}", f"there is no {name} text", f"Write it under the key `{language}`."
    )


def check_messages(exercise: Exercise) -> Iterator[Finding]:
    """Every assert says something that can be translated, and every translation belongs to a message."""
    if not exercise.has_sheet:
        return
    used: set[str] = set()
    for name, notebook in exercise.notebooks.items():
        for cell in notebook.cells:
            meta = cell.metadata.get("nbgrader")
            if cell.cell_type != "code" or meta is None or meta.get("solution"):
                continue
            where = f"{name}.ipynb, cell {meta.get('grade_id')}"
            try:
                tree = ast.parse(cell.source)
            except SyntaxError:
                continue  # magics or another language than Python: nothing to read here
            used |= {
                node.value
                for node in ast.walk(tree)
                if isinstance(node, ast.Constant) and isinstance(node.value, str)
            }
            yield from _check_asserts(tree, where, exercise.sheet.messages)
    for english in exercise.sheet.messages:
        if english not in used:
            advice = "Copy the message from the check letter by letter, or delete the translation."
            yield Finding("messages", SHEET, f"no check says {english!r}", advice)


def _check_asserts(tree: ast.AST, where: str, messages: Any) -> Iterator[Finding]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Assert):
            continue
        line = f"{where}, line {node.lineno}"
        template = _template(node.msg)
        if node.msg is None:
            yield Finding(
                "messages", line, "the assert says nothing", "Tell the learner what to do, after a comma."
            )
        elif template is None:
            advice = "Write a plain text, with `.format(name=value)` for what varies."
            yield Finding("messages", line, "this message can't be translated", advice)
        elif template not in messages:
            yield Finding(
                "messages", line, f"no translation of {template!r}", f"Add it to `messages:` in {SHEET}."
            )
        elif isinstance(node.msg, ast.Call):
            given = {keyword.arg for keyword in node.msg.keywords}
            missing = sorted(set(PLACEHOLDER.findall(template)) - given)
            if missing:
                yield Finding("messages", line, f"{missing[0]} has no value", "Give it to `.format`.")


def _template(message: ast.expr | None) -> str | None:
    if (
        isinstance(message, ast.Call)
        and isinstance(message.func, ast.Attribute)
        and message.func.attr == "format"
    ):
        message = message.func.value
    return message.value if isinstance(message, ast.Constant) and isinstance(message.value, str) else None
