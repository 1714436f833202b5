"""The border: which folders are read, and how the others are refused."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from graders import intake
from graders.errors import SubmissionError
from graders.intake import read_submission
from tests.doubles.notebooks import answer, write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NAMES = frozenset({"double"})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path / "submission", {"double": answer()})


def refused(folder: Path, key: str) -> None:
    with pytest.raises(SubmissionError) as caught:
        read_submission(folder, NAMES)
    assert caught.value.key == key


def test_what_is_read(folder: Path) -> None:
    (folder / "sub").mkdir()
    (folder / "sub" / "été.txt").write_text("x")
    (folder / ".ipynb_checkpoints").mkdir()
    (folder / ".ipynb_checkpoints" / "double-checkpoint.ipynb").write_text("{}")
    (folder / "timestamp.txt").write_text("2001-01-01")
    (folder / "other.ipynb").write_text("{}")
    found = read_submission(folder, NAMES)
    assert set(found.notebooks) == {"double"}
    assert set(found.files) == {"sub/été.txt", "other.ipynb"}


def _link(folder: Path) -> None:
    (folder / "x.txt").symlink_to("/etc/passwd")


def _dead_link(folder: Path) -> None:
    (folder / "x.txt").symlink_to("nowhere")


def _linked_folder(folder: Path) -> None:
    (folder / "x").symlink_to("/etc")


def _loop(folder: Path) -> None:
    (folder / "x").symlink_to(".")


def _hard_link(folder: Path) -> None:
    secret = folder.parent / "secret"
    secret.write_text("s")
    (folder / "x.txt").hardlink_to(secret)


def _fifo(folder: Path) -> None:
    os.mkfifo(folder / "x.txt")


@pytest.mark.parametrize("make", [_link, _dead_link, _linked_folder, _loop, _hard_link, _fifo])
def test_only_regular_files(folder: Path, make: Callable[[Path], None]) -> None:
    make(folder)
    refused(folder, "not_a_regular_file")


def test_no_sockets(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("x.sock")
    refused(folder, "not_a_regular_file")


def test_a_linked_notebook_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "submission"
    folder.mkdir()
    secret = write(tmp_path / "secret", {"double": answer()})
    (folder / "double.ipynb").symlink_to(secret / "double.ipynb")
    refused(folder, "not_a_regular_file")


@pytest.mark.parametrize(
    "name",
    [
        "-rf",
        "--config=x",
        "a\nb",
        "x\u202egpj.exe",
        "CON",
        "con.txt",
        "name.",
        "name ",
        "a" * 151,
        "a\\b",
        "b\x07",
        "a:b",
    ],
    ids=repr,
)
def test_bad_names(folder: Path, name: str) -> None:
    (folder / name).write_text("x")
    refused(folder, "bad_name")


@pytest.mark.parametrize(
    "name", ["a$(touch x)", "élève.txt", "e\u0301.txt", "a b (1).txt", "_x", ".env", "naïve-✓"[:5]]
)
def test_names_that_do_no_harm(folder: Path, name: str) -> None:
    (folder / name).write_text("x")
    assert name in read_submission(folder, NAMES).files


@pytest.mark.parametrize(("one", "two"), [("a.txt", "A.txt"), ("é.txt", "e\u0301.txt")])
def test_twins(folder: Path, one: str, two: str) -> None:
    (folder / one).write_text("x")
    (folder / two).write_text("y")
    refused(folder, "bad_name")


def test_names_that_are_no_text(folder: Path) -> None:
    (folder / os.fsdecode(b"x\xff")).write_text("x")
    refused(folder, "bad_name")


def test_too_deep(folder: Path) -> None:
    (folder / "/".join("abcdefg")).mkdir(parents=True)
    refused(folder, "too_deep")


def test_too_many(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "MAX_FILES", 3)
    for name in "abc":
        (folder / name).write_text("x")
    refused(folder, "too_many_files")


def test_too_large(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "MAX_BYTES", 100)
    refused(folder, "too_large")


def test_nothing_to_grade(tmp_path: Path) -> None:
    refused(tmp_path / "nowhere", "no_folder")
    (tmp_path / "file").write_text("x")
    refused(tmp_path / "file", "no_folder")
    (tmp_path / "empty").mkdir()
    refused(tmp_path / "empty", "no_notebook")
