"""What a learner's container reaches: the hub's and the service's port, and nothing else. Scanned from inside."""

from __future__ import annotations

import json
import random
import socket
import subprocess
import threading
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hub.deploy import firewall, network
from hub.deploy.naming import bridge_name, chain_name
from tests.integration.hub.deploy.conftest import Container, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hub.settings import Settings

pytestmark = pytest.mark.integration

SCAN = """
import asyncio, json, sys
async def knock(address, port, gate):
    async with gate:
        try:
            _, writer = await asyncio.wait_for(asyncio.open_connection(address, port), 1.5)
        except (OSError, TimeoutError):
            return None
        writer.close()
        return [address, port]
async def main():
    groups = json.loads(sys.argv[1])
    gate = asyncio.Semaphore(400)
    knocks = [knock(address, port, gate) for addresses, ports in groups for address in addresses for port in ports]
    print(json.dumps(sorted(found for found in await asyncio.gather(*knocks) if found)))
asyncio.run(main())
"""

SEND_UDP = """
import json, socket, sys
for family, address, port in json.loads(sys.argv[1]):
    with socket.socket(family, socket.SOCK_DGRAM) as sender:
        try:
            sender.sendto(b"let me in", (address, port))
        except OSError:
            pass
print("true")
"""

RESOLVE = """
import json, socket, struct, sys
def asked(kind):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in sys.argv[1].split("."))
    query = struct.pack(">6H", 7, 256, 1, 0, 0, 0) + labels + bytes(1) + struct.pack(">2H", 1, 1)
    try:
        with socket.socket(socket.AF_INET, kind) as resolver:
            resolver.settimeout(2)
            resolver.connect(("127.0.0.11", 53))
            resolver.send(query if kind == socket.SOCK_DGRAM else struct.pack(">H", len(query)) + query)
            return len(resolver.recv(512))
    except OSError as error:
        return type(error).__name__
found = {}
for name in sys.argv[1:]:
    try:
        found[name] = socket.gethostbyname(name)
    except OSError:
        pass
print(json.dumps({"found": found, "udp": asked(socket.SOCK_DGRAM), "tcp": asked(socket.SOCK_STREAM)}))
"""

OPEN_PORTS_OF_RESOLVER = """
import json, socket
open_ports = []
for port in range(1, 65536):
    with socket.socket() as caller:
        caller.settimeout(0.5)
        if caller.connect_ex(("127.0.0.11", port)) == 0:
            open_ports.append(port)
print(json.dumps(open_ports))
"""

FORK = """
import json, os, signal
children = []
try:
    while len(children) < 2000:
        child = os.fork()
        if not child:
            signal.pause()
        children.append(child)
except OSError:
    pass
for child in children:
    os.kill(child, 9)
print(json.dumps(len(children)))
"""

COMMON = [
    *range(1, 1025),
    2375,
    2376,
    3000,
    3306,
    5000,
    5432,
    6379,
    8000,
    8001,
    8080,
    8081,
    8082,
    8443,
    8888,
    9001,
    9090,
]


def host_addresses() -> list[tuple[int, str]]:
    """Return (family, address) of every interface of this machine, loopback included."""
    listed = json.loads(subprocess.run(["ip", "-json", "address"], capture_output=True, check=True).stdout)
    return [
        (socket.AF_INET if info["family"] == "inet" else socket.AF_INET6, info["local"])
        for interface in listed
        for info in interface["addr_info"]
    ]


