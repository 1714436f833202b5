from __future__ import annotations

import io

import pytest

from hub.deploy.setup.progress import Progress


def progress_into(out: io.StringIO, total: int = 11) -> Progress:
    seconds = iter(range(100))
    return Progress(total, out, clock=lambda: float(next(seconds)))


def test_a_short_step_is_one_line_with_its_number_result_and_time() -> None:
    out = io.StringIO()
    progress_into(out).step("Docker engine", lambda: "already running")
    assert out.getvalue() == "[1/11] Docker engine … already running (1.0 s)\n"


def test_a_step_with_notes_ends_on_a_line_of_its_own() -> None:
    out = io.StringIO()
    progress = progress_into(out)

    def build() -> str:
        progress.note("building")
        progress.note("testing")
        return "built"

    progress.step("Image base", build)
    progress.step("Image learner", lambda: "there")
    assert out.getvalue().splitlines() == [
        "[1/11] Image base … ",
        "      building",
        "      testing",
        "      built (1.0 s)",
        "[2/11] Image learner … there (1.0 s)",
    ]


def test_a_failed_step_closes_its_line_and_lets_the_error_through() -> None:
    out = io.StringIO()

    def fail() -> str:
        raise ValueError("disk full")

    with pytest.raises(ValueError, match="disk full"):
        progress_into(out).step("Database", fail)
    assert out.getvalue() == "[1/11] Database … stopped (1.0 s)\n"
