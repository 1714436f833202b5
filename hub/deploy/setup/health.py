"""Whether the platform's programs are well: asked at their ports and of supervisord. Called by recipes.py."""

from __future__ import annotations

import socket
import ssl
import time
import urllib.error
import urllib.request
from http import HTTPStatus
from typing import TYPE_CHECKING

from hub.deploy.setup.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.deploy.setup.commands import Runner
    from hub.deploy.setup.places import Places
    from hub.deploy.setup.probe import PlatformSettings

GROUP = "atelier"
PROGRAMS = ("hub", "service", "worker")
HEALTHY_TIMEOUT_S = 150
TOO_MANY_CRASHES = 3
ALIVE = ("STARTING", "RUNNING")
EVERY_ADDRESS = ("", "0.0.0.0", "*", "::")  # noqa: S104 -- compared with, never bound


def require_free_ports(platform: PlatformSettings) -> None:
    """Make sure that what is going to answer on our ports is ours.

    Raises:
        SetupError: another program listens on one of them.
    """
    listens = {
        "ATELIER_URL": (_proxy_ip(platform), platform.port),
        "ATELIER_PROXY_API_PORT": ("127.0.0.1", platform.proxy_api_port),
        "ATELIER_HUB_PORT": (platform.gateway, platform.hub_port),
        "ATELIER_SERVICE_PORT": (platform.gateway, platform.service_port),
    }
    for setting, address in listens.items():
        with socket.socket() as probe:
            probe.settimeout(2)
            if probe.connect_ex(address) == 0:
                raise SetupError(
                    f"Another program listens on {address[0]}, port {address[1]}.",
                    advice=f"Stop it (ss -ltnp shows which one), or choose another port with {setting}.",
                )


def wait_until_healthy(
    runner: Runner,
    places: Places,
    platform: PlatformSettings,
    note: Callable[[str], None],
    timeout_s: float = HEALTHY_TIMEOUT_S,
) -> None:
    """Wait until every program runs and answers.

    Raises:
        SetupError: one gave up or did not become healthy in time; shows that program's log.
    """
    checks: dict[str, Callable[[], bool]] = {
        "hub": lambda: answers(platform.hub_health_url) and answers(*proxy_address(platform)),
        "service": lambda: answers(platform.health_url),
        "worker": lambda: answers(f"{platform.health_url}?part=worker"),
    }
    deadline = time.monotonic() + timeout_s
    waiting = list(PROGRAMS)
    crashes = dict.fromkeys(PROGRAMS, 0)
    before: dict[str, str] = {}
    while True:
        states = program_states(runner, places)
        for program in list(waiting):
            state = states.get(program, "")
            crashes[program] += state == "BACKOFF" and before.get(program) != state
            if state == "FATAL" or crashes[program] >= TOO_MANY_CRASHES:
                raise _failed(places, program, "ends again and again, right after its start")
            if state in ALIVE and checks[program]():
                waiting.remove(program)
                note(f"{program} is healthy")
        before = states
        if not waiting:
            return
        if time.monotonic() > deadline:
            raise _failed(places, waiting[0], f"was not healthy within {timeout_s:.0f} s")
        time.sleep(0.2)


def program_states(runner: Runner, places: Places) -> dict[str, str]:
    """Return supervisord's word for each program, such as RUNNING or FATAL; none while it is silent."""
    answer = runner.ask(
        [
            str(places.venv_bin / "supervisorctl"),
            f"--serverurl=unix://{places.supervisor_socket}",
            "status",
        ]
    )
    states = {}
    for line in answer.output.splitlines():
        group, _, rest = line.partition(":")
        words = rest.split()
        if group == GROUP and len(words) > 1:
            states[words[0]] = words[1]
    return states


def proxy_address(platform: PlatformSettings) -> tuple[str, str]:
    """Return where the hub's health is found through the proxy, and the Host header that goes with it.

    Python's resolver does not know names under .localhost, so the proxy is addressed where it listens.
    """
    scheme = "https" if platform.has_tls else "http"
    return f"{scheme}://{_proxy_ip(platform)}:{platform.port}/hub/health", platform.host


def answers(url: str, host: str | None = None) -> bool:
    """Return whether a GET of this address succeeds within two seconds.

    Certificates are not checked: it is our own port, nothing is sent, and a name can't match an address.
    """
    request = urllib.request.Request(url, headers={"Host": host} if host else {})  # noqa: S310 -- our own port
    context = ssl._create_unverified_context()  # noqa: S323, SLF001 -- see above
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
    )
    try:
        with opener.open(request, timeout=2) as response:
            return bool(response.status == HTTPStatus.OK)
    except (urllib.error.URLError, OSError, ValueError):
        return False


def _proxy_ip(platform: PlatformSettings) -> str:
    return "127.0.0.1" if platform.bind_ip in EVERY_ADDRESS else platform.bind_ip


def _failed(places: Places, program: str, how: str) -> SetupError:
    log = places.log / f"{program}.log"
    if not log.exists():
        log = places.log / "supervisord.out"
    return SetupError(
        f"The program `{program}` {how}.",
        advice="Correct what the lines above tell, then type: make up",
        log=log,
    )