def listening_ports() -> set[int]:
    """Return the ports on which something of this machine really listens."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]]
    rows += [line.split() for line in Path("/proc/net/tcp6").read_text(encoding="ascii").splitlines()[1:]]
    return {int(row[1].rsplit(":", 1)[1], 16) for row in rows if row[3] == "0A"}


@contextmanager
def listening(family: int, address: str, port: int = 0) -> Iterator[int]:
    with socket.socket(family) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(64)
        yield int(listener.getsockname()[1])


@pytest.fixture
def listeners(closed: Settings) -> Iterator[set[int]]:
    """The hub's and the service's ports on the gateway, and ports that something hostile could find open."""
    with ExitStack() as stack:
        for port in (closed.hub_port, closed.service_port):
            stack.enter_context(listening(socket.AF_INET, closed.gateway, port))
        open_ports = {stack.enter_context(listening(socket.AF_INET, "0.0.0.0"))}  # noqa: S104 - that is the point
        open_ports.add(stack.enter_context(listening(socket.AF_INET6, "::")))
        for family, address in host_addresses():
            if family == socket.AF_INET:
                open_ports.add(stack.enter_context(listening(family, address)))
        yield open_ports


def targets(closed: Settings, open_ports: set[int]) -> str:
    """Return what to scan, as the program inside takes it: every address of this machine, and many ports."""
    chosen = random.Random(closed.instance).sample(range(1025, 65536), 500)  # noqa: S311 - no secret
    ports = sorted({*COMMON, *chosen, *open_ports, *listening_ports(), closed.hub_port, closed.service_port})
    # Loopback inside is the container's own; a link-local address is one of its only interface.
    addresses = [
        f"{address}%eth0" if address.startswith("fe80") else address
        for _, address in host_addresses()
        if not address.startswith(("127.", "::1"))
    ]
    return json.dumps([[addresses, ports]])


def test_only_two_ports_of_the_host_answer(
    closed: Settings, container: Callable[..., Container], listeners: set[int]
) -> None:
    allowed = sorted([closed.gateway, port] for port in (closed.hub_port, closed.service_port))
    assert container("scan").python(SCAN, targets(closed, listeners)) == allowed


def test_the_scan_finds_open_doors_when_the_rule_is_gone(
    closed: Settings, container: Callable[..., Container], listeners: set[int]
) -> None:
    """Without this, a scan that can't find anything would pass for a closed network."""
    inside = container("scan")
    rule = ["-i", bridge_name(closed), "-j", chain_name(closed)]
    subprocess.run(["iptables", "-w", "-D", "INPUT", *rule], check=True)
    try:
        found = {tuple(door) for door in inside.python(SCAN, targets(closed, listeners))}
        assert firewall.find_gaps(closed) == [f"INPUT has no rule: {' '.join(rule)}"]
    finally:
        network.ensure_network(closed)
    assert {port for _, port in found} > {closed.hub_port, closed.service_port}
    assert {address for address, _ in found} > {closed.gateway}, "other bridges' gateways were open too"
    assert firewall.find_gaps(closed) == []


def test_no_packet_without_a_connection_gets_through_either(
    closed: Settings, container: Callable[..., Container]
) -> None:
    inside = container("udp")
    received: list[bytes] = []
    with ExitStack() as stack:
        doors = []
        for family, address in [(socket.AF_INET, "0.0.0.0"), *host_addresses()]:  # noqa: S104 - that is the point
            if address.startswith(("127.", "::1", "fe80")):
                continue
            listener = stack.enter_context(socket.socket(family, socket.SOCK_DGRAM))
            listener.bind((address, 0))
            listener.settimeout(1)
            target = closed.gateway if address == "0.0.0.0" else address  # noqa: S104
            doors.append((listener, (int(family), target, listener.getsockname()[1])))
        threads = [threading.Thread(target=_receive, args=(listener, received)) for listener, _ in doors]
        for thread in threads:
            thread.start()
        assert inside.python(SEND_UDP, json.dumps([door for _, door in doors])) is True
        for thread in threads:
            thread.join()
    assert received == []


def _receive(listener: socket.socket, received: list[bytes]) -> None:
    try:
        received.append(listener.recv(100))
    except TimeoutError:
        return


def test_there_is_no_way_out(container: Callable[..., Container]) -> None:
    routes = Path("/proc/net/route").read_text(encoding="ascii").splitlines()[1:]
    routers = [
        socket.inet_ntoa(bytes.fromhex(fields[2])[::-1])
        for fields in (line.split() for line in routes)
        if fields[1] == "00000000"
    ]
    outside = ["1.1.1.1", "9.9.9.9", "169.254.169.254", *routers]
    assert container("out").python(SCAN, json.dumps([[outside, [22, 53, 80, 443]]])) == []


def test_another_learner_is_unreachable(closed: Settings, container: Callable[..., Container]) -> None:
    other = container("other", "python3", "-m", "http.server", "8888")
    wait_for(lambda: _answers(other.address), "the other's server listens (the host reaches it)")
    doors = [[[other.address], [8888, 22, 80, closed.hub_port]]]
    assert container("curious").python(SCAN, json.dumps(doors)) == []


