"""Use cases of people: finding, making, signing in, following. The only door to the tables of people.

Called by the sign-in (hub/deploy/authenticator.py), the service's borders and the other features. Knows
nothing of HTTP, JupyterHub or containers.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, or_, select
from sqlalchemy.exc import IntegrityError

from hub.db import Database, now_utc
from hub.errors import ConflictError, InvalidInputError, NotFoundError, TooManyRequestsError
from hub.people import rules
from hub.people.models import FailedSignIn, Mentorship, Person, Role
from hub.people.password import Passwords

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from hub.settings import Settings


class People:
    """Who is on the platform. Every method opens its own transaction."""

    def __init__(self, database: Database, settings: Settings, passwords: Passwords | None = None) -> None:
        self._database = database
        self._settings = settings
        self._passwords = passwords or Passwords()

    # --- finding
    # ------------------------------------------------------------------------------------------------------

    def get(self, person_id: int) -> Person:
        """Return the person with this id.

        Raises:
            NotFoundError: there is none.
        """
        with self._database.reading() as session:
            return _present(session.get(Person, person_id))

    def by_name(self, name: str) -> Person:
        """Return the person with this name.

        Raises:
            NotFoundError: there is none.
        """
        return _present(self.find(name))

    def find(self, name: str) -> Person | None:
        """Return the person with this name, active or not, or None."""
        with self._database.reading() as session:
            return _by_name(session, rules.normalise_name(name))

    def everyone(self) -> list[Person]:
        """Return all people by name, inactive ones included."""
        with self._database.reading() as session:
            return list(session.scalars(select(Person).order_by(Person.name)))

    def learners_of(self, mentor_id: int) -> list[Person]:
        """Return the learners that this mentor follows, by display name."""
        return self._joined(Mentorship.learner_id, Mentorship.mentor_id, mentor_id)

    def mentors_of(self, learner_id: int) -> list[Person]:
        """Return the mentors who follow this learner, by display name."""
        return self._joined(Mentorship.mentor_id, Mentorship.learner_id, learner_id)

    def is_mentor_of(self, mentor_id: int, learner_id: int) -> bool:
        """Say whether this mentor follows this learner."""
        with self._database.reading() as session:
            return session.get(Mentorship, (mentor_id, learner_id)) is not None

    # --- signing in
    # ---------------------------------------------------------------------------------------------------

    def verify_password(self, name: str, password: str, address: str) -> Person | None:
        """Return the active person whose password this is, or None; as slow for a name that nobody has.

        An attempt is counted before the password is looked at, so that many attempts at once count as many.

        Args:
            name: as typed.
            password: as typed.
            address: where the attempt comes from, for the throttle.

        Raises:
            TooManyRequestsError: too many failures for this name or from this address within the window.
        """
        name = rules.normalise_name(name)[: rules.NAME_MAX]
        attempt_id, stored = self._begin_attempt(name, address)
        check = self._passwords.check(password, stored)
        if not check.right:
            return None
        with self._database.transaction() as session:
            person = _by_name(session, name)
            if person is None or not person.active or person.password_hash != stored:
                return None  # deactivated, or given another password, while we were hashing
            if check.new_hash:
                person.password_hash = check.new_hash
            session.execute(
                delete(FailedSignIn).where(or_(FailedSignIn.id == attempt_id, FailedSignIn.name == name))
            )
            return person

    def _begin_attempt(self, name: str, address: str) -> tuple[int, str | None]:
        """Count an attempt; return its id and the hash to check against (None: no such active person)."""
        now = now_utc()
        window = timedelta(seconds=self._settings.sign_in_window)
        with self._database.transaction() as session:
            session.execute(delete(FailedSignIn).where(FailedSignIn.at < now - window))
            self._check_throttle(session, name, address, now, window)
            attempt = FailedSignIn(name=name, address=address[:64], at=now)
            session.add(attempt)
            session.flush()
            person = _by_name(session, name)
            return attempt.id, person.password_hash if person is not None and person.active else None

    def _check_throttle(
        self, session: Session, name: str, address: str, now: datetime, window: timedelta
    ) -> None:
        limits = (
            (FailedSignIn.name == name, self._settings.sign_in_max_failures),
            (FailedSignIn.address == address[:64], self._settings.sign_in_max_failures_per_address),
        )
        for which, limit in limits:
            count, newest = session.execute(
                select(func.count(), func.max(FailedSignIn.at)).where(which)
            ).one()
            if count >= limit:
                wait = newest + window - now
                raise TooManyRequestsError(
                    "Too many failed sign-ins. Please wait %(minutes)d minutes and try again.",
                    reason="sign_in_throttled",
                    minutes=max(1, -(-int(wait.total_seconds()) // 60)),
                )

    # --- making and changing
    # ------------------------------------------------------------------------------------------

    def create(
        self, name: str, display_name: str, role: Role | str, language: str, password: str | None
    ) -> Person:
        """Add a person. Without a password they can't sign in until one is set.

        Raises:
            InvalidInputError: a field is not acceptable; the message says which and why.
            ConflictError: the name is taken, or could be mistaken for somebody's.
        """
        name = rules.normalise_name(name)
        rules.check_name(name)
        rules.check_language(language)
        if password is not None:
            rules.check_password(password, name)
        person = Person(
            name=name,
            display_name=rules.check_display_name(display_name),
            role=rules.parse_role(role),
            language=language,
            password_hash=self._passwords.hash(password) if password is not None else None,
        )
        try:
            with self._database.transaction() as session:
                _check_not_mistakable(session, name)
                session.add(person)
                session.flush()
        except IntegrityError as error:
            raise _taken(name) from error
        return person

    def change(self, person_id: int, display_name: str, role: Role | str, language: str) -> None:
        """Change a person's display name, role and language; who follows whom ends where the new role forbids it.

        Raises:
            InvalidInputError: a field is not acceptable; the message says which and why.
            ConflictError: this would leave the platform without an active admin.
        """
        display_name = rules.check_display_name(display_name)
        rules.check_language(language)
        wanted = rules.parse_role(role)
        with self._database.transaction() as session:
            person = _present(session.get(Person, person_id))
            if person.role != wanted:
                if person.role == Role.ADMIN and person.active:
                    _check_another_admin(session, person_id)
                session.execute(
                    delete(Mentorship).where(
                        or_(Mentorship.mentor_id == person_id, Mentorship.learner_id == person_id)
                    )
                )
            person.display_name, person.role, person.language = display_name, wanted, language

    def set_language(self, person_id: int, language: str) -> None:
        """Change the language of a person's pages."""
        rules.check_language(language)
        with self._database.transaction() as session:
            _present(session.get(Person, person_id)).language = language

    def set_password(self, person_id: int, password: str) -> None:
        """Give a person a new password and forget their failed attempts."""
        person = self.get(person_id)
        rules.check_password(password, person.name)
        hashed = self._passwords.hash(password)
        with self._database.transaction() as session:
            _present(session.get(Person, person_id)).password_hash = hashed
            session.execute(delete(FailedSignIn).where(FailedSignIn.name == person.name))

    def set_active(self, person_id: int, active: bool) -> None:  # noqa: FBT001 - the callers' contract
        """Let a person in, or shut them out: their sessions end within half a minute, their work stays.

        Raises:
            ConflictError: this would shut out the last active admin.
        """
        with self._database.transaction() as session:
            person = _present(session.get(Person, person_id))
            if not active and person.active and person.role == Role.ADMIN:
                _check_another_admin(session, person_id)
            person.active = active

    def assign_mentor(self, mentor_name: str, learner_name: str) -> None:
        """Let a mentor follow a learner. Repeatable.

        Raises:
            NotFoundError: one of the two does not exist.
            InvalidInputError: their roles do not fit.
        """
        with self._database.transaction() as session:
            mentor, learner = (
                _present(_by_name(session, rules.normalise_name(name)))
                for name in (mentor_name, learner_name)
            )
            if mentor.role != Role.MENTOR or learner.role != Role.LEARNER:
                raise InvalidInputError("A mentor follows a learner.", reason="invalid_role")
            if session.get(Mentorship, (mentor.id, learner.id)) is None:
                session.add(Mentorship(mentor_id=mentor.id, learner_id=learner.id))

    def unassign_mentor(self, mentor_name: str, learner_name: str) -> None:
        """End it. Repeatable."""
        mentor, learner = self.by_name(mentor_name), self.by_name(learner_name)
        with self._database.transaction() as session:
            session.execute(
                delete(Mentorship).where(
                    Mentorship.mentor_id == mentor.id, Mentorship.learner_id == learner.id
                )
            )

    def _joined(self, wanted: object, given: object, person_id: int) -> list[Person]:
        with self._database.reading() as session:
            query = select(Person).join(Mentorship, Person.id == wanted).where(given == person_id)  # type: ignore[arg-type]
            return list(session.scalars(query.order_by(Person.display_name, Person.name)))


def _by_name(session: Session, name: str) -> Person | None:
    return session.scalars(select(Person).where(Person.name == name)).one_or_none()


def _present(person: Person | None) -> Person:
    if person is None:
        raise NotFoundError("There is no such person.", reason="person_not_found")
    return person


def _taken(name: str) -> ConflictError:
    return ConflictError("The name “%(name)s” is taken.", reason="name_taken", name=name)


def _check_not_mistakable(session: Session, name: str) -> None:
    mine = rules.skeleton(name)
    for other in session.scalars(select(Person.name)):
        if other == name:
            raise _taken(name)
        if rules.skeleton(other) == mine:
            raise ConflictError(
                "The name “%(name)s” looks like “%(other)s”. Choose one that nobody can mistake.",
                reason="name_mistakable",
                name=name,
                other=other,
            )


def _check_another_admin(session: Session, person_id: int) -> None:
    others = session.scalar(
        select(func.count())
        .select_from(Person)
        .where(Person.role == Role.ADMIN, Person.active, Person.id != person_id)
    )
    if not others:
        raise ConflictError("The last admin can't be shut out.", reason="last_admin")
