"""Puts an exercise into the learner's language: notebook, starter files and the messages of checks.

Called when an exercise is delivered and when feedback is shown. Pure functions over texts; they know
nothing of folders, people or HTTP. English is the source; what has no translation stays English.
"""

from __future__ import annotations

import ast
import copy
import json
import re
from typing import TYPE_CHECKING, Any

from hub.courses.exercise_sheet import PLACEHOLDER, ExerciseSheet, Translation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbformat.notebooknode import NotebookNode

# nbgrader writes these two into every released notebook.
STUBS = {
    "YOUR CODE HERE": Translation(fr="VOTRE CODE ICI", nl="HIER KOMT JOUW CODE"),
    "YOUR ANSWER HERE": Translation(fr="VOTRE RÉPONSE ICI", nl="HIER KOMT JOUW ANTWOORD"),
}
_LINE = re.compile(
    r"^(?P<open>\s*(?:#+|//|/\*|<!--|\"\"\")?\s*)(?P<text>.*?)(?P<close>\s*(?:\*/|-->|\"\"\")?\s*)$"
)


def cell_translation(cell: Mapping[str, Any], language: str) -> str | None:
    """Return the cell's text in `language` from `metadata.atelier.i18n`, or None where there is none."""
    value = cell.get("metadata", {}).get("atelier", {}).get("i18n", {}).get(language)
    if isinstance(value, list):
        return "".join(value)
    return value if isinstance(value, str) else None


def localise_notebook(
    notebook: NotebookNode, language: str, sheet: ExerciseSheet | None = None
) -> NotebookNode:
    """Return a copy of the notebook in `language`; the other languages are taken out of its metadata.

    Args:
        notebook: a source or a released notebook, format 4.
        language: `en`, `fr` or `nl`; what isn't translated stays English.
        sheet: the exercise's sheet; with it, comments and check messages in code cells change too.
    """
    localised = copy.deepcopy(notebook)
    for cell in localised.cells:
        translated = cell_translation(cell, language)
        if cell.cell_type == "code":
            cell.source = localise_code(cell.source, language, sheet)
        elif translated is not None:
            cell.source = translated
        else:
            cell.source = localise_comments(cell.source, language, STUBS)
        if "atelier" in cell.metadata:
            cell.metadata.atelier.pop("i18n", None)
            if not cell.metadata.atelier:
                del cell.metadata["atelier"]
    localised.metadata["atelier"] = {**localised.metadata.get("atelier", {}), "language": language}
    return localised


def localise_code(source: str, language: str, sheet: ExerciseSheet | None) -> str:
    """Return a code cell with its comments and the messages of its checks in `language`."""
    if language == "en":
        return source
    comments = STUBS | sheet.comments if sheet else STUBS
    code = localise_comments(source, language, comments)
    return _localise_strings(code, language, sheet.messages) if sheet else code


def localise_comments(source: str, language: str, comments: Mapping[str, Translation]) -> str:
    """Return the source with each line that is one of `comments`, markers aside, in `language`.

    Works on whole lines of Python, HTML, CSS and JavaScript: `# text`, `<!-- text -->`, `/* text */`, `//
    text` and lines of a docstring. A comment behind code on the same line stays as it is.
    """
    return "\n".join(_localise_line(line, language, comments) for line in source.split("\n"))


def _localise_line(line: str, language: str, comments: Mapping[str, Translation]) -> str:
    match = _LINE.match(line)
    translation = comments.get(match["text"]) if match else None
    text = translation.text(language) if translation else None
    return f"{match['open']}{text}{match['close']}" if match and text else line


def _localise_strings(source: str, language: str, messages: Mapping[str, Translation]) -> str:
    try:
        tree = ast.parse(source)
    except SyntaxError:  # magics, or a language other than Python: shown as the author wrote it
        return source
    lines = [line.encode() for line in source.split("\n")]  # ast counts bytes
    starts = [sum(len(line) + 1 for line in lines[:number]) for number in range(len(lines))]
    data = source.encode()
    found = [
        node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    for node in sorted(found, key=lambda node: (node.lineno, node.col_offset), reverse=True):
        text = messages[str(node.value)].text(language) if node.value in messages else None
        if text and node.end_lineno is not None and node.end_col_offset is not None:
            begin = starts[node.lineno - 1] + node.col_offset
            end = starts[node.end_lineno - 1] + node.end_col_offset
            data = data[:begin] + json.dumps(text, ensure_ascii=False).encode() + data[end:]
    return data.decode()


def translate_message(text: str, language: str, messages: Mapping[str, Translation]) -> str:
    """Return what a check said, in `language`.

    Args:
        text: the English message as it came out of the check, its places filled in.
        language: `en`, `fr` or `nl`.
        messages: from the exercise's sheet; `{name}` in a key stands for any text, which is translated too
            where it is itself one of the messages (a reason, for example).
    """
    if text in messages:
        return translate_exact(text, language, messages)
    for english in sorted(messages, key=lambda key: len(PLACEHOLDER.sub("", key)), reverse=True):
        translated = messages[english].text(language)
        match = _pattern(english).fullmatch(text) if translated and PLACEHOLDER.search(english) else None
        if match and translated:
            values = {
                name: translate_exact(value, language, messages) for name, value in match.groupdict().items()
            }
            return PLACEHOLDER.sub(lambda place: values[place[1]], translated)  # noqa: B023 - used at once
    return text


def translate_exact(text: str, language: str, messages: Mapping[str, Translation]) -> str:
    """Return a message without places in `language`, or as it is where it isn't one of `messages`."""
    return (messages[text].text(language) if text in messages else None) or text


def _pattern(english: str) -> re.Pattern[str]:
    parts: list[str] = []
    position = 0
    names: set[str] = set()
    for place in PLACEHOLDER.finditer(english):
        parts.append(re.escape(english[position : place.start()]))
        parts.append(f"(?P={place[1]})" if place[1] in names else f"(?P<{place[1]}>.*?)")
        names.add(place[1])
        position = place.end()
    parts.append(re.escape(english[position:]))
    return re.compile("".join(parts), re.DOTALL)
