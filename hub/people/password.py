"""Password hashes: argon2id with the library's recommended parameters. Called by hub/people/service.py
only.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from hub.people.rules import PASSWORD_MAX_BYTES


@dataclass(frozen=True, slots=True)
class PasswordCheck:
    """Whether the password was right, and a new hash when the stored one was made with older parameters."""

    right: bool
    new_hash: str | None = None


class Passwords:
    """Makes and checks password hashes. A check takes as long whether or not there is a hash to check
    against.
    """

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()

    def hash(self, password: str) -> str:
        """Return a salted hash with its parameters in it."""
        return self._hasher.hash(password)

    def check(self, password: str, stored: str | None) -> PasswordCheck:
        """Compare; with no stored hash the same work is done against a hash that nothing matches."""
        # A password of a megabyte would make the server work for the sender: beyond the limit it can't be
        # right.
        typed = password.encode("utf-8", errors="surrogatepass")
        too_long = len(typed) > PASSWORD_MAX_BYTES
        candidate = b"" if too_long else typed
        try:
            self._hasher.verify(stored or self._nobodys_hash, candidate)
        except (VerificationError, InvalidHashError):
            return PasswordCheck(right=False)
        if not stored or too_long:
            return PasswordCheck(right=False)
        outdated = self._hasher.check_needs_rehash(stored)
        return PasswordCheck(right=True, new_hash=self.hash(password) if outdated else None)

    @cached_property
    def _nobodys_hash(self) -> str:
        return self._hasher.hash("no account has this password")
