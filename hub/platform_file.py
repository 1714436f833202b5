"""`var/platform.json`: where the platform is, for programs that want to talk to it. Written at set-up."""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hub.settings import Settings

NAMED_VERSIONS = ("atelier", "jupyterhub", "nbgrader", "jupyterlab", "dockerspawner")


def write_platform_file(settings: Settings) -> None:
    """Write the file anew, in one step: a reader never sees half of it."""
    about = {
        "url": settings.url,
        "service_url": settings.service_url,
        "api_url": f"{settings.service_url}api/",
        "openapi_url": f"{settings.service_url}api/openapi.json",
        "versions": {name: version(name) for name in NAMED_VERSIONS},
    }
    path = settings.state_dir / "platform.json"
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    fresh.replace(path)
