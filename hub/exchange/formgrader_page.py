"""How formgrader's pages are made here: nothing from a CDN, no script of a learner's, and our few words on top.

Used by trainer.py. nbgrader renders notebooks of learners into the trainer's own origin; three layers keep scripts out:
nbconvert's sanitiser, escaped names, and a policy that lets only the page's own scripts run.
"""

from __future__ import annotations

import base64
import hashlib
import html
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bleach  # type: ignore[import-untyped]
from jinja2 import ChoiceLoader, DictLoader, Environment, FileSystemLoader, PrefixLoader, pass_context
from nbconvert.exporters import HTMLExporter
from nbconvert.filters.markdown_mistune import InvalidNotebook
from nbformat.v4 import new_notebook
from nbgrader.server_extensions.formgrader import handlers as nbgrader_handlers

from hub.exchange.environment import Environment as Surroundings
from hub.exchange.language import say

if TYPE_CHECKING:
    from hub.exchange.mirror import CourseMirror

HERE = Path(__file__).parent
STATIC = HERE / "static"
WRITING_TAGS = frozenset(
    {
        *(
            "a",
            "abbr",
            "b",
            "blockquote",
            "br",
            "caption",
            "code",
            "col",
            "colgroup",
            "dd",
            "del",
            "div",
            "dl",
            "dt",
            "em",
        ),
        *(
            "h1",
            "h2",
            "h3",
            "h4",
            "h5",
            "h6",
            "hr",
            "i",
            "img",
            "kbd",
            "li",
            "ol",
            "p",
            "pre",
            "q",
            "s",
            "samp",
            "small",
        ),
        *(
            "span",
            "strong",
            "sub",
            "sup",
            "table",
            "tbody",
            "td",
            "tfoot",
            "th",
            "thead",
            "tr",
            "u",
            "ul",
            "var",
        ),
    }
)
_SCRIPT = re.compile(r"<script(?P<head>[^>]*)>(?P<body>.*?)</script>", re.DOTALL)
_ON_EVENT = re.compile(r"\son[a-z]+=\"(?P<body>[^\"]*)\"")


def page_templates(mirror: CourseMirror, base_url: str, courses_url: str) -> Environment:
    """Return formgrader's templates with ours in front, names escaped."""
    theirs = FileSystemLoader(nbgrader_handlers.template_path)
    ours = FileSystemLoader(HERE / "templates" / "formgrader")
    templates = Environment(
        loader=ChoiceLoader([ours, theirs, PrefixLoader({"nbgrader": theirs})]), autoescape=True
    )
    templates.globals.update(
        mirror=mirror,
        say=say,
        language=Surroundings.read().language,
        courses_url=courses_url,
        atelier_static=f"{base_url}/formgrader/atelier",
    )
    return templates


def _is_safe(tag: str, name: str, value: str) -> bool:
    """Whether an attribute may stay in what a learner wrote; bleach asks for each."""
    if tag == "a":
        return name in ("href", "title") and not value.strip().lower().startswith("data:")
    if tag == "img":
        return name in ("src", "alt", "title", "width", "height")
    return name in ("align", "colspan", "rowspan", "start")


class SafeExporter(HTMLExporter):
    """nbconvert's exporter with a sanitiser for written answers too; its own covers outputs only."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)  # type: ignore[no-untyped-call]
        self.sanitize_html = True

    @pass_context
    def markdown2html(self, context: Any, source: str) -> str:
        """Render an answer, then keep only harmless HTML. What can't be rendered is shown as it was typed."""
        try:
            rendered = str(super().markdown2html(context, source))
        except (InvalidNotebook, RecursionError):  # a picture that is not there, brackets without end
            rendered = f"<pre>{html.escape(source)}</pre>"
        clean: str = bleach.clean(
            rendered, tags=WRITING_TAGS, attributes=_is_safe, protocols={"http", "https", "mailto", "data"}
        )
        return clean


class NotebookPage:
    """The page of one graded notebook; stands where formgrader has its HTMLExporter."""

    def __init__(self, config: Any, base_url: str) -> None:
        """Make the exporter.

        Args:
            config: formgrader's configuration, which names its template.
            base_url: the course's own address, without a slash at the end.
        """
        static = f"{base_url}/formgrader/atelier"
        mathjax = '{% macro mathjax(url="") %}<script src="' + static + '/mathjax.js"></script>{% endmacro %}'
        own = DictLoader({"mathjax.html.j2": mathjax, "base/mathjax.html.j2": mathjax})
        self._exporter = SafeExporter(config=config, extra_loaders=[own])
        self._tail = f'<script src="{static}/marks.js"></script>\n'
        self.policy = ""
        """The Content-Security-Policy of the page made last."""

    def from_filename(self, filename: str, resources: dict[str, Any]) -> tuple[str, Any]:
        """Return the page, as nbconvert's exporter would, and set its policy."""
        safe = {k: html.escape(v) if isinstance(v, str) else v for k, v in resources.items()}
        blank, _ = self._exporter.from_notebook_node(new_notebook(), resources=dict(safe))  # type: ignore[no-untyped-call]
        self.policy = content_policy(blank)
        page, others = self._exporter.from_filename(filename, resources=dict(safe))
        return page + self._tail, others


def content_policy(blank_page: str) -> str:
    """Return a policy under which only the scripts of a page without cells may run.

    Args:
        blank_page: the same page, made from an empty notebook: whatever script is in it is formgrader's own.
    """
    bodies = [m["body"] for m in _SCRIPT.finditer(blank_page) if "src=" not in m["head"]]
    bodies += [html.unescape(m["body"]) for m in _ON_EVENT.finditer(blank_page)]
    hashes = sorted({base64.b64encode(hashlib.sha256(body.encode()).digest()).decode() for body in bodies})
    scripts = " ".join(["'self'", "'unsafe-hashes'", *(f"'sha256-{digest}'" for digest in hashes)])
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src {scripts}",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'self'",
        ]
    )
