"""Turns a template and its values into a page in the caller's language. Every view answers through `render`.

Templates are Jinja2 with autoescape; one environment a language, made once. Knows nothing of features: the views hand
in plain values. JupyterHub's own pages are dressed by hub/pages/hub_theme.py.
"""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from hub.pages.navigation import Item, navigation
from hub.pages.texts import LANGUAGE_NAMES, best_language, catalogue, texts

if TYPE_CHECKING:
    from fastapi import Request

    from hub.auth import Caller
    from hub.errors import AtelierError
    from hub.settings import Settings

PAGES_DIR = Path(__file__).resolve().parent
STATIC_DIR = PAGES_DIR / "static"
TEMPLATES_DIR = PAGES_DIR / "templates"

# Characters that hide or reorder text: controls, bidirectional overrides, zero-width signs. Shown, never obeyed.
_INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def visible(text: object) -> str:
    """Return text from outside with its invisible characters written out and its colour codes removed."""
    plain = _ANSI.sub("", str(text)).replace("\r\n", "\n")
    return _INVISIBLE.sub(lambda match: f"\\u{ord(match[0]):04x}", plain)


@lru_cache(maxsize=256)
def _fingerprint(path: str) -> str:
    file = STATIC_DIR / path
    return hashlib.sha256(file.read_bytes()).hexdigest()[:12] if file.is_file() else "none"


def static_url(prefix: str, path: str) -> str:
    """Return the address of a static file; it changes with the content, so that browsers may keep it."""
    return f"{prefix}static/{path}?v={_fingerprint(path)}"


@lru_cache(maxsize=8)
def environment(language: str) -> Environment:
    """Return the template environment of a language."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES_DIR),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    made.policies["ext.i18n.trimmed"] = True
    translations = catalogue(language)
    made.install_gettext_callables(  # type: ignore[attr-defined]  # put there by the extension
        translations.gettext, translations.ngettext, newstyle=True
    )
    words = texts(language)
    made.filters.update(
        number=words.number,
        percent=words.percent,
        day=words.day,
        short_day=words.short_day,
        clock=words.clock,
        moment=words.moment,
        ago=words.ago,
        local=words.of,
        visible=visible,
        part=partial(quote, safe=""),
    )
    made.globals.update(language=words.language, language_names=LANGUAGE_NAMES, navigation=_menu)
    return made


def request_language(request: Request) -> str:
    """Return the language to answer in: the signed-in person's, else what the browser asks for."""
    caller: Caller | None = getattr(request.state, "caller", None)
    return caller.language if caller else best_language(request.headers.get("accept-language", ""))


def translate(language: str, message: str, **values: object) -> str:
    """Return an error's message in `language`; the values are shown, never obeyed."""
    shown = {name: visible(value) if isinstance(value, str) else value for name, value in values.items()}
    return texts(language).gettext(message, **shown)


def render(
    request: Request, caller: Caller | None, template: str, *, status_code: int = 200, **context: Any
) -> HTMLResponse:
    """Return the page made from `template` in the caller's language.

    Args:
        request: the request being answered; htmx requests get the same template, which may be a fragment.
        caller: who asked; None on error pages before sign-in.
        template: the name of a file in templates/.
        status_code: of the answer.
        context: what the template shows.
    """
    settings: Settings = request.app.state.services.settings
    language = caller.language if caller else request_language(request)
    prefix = settings.service_prefix
    page = environment(language).get_template(template)
    html = page.render(
        caller=caller,
        csrf=caller.csrf if caller else "",
        prefix=prefix,
        hub_url=settings.url,
        here=request.url.path,
        here_query=str(request.url.query),
        request_id=getattr(request.state, "request_id", "-"),
        static=partial(static_url, prefix),
        query=_query,
        **context,
    )
    return HTMLResponse(html, status_code=status_code)


def error_page(request: Request, error: AtelierError, request_id: str) -> HTMLResponse:
    """Return the page that says what went wrong and what to do, in the person's language."""
    caller: Caller | None = getattr(request.state, "caller", None)
    message = translate(request_language(request), error.message, **error.values)
    template = "error_fragment.html" if request.headers.get("hx-request") else "error.html"
    return render(
        request,
        caller,
        template,
        status_code=error.status,
        status=error.status,
        message=message,
        reason=error.reason,
        error_id=request_id,
    )


def _menu(caller: Caller) -> list[Item]:
    return navigation(caller.role, caller.language)


def _query(base: dict[str, Any] | None = None, **changes: Any) -> str:
    """Return a query string from the set values of `base`, changed by `changes`."""
    merged = {**(base or {}), **changes}
    return urlencode({key: value for key, value in merged.items() if value not in (None, "")})
