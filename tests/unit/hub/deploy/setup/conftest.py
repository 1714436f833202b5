"""A runner that records instead of running, and a checkout to work on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hub.deploy.setup import images
from hub.deploy.setup.commands import Finished
from hub.deploy.setup.errors import SetupError
from hub.deploy.setup.places import Places

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


class RecordingRunner:
    """Answers as it was told, keeps every command. A question nobody prepared is put to an absent program."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self.commands: list[list[str]] = []
        self.inputs: list[bytes | None] = []
        self.environments: list[dict[str, str]] = []
        self._answers: list[tuple[str, Callable[[], Finished]]] = []
        self._failing: set[str] = set()

    def answer(self, start: str, output: str = "", returncode: int = 0) -> None:
        """Prepare the answer to commands that start so; later preparations win."""
        self._answers.insert(0, (start, lambda: Finished(returncode, output)))

    def answer_with(self, start: str, find: Callable[[], Finished]) -> None:
        self._answers.insert(0, (start, find))

    def fail(self, start: str) -> None:
        """Let commands that start so fail."""
        self._failing.add(start)

    def ask(self, command: Sequence[str], *, timeout_s: float = 30) -> Finished:
        line = " ".join(command)
        return next(
            (find() for start, find in self._answers if line.startswith(start)), Finished(127, "not found")
        )

    def run(
        self,
        command: Sequence[str],
        *,
        advice: str,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdin: bytes | None = None,
    ) -> Finished:
        self.commands.append(list(command))
        self.inputs.append(stdin)
        self.environments.append(dict(env or {}))
        if any(" ".join(command).startswith(start) for start in self._failing):
            raise SetupError("It failed.", advice=advice, log=self.log)
        return Finished(0, "")

    @property
    def lines(self) -> list[str]:
        return [" ".join(command) for command in self.commands]


@pytest.fixture
def runner(tmp_path: Path) -> RecordingRunner:
    return RecordingRunner(tmp_path / "setup.log")


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """A checkout with the files that decide what is installed."""
    root = tmp_path / "checkout"
    for name, content in {
        "constraints.txt": "typer==1.0\n",
        "pyproject.toml": "[project]\n",
        "package-lock.json": "{}",
        "hub/__init__.py": "",
        "hub/exchange/client.py": "x = 1\n",
        "hub/exchange/__pycache__/client.pyc": "bytes",
        "hub/pages/vendor.json": '{"a/a.css": "a.css", "b/fonts/b.woff2": "fonts/b.woff2"}',
        "graders/__init__.py": "",
        "graders/inside/__main__.py": "x = 1\n",
        "config/supervisord.conf": "",
        "node_modules/a/a.css": "a {}",
        "node_modules/b/fonts/b.woff2": "b",
    }.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    for image in images.ALL:
        for name in ("Dockerfile", "smoke.sh", *(Path(source).name for source in image.inputs.values())):
            path = root / "images" / image.name / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"# {image.name} {name}\n", encoding="utf-8")
    return Places(root, root / "var")
