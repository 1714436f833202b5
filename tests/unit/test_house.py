"""The house as docs/developers.md draws it: where things stand, how files are named, which way imports run."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FEATURES = ("people", "courses", "submissions", "progress")
SAME_FILES = ("models.py", "rules.py", "service.py", "routes.py", "views.py", "README.md")
SOURCES = sorted([*ROOT.glob("hub/**/*.py"), *ROOT.glob("graders/**/*.py")])
LONGEST_FILE = 400  # lines; the aim is 60 to 250


def tracked_files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True).stdout
    return [ROOT / name for name in listed.decode().split("\0") if name and (ROOT / name).is_file()]


@pytest.mark.parametrize("feature", FEATURES)
def test_every_feature_has_the_same_files(feature: str) -> None:
    present = {path.name for path in (ROOT / "hub" / feature).iterdir()}
    assert set(SAME_FILES) <= present


def test_imports_run_one_way() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_says_what_it_is(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if path.parent.name == "versions":
        return
    assert ast.get_docstring(ast.parse(text)), f"{path} has no docstring"
    assert len(text.splitlines()) <= LONGEST_FILE, f"{path} has outgrown its name"


def test_no_drawer_for_odds_and_ends() -> None:
    assert [path for path in SOURCES if path.stem in ("utils", "helpers", "misc", "common")] == []


def test_only_the_settings_read_the_environment() -> None:
    # What runs in containers, and set-up before the settings' libraries are there, read their own few variables.
    allowed = ("hub/settings.py", "hub/exchange/", "hub/deploy/setup/", "graders/inside/")
    readers = [
        str(path.relative_to(ROOT))
        for path in SOURCES
        if re.search(r"\bos\.(environ|getenv)\b", path.read_text(encoding="utf-8"))
        and not str(path.relative_to(ROOT)).startswith(allowed)
    ]
    assert readers == []


def test_no_registry_host_stands_in_a_tracked_file() -> None:
    hosts = re.compile(r"//[a-z.-]*(pyp" + r"i|npmj" + r"s|debia" + r"n)[a-z]*\.(org|com)")
    found = [
        str(path.relative_to(ROOT))
        for path in tracked_files()
        if path.suffix not in (".png", ".woff2")
        and hosts.search(path.read_text(encoding="utf-8", errors="ignore"))
    ]
    assert found == []


def test_the_changelog_knows_the_version() -> None:
    version = re.search(
        r'^version = "([^"]+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert version is not None
    assert f"## [{version[1]}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
