"""A learner's subdomain, in a learner's hands: a web server that says what it likes and notes who came.

A learner owns every process of their container, so nothing that Jupyter does for safety on that host name counts. To a
browser this server is that host: the same name and so the same site and the same cookies; only the port differs, which
neither knows about. Used by conftest.py.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class HostileSite:
    """Pages by path, headers for all of them, and every request that came in."""

    origin: str
    pages: dict[str, str] = field(default_factory=dict)
    headers: list[tuple[str, str]] = field(default_factory=list)
    visits: list[str] = field(default_factory=list)

    def page(self, name: str, body: str) -> str:
        """Put up a page; return its address."""
        self.pages[f"/{name}"] = f"<!doctype html><title>{name}</title><body>{body}"
        return f"{self.origin}/{name}"


class _Handler(BaseHTTPRequestHandler):
    site: ClassVar[HostileSite]

    def do_GET(self) -> None:
        self.site.visits.append(self.path)
        page = self.site.pages.get(self.path.partition("?")[0])
        self.send_response(404 if page is None else 200)
        for name, value in [("Content-Type", "text/html; charset=utf-8"), *self.site.headers]:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write((page or "").encode())

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.do_GET()

    def log_message(self, format: str, *_arguments: object) -> None:  # noqa: A002 - the base's name
        """Say nothing."""


@contextmanager
def hostile_site(host: str) -> Iterator[HostileSite]:
    """Serve a learner's host name from a free port of loopback."""
    handler = type("Handler", (_Handler,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    handler.site = HostileSite(f"http://{host}:{server.server_address[1]}")  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield handler.site  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
