"""The learners' closed network: a Docker bridge without a way out, and the host's guard in front of it.

`atelier network up|down` and set-up call `ensure_network` and `remove_network`; the spawner asks `find_gaps`
(firewall) before each start. Containers on it reach the hub's and the service's port on the gateway address,
and nothing else.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import docker
from docker.errors import APIError, DockerException
from docker.types import IPAMConfig, IPAMPool

from hub.deploy import firewall
from hub.deploy.naming import INSTANCE_LABEL, KIND_LABEL, bridge_name, network_name
from hub.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.settings import Settings

BRIDGE_OPTION = "com.docker.network.bridge.name"
ICC_OPTION = "com.docker.network.bridge.enable_icc"
STOP_TIMEOUT_S = 10
STOPS_AT_ONCE = 8
GONE, BEING_REMOVED = 404, 409


class NetworkError(UnavailableError):
    """The network can't be made or is not as it must be; the message says what to do."""

    reason = "network"


def ensure_network(settings: Settings) -> None:
    """Make the network and its guard where they are missing or different. Repeatable, safe while containers
    run.

    Raises:
        NetworkError: the engine does not answer, refuses, or the network is in use and not as it must be.
        FirewallError: the rules can't be set.
    """
    client = _client()
    try:
        network = _find(client, settings)
        if network is not None and (difference := _difference(network.attrs, settings)):
            network.reload()
            if network.attrs.get("Containers"):
                raise NetworkError(
                    "The network %(name)s is in use and has another %(what)s than it should. "
                    "Stop the platform (make down), then start it again.",
                    name=network_name(settings),
                    what=difference,
                )
            network.remove()
            network = None
        if network is None:
            _create(client, settings)
    except APIError as error:
        raise NetworkError(
            "Docker refused to make the network %(name)s: %(why)s. "
            "If the address range is taken, choose another with ATELIER_LEARNER_SUBNET.",
            name=network_name(settings),
            why=error.explanation or str(error),
        ) from error
    finally:
        client.close()
    firewall.ensure_guard(settings)


def remove_network(settings: Settings) -> None:
    """Stop the instance's containers on the network, then take network and guard away. Homes stay.
    Repeatable.

    The guard goes last: as long as a container could be there, it stands.
    """
    client = _client()
    try:
        remove_servers(client, settings)
        network = _find(client, settings)
        if network is not None:
            network.remove()
    except APIError as error:
        raise NetworkError(
            "Docker refused to remove the network %(name)s: %(why)s",
            name=network_name(settings),
            why=error.explanation or str(error),
        ) from error
    finally:
        client.close()
    firewall.remove_guard(settings)


def remove_servers(client: docker.DockerClient, settings: Settings) -> int:
    """Stop and remove this instance's learner and trainer containers; return how many. Their homes stay."""
    labels = [f"{INSTANCE_LABEL}={settings.instance}", f"{KIND_LABEL}=server"]
    servers = client.containers.list(all=True, ignore_removed=True, filters={"label": labels})
    with ThreadPoolExecutor(STOPS_AT_ONCE) as threads:
        for _ in threads.map(_remove_server, servers):
            pass  # a fault in a thread is raised here
    return len(servers)


def _remove_server(server: Any) -> None:
    """Let it end by itself (it saves what it holds), then see that it is gone."""
    steps: tuple[Callable[[], Any], ...] = (
        lambda: server.stop(timeout=STOP_TIMEOUT_S),
        lambda: server.remove(force=True),
        lambda: server.wait(condition="removed"),
    )
    for step in steps:
        try:
            step()
        except APIError as error:
            if error.status_code not in (GONE, BEING_REMOVED):
                raise


def network_exists(settings: Settings) -> bool:
    """Say whether the network is there."""
    client = _client()
    try:
        return _find(client, settings) is not None
    finally:
        client.close()


def _client() -> docker.DockerClient:
    try:
        return docker.from_env()
    except DockerException as error:
        raise NetworkError("The Docker engine does not answer. Is it running? Type: docker info") from error


def _find(client: docker.DockerClient, settings: Settings) -> Any | None:
    name = network_name(settings)
    return next(
        (network for network in client.networks.list(names=[f"^{name}$"]) if network.name == name), None
    )


def _difference(attrs: dict[str, Any], settings: Settings) -> str:
    """Return what is not as it must be, or an empty text."""
    options = attrs.get("Options") or {}
    pools = (attrs.get("IPAM") or {}).get("Config") or []
    if not attrs.get("Internal"):
        return "way out"
    if options.get(ICC_OPTION) != "false":
        return "rule between containers"
    if options.get(BRIDGE_OPTION) != bridge_name(settings):
        return "interface name"
    if [(pool.get("Subnet"), pool.get("Gateway")) for pool in pools] != [
        (str(settings.learner_subnet), settings.gateway)
    ]:
        return "address range"
    return ""


def _create(client: docker.DockerClient, settings: Settings) -> None:
    client.networks.create(
        network_name(settings),
        driver="bridge",
        internal=True,
        enable_ipv6=False,
        attachable=False,
        check_duplicate=True,
        options={BRIDGE_OPTION: bridge_name(settings), ICC_OPTION: "false"},
        ipam=IPAMConfig(
            pool_configs=[IPAMPool(subnet=str(settings.learner_subnet), gateway=settings.gateway)]
        ),
        labels={INSTANCE_LABEL: settings.instance, KIND_LABEL: "network"},
    )
