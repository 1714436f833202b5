"""Handing in, judging, marking: the use cases over a real database."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import delete

from graders.results import Verdict
from hub.db import now_utc
from hub.errors import (
    ConflictError,
    DeadlinePassedError,
    InvalidSubmissionError,
    NotFoundError,
    TooManyRequestsError,
    UnavailableError,
)
from hub.people.models import Person, Role
from hub.progress.models import Event, EventType
from hub.submissions import service
from hub.submissions.archive import canonical_tar, open_canonical
from hub.submissions.models import Result, State, Submission
from hub.submissions.rules import Mark
from tests.doubles.grading import result_of
from tests.doubles.platform import Platform, answer_notebook

if TYPE_CHECKING:
    from pathlib import Path


def events(platform: Platform, kind: EventType) -> list[Event]:
    with platform.database.reading() as session:
        return list(session.query(Event).where(Event.type == kind).order_by(Event.id))


def test_handing_in_is_stored_recorded_and_queued(platform: Platform, lea: Person) -> None:
    submission = platform.hand_in(lea, **{"mine.txt": b"1", ".env": b"2"})
    assert (submission.attempt, submission.state, submission.late) == (1, State.QUEUED, False)
    assert submission.language == "fr"
    kept = open_canonical(platform.submissions.files(submission.id))
    assert sorted(kept) == ["double.ipynb", "mine.txt"]
    assert platform.submissions.unfinished() == [(submission.id, 1)]
    assert platform.submissions._queue.waiting() == [submission.id]
    (event,) = events(platform, EventType.SUBMITTED)
    assert (event.submission_id, event.payload) == (submission.id, {"attempt": 1, "late": False})


def test_the_same_work_again_is_another_attempt(platform: Platform, lea: Person) -> None:
    first, second = platform.hand_in(lea), platform.hand_in(lea)
    assert first.digest == second.digest
    assert [
        view.submission.attempt for view in platform.submissions.attempts(lea.id, first.assignment_id)
    ] == [1, 2]
    assert platform.submissions.latest(lea.id)[first.assignment_id].submission.id == second.id


def test_attempts_at_once_get_numbers_in_a_row(platform: Platform, lea: Person) -> None:
    with ThreadPoolExecutor(6) as pool:
        handed_in = list(pool.map(lambda _: platform.hand_in(lea), range(6)))
    assert sorted(submission.attempt for submission in handed_in) == [1, 2, 3, 4, 5, 6]
    assert len(platform.submissions._queue.waiting()) == 6


def test_too_many_within_a_minute_are_refused(platform: Platform, lea: Person, max_: Person) -> None:
    for _ in range(platform.settings.submissions_per_minute):
        platform.hand_in(lea)
    with pytest.raises(TooManyRequestsError):
        platform.hand_in(lea)
    platform.hand_in(max_)


def test_only_those_who_take_part_hand_in(platform: Platform, lea: Person, eve: Person) -> None:
    for person, course, slug in ((eve, "data", "double"), (lea, "none", "double"), (lea, "data", "none")):
        with pytest.raises(NotFoundError):
            platform.hand_in(person, course=course, slug=slug)
    platform.courses.withdraw("data", "double")
    with pytest.raises(NotFoundError):
        platform.hand_in(lea)
    assert platform.submissions.unfinished() == []


def test_after_the_deadline_it_is_late_or_refused(platform: Platform, lea: Person) -> None:
    platform.courses.set_deadline("data", "double", now_utc() + timedelta(hours=1))
    assert not platform.hand_in(lea).late
    platform.courses.set_deadline("data", "double", now_utc() - timedelta(seconds=1))
    assert platform.hand_in(lea).late
    platform.publish(late="closed")
    with pytest.raises(DeadlinePassedError):
        platform.hand_in(lea)


def test_a_deadline_that_passes_during_the_upload_counts(
    platform: Platform, lea: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform.publish(late="closed")
    began = now_utc()
    platform.courses.set_deadline("data", "double", began + timedelta(hours=1))
    times = iter([began, began, began, began + timedelta(hours=2), began + timedelta(hours=2)])
    monkeypatch.setattr(service, "now_utc", lambda: next(times))
    with pytest.raises(DeadlinePassedError):
        platform.hand_in(lea)


def test_unusable_work_is_refused_and_leaves_no_trace(platform: Platform, lea: Person) -> None:
    for tar in (
        b"",
        b"x" * 2000,
        canonical_tar({"double.ipynb": b"[]"}),
        canonical_tar({"other.ipynb": b"{}"}),
    ):
        with pytest.raises(InvalidSubmissionError):
            platform.submissions.submit(lea, "data", "double", tar)
    assert platform.submissions.unfinished() == []
    assert events(platform, EventType.SUBMITTED) == []


def test_what_fails_halfway_is_not_accepted(
    platform: Platform, lea: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise UnavailableError("the queue is away")

    with monkeypatch.context() as patch:
        patch.setattr(platform.submissions._queue, "enqueue", refuse)
        with pytest.raises(UnavailableError):
            platform.hand_in(lea)
    with monkeypatch.context() as patch:
        patch.setattr(platform.store, "put", refuse)
        with pytest.raises(UnavailableError):
            platform.hand_in(lea)
    assert platform.submissions.unfinished() == []
    assert platform.submissions._queue.waiting() == []
    assert events(platform, EventType.SUBMITTED) == []
    assert platform.hand_in(lea).attempt == 1


def test_a_job_is_laid_out(platform: Platform, lea: Person, tmp_path: Path) -> None:
    submission = platform.hand_in(lea, **{"given.csv": b"changed"})
    job = platform.submissions.job(submission.id, tmp_path / "job")
    assert (job.course, job.assignment, job.learner, job.language) == ("data", "double", "lea", "fr")
    assert "BEGIN SOLUTION" in (job.source_dir / "double.ipynb").read_text()
    assert (job.submission_dir / "double.ipynb").read_bytes() == answer_notebook()
    assert (job.submission_dir / "given.csv").read_bytes() == b"changed"
    assert job.version == platform.courses.version(submission.version_id).source_digest


def test_a_result_counts_once(platform: Platform, lea: Person) -> None:
    id_ = platform.hand_in(lea).id
    assert platform.submissions.start_grading(id_, 1)
    assert platform.submissions.get(id_).state == State.GRADING
    for score in (2.0, 0.0):
        platform.submissions.record_result(id_, result_of(score), 1)
    platform.submissions.record_failure(id_, "too late", 1)
    assert not platform.submissions.start_grading(id_, 1)
    view = platform.submissions.view(id_)
    assert view.submission.state == State.GRADED
    assert view.result is not None
    assert (view.result.score, view.result.max_score, view.result.needs_manual_grade) == (2.0, 5.0, True)
    assert view.released
    assert platform.submissions.feedback(id_) == {"double.html": b"<p>well done</p>"}
    assert platform.submissions.feedback_names(id_) == ["double.html"]
    assert open_canonical(platform.submissions.autograded(id_)) == {"double.ipynb": b"{}"}
    (event,) = events(platform, EventType.GRADED)
    assert event.payload == {"score": 2.0, "max_score": 5.0, "verdict": "graded", "attempt": 1, "run": 1}


def test_a_failure_counts_once_and_a_late_result_changes_nothing(platform: Platform, lea: Person) -> None:
    id_ = platform.hand_in(lea).id
    platform.submissions.record_failure(id_, "the sandbox died", 1)
    platform.submissions.record_failure(id_, "again", 1)
    platform.submissions.record_result(id_, result_of(), 1)
    view = platform.submissions.view(id_)
    assert (view.submission.state, view.submission.failure, view.result) == (
        State.FAILED,
        "the sandbox died",
        None,
    )
    assert len(events(platform, EventType.GRADING_FAILED)) == 1
    assert "sandbox" not in str(events(platform, EventType.GRADING_FAILED)[0].payload)
    assert platform.submissions.unfinished() == []


def test_a_regrade_keeps_the_old_judgement_until_the_new_one(platform: Platform, lea: Person) -> None:
    id_ = platform.hand_in(lea).id
    platform.submissions.record_result(id_, result_of(0.0), 1)
    newer = platform.publish(level=2)
    assert platform.submissions.regrade([id_, id_], by=None) == [id_]
    assert platform.submissions.regrade([id_], by=None) == []
    assert platform.submissions.get(id_).version_id == newer.id
    assert platform.submissions.view(id_).result is not None
    assert platform.submissions.unfinished() == [(id_, 2)]
    platform.submissions.record_result(id_, result_of(1.0), 1)  # the first run's, late
    platform.submissions.record_failure(id_, "no", 2)
    view = platform.submissions.view(id_)
    assert (view.submission.state, view.result.score if view.result else None) == (State.FAILED, 0.0)
    platform.submissions.regrade([id_], by=None)
    platform.submissions.record_result(id_, result_of(2.0), 3)
    view = platform.submissions.view(id_)
    assert (view.submission.state, view.submission.failure) == (State.GRADED, None)
    assert view.result is not None
    assert (view.result.score, view.result.run) == (2.0, 3)
    with platform.database.reading() as session:
        assert sorted(result.run for result in session.query(Result)) == [1, 3]


def test_regrading_something_unknown_queues_nothing(platform: Platform, lea: Person) -> None:
    id_ = platform.hand_in(lea).id
    platform.submissions.record_result(id_, result_of(), 1)
    with pytest.raises(NotFoundError):
        platform.submissions.regrade([id_, "unknown"], by=None)
    assert platform.submissions.get(id_).state == State.GRADED


def test_feedback_that_is_kept_back_waits_for_the_trainer(
    platform: Platform, lea: Person, max_: Person
) -> None:
    platform.publish(feedback="manual")
    ids = [platform.hand_in(person).id for person in (lea, max_)]
    for id_ in ids:
        platform.submissions.record_result(id_, result_of(), 1)
    assert not any(platform.submissions.view(id_).released for id_ in ids)
    place = platform.courses.assignment("data", "double").assignment.id
    assert platform.submissions.release_feedback(place, lea.id) == 1
    assert [platform.submissions.view(id_).released for id_ in ids] == [True, False]
    assert platform.submissions.release_feedback(place) == 1
    assert platform.submissions.release_feedback(place) == 0
    platform.submissions.regrade([ids[0]], by=None)
    platform.submissions.record_result(ids[0], result_of(1.0), 2)
    assert platform.submissions.view(ids[0]).released  # what was shown once stays shown


def test_results_without_feedback_or_notebooks(platform: Platform, lea: Person) -> None:
    id_ = platform.hand_in(lea).id
    with pytest.raises(ConflictError) as refusal:
        platform.submissions.autograded(id_)
    assert refusal.value.reason == "not_graded"
    bare = dataclasses.replace(
        result_of(verdict=Verdict.INVALID_SUBMISSION), notebooks=(), feedback={}, autograded={}
    )
    platform.submissions.record_result(id_, bare, 1)
    with pytest.raises(NotFoundError):
        platform.submissions.feedback(id_)
    assert platform.submissions.feedback_names(id_) == []


def test_a_submission_that_was_erased_meanwhile(platform: Platform, lea: Person, tmp_path: Path) -> None:
    id_ = platform.hand_in(lea).id
    with platform.database.transaction() as session:
        session.execute(delete(Submission))
    assert not platform.submissions.start_grading(id_, 1)
    platform.submissions.record_result(id_, result_of(), 1)
    platform.submissions.record_failure(id_, "gone", 1)
    with pytest.raises(NotFoundError):
        platform.submissions.job(id_, tmp_path)


# --- marks by hand ---


@pytest.fixture
def trainer(platform: Platform) -> Person:
    return platform.person("tom", Role.TRAINER, courses=["data"])


def mark(id_: str, grade_id: str = "essay", seen_ago_s: float = 0, **given: object) -> Mark:
    seen = now_utc() - timedelta(seconds=seen_ago_s)
    return Mark(id_, "double", grade_id, seen, frozenset(given), **given)  # type: ignore[arg-type]


def test_marks_count_before_automatic_scores_and_survive_a_regrade(
    platform: Platform, lea: Person, trainer: Person
) -> None:
    id_ = platform.hand_in(lea).id
    platform.submissions.record_result(id_, result_of(2.0), 1)
    course = platform.courses.by_slug("data").id
    platform.submissions.give_marks(
        course, [mark(id_, score=2.5, comment="good"), mark(id_, "double-check", score=0.0)], trainer.id
    )
    score = platform.submissions.effective_score(platform.submissions.view(id_))
    assert score is not None
    assert (score.score, score.max_score, score.complete, score.by_hand) == (2.5, 5.0, True, True)
    assert events(platform, EventType.MARKED)[0].payload["score"] == 2.5
    platform.submissions.regrade([id_], by=None)
    platform.submissions.record_result(id_, result_of(2.0), 2)
    assert events(platform, EventType.GRADED)[-1].payload["score"] == 2.5
    assert {(row.grade_id, row.score, row.comment) for row in platform.submissions.marks(id_)} == {
        ("essay", 2.5, "good"),
        ("double-check", 0.0, None),
    }


def test_an_absent_field_stays_and_null_clears(platform: Platform, lea: Person, trainer: Person) -> None:
    id_, course = platform.hand_in(lea).id, platform.courses.by_slug("data").id
    platform.submissions.give_marks(course, [mark(id_, score=1.0, comment="a", extra_credit=1.0)], trainer.id)
    platform.submissions.give_marks(course, [mark(id_, comment="b")], trainer.id)
    (row,) = platform.submissions.give_marks(course, [mark(id_, score=None)], trainer.id)
    assert (row.score, row.comment, row.extra_credit) == (None, "b", 1.0)


def test_a_newer_mark_is_never_overwritten(platform: Platform, lea: Person, trainer: Person) -> None:
    id_, course = platform.hand_in(lea).id, platform.courses.by_slug("data").id
    platform.submissions.give_marks(course, [mark(id_, score=3.0)], trainer.id)
    with pytest.raises(ConflictError) as refusal:
        platform.submissions.give_marks(
            course, [mark(id_, "double-check", score=1.0), mark(id_, seen_ago_s=60, score=0.0)], trainer.id
        )
    assert refusal.value.reason == "newer_mark"
    assert [(row.grade_id, row.score) for row in platform.submissions.marks(id_)] == [("essay", 3.0)]


def test_marks_are_for_the_trainers_own_course(platform: Platform, lea: Person, trainer: Person) -> None:
    id_ = platform.hand_in(lea).id
    platform.publish(course="web")
    with pytest.raises(NotFoundError):
        platform.submissions.give_marks(
            platform.courses.by_slug("web").id, [mark(id_, score=1.0)], trainer.id
        )
    with pytest.raises(NotFoundError):
        platform.submissions.give_marks(
            platform.courses.by_slug("data").id, [mark("x", score=1.0)], trainer.id
        )


def test_who_sees_a_submission(platform: Platform, lea: Person, max_: Person, trainer: Person) -> None:
    id_ = platform.hand_in(lea).id
    mentor, stranger = platform.person("mia", Role.MENTOR), platform.person("moe", Role.MENTOR)
    other = platform.person("tim", Role.TRAINER, courses=[])
    admin = platform.person("ada", Role.ADMIN)
    platform.people.assign_mentor("mia", "lea")
    for person in (lea, trainer, mentor, admin):
        assert platform.submissions.visible(person.id, Role(person.role), id_)[0].submission.id == id_
    for person in (max_, stranger, other):
        with pytest.raises(NotFoundError):
            platform.submissions.visible(person.id, Role(person.role), id_)
    for person in (lea, mentor, max_, other):
        with pytest.raises(NotFoundError):
            platform.submissions.managed(person.id, Role(person.role), id_)
