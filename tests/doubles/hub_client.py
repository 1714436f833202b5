"""A browser's part in HTTP, without a browser: host names that lead to loopback, cookies by host, redirects on request.

Python's resolver does not know `*.localhost`, and its cookie jar refuses `Secure` cookies over http, which browsers
accept on localhost. For tests against a running hub.
"""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode, urljoin, urlsplit


@dataclass(frozen=True)
class Answer:
    """What came back."""

    url: str
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", errors="replace")

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def location(self) -> str:
        return urljoin(self.url, self.headers["Location"] or "")


@dataclass
class HubClient:
    """One browser. `base` is the platform's address."""

    base: str
    cookies: dict[str, dict[str, tuple[str, str]]] = field(default_factory=dict)
    """By host (a leading dot: for subdomains too): name -> (value, path)."""

    def request(
        self,
        method: str,
        url: str,
        body: bytes | str | Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        follow: int = 0,
    ) -> Answer:
        """Send a request; `follow` that many redirects."""
        parts = urlsplit(urljoin(self.base, url))
        sent = {"Host": parts.netloc, "Sec-Fetch-Mode": "navigate", **(headers or {})}
        if cookie := self._cookie_header(str(parts.hostname), parts.path):
            sent["Cookie"] = cookie
        if isinstance(body, Mapping):
            body, sent["Content-Type"] = urlencode(body), "application/x-www-form-urlencoded"
        connection = http.client.HTTPConnection("127.0.0.1", parts.port, timeout=60)
        try:
            connection.request(method, parts.path + (f"?{parts.query}" if parts.query else ""), body, sent)
            response = connection.getresponse()
            answer = Answer(parts.geturl(), response.status, response.headers, response.read())
        finally:
            connection.close()
        self._keep_cookies(str(parts.hostname), answer.headers)
        if follow and answer.status in (301, 302, 303, 307):
            return self.request("GET", answer.location, headers=headers, follow=follow - 1)
        return answer

    def get(self, url: str, headers: Mapping[str, str] | None = None, *, follow: int = 0) -> Answer:
        return self.request("GET", url, headers=headers, follow=follow)

    def sign_in(self, name: str, password: str, next_path: str = "") -> Answer:
        """Fill in the sign-in form."""
        url = "/hub/login" + (f"?next={quote(next_path)}" if next_path else "")
        token = re.search(r'name="_xsrf" value="([^"]+)"', self.get(url).text)
        form = {"username": name, "password": password, "_xsrf": token.group(1) if token else ""}
        return self.request("POST", url, form)

    def call(self, method: str, path: str, body: Any = None) -> Answer:
        """Call the hub's API as a script of its own pages does: with the cookie, and the token against forgery."""
        self.get("/hub/token")
        jar = self.cookies[str(urlsplit(self.base).hostname)]
        headers = {
            "X-XSRFToken": next(value for name, (value, _) in jar.items() if name.endswith("_xsrf")),
            "Sec-Fetch-Mode": "cors",
            "Sec-Fetch-Site": "same-origin",
        }
        return self.request(method, f"/hub/api/{path}", None if body is None else json.dumps(body), headers)

    def _cookie_header(self, host: str, path: str) -> str:
        return "; ".join(
            f"{name}={value}"
            for where, jar in self.cookies.items()
            if where == host or (where.startswith(".") and f".{host}".endswith(where))
            for name, (value, cookie_path) in jar.items()
            if path.startswith(cookie_path)
        )

    def _keep_cookies(self, host: str, headers: http.client.HTTPMessage) -> None:
        for line in headers.get_all("Set-Cookie") or []:
            first, *attributes = (part.strip() for part in line.split(";"))
            name, _, value = first.partition("=")
            known = {key.lower(): rest for key, _, rest in (part.partition("=") for part in attributes)}
            where = f".{known['domain'].lstrip('.')}" if known.get("domain") else host
            self.cookies.setdefault(where, {})[name] = (value, known.get("path") or "/")
