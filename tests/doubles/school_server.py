"""The service's pages over the small school, without JupyterHub: who is signed in is what the cookie `as` says.

For browser tests of the pages alone; the sign-in itself is tested on the real platform.
"""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import uvicorn
from fastapi import Request  # noqa: TC002 - FastAPI reads the annotation

from hub import auth
from hub.people.models import Role
from hub.service import Services, create_app

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi import FastAPI

    from hub.settings import Settings

STARTS_WITHIN_S = 20
CSRF = "csrf-of-the-test"


def app_with_cookie_sign_in(settings: Settings, services: Services) -> FastAPI:
    """Return the real application, but for who is asking."""
    app = create_app(settings, services)

    async def page_caller(request: Request) -> auth.Caller:
        person = services.people.by_name(request.cookies.get("as", "nobody"))
        caller = auth.Caller(
            person.id,
            person.name,
            person.display_name,
            Role(person.role),
            person.language,
            csrf=CSRF,
        )
        request.state.caller = caller
        return caller

    app.dependency_overrides[auth.page_caller] = page_caller
    return app


@contextmanager
def served(settings: Settings, services: Services) -> Iterator[str]:
    """Serve the pages on a free port of loopback; yield the address of the start page."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    app = app_with_cookie_sign_in(settings, services)
    app.dependency_overrides[auth.same_origin] = lambda: (
        None
    )  # the port is another one; tests/unit/hub/test_auth.py has it
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + STARTS_WITHIN_S
    while not server.started:
        if time.monotonic() > deadline:
            raise TimeoutError("the pages did not start")
        threading.Event().wait(0.02)
    try:
        yield f"http://127.0.0.1:{port}{settings.service_prefix}"
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()
