"""Makes hostile text, HTML and images fit to be shown to people: the learner, a trainer, a mentor.

Called by feedback.py and autograded.py, for everything that a learner's code displayed or a learner wrote. Control
and direction characters become visible, HTML keeps a short list of tags, images are what they say and of a sane
size, nothing loads from elsewhere and nothing runs. Pure functions.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
import struct
from typing import TYPE_CHECKING, Any

import nh3

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

MAX_TEXT = 20_000
MAX_LINES = 500
MAX_HTML = 200_000
MAX_IMAGE_BYTES = 1024 * 1024
MAX_IMAGE_PIXELS = 16_000_000

IMAGE_TYPES = ("image/png", "image/jpeg", "image/gif")

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]{0,1000}(?:\x07|\x1b\\)|[@-Z\\-_])")
_ODD = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_HEADING = re.compile(r"<(/?)h([1-6])\b")
_SHORT_LINE = 5
"""Lines of hidden tests up to this length (`pass`, `else:`) betray nothing."""

TAGS = {
    *[
        "a",
        "b",
        "blockquote",
        "br",
        "caption",
        "code",
        "col",
        "colgroup",
        "dd",
        "del",
        "details",
        "div",
        "dl",
        "dt",
        "em",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "i",
        "img",
        "ins",
        "kbd",
        "li",
    ],
    *[
        "mark",
        "ol",
        "p",
        "pre",
        "q",
        "s",
        "samp",
        "small",
        "span",
        "strong",
        "sub",
        "summary",
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
    ],
}
ATTRIBUTES = {
    "a": {"href", "title"},
    "img": {"src", "alt", "title", "width", "height"},
    "ol": {"start"},
    "td": {"colspan", "rowspan", "align"},
    "th": {"colspan", "rowspan", "scope", "align"},
    "col": {"span"},
}


def clean_text(text: str, *, limit: int = MAX_TEXT) -> tuple[str, bool]:
    """Return text that shows what is in it, and whether it was cut.

    Colours are taken out, a line that was printed over is left out, characters that don't print or that turn the
    direction of the text are written as ⟨U+202E⟩.
    """
    text = _ANSI.sub("", text[: 4 * limit].replace("\r\n", "\n"))
    lines = [line.rpartition("\r")[2] for line in text.split("\n")]
    text = "\n".join(lines)
    cut = len(lines) > MAX_LINES or len(text) > limit
    text = "\n".join(lines[:MAX_LINES])[:limit]
    return _ODD.sub(lambda match: f"⟨U+{ord(match[0]):04X}⟩", text).encode("utf-8", "replace").decode(), cut


def clean_html(markup: str, *, links: bool = False, image: Callable[[str], str | None] | None = None) -> str:
    """Return the harmless part of `markup`.

    Args:
        markup: HTML from anywhere.
        links: keep links to other pages; only for an author's texts.
        image: given a source that is no data URI, returns the data URI to put there, or None.
    """

    def keep(_tag: str, attribute: str, value: str) -> str | None:
        if attribute == "src":
            return value if image_uri(value) else (image(value) if image else None)
        if attribute == "href":
            return value if links and value.startswith(("https://", "http://", "mailto:", "#")) else None
        if attribute in ("width", "height", "colspan", "rowspan", "span", "start"):
            return value if re.fullmatch(r"[0-9]{1,4}%?", value) else None
        return value

    cleaned = nh3.clean(
        markup[:MAX_HTML],
        tags=TAGS,
        attributes=ATTRIBUTES,
        attribute_filter=keep,
        clean_content_tags={"script", "style", "template", "noscript", "iframe", "object", "svg", "math"},
        url_schemes={"https", "http", "mailto", "data"},
        strip_comments=True,
        link_rel="noopener noreferrer nofollow",
    )
    # Our page has its own headings of the first two levels: those of a notebook stand below them.
    cleaned = _HEADING.sub(lambda match: f"<{match[1]}h{min(int(match[2]) + 2, 6)}", cleaned)
    return _ODD.sub(lambda match: f"⟨U+{ord(match[0]):04X}⟩", cleaned)


def text_of(markup: str) -> str:
    """Return what a reader of `markup` reads, roughly: for finding what must not be there."""
    return html.unescape(nh3.clean(markup, tags=set()))


def image_uri(uri: str) -> bool:
    """Say whether `uri` is a data URI of an image that may be shown."""
    kind, _, data = uri.removeprefix("data:").partition(";base64,")
    return uri.startswith("data:") and kind in IMAGE_TYPES and clean_image(kind, data) is not None


def clean_image(kind: str, data: str) -> str | None:
    """Return base64 data of an image that is what it says, small enough in bytes and pixels; else None."""
    if len(data) > MAX_IMAGE_BYTES * 4 // 3 + 1000:
        return None
    try:
        raw = base64.b64decode("".join(data.split()), validate=True)
    except (binascii.Error, ValueError):
        return None
    size = _image_size(kind, raw)
    if size is None or not 0 < size[0] * size[1] <= MAX_IMAGE_PIXELS:
        return None
    return base64.b64encode(raw).decode("ascii")


def _image_size(kind: str, raw: bytes) -> tuple[int, int] | None:
    if kind == "image/png" and raw.startswith(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR") and len(raw) > 24:  # noqa: PLR2004
        return struct.unpack(">II", raw[16:24])
    if kind == "image/gif" and raw[:6] in (b"GIF87a", b"GIF89a") and len(raw) > 10:  # noqa: PLR2004
        return struct.unpack("<HH", raw[6:10])
    if kind == "image/jpeg" and raw.startswith(b"\xff\xd8\xff"):
        return _jpeg_size(raw)
    return None


def _jpeg_size(raw: bytes) -> tuple[int, int] | None:
    """Walk the segments to the start of frame, which holds the size."""
    position = 2
    while position + 9 < len(raw) and raw[position] == 0xFF:  # noqa: PLR2004
        marker = raw[position + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):  # noqa: PLR2004
            height, width = struct.unpack(">HH", raw[position + 5 : position + 9])
            return width, height
        (length,) = struct.unpack(">H", raw[position + 2 : position + 4])
        position += 2 + length
    return None


def clean_output(output: dict[str, Any], hidden: Collection[str], hidden_word: str) -> dict[str, Any]:
    """Return an output of one kind that may be shown, as a flat object for templates.

    The result has `kind`: `text`, `html`, `image`, `error` or `refused`, with `text`, `html`, `uri` or `name`
    beside it, and `cut` where something was left out.

    Args:
        output: an nbformat output out of a sandbox.
        hidden: lines of hidden tests: no output may repeat one.
        hidden_word: what stands in their place.
    """
    kind = output.get("output_type")
    if kind == "stream":
        return _text_output(output.get("text", ""), hidden, hidden_word)
    if kind == "error":
        trace = "\n".join(output.get("traceback") or [f"{output.get('ename')}: {output.get('evalue')}"])
        return {**_text_output(trace, hidden, hidden_word), "kind": "error"}
    data = {name: value for name, value in output.get("data", {}).items() if isinstance(value, str)}
    if "text/html" in data:
        return _html_output(data["text/html"], hidden, hidden_word)
    for name in IMAGE_TYPES:
        image = clean_image(name, data[name]) if name in data else None
        if image is not None:
            return {"kind": "image", "uri": f"data:{name};base64,{image}", "cut": False}
    if "text/plain" in data:
        return _text_output(data["text/plain"], hidden, hidden_word)
    return {"kind": "refused", "name": clean_text(next(iter(data), "?"), limit=60)[0], "cut": False}


def _html_output(markup: str, hidden: Collection[str], hidden_word: str) -> dict[str, Any]:
    cleaned = clean_html(markup)
    if any(line in text_of(cleaned) for line in secret_lines(hidden)):
        return {"kind": "text", "text": hidden_word, "cut": False}
    return {"kind": "html", "html": cleaned, "cut": len(markup) > MAX_HTML}


def _text_output(text: str, hidden: Collection[str], hidden_word: str) -> dict[str, Any]:
    shown, cut = clean_text(text)
    return {"kind": "text", "text": hide(shown, hidden, hidden_word), "cut": cut}


def hide(text: str, hidden: Collection[str], hidden_word: str) -> str:
    """Return `text` without any line of `hidden`."""
    for line in secret_lines(hidden):
        if line in text:
            text = text.replace(line, hidden_word)
    return text


def secret_lines(hidden: Collection[str]) -> list[str]:
    """Return the lines worth hiding, the longest first."""
    return sorted((line for line in hidden if len(line) > _SHORT_LINE), key=len, reverse=True)
