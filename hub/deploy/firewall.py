"""The host's guard against the learners' network: iptables rules on its bridge, and the shut resolver in a
container.

Called by network.py and the spawner. An *internal* Docker network keeps its containers from the outside, but
not from the host itself: every port that listens on all addresses answers them, and so do the gateways of
other bridges. So a chain of ours, first in INPUT, lets in from the bridge what the hub and the service need,
and nothing else. FORWARD drops whatever comes from or goes to the bridge: the platform speaks to containers
from the host itself.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from hub.deploy.naming import bridge_name, chain_name
from hub.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hub.settings import Settings

WAIT = ("-w", "10")  # others change rules too (Docker does, at every start of a container)
RESOLVER = "127.0.0.11"


class FirewallError(UnavailableError):
    """The rules can't be set or read; the message says what to type."""

    reason = "firewall"


def ensure_guard(settings: Settings) -> None:
    """Put the rules in place, first in their chains. Repeatable; an old version of our chain is replaced at
    once.

    Raises:
        FirewallError: not root, no iptables, or the kernel refuses.
    """
    _restore("iptables-restore", _chain(settings))
    for hook, match in _jumps(settings):
        _ensure_first("iptables", hook, match)
    if _has_ipv6():
        for hook, match in _drops(settings):
            _ensure_first("ip6tables", hook, match)


def remove_guard(settings: Settings) -> None:
    """Take the rules away again. Repeatable."""
    for hook, match in _jumps(settings):
        _delete_all("iptables", hook, match)
    chain = chain_name(settings)
    if _succeeds("iptables", *WAIT, "-S", chain):
        _run("iptables", *WAIT, "-F", chain)
        _run("iptables", *WAIT, "-X", chain)
    if _has_ipv6():
        for hook, match in _drops(settings):
            _delete_all("ip6tables", hook, match)


def find_gaps(settings: Settings) -> list[str]:
    """Return what is missing of the guard; empty when it stands. Called before every spawn: about 10 ms."""
    chain = chain_name(settings)
    gaps = []
    rules = _run("iptables", *WAIT, "-S", chain) if _succeeds("iptables", *WAIT, "-S", chain) else ""
    if not rules.rstrip().endswith(f"-A {chain} -j DROP"):
        gaps.append(f"the chain {chain} is not whole")
    for hook, match in _jumps(settings):
        if not _succeeds("iptables", *WAIT, "-C", hook, *match):
            gaps.append(f"{hook} has no rule: {' '.join(match)}")
    return gaps


def shut_resolver(network_namespace: Path) -> None:
    """Shut Docker's resolver inside a container's network namespace, at once and for good.

    Args:
        network_namespace: the namespace's file (the engine's `SandboxKey`).

    Raises:
        FirewallError: it could not be done; the container must not be used.
    """
    rules = (
        "*filter\n"
        f"-I OUTPUT 1 -d {RESOLVER}/32 -j DROP\n"
        f"-I OUTPUT 1 -d {RESOLVER}/32 -p udp -j REJECT --reject-with icmp-port-unreachable\n"
        f"-I OUTPUT 1 -d {RESOLVER}/32 -p tcp -j REJECT --reject-with tcp-reset\n"
        "COMMIT\n"
    )
    _run(
        "nsenter",
        f"--net={network_namespace}",
        "iptables-restore",
        "--noflush",
        "--wait=10",
        stdin=rules,
    )


def _chain(settings: Settings) -> str:
    chain, ports = chain_name(settings), f"{settings.hub_port},{settings.service_port}"
    # A learner's mistake is answered at once (reject), not after a minute's wait; all that is not TCP gets no
    # answer.
    lines = [
        "*filter",
        f":{chain} - [0:0]",
        f"-A {chain} -m conntrack --ctstate ESTABLISHED -j ACCEPT",
        f"-A {chain} -d {settings.gateway}/32 -p tcp -m multiport --dports {ports} -j ACCEPT",
        f"-A {chain} -p tcp -j REJECT --reject-with tcp-reset",
        f"-A {chain} -j DROP",
        "COMMIT",
    ]
    return "\n".join(lines) + "\n"


def _jumps(settings: Settings) -> list[tuple[str, list[str]]]:
    bridge = bridge_name(settings)
    return [
        ("INPUT", ["-i", bridge, "-j", chain_name(settings)]),
        ("FORWARD", ["-o", bridge, "-j", "DROP"]),
        ("FORWARD", ["-i", bridge, "-j", "DROP"]),
    ]


def _drops(settings: Settings) -> list[tuple[str, list[str]]]:
    bridge = bridge_name(settings)
    return [
        ("INPUT", ["-i", bridge, "-j", "DROP"]),
        ("FORWARD", ["-o", bridge, "-j", "DROP"]),
        ("FORWARD", ["-i", bridge, "-j", "DROP"]),
    ]


def _ensure_first(program: str, hook: str, match: Sequence[str]) -> None:
    """Have the rule once, at the head, behind nothing but drops and other instances' guards.

    Older copies go and the new one comes in one transaction: there is no moment without it.
    """
    rule = f"{hook} {' '.join(match)}"
    listed = [line for line in _run(program, *WAIT, "-S", hook).splitlines() if line.startswith("-A ")]
    copies = listed.count(f"-A {rule}")
    before = listed[: listed.index(f"-A {rule}")] if copies else []
    pushed_down = any("-j ATELIER-" not in line and not line.endswith("-j DROP") for line in before)
    if copies != 1 or pushed_down:
        head = rule.replace(hook, f"{hook} 1", 1)
        _restore(
            f"{program}-restore", "\n".join(["*filter", *[f"-D {rule}"] * copies, f"-I {head}", "COMMIT", ""])
        )


def _delete_all(program: str, hook: str, match: Sequence[str]) -> None:
    while _succeeds(program, *WAIT, "-D", hook, *match):
        pass


def _restore(program: str, rules: str) -> None:
    _run(program, "--noflush", "--wait=10", stdin=rules)


def _has_ipv6() -> bool:
    return Path("/proc/net/if_inet6").exists() and shutil.which("ip6tables", path=_path()) is not None


def _path() -> str:
    return "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def _command(program: str, *arguments: str) -> list[str]:
    if os.geteuid() != 0:
        raise FirewallError(
            "Only root may set the rules that keep learners' containers off this machine's ports. "
            "Start the platform as root, for instance: sudo make up"
        )
    found = shutil.which(program, path=_path())
    if found is None:
        package = "util-linux" if program == "nsenter" else "iptables"
        raise FirewallError("The program %(program)s is missing. Type: apt-get install %(package)s",
                            program=program, package=package)  # fmt: skip
    return [found, *arguments]


def _succeeds(program: str, *arguments: str) -> bool:
    command = _command(program, *arguments)
    return subprocess.run(command, capture_output=True, check=False, env={"PATH": _path()}).returncode == 0


def _run(program: str, *arguments: str, stdin: str = "") -> str:
    command = _command(program, *arguments)
    done = subprocess.run(
        command, input=stdin, capture_output=True, text=True, check=False, env={"PATH": _path()}
    )
    if done.returncode != 0:
        raise FirewallError(
            "The firewall refused: %(what)s",
            what=done.stderr.strip() or f"{program} ended with {done.returncode}",
        )
    return done.stdout
