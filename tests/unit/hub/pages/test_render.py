"""Templates escape, show what hides, and carry nothing that our content security policy would refuse."""

from __future__ import annotations

import re

import pytest

from hub.pages.render import STATIC_DIR, TEMPLATES_DIR, environment, static_url, translate, visible

TEMPLATES = sorted(path.relative_to(TEMPLATES_DIR).as_posix() for path in TEMPLATES_DIR.rglob("*.html"))
OURS = [name for name in TEMPLATES if not name.startswith("jupyterhub/")]


@pytest.mark.parametrize("name", OURS)
def test_every_template_parses(name: str) -> None:
    environment("fr").get_template(name)


@pytest.mark.parametrize("name", OURS)
def test_no_inline_script_style_or_outside_address(name: str) -> None:
    source = (TEMPLATES_DIR / name).read_text()
    assert not re.search(r"<script(?![^>]*\bsrc=)", source)
    assert not re.search(r"\bstyle=|\bon[a-z]+=\"|javascript:|hx-on", source)
    assert not re.search(r"(?:src|href|action)=[\"']https?:", source)
    assert "|safe" not in source.replace("' | safe", "")  # only fixed strings of ours are marked safe


@pytest.mark.parametrize("name", OURS)
def test_every_form_that_changes_something_carries_the_token(name: str) -> None:
    source = (TEMPLATES_DIR / name).read_text()
    for form in re.findall(r"<form method=\"post\".*?</form>", source, re.DOTALL):
        assert "csrf_field(csrf)" in form


def test_values_are_escaped() -> None:
    template = environment("en").from_string("{{ _('Hello, %(name)s', name=name) }}{{ name }}")
    assert "<b>" not in template.render(name="<b>x</b>")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\u202egnp.exe", "a\\u202egnp.exe"),
        ("a\u200bb", "a\\u200bb"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("line\r\nnext\ttab", "line\nnext\ttab"),
        ("100\rwrong", "100\\u000dwrong"),
        ("Ünïcode ✓ é", "Ünïcode ✓ é"),
    ],
)
def test_what_hides_is_shown(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_an_error_message_keeps_numbers_as_numbers() -> None:
    text = translate("fr", "A password has at least %(min)d characters.", min=10)
    assert text == "Un mot de passe a au moins 10 caractères."


def test_static_addresses_change_with_the_content() -> None:
    assert re.fullmatch(r"/p/static/css/atelier\.css\?v=[0-9a-f]{12}", static_url("/p/", "css/atelier.css"))
    for sheet in (STATIC_DIR / "css").glob("*.css"):
        assert not re.search(r"url\(\s*[\"']?https?:|@import", sheet.read_text())
