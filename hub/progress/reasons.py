"""The sentence behind each rule, in the reader's language. Called by the mentor's page and by reports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.progress.rules import Reason, Rule

if TYPE_CHECKING:
    from hub.pages.texts import Texts


def sentence(reason: Reason, words: Texts, title: str = "") -> str:  # noqa: PLR0911 - one for each rule
    """Return why, in one sentence.

    Args:
        reason: the rule and what it saw.
        words: the reader's language.
        title: of the exercise that the reason speaks of, where it speaks of one.
    """
    match reason.rule:
        case Rule.NEVER_STARTED:
            return _never_started(reason, words)
        case Rule.STUCK:
            return words.ngettext(
                "Stuck on “%(title)s”: %(num)s attempt, not there yet.",
                "Stuck on “%(title)s”: %(num)s attempts, not there yet.",
                reason.count,
                title=title,
            )
        case Rule.SILENT:
            return _silent(reason, words)
        case Rule.SET_ASIDE:
            return words.gettext(
                "The platform could not grade “%(title)s”. This is not the learner's fault; a trainer has been told.",
                title=title,
            )
        case Rule.JUST_ENROLLED:
            return words.gettext("Just enrolled. Nothing handed in yet, and that is normal.")
        case Rule.FINISHED:
            return words.gettext("Everything is done. Time for a new goal?")
        case Rule.MOVING:
            return words.ngettext(
                "Moving on: active on %(num)s of the last 7 days.",
                "Moving on: active on %(num)s of the last 7 days.",
                reason.count,
            )


def _never_started(reason: Reason, words: Texts) -> str:
    if not reason.days:
        return words.gettext("Has not handed in anything yet.")
    return words.ngettext(
        "Enrolled %(num)s day ago and has not handed in anything yet.",
        "Enrolled %(num)s days ago and has not handed in anything yet.",
        reason.days,
    )


def _silent(reason: Reason, words: Texts) -> str:
    first = words.ngettext("No activity for %(num)s day.", "No activity for %(num)s days.", reason.days)
    rhythm = round(reason.rhythm)
    if rhythm < 1:
        return first
    second = words.ngettext(
        "Before that: active about %(num)s day a week.",
        "Before that: active about %(num)s days a week.",
        rhythm,
    )
    return f"{first} {second}"
