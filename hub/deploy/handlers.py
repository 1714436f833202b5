"""Pages that JupyterHub serves for us beside its own. Called by the authenticator, which registers them.

With a host name for each person and service, the service's path exists on its own host only; people (and the
platform's own documents) know the plain path on the main host. It leads there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jupyterhub.handlers import BaseHandler

if TYPE_CHECKING:
    from tornado import web

    from hub.settings import Settings


class ServiceRedirectHandler(BaseHandler):  # type: ignore[misc]
    """Leads from `<address>/services/atelier/…` to the same page on the service's own host."""

    def initialize(self, origin: str, prefix: str) -> None:
        """Take the target's fixed part; the rest can only be a path beneath it."""
        self._base = origin + prefix

    def get(self, path: str) -> None:
        """Redirect, query included."""
        query = f"?{self.request.query}" if self.request.query else ""
        self.redirect(self._base + path.lstrip("/") + query)


def service_handlers(settings: Settings) -> list[tuple[str, type[web.RequestHandler], dict[str, Any]]]:
    """Return the routes, relative to the hub's prefix (JupyterHub leads any other path to the one below
    it).
    """
    target = {"origin": settings.service_origin, "prefix": settings.service_prefix}
    return [(settings.service_prefix + "(.*)", ServiceRedirectHandler, target)]
