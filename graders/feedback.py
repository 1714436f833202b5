"""The feedback page of one notebook: one HTML file that needs nothing else and runs nothing.

Called by the pipeline. The words are ours, in the learner's language; hidden tests and outputs that repeat them are
not in it; everything the learner's code made is cleaned. Shown in a sandboxed frame. It must not know scores'
origin or where it is shown.

Why not nbgrader's own template: it shows hidden tests, loads MathJax from a CDN, keeps scripts, and has no language.
"""

from __future__ import annotations

import base64
import mimetypes
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ipython_pygments_lexers import IPython3Lexer
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup
from pygments import highlight
from pygments.formatters import HtmlFormatter

from graders.clean import IMAGE_TYPES, MAX_IMAGE_BYTES, clean_html, clean_output, clean_text, hide
from graders.results import CellResult, CellVerdict, NotebookResult
from graders.source import Kind, Source, SourceNotebook
from graders.words import Note, say

if TYPE_CHECKING:
    from collections.abc import Callable

    from graders.sandbox.job import SandboxRun
    from graders.sanitise import Assembled, Cell

MAX_PAGE_BYTES = 4 * 1024 * 1024
MAX_HIGHLIGHTED = 8_000
MAX_MARKDOWN = 30_000
MAX_SHOWN = 100_000
RENDERED_A_PAGE = 60_000
"""Characters that are highlighted or rendered on one page; what comes after is shown as it is. Highlighters and
markdown parsers can be made to take long, and this is where a learner's text meets them."""
GOOD = frozenset({CellVerdict.PASSED, CellVerdict.PARTIAL})
WAITING = frozenset({CellVerdict.MANUAL})


@dataclass(frozen=True, slots=True)
class FeedbackInput:
    """What one page is made of."""

    source: Source
    notebook: SourceNotebook
    assembled: Assembled
    result: NotebookResult
    run: SandboxRun
    language: str
    notes: tuple[Note, ...] = ()
    reason: str | None = None


def render_feedback(page: FeedbackInput) -> bytes:
    """Return the page as UTF-8."""
    blocks = _Blocks(page)
    context = {
        "language": page.language,
        "say": lambda key, **values: say(key, page.language, **values),
        "notebook": page.notebook.name,
        "result": page.result,
        "score": number(page.result.score),
        "max_score": number(page.result.max_score),
        "number": number,
        "waiting": any(cell.score is None for cell in page.result.cells),
        "good": [cell for cell in page.result.cells if cell.verdict in GOOD],
        "next": next((cell for cell in page.result.cells if cell.verdict not in GOOD | WAITING), None),
        "tone": tone,
        "notes": [note.text(page.language) for note in page.notes],
        "reason": page.reason,
        "style": Markup(_style()),  # noqa: S704 - pygments' own CSS
    }
    template = _environment().get_template("feedback.html.j2")
    rendered = template.render(blocks=blocks.all(), **context).encode()
    if len(rendered) > MAX_PAGE_BYTES:
        rendered = template.render(blocks=blocks.all(with_outputs=False), **context).encode()
    return rendered


def number(value: float | None) -> str:
    """Return points without noise: 2, 0.5, 1.33."""
    return "-" if value is None else f"{value:.2f}".rstrip("0").rstrip(".")


def tone(cell: CellResult) -> str:
    """Return how a cell's result is marked: with a word and a sign beside the colour."""
    if cell.verdict is CellVerdict.PASSED:
        return "good"
    if cell.verdict is CellVerdict.PARTIAL:
        return "partly"
    return "waiting" if cell.verdict in WAITING else "open"


