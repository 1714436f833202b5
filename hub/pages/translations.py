"""Finds every text of the platform and keeps the .po files in step: `python -m hub.pages.translations`.

For developers and for the test that proves fr and nl complete. Texts are found in the templates, in calls of
`gettext`/`ngettext` and as the first argument of every error in hub/errors.py.
"""

from __future__ import annotations

import inspect
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from hub import errors
from hub.pages.texts import po_file

if TYPE_CHECKING:
    from collections.abc import Iterator

HUB_DIR = Path(__file__).resolve().parent.parent
TRANSLATED = ("fr", "nl")
NOT_TEXTS = frozenset({"message"})  # a key, in a call that hands on an error built elsewhere
HEADER = """\
# The platform's texts. Kept by `python -m hub.pages.translations`; the words to use are in docs/glossary.md.
"""
FIRST_DAY = datetime(2026, 1, 1, tzinfo=UTC)
_METHODS = [
    ("pages/templates/**.html", "jinja2"),
    ("migrations/**.py", "ignore"),
    ("deploy/**.py", "ignore"),  # operators read these, on the command line and in English
    ("cli.py", "ignore"),
    ("pages/screenshots.py", "ignore"),
    ("**.py", "python"),
]
_OPTIONS = {"pages/templates/**.html": {"trimmed": "true", "extensions": "jinja2.ext.i18n"}}


def _keywords() -> dict[str, tuple[int, ...] | None]:
    raised = {
        name: None
        for name, value in inspect.getmembers(errors, inspect.isclass)
        if issubclass(value, errors.AtelierError)
    }
    return {"_": None, "gettext": None, "N_": None, "ngettext": (1, 2), "SignInRequiredError": None, **raised}


def extract() -> Catalog:
    """Return a catalogue of every text in hub/, with where it stands."""
    found = Catalog(project="Atelier", charset="utf-8")
    for file, line, message, comments, context in extract_from_dir(
        HUB_DIR, _METHODS, _OPTIONS, keywords=_keywords(), comment_tags=("Translators:",)
    ):
        if message and message not in NOT_TEXTS:
            found.add(message, None, [(f"hub/{file}", line)], auto_comments=comments, context=context)
    return found


def load(language: str) -> Catalog:
    """Return the kept translations into `language`."""
    file = po_file(language)
    if not file.is_file():
        return Catalog(locale=language, project="Atelier", charset="utf-8")
    with file.open("rb") as stream:
        return read_po(stream, locale=language)


def problems(language: str) -> Iterator[str]:
    """Yield what is missing, fuzzy, left over or broken in the translations into `language`."""
    kept = load(language)
    wanted = extract()
    for message in wanted:
        if not message.id:
            continue
        translated = kept.get(message.id)
        forms = translated.string if translated else ""
        strings = forms if isinstance(forms, (list, tuple)) else (forms,)
        if translated is None or not all(strings):
            yield f"missing: {message.id!r}"
        elif translated.fuzzy:
            yield f"fuzzy: {message.id!r}"
        else:
            yield from (f"{error}: {message.id!r}" for error in translated.check(kept))
    yield from (
        f"left over: {message.id!r}" for message in kept if message.id and wanted.get(message.id) is None
    )


def update() -> None:
    """Bring the .po files in step with the texts; new ones are added empty, gone ones are dropped."""
    wanted = extract()
    for language in TRANSLATED:
        kept = load(language)
        kept.update(wanted, no_fuzzy_matching=True)
        kept.obsolete.clear()
        kept.header_comment = HEADER
        kept.creation_date = kept.revision_date = (
            FIRST_DAY  # no change in the file without a change in the texts
        )
        kept.fuzzy = False
        kept.project, kept.version, kept.last_translator = "Atelier", "0", "Atelier"
        kept.msgid_bugs_address = kept.language_team = "Atelier"
        po_file(language).parent.mkdir(parents=True, exist_ok=True)
        with po_file(language).open("wb") as stream:
            write_po(stream, kept, width=110, sort_output=True, include_lineno=False)


if __name__ == "__main__":
    update()
    found = [f"{language}: {problem}" for language in TRANSLATED for problem in problems(language)]
    sys.stdout.write("\n".join(found) + ("\n" if found else ""))
    sys.exit(1 if found else 0)
