"""What a learner finds around them: two doors, no engine, no solution and no hidden check. A full scan of the network is in
tests/integration/hub/deploy/test_closed_network.py.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pytest

from tests.attacks.platform import cast
from tests.running_platform import ROOT, Platform

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hub.service import Services
    from hub.settings import Settings
    from tests.attacks.platform.cast import Workspace

pytestmark = pytest.mark.attacks

EXERCISES = (("web", "first-page"), ("data", "clean-table"), ("security", "find-the-attack"))
DISTINCT = 25
"""A line this long is not there by chance."""

KNOCK = """
import json, socket, sys
def open_at(address, port):
    with socket.socket() as caller:
        caller.settimeout(0.4)
        return caller.connect_ex((address, port)) == 0
print(json.dumps([[a, p] for a, p in json.loads(sys.argv[1]) if open_at(a, p)]))
"""
SOCKETS = (
    "find / -xdev -type s 2>/dev/null; ls -d /var/run/docker* /run/docker* /run/containerd* 2>/dev/null; true"
)
SEARCH = """
import base64, json, os, subprocess, sys
needles = [base64.b64decode(line) for line in sys.argv[1].split(",")]
grep = ["grep", "-raoF", "--null", "--exclude-dir=proc", "--exclude-dir=sys", "--exclude-dir=dev", "-f", "-", "/"]
said = subprocess.run(grep, input=b"\\n".join(needles), capture_output=True, env={"LC_ALL": "C", "PATH": os.environ["PATH"]}).stdout
found = {line.partition(b"\\0")[2].decode(): line.partition(b"\\0")[0].decode() for line in said.splitlines()}
for pid in filter(str.isdigit, os.listdir("/proc")):
    try:
        environment = open(f"/proc/{pid}/environ", "rb").read()
    except OSError:
        continue
    found |= {needle.decode(): f"environment of {pid}" for needle in needles if needle in environment}
print(json.dumps(found))
"""
"""Reads every file that a learner can read, and the environment of every process; says where a needle is."""


def marked_lines(folder: Path, begin: str, end: str) -> set[str]:
    """Return the lines between two marks in an exercise's notebooks."""
    found: set[str] = set()
    for notebook in folder.glob("*.ipynb"):
        for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
            inside = False
            for line in "".join(cell["source"]).splitlines():
                if begin in line or end in line:
                    inside = begin in line
                elif inside:
                    found.add(line.strip())
    return found


def all_lines(folder: Path) -> str:
    """Return everything else of an exercise that a learner gets."""
    text = []
    for notebook in folder.glob("*.ipynb"):
        for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
            inside = False
            for line in "".join(cell["source"]).splitlines():
                if "### BEGIN" in line or "### END" in line:
                    inside = "### BEGIN" in line
                elif not inside:
                    text.append(line)
    text += [path.read_text(encoding="utf-8", errors="replace") for path in (folder / "files").glob("*")]
    return "\n".join(text)


def secret_lines(folder: Path) -> set[str]:
    """Return lines of hidden tests and solutions that are nowhere in what a learner gets, as they stand in a notebook file."""
    lines = marked_lines(folder, "### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS") | marked_lines(
        folder, "### BEGIN SOLUTION", "### END SOLUTION"
    )
    given = all_lines(folder)
    chosen = {line for line in lines if len(line) >= DISTINCT and line not in given}
    return chosen | {json.dumps(line, ensure_ascii=False)[1:-1] for line in chosen}


@pytest.fixture(scope="module")
def inside(workspace: Callable[[str], Workspace], state: Services, platform: Platform) -> Workspace:
    """The attacker's container, with the three exercises fetched."""
    found = workspace(cast.ATTACKER)
    for track, slug in EXERCISES:
        state.courses.enrol(state.people.by_name(cast.ATTACKER).id, track)
        answer = found.client.get(
            platform.server_url(cast.ATTACKER, f"atelier/open/{track}/{slug}"), follow=10
        )
        assert answer.status == 200, answer.text
        assert found.run("test", "-e", f"/home/learner/{track}/{slug}/{slug}.ipynb")[0] == 0
    return found


def test_two_doors_of_the_host_and_no_neighbour(
    settings_of_platform: Settings, inside: Workspace, workspace: Callable[[str], Workspace]
) -> None:
    own = settings_of_platform
    neighbour = workspace(cast.TRAINER).container.attrs["NetworkSettings"]["Networks"].values()
    ports = sorted(
        {
            own.hub_port,
            own.service_port,
            own.proxy_api_port,
            own.port,
            22,
            53,
            80,
            443,
            2375,
            2376,
            3306,
            5432,
            6379,
            8000,
            8001,
            8888,
            9001,
        }
    )
    doors = [[own.gateway, port] for port in ports]
    doors += [[network["IPAddress"], port] for network in neighbour for port in (8888, 80)]
    doors += [["172.17.0.1", port] for port in (own.hub_port, own.service_port, 2375, 80)]
    doors += [["1.1.1.1", 443], ["169.254.169.254", 80]]
    assert inside.python(KNOCK, json.dumps(doors)) == [
        [own.gateway, port] for port in sorted((own.hub_port, own.service_port))
    ]


def test_no_way_to_the_engine(inside: Workspace) -> None:
    sockets = inside.run("/bin/sh", "-c", SOCKETS)[1].split()
    assert not [path for path in sockets if not path.startswith(("/home/learner", "/tmp"))]
    assert not [path for path in sockets if "docker" in path or "containerd" in path]


def test_no_hidden_check_no_solution_and_no_secret(
    inside: Workspace, settings_of_platform: Settings, secrets_used: dict[str, str]
) -> None:
    needles = {"page-structure": "a name that a learner does get"}
    for track, slug in EXERCISES:
        lines = secret_lines(ROOT / "exercises" / track / slug)
        assert lines, f"{slug} has nothing hidden to look for"
        needles |= dict.fromkeys(lines, f"hidden in {slug}")
    for path in settings_of_platform.secrets_dir.iterdir():
        needles[path.read_text(encoding="ascii").strip()] = path.name
    needles |= {
        value: what for what, value in secrets_used.items() if not what.endswith(f"token of {cast.ATTACKER}")
    }
    found = inside.python(SEARCH, ",".join(base64.b64encode(needle.encode()).decode() for needle in needles))
    assert found.pop("page-structure", None), "the search finds nothing at all"
    assert not {needles[needle]: path for needle, path in found.items()}


def test_of_our_code_there_is_the_exchange_alone(inside: Workspace) -> None:
    listed = inside.run(
        "/bin/sh", "-c", "find /opt/atelier -name '*.py' -o -name '*.yml' -o -name '*.sqlite'"
    )[1].split()
    assert listed
    assert not [
        path
        for path in listed
        if not path.startswith(("/opt/atelier/hub/exchange/", "/opt/atelier/hub/__init__.py"))
    ]
