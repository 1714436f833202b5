"""What every answer of the service wears: a request id and the headers that keep hostile neighbours out.

A plain ASGI middleware, so that event streams pass through unbuffered. Wrapped around the application by hub/service.py.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import structlog
from starlette.datastructures import MutableHeaders

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from hub.settings import Settings


def page_csp(settings: Settings) -> str:
    """Return the Content-Security-Policy of our own pages: everything from us, framed by nobody."""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            "frame-src 'self'",
            f"form-action 'self' {settings.url}",  # signing out leads on to the hub
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


class Dress:
    """Adds the request id and the default headers; a route that sets a header itself keeps it."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.static = f"{settings.service_prefix}static/"
        self.defaults = {
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Content-Security-Policy": page_csp(settings),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = uuid.uuid4().hex[:12]
        scope.setdefault("state", {})["request_id"] = request_id

        async def send_dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = request_id
                for name, value in self.defaults.items():
                    headers.setdefault(name, value)
                if not scope["path"].startswith(self.static):
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            await self.app(scope, receive, send_dressed)
