"""Dresses JupyterHub's own pages (sign-in, starting, errors) like ours, in the person's language.

Called by hub/deploy/jupyterhub.py (template paths and variables) and by the authenticator (static files, which
JupyterHub serves itself so that its pages need no other host). The templates are in templates/jupyterhub/.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from jinja2 import pass_context
from sqlalchemy.exc import SQLAlchemyError
from tornado.web import RequestHandler, StaticFileHandler

from hub.pages.render import STATIC_DIR, TEMPLATES_DIR, static_url
from hub.pages.texts import LANGUAGE_NAMES, Texts, best_language, texts
from hub.settings import LANGUAGES, Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from jinja2.runtime import Context

HUB_TEMPLATES_DIR = TEMPLATES_DIR / "jupyterhub"
LANGUAGE_COOKIE = "atelier-language"
STATIC_PATH = "/atelier-static/(.*)"


def static_handlers() -> list[tuple[str, type[RequestHandler], dict[str, Any]]]:
    """Return the route of our static files, relative to the hub's prefix."""
    return [(STATIC_PATH, StaticFileHandler, {"path": str(STATIC_DIR)})]


def template_vars(settings: Settings, language_of: Callable[[str], str | None]) -> dict[str, Any]:
    """Return the variables of JupyterHub's templates.

    JupyterHub calls a variable that is callable with the signed-in user and takes what it returns; so each is wrapped
    once more, and finds the request when the template calls it.

    Args:
        settings: for addresses.
        language_of: the kept language of a person by name, or None.
    """

    def words(context: Context) -> Texts:
        return texts(page_language(context, language_of))

    @pass_context
    def gettext(context: Context, message: str, **values: object) -> str:
        return words(context).gettext(message, **values)

    @pass_context
    def language(context: Context) -> str:
        return words(context).language

    def asset(path: str) -> str:
        return static_url("/hub/", path).replace("/hub/static/", "/hub/atelier-static/", 1)

    return {
        "_": partial(_ignore_user, gettext),
        "atelier_language": partial(_ignore_user, language),
        "atelier_asset": partial(_ignore_user, asset),
        "atelier_languages": LANGUAGE_NAMES,
        "atelier_url": settings.service_url,
        "atelier_home": settings.url,
    }


def page_language(context: Context, language_of: Callable[[str], str | None]) -> str:
    """Return the language of a page of JupyterHub: the person's, else what they chose there, else the browser's."""
    user = context.get("user")
    if user is not None:
        try:
            kept = language_of(user.name)
        except SQLAlchemyError:  # a page that says what is wrong must not fail on the same thing
            kept = None
        if kept:
            return kept
    handler = getattr(context.get("static_url"), "__self__", None)
    if not isinstance(handler, RequestHandler):
        return "en"
    chosen = handler.get_cookie(LANGUAGE_COOKIE) or ""
    return (
        chosen if chosen in LANGUAGES else best_language(handler.request.headers.get("Accept-Language", ""))
    )


def _ignore_user(value: Any, _user: object) -> Any:
    return value
