"""Stops workspaces that nobody uses: JupyterHub's idle culler as a service of the hub, with a role of its
own.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from hub.deploy.rbac import CULLER

if TYPE_CHECKING:
    from hub.settings import Settings


def culler_service(settings: Settings) -> dict[str, Any]:
    """Return the service's entry for JupyterHub. Homes stay; only idle containers go."""
    every_s = max(10, min(300, settings.idle_cull // 4))
    return {
        "name": CULLER,
        "api_token": settings.secret("culler-token"),
        "display": False,
        "command": [
            sys.executable,
            "-m",
            "jupyterhub_idle_culler",
            f"--timeout={settings.idle_cull}",
            f"--cull-every={every_s}",
            "--concurrency=4",
        ],
    }
