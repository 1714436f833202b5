"""Every sentence exists in every language, with the same places to fill."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import hub.exchange
from hub.exchange.language import SENTENCES, say

PLACE = re.compile(r"%\((\w+)\)s")


@pytest.mark.parametrize("key", sorted(SENTENCES))
def test_complete(key: str) -> None:
    texts = SENTENCES[key]
    assert all(text.strip() for text in texts)
    assert len({frozenset(PLACE.findall(text)) for text in texts}) == 1
    assert all("%" not in PLACE.sub("", text) for text in texts)


def test_every_sentence_is_used_and_every_used_one_exists() -> None:
    folder = Path(hub.exchange.__path__[0])
    text = "\n".join(p.read_text() for p in folder.rglob("*") if p.suffix in (".py", ".html", ".tpl"))
    used = set(re.findall(r"\bsay\(\s*\"(\w+)\"", text)) | {"deadline_passed", "newer_mark"}
    assert used == set(SENTENCES)


def test_language_of_the_container(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATELIER_LANGUAGE", "fr")
    assert say("back") == "Retour à la plateforme"
    monkeypatch.setenv("ATELIER_LANGUAGE", "de")
    assert say("back") == "Back to the platform"
    assert say("back", "nl") == "Terug naar het platform"


def test_client_imports_nothing_else_of_hub() -> None:
    for path in Path(hub.exchange.__path__[0]).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("hub"):
                assert node.module.startswith("hub.exchange"), path  # type: ignore[union-attr]