def _answers(address: str) -> bool:
    with socket.socket() as caller:
        caller.settimeout(1)
        return caller.connect_ex((address, 8888)) == 0


def test_no_name_resolves(closed: Settings, container: Callable[..., Container]) -> None:
    container("neighbour")
    names = [f"{closed.instance}-neighbour", "debian.org", "host.docker.internal", "atelier.localhost"]
    answers: dict[str, Any] = container("asking").python(RESOLVE, *names)
    assert answers["found"].keys() <= {"atelier.localhost"}  # a C library may know that this is loopback
    assert answers["udp"] in ("ConnectionRefusedError", "TimeoutError", "PermissionError")
    assert answers["tcp"] in ("ConnectionRefusedError", "TimeoutError", "PermissionError")


def test_the_resolver_can_not_be_found_behind_its_port(container: Callable[..., Container]) -> None:
    assert container("knocking").python(OPEN_PORTS_OF_RESOLVER) == []


def test_nothing_of_the_learners_runs_before_the_resolver_is_shut(
    container: Callable[..., Container],
) -> None:
    marker = "/home/learner/ran"
    waiting = container("waiting", "sh", "-c", f"touch {marker}; sleep 600", shut=False)
    before = waiting.python(RESOLVE, waiting.api.inspect_container(waiting.id)["Name"][1:])
    assert isinstance(before["udp"], int), "the resolver answers before: there is something to shut"
    assert isinstance(before["tcp"], int)
    assert waiting.run("test", "-e", marker)[0] == 1
    waiting.shut_resolver()
    wait_for(lambda: waiting.run("test", "-e", marker)[0] == 0, "it goes on once the resolver is shut", 10)


def test_ensuring_is_repeatable_and_leaves_one_rule_each(closed: Settings) -> None:
    network.ensure_network(closed)
    network.ensure_network(closed)
    listed = subprocess.run(["iptables", "-w", "-S"], capture_output=True, check=True, text=True).stdout
    ours = [line for line in listed.splitlines() if bridge_name(closed) in line and "ISOLATION" not in line]
    assert len([line for line in ours if line.startswith("-A INPUT")]) == 1
    assert firewall.find_gaps(closed) == []


def test_a_rule_pushed_down_by_another_comes_back_to_the_top(
    closed: Settings, container: Callable[..., Container], listeners: set[int]
) -> None:
    careless = ["INPUT", "-i", bridge_name(closed), "-p", "tcp", "-j", "ACCEPT"]
    subprocess.run(["iptables", "-w", "-I", *careless], check=True)
    try:
        network.ensure_network(closed)
        allowed = sorted([closed.gateway, port] for port in (closed.hub_port, closed.service_port))
        doors = [[[closed.gateway], sorted({*listeners, closed.hub_port, closed.service_port})]]
        assert container("scan").python(SCAN, json.dumps(doors)) == allowed
    finally:
        subprocess.run(["iptables", "-w", "-D", *careless], check=True)


def test_limits_hold_inside(closed: Settings, container: Callable[..., Container]) -> None:
    inside = container("limits")
    status = inside.run("cat", "/proc/self/status")[1]
    assert "NoNewPrivs:\t1" in status
    assert "CapEff:\t0000000000000000" in status
    assert "CapBnd:\t0000000000000000" in status
    assert "Seccomp:\t2" in status
    assert inside.run("id", "-u")[1].strip() == "1000"
    assert inside.run("touch", "/usr/bin/mine")[0] != 0
    assert inside.run("test", "-e", "/var/run/docker.sock")[0] == 1
    assert inside.run("sh", "-c", f"head -c {closed.learner_disk + 1} /dev/zero > ~/big")[0] != 0
    assert inside.run("sh", "-c", "head -c 300M /dev/zero > /tmp/big")[0] != 0
    assert inside.python(FORK) < closed.learner_pids


def test_down_and_up_again(closed: Settings) -> None:
    network.remove_network(closed)
    assert not network.network_exists(closed)
    assert len(firewall.find_gaps(closed)) == 4
    network.remove_network(closed)
    network.ensure_network(closed)
    assert firewall.find_gaps(closed) == []
