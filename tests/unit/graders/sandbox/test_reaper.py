"""What the reaper takes and what it leaves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from graders.sandbox.reaper import Reaper

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Engine:
    def __init__(self, listed: list[dict[str, Any]]) -> None:
        self.listed = listed
        self.removed: list[str] = []
        self.filters: dict[str, Any] = {}

    def containers(self, *, all: bool, filters: dict[str, Any]) -> list[dict[str, Any]]:  # noqa: A002 - the SDK's word
        self.filters = filters
        return self.listed

    def remove_container(self, name: str, *, force: bool, v: bool) -> None:
        self.removed.append(name)


def container(name: str, owner: str, age_s: float) -> dict[str, Any]:
    created = (NOW - timedelta(seconds=age_s)).timestamp()
    return {"Id": name, "Created": created, "Labels": {"atelier.owner": owner}}


@pytest.mark.parametrize(
    ("owner", "age_s", "in_books", "everybody", "taken"),
    [
        ("me", 120, False, False, True),
        ("me", 120, True, False, False),
        ("me", 10, False, False, False),
        ("other", 120, False, False, False),
        ("other", 3600, False, False, True),
        ("other", 10, False, True, True),
        ("me", 3600, True, True, False),
    ],
)
def test_strays(owner: str, age_s: float, in_books: bool, everybody: bool, taken: bool) -> None:  # noqa: FBT001
    engine = Engine([container("c1", owner, age_s)])
    reaper = Reaper("ateliertest-unit", owner="me", client=engine, now=lambda: NOW)
    removed = reaper.sweep({"c1"} if in_books else set(), all_owners=everybody)
    assert removed == engine.removed == (["c1"] if taken else [])
    assert engine.filters == {"label": ["atelier.role=sandbox", "atelier.instance=ateliertest-unit"]}
