"""The rules that are put in place, and what happens where they can't be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hub.deploy import firewall

if TYPE_CHECKING:
    from hub.settings import Settings

LINES = [
    ":ATELIER-x - [0:0]",
    "-A ATELIER-x -m conntrack --ctstate ESTABLISHED -j ACCEPT",
    "-A ATELIER-x -d 10.213.0.1/32 -p tcp -m multiport --dports 8081,8082 -j ACCEPT",
    "-A ATELIER-x -p tcp -j REJECT --reject-with tcp-reset",
    "-A ATELIER-x -j DROP",
]


OURS = "-A INPUT -i br-x -j ATELIER-x"


class FakeTables:
    """An iptables that keeps rules in lists; commands it doesn't know fail the test."""

    def __init__(self, **rules: list[str]) -> None:
        self.rules = {"INPUT": [], "FORWARD": []} | rules

    def run(self, program: str, *arguments: str, stdin: str = "") -> str:
        match arguments:
            case ("-w", _, "-S", hook):
                return "\n".join(["-P INPUT ACCEPT", *self.rules[hook]])
            case ("--noflush", _):
                assert program == "iptables-restore"
                for action, hook, *rule in (
                    line.split() for line in stdin.splitlines() if line.startswith("-")
                ):
                    if action == "-D":
                        self.rules[hook].remove(" ".join(["-A", hook, *rule]))
                    else:
                        assert (action, rule[0]) == ("-I", "1")
                        self.rules[hook].insert(0, " ".join(["-A", hook, *rule[1:]]))
                return ""
        raise AssertionError((program, arguments, stdin))


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch) -> FakeTables:
    tables = FakeTables()
    monkeypatch.setattr(firewall, "_run", tables.run)
    return tables


def test_the_chain_lets_two_ports_in_and_ends_with_a_drop(settings: Settings) -> None:
    rules = firewall._chain(settings).replace(firewall.chain_name(settings), "ATELIER-x")
    assert rules.splitlines() == ["*filter", *LINES, "COMMIT"]


def test_a_rule_goes_first(tables: FakeTables) -> None:
    tables.rules["INPUT"] = ["-A INPUT -j ACCEPT"]
    firewall._ensure_first("iptables", "INPUT", ["-i", "br-x", "-j", "ATELIER-x"])
    assert tables.rules["INPUT"] == ["-A INPUT -i br-x -j ATELIER-x", "-A INPUT -j ACCEPT"]


@pytest.mark.parametrize(
    ("before", "moved"),
    [
        ([], False),
        (["-A INPUT -i br-y -j ATELIER-y", "-A INPUT -i br-z -j DROP"], False),
        (["-A INPUT -j ACCEPT"], True),
        (["-A INPUT -j DOCKER-USER"], True),
    ],
)
def test_a_rule_behind_others_goes_first_again(tables: FakeTables, before: list[str], moved: bool) -> None:  # noqa: FBT001
    tables.rules["INPUT"] = [*before, OURS]
    firewall._ensure_first("iptables", "INPUT", ["-i", "br-x", "-j", "ATELIER-x"])
    assert tables.rules["INPUT"] == ([OURS, *before] if moved else [*before, OURS])


def test_copies_go(tables: FakeTables) -> None:
    tables.rules["INPUT"] = [OURS, "-A INPUT -j ACCEPT", OURS]
    firewall._ensure_first("iptables", "INPUT", ["-i", "br-x", "-j", "ATELIER-x"])
    assert tables.rules["INPUT"] == [OURS, "-A INPUT -j ACCEPT"]


def test_who_is_not_root_is_told_what_to_type(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    monkeypatch.setattr(firewall.os, "geteuid", lambda: 1000)
    with pytest.raises(firewall.FirewallError, match="sudo make up"):
        firewall.ensure_guard(settings)


def test_a_missing_program_is_named_with_its_package(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    monkeypatch.setattr(firewall.os, "geteuid", lambda: 0)
    monkeypatch.setattr(firewall.shutil, "which", lambda *_, **__: None)
    with pytest.raises(firewall.FirewallError, match="apt-get install iptables"):
        firewall.ensure_guard(settings)