class _Blocks:
    """The blocks of a page, one a cell."""

    def __init__(self, page: FeedbackInput) -> None:
        self._page = page
        self._results = {cell.grade_id: cell for cell in page.result.cells}
        shown = {line.strip() for cell in page.notebook.cells for line in cell.released.split("\n")}
        self._hidden = frozenset().union(*(cell.hidden_lines for cell in page.notebook.cells)) - shown
        self._hidden_word = say("feedback_hidden_text", page.language)
        name = page.notebook.name
        self._outputs = {cell.index: cell.outputs for cell in page.run.cells if cell.notebook == name}
        self._left = RENDERED_A_PAGE
        self._verdicts = {item.grade_id: item for item in page.run.verdicts if item.notebook == name}

    def all(self, *, with_outputs: bool = True) -> list[dict[str, Any]]:
        """Return the blocks in order; without outputs where a page would become too large."""
        return [
            self._block(index, cell, with_outputs=with_outputs)
            for index, cell in enumerate(self._page.assembled.cells)
            if cell.shown and (cell.text.strip() or cell.grade_id)
        ]

    def _block(self, index: int, cell: Cell, *, with_outputs: bool) -> dict[str, Any]:
        kind = cell.origin.kind if cell.origin else None
        block: dict[str, Any] = {
            "kind": kind.value if kind else "added",
            "id": cell.grade_id,
            "result": self._result(cell),
            "missing": cell.missing,
            "outputs": self._shown(self._outputs.get(index, ())) if with_outputs else [],
            "source": Markup(""),
            "hidden_part": False,
        }
        if kind is Kind.TEST and cell.origin:
            visible = cell.origin.released
            block["source"] = code(visible)
            block["hidden_part"] = bool(cell.origin.hidden_lines)
            verdict = self._verdicts.get(str(cell.grade_id))
            if verdict and with_outputs and not cell.origin.hidden_lines:
                block["outputs"] = self._shown(verdict.outputs)
        elif cell.cell_type == "code":
            block["source"] = self._learners(cell.text, code)
        elif cell.origin and kind in (Kind.TEXT, Kind.TASK):
            block["source"] = self._author_text(cell.origin.text(self._page.language))
        else:
            block["source"] = self._learners(cell.text, learner_text)
        return block

    def _learners(self, text: str, render: Callable[[str], Markup]) -> Markup:
        """Render a learner's text, within the page's budget."""
        self._left -= len(text)
        return render(text) if self._left >= 0 else plain(text)

    def _result(self, cell: Cell) -> CellResult | None:
        result = self._results.get(cell.grade_id or "")
        if result is None:
            return None
        messages = tuple(
            hide(clean_text(message)[0], self._hidden, self._hidden_word) for message in result.messages
        )
        return CellResult(
            result.grade_id, result.score, result.max_score, result.verdict, result.way, messages
        )

    def _shown(self, outputs: tuple[dict[str, Any], ...]) -> list[dict[str, Any]]:
        cleaned = [clean_output(output, self._hidden, self._hidden_word) for output in outputs]
        return [{**item, "html": Markup(item.get("html", ""))} for item in cleaned]  # noqa: S704 - cleaned

    def _author_text(self, text: str) -> Markup:
        """Return an author's markdown; pictures that lie beside the notebook are put into the page."""
        files = self._page.source.files

        def image(name: str) -> str | None:
            kind = mimetypes.guess_type(name)[0] or ""
            data = files.get(name.removeprefix("./"))
            if data is None or kind not in IMAGE_TYPES or len(data) > MAX_IMAGE_BYTES:
                return None
            return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"

        return Markup(clean_html(markdown(text), links=True, image=image))  # noqa: S704 - cleaned


def markdown(text: str) -> str:
    """Return HTML of a markdown text; it may hold anything that the text holds."""
    return str(_markdown().render(text))


def learner_text(text: str) -> Markup:
    """Return a learner's markdown, cleaned; a very long one as it is."""
    if len(text) > MAX_MARKDOWN:
        return plain(text)
    return Markup(clean_html(markdown(text)))  # noqa: S704 - cleaned


def plain(text: str) -> Markup:
    """Return text as it is, odd characters made visible."""
    return Markup("<pre>{}</pre>").format(clean_text(text, limit=MAX_SHOWN)[0])


def code(text: str) -> Markup:
    """Return highlighted Python, odd characters made visible."""
    if len(text) > MAX_HIGHLIGHTED:
        return plain(text)
    shown, _ = clean_text(text, limit=MAX_SHOWN)
    return Markup(highlight(shown, IPython3Lexer(), HtmlFormatter(cssclass="code", wrapcode=True)))  # noqa: S704


@lru_cache(maxsize=1)
def _markdown() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": True, "linkify": False}).enable(["table", "strikethrough"])


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@lru_cache(maxsize=1)
def _style() -> str:
    light = HtmlFormatter(style="friendly").get_style_defs(".code")
    dark = HtmlFormatter(style="monokai").get_style_defs(".code")
    return f"{light}\n@media (prefers-color-scheme: dark) {{\n{dark}\n}}"
