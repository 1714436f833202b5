"""Asks the installed platform for its settings, so that set-up has no defaults of its own that could drift.

Called by recipes.py once the venv exists.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hub.deploy.setup.errors import SetupError

if TYPE_CHECKING:
    from hub.deploy.setup.commands import Runner
    from hub.deploy.setup.places import Places

QUESTION = """
import json
from pydantic import ValidationError
from hub.settings import get_settings
try:
    s = get_settings()
except ValidationError as problem:
    for error in problem.errors():
        name = "ATELIER_" + "_".join(str(part) for part in error["loc"]).upper()
        print(f"  {name}={error['input']}: {error['msg']}")
    raise SystemExit(1)
print(json.dumps({
    "instance": s.instance,
    "url": s.url,
    "host": s.host,
    "port": s.port,
    "bind_ip": s.bind_ip,
    "gateway": s.gateway,
    "hub_port": s.hub_port,
    "service_port": s.service_port,
    "proxy_api_port": s.proxy_api_port,
    "has_tls": s.tls_certificate is not None,
    "health_url": s.internal_service_url + "api/health",
    "hub_health_url": s.internal_hub_api_url.removesuffix("/api") + "/health",
}))
"""


@dataclass(frozen=True)
class PlatformSettings:
    """What set-up has to know of hub/settings.py."""

    instance: str
    url: str
    host: str
    port: int
    bind_ip: str
    gateway: str
    hub_port: int
    service_port: int
    proxy_api_port: int
    has_tls: bool
    health_url: str
    hub_health_url: str


def load_platform_settings(runner: Runner, places: Places) -> PlatformSettings:
    """Return the settings in force.

    Raises:
        SetupError: a variable of the operator is wrong; the message says which.
    """
    answer = runner.ask([str(places.venv_python), "-c", QUESTION])
    if not answer.ok:
        problem = "\n".join(answer.output.splitlines()[-10:])
        raise SetupError(
            f"The settings can't be read:\n{problem}",
            advice="Correct the ATELIER_ variable named above (see docs/operators.md), then start again.",
        )
    return PlatformSettings(**json.loads(answer.output))
