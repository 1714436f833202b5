"""Every case of the table against its oracle, in the real sandbox."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import docker
import pytest
from bs4 import BeautifulSoup

from graders.results import GradingResult, Verdict
from tests.attacks import files, forging, honest, resources, secrets
from tests.attacks.case import CASES, HIDDEN_CANARY, POINTS_DOUBLE, POINTS_NAMES, SECRET_CANARY, Case, Oracle

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = [pytest.mark.attacks, pytest.mark.timeout(600)]
TABLES = (files, forging, honest, resources, secrets)
WITHIN_S = 40.0
NEVER_SHOWN = (
    HIDDEN_CANARY,
    SECRET_CANARY,
    "CANARY-arg-21",
    "CANARY-arg--7",
    "CANARY-arg-['z",
    "\u202e",
    "\x1b",
)
NEVER_PRINTED = ("REACHED", "CLIMBED", "CHANGED", "FOUND /")


@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_case(grade_case: Callable[[Case], GradingResult], case: Case) -> None:
    result = grade_case(case)
    told = _everything_a_learner_sees(result)
    assert result.max_score == POINTS_DOUBLE + POINTS_NAMES
    assert result.score == case.score, _explain(result)
    assert result.verdict is not Verdict.INTERNAL_ERROR
    assert result.seconds["total"] < WITHIN_S
    assert not [secret for secret in NEVER_SHOWN if secret in told]
    assert not [word for word in NEVER_PRINTED if f"<pre>{word}" in told]
    for page in result.feedback.values():
        assert_harmless(page)
    if case.verdicts:
        assert result.verdict.value in case.verdicts
    if case.oracle is Oracle.REJECT:
        assert result.verdict is Verdict.INVALID_SUBMISSION
        assert result.reason
        assert "\n" not in result.reason
    elif case.oracle in (Oracle.EQUAL, Oracle.ZERO):
        assert result.verdict is not Verdict.INVALID_SUBMISSION
    if case.oracle is Oracle.EQUAL:
        assert result.verdict is Verdict.GRADED


def assert_harmless(page: bytes) -> None:
    """A browser that opens this page runs nothing and loads nothing."""
    tree = BeautifulSoup(page, "html5lib")
    assert not tree.find_all(
        ["script", "iframe", "object", "embed", "form", "base", "link", "svg", "math", "video"]
    )
    for tag in tree.find_all(True):
        assert not [
            name for name in tag.attrs if name.startswith("on") or name in ("style", "srcdoc", "action")
        ]
        assert str(tag.get("src", "data:image/png")).startswith(
            ("data:image/png", "data:image/jpeg", "data:image/gif")
        )
        assert str(tag.get("href", "#")).startswith(("#", "https://"))


def _everything_a_learner_sees(result: GradingResult) -> str:
    pages = [page.decode() for page in result.feedback.values()]
    messages = [
        message for notebook in result.notebooks for cell in notebook.cells for message in cell.messages
    ]
    return "\n".join([*pages, *messages, *result.warnings, result.reason or ""])


def _explain(result: GradingResult) -> str:
    cells = [
        f"{cell.grade_id}: {cell.verdict} {cell.messages} {cell.evidence}"
        for notebook in result.notebooks
        for cell in notebook.cells
    ]
    return "\n".join([str(result.verdict), str(result.reason), *cells])


def test_the_table_has_the_cases_that_were_promised() -> None:
    promised = {
        *(
            "A01",
            "A03",
            "A05",
            "A08",
            "A10",
            "A18",
            "H01",
            "D07",
            "B28",
            "B26",
            "B15",
            "C04",
            "E01",
            "F01",
            "F03",
        ),
        *(f"B0{number}" for number in range(1, 10)),
        *("C01", "C10", "D01", "D02", "D05", "F02", "F04", "F05", "F06", "F09", "F10", "F11", "F14"),
        *(f"Z0{number}" for number in range(1, 10)),
        "Z10",
    }
    assert promised <= set(CASES)


def test_nothing_is_left(grade_case: Callable[[Case], GradingResult], instance: str) -> None:
    """After an attack that leaves a process behind, its sandbox is gone, and the process with it."""
    grade_case(CASES["A18"])
    client = docker.from_env()
    try:
        kept = client.containers.list(all=True, filters={"label": f"atelier.instance={instance}"})
        assert len(kept) <= 2 * 2 + 2  # those kept warm, those at work, those on their way out
    finally:
        client.close()
    leftovers = [path for path in Path("/proc").glob("[0-9]*/cmdline") if b"sleep\x007777" in _read(path)]
    assert not leftovers


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
