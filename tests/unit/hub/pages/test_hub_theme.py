"""JupyterHub's own pages in our frame and in three languages, with JupyterHub's templates beneath."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import jupyterhub
import pytest
from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PrefixLoader
from tornado.httputil import HTTPHeaders
from tornado.web import RequestHandler, StaticFileHandler

from hub.pages.hub_theme import HUB_TEMPLATES_DIR, STATIC_PATH, static_handlers, template_vars

if TYPE_CHECKING:
    from hub.settings import Settings

PAGES = sorted(path.name for path in HUB_TEMPLATES_DIR.glob("*.html"))


class Handler(RequestHandler):
    """A request, as far as the theme looks at it."""

    def __init__(self, accept: str = "", cookie: str | None = None) -> None:
        self.request = Mock(headers=HTTPHeaders({"Accept-Language": accept}))
        self.cookie = cookie

    def get_cookie(self, name: str, default: str | None = None) -> str | None:
        return self.cookie or default

    def static_url(self, path: str, **_options: object) -> str:
        return f"/hub/static/{path}"


def environment() -> Environment:
    theirs = Path(jupyterhub.__file__).parents[4] / "share" / "jupyterhub" / "templates"
    return Environment(
        loader=ChoiceLoader(
            [
                PrefixLoader({"templates": FileSystemLoader([theirs])}, "/"),
                FileSystemLoader([HUB_TEMPLATES_DIR, theirs]),
            ]
        ),
        autoescape=True,
    )


def page(settings: Settings, name: str, handler: Handler, user: Any = None, **values: Any) -> str:
    namespace = {
        key: value(user) if callable(value) else value
        for key, value in template_vars(settings, {"lea": "nl"}.get).items()
    }
    given = {
        "static_url": handler.static_url, "user": user, "base_url": "/hub/", "prefix": "/", "login_url": "/hub/login",
        "logout_url": "/hub/logout", "authenticator_login_url": "/hub/login?next=", "xsrf": "x", "xsrf_token": "x",
        "authenticator": Mock(request_otp=False), "status_code": 404, "status_message": "Not Found",
        "message": "<b>no</b>", "progress_url": "/p", "spawn_url": "/s", "url": "/u", "default_server": Mock(active=True),
        "login_error": "", "username": "", "failed": False, "no_spawner_check": True,
    }  # fmt: skip
    return environment().get_template(name).render(**given | namespace | values)


@pytest.mark.parametrize("language", ["en", "fr", "nl"])
@pytest.mark.parametrize("name", PAGES)
def test_every_page_of_the_hub_renders_in_every_language(
    name: str, language: str, settings: Settings
) -> None:
    html = page(settings, name, Handler(language))
    assert f'<meta name="atelier-language" content="{language}">' in html
    assert "/hub/atelier-static/css/tokens.css?v=" in html
    assert "dark-theme-toggle" in html  # JupyterHub's own script looks for it
    assert not re.search(r"(?:src|href)=\"https?://(?!atelier)", html)


def test_the_sign_in_page_offers_the_languages_and_keeps_to_the_choice(settings: Settings) -> None:
    html = page(settings, "login.html", Handler("en", cookie="fr"))
    assert "Se connecter" in html
    assert html.count("data-language=") == 3
    assert "Sign in" in page(settings, "login.html", Handler("en", cookie="<script>"))


def test_a_wrong_password_is_said_in_ones_language(settings: Settings) -> None:
    html = page(settings, "login.html", Handler("nl"), login_error="Invalid username or password")
    assert "horen niet bij elkaar" in html
    assert 'role="alert"' in html


def test_the_person_comes_before_the_browser(settings: Settings) -> None:
    user = Mock()
    user.name = "lea"
    user.json_escaped_name = "lea"
    assert "Je werkruimte start" in page(settings, "spawn_pending.html", Handler("fr"), user)


def test_what_the_page_scripts_of_jupyterhub_need_is_there(settings: Settings) -> None:
    pending = page(settings, "spawn_pending.html", Handler())
    for wanted in ("progress-bar", "sr-progress", "progress-message", "progress-log", "progress-details"):
        assert f'id="{wanted}"' in pending
    login = page(settings, "login.html", Handler())
    for wanted in ("username_input", "password_input", "login_submit", "insecure-login-warning"):
        assert f'id="{wanted}"' in login


def test_an_error_page_shows_no_markup_of_a_message(settings: Settings) -> None:
    assert "<b>no</b>" not in page(settings, "error.html", Handler())


def test_the_hub_serves_what_its_pages_load() -> None:
    assert [(path, handler) for path, handler, _ in static_handlers()] == [(STATIC_PATH, StaticFileHandler)]
