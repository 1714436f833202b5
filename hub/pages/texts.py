"""The platform's words in a person's language: translations, dates, times, durations, numbers.

Called by the pages, by error answers and by whoever writes a sentence to a person. The catalogues are the .po files
in locale/, read once a process: there is no build step. English is the source. Knows nothing of HTTP or templates.
"""

from __future__ import annotations

import io
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from babel import Locale, dates, numbers
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

from hub.settings import LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Mapping

LOCALE_DIR = Path(__file__).resolve().parent / "locale"
DOMAIN = "messages"
MINUTE_S = 60
TIME_ZONE = ZoneInfo("Europe/Brussels")
# Belgian forms of dates and numbers; English readers here get day before month.
_LOCALES = {"en": "en_GB", "fr": "fr_BE", "nl": "nl_BE"}
LANGUAGE_NAMES = {"en": "English", "fr": "Français", "nl": "Nederlands"}


def po_file(language: str) -> Path:
    """Return where the translations into `language` are kept."""
    return LOCALE_DIR / language / "LC_MESSAGES" / f"{DOMAIN}.po"


@lru_cache(maxsize=len(LANGUAGES))
def catalogue(language: str) -> NullTranslations:
    """Return the translations into `language`; English is the source and needs none."""
    if language == "en" or language not in LANGUAGES:
        return NullTranslations()
    compiled = io.BytesIO()
    with po_file(language).open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return Translations(compiled)


def best_language(accept_language: str) -> str:
    """Return the platform's language that an Accept-Language header asks for first, or English."""
    wanted: list[tuple[float, str]] = []
    for part in accept_language[:500].split(","):
        tag, _, quality = part.strip().partition(";q=")
        try:
            wanted.append((float(quality or 1), tag.lower().split("-")[0]))
        except ValueError:
            continue
    known = [(weight, tag) for weight, tag in wanted if tag in LANGUAGES and weight > 0]
    return max(known, key=lambda pair: pair[0])[1] if known else "en"


class Texts:
    """Words, dates and numbers in one language.

    `gettext` and `ngettext` are also the names by which hub/pages/translations.py finds the texts in Python files.
    """

    def __init__(self, language: str, zone: tzinfo = TIME_ZONE) -> None:
        self.language = language if language in LANGUAGES else "en"
        self.zone = zone
        self._locale = Locale.parse(_LOCALES[self.language])
        self._catalogue = catalogue(self.language)

    def gettext(self, message: str, **values: object) -> str:
        """Return `message` in the language, its `%(name)s` places filled in."""
        return _fill(self._catalogue.gettext(message), values)

    def ngettext(self, one: str, many: str, count: int, **values: object) -> str:
        """Return the form that fits `count`, which also fills `%(num)s`."""
        return _fill(self._catalogue.ngettext(one, many, count), {"num": count, **values})

    def of(self, texts: Mapping[str, Any] | None, fallback: str = "") -> str:
        """Return the entry of a {language: text} mapping for this language, else the English one, else `fallback`."""
        texts = texts or {}
        return str(texts.get(self.language) or texts.get("en") or fallback)

    def number(self, value: float) -> str:
        """Return a score or a count, with at most two decimals."""
        return str(numbers.format_decimal(round(value, 2), format="#,##0.##", locale=self._locale))

    def percent(self, fraction: float) -> str:
        """Return a share as a whole percentage."""
        return str(numbers.format_percent(fraction, locale=self._locale))

    def day(self, at: datetime) -> str:
        """Return a date such as `Monday 23 November`."""
        skeleton = "EEEE d MMMM" if at.year == datetime.now(UTC).year else "EEEE d MMMM y"
        return str(dates.format_date(at.astimezone(self.zone).date(), skeleton, locale=self._locale))

    def short_day(self, at: datetime) -> str:
        """Return a date such as `23 Nov`."""
        return str(dates.format_date(at.astimezone(self.zone).date(), "d MMM", locale=self._locale))

    def clock(self, at: datetime) -> str:
        """Return a time such as `14:05`."""
        return str(dates.format_time(at, "HH:mm", tzinfo=self.zone, locale=self._locale))

    def moment(self, at: datetime) -> str:
        """Return a date and a time such as `23 Nov, 14:05`."""
        return f"{self.short_day(at)}, {self.clock(at)}"

    def ago(self, at: datetime, now: datetime | None = None) -> str:
        """Return how long ago `at` was, such as `3 days ago`; under a minute is `just now`."""
        delta = at - (now or datetime.now(UTC))
        if abs(delta.total_seconds()) < MINUTE_S:
            return self.gettext("just now")
        return str(dates.format_timedelta(delta, add_direction=True, locale=self._locale))


@lru_cache(maxsize=len(LANGUAGES))
def texts(language: str) -> Texts:
    """Return the shared Texts of a language."""
    return Texts(language)


def _fill(message: str, values: Mapping[str, object]) -> str:
    return message % values if values else message
