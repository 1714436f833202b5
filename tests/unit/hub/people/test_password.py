"""Hashes and their renewal."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher

from hub.people.password import Passwords

WEAK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def test_right_and_wrong() -> None:
    passwords = Passwords(WEAK)
    stored = passwords.hash("a long password")
    assert "a long password" not in stored
    assert passwords.check("a long password", stored).right
    assert not passwords.check("a long passworD", stored).right


def test_defaults_are_argon2id_with_recommended_memory() -> None:
    assert Passwords().hash("x").startswith("$argon2id$v=19$m=65536,t=3,p=4$")


def test_a_hash_with_older_parameters_is_renewed_when_the_password_was_right() -> None:
    newer = Passwords(PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    stored = Passwords(WEAK).hash("a long password")
    renewed = newer.check("a long password", stored).new_hash
    assert renewed is not None
    assert newer.check("a long password", renewed) == newer.check("a long password", renewed)
    assert newer.check("a long password", renewed).new_hash is None
    assert newer.check("wrong", stored).new_hash is None


@pytest.mark.parametrize("stored", [None, "", "not a hash"])
def test_no_usable_hash_is_never_right(stored: str | None) -> None:
    passwords = Passwords(WEAK)
    for password in ("", "no account has this password", "x" * 5000, "\ud800"):
        assert not passwords.check(password, stored).right


def test_an_absurdly_long_password_is_wrong_even_if_it_was_hashed() -> None:
    passwords = Passwords(WEAK)
    assert not passwords.check("x" * 5000, passwords.hash("x" * 5000)).right
    assert not passwords.check("x" * 5000, passwords.hash("")).right
