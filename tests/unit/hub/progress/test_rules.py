"""Who stands first in a mentor's list, and by which rule."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from hub.pages.texts import Texts
from hub.progress.reasons import sentence
from hub.progress.rules import Reason, Rule, Urgency, reasons_for
from hub.progress.standing import Attempt, LearnerStanding, Standing

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)


def learner(
    *,
    enrolled_days: int = 30,
    silent_days: int | None = 0,
    scores: tuple[float, ...] = (10,),
    active: int = 4,
) -> LearnerStanding:
    attempts = tuple(
        Attempt(str(number), 1, NOW - timedelta(days=20 - number), NOW, score, 10.0)
        for number, score in enumerate(scores)
    )
    last = None if silent_days is None else NOW - timedelta(days=silent_days)
    days: dict[date, int] = {}
    if last is not None:
        days = {(last - timedelta(days=back)).date(): 2 for back in range(active)}
    return LearnerStanding(
        1, {1: Standing(1, attempts)} if attempts else {}, days, NOW - timedelta(days=enrolled_days), last
    )


def first(standing: LearnerStanding, exercises: tuple[int, ...] = (1, 2)) -> Reason:
    return reasons_for(standing, exercises, NOW, UTC)[0]


@pytest.mark.parametrize(
    ("standing", "rule", "urgency"),
    [
        (learner(scores=(), silent_days=None), Rule.NEVER_STARTED, Urgency.NOW),
        (learner(scores=(), silent_days=1), Rule.NEVER_STARTED, Urgency.NOW),  # opened, never handed in
        (learner(scores=(), silent_days=None, enrolled_days=1), Rule.JUST_ENROLLED, Urgency.FINE),
        (learner(scores=(1, 2, 3, 4)), Rule.STUCK, Urgency.NOW),
        (learner(scores=(1, 2, 3)), Rule.MOVING, Urgency.FINE),
        (learner(scores=(1, 2, 3, 9)), Rule.MOVING, Urgency.FINE),
        (learner(silent_days=4), Rule.MOVING, Urgency.FINE),
        (learner(silent_days=5), Rule.SILENT, Urgency.WATCH),
        (learner(silent_days=10), Rule.SILENT, Urgency.NOW),
    ],
)
def test_the_rules(standing: LearnerStanding, rule: Rule, urgency: Urgency) -> None:
    reason = first(standing)
    assert (reason.rule, reason.urgency) == (rule, urgency)


def test_who_has_finished_may_be_silent() -> None:
    assert first(learner(silent_days=30), (1,)).rule is Rule.FINISHED


def test_nobody_knows_since_when_is_a_reason_to_look() -> None:
    unknown = LearnerStanding(1)
    assert first(unknown).rule is Rule.NEVER_STARTED
    assert sentence(first(unknown), Texts("en")) == "Has not handed in anything yet."


def test_never_started_stands_before_stuck_and_stuck_before_silent() -> None:
    never = first(learner(scores=(), silent_days=None))
    stuck = first(learner(scores=(1, 2, 3, 4)))
    silent = first(learner(silent_days=12))
    assert never.weight > stuck.weight > silent.weight


def test_silence_tells_the_rhythm_before() -> None:
    reason = first(learner(silent_days=9))
    assert sentence(reason, Texts("en")) == "No activity for 9 days. Before that: active about 4 days a week."
    assert (
        sentence(reason, Texts("nl"))
        == "Al 9 dagen geen activiteit. Daarvoor: actief ongeveer 4 dagen per week."
    )


@pytest.mark.parametrize("language", ["en", "fr", "nl"])
@pytest.mark.parametrize("rule", list(Rule))
def test_every_rule_has_a_sentence(rule: Rule, language: str) -> None:
    text = sentence(Reason(rule, Urgency.NOW, days=3, count=4, rhythm=2.0), Texts(language), "Clean a table")
    assert text.endswith((".", "?"))
    assert "%(" not in text
