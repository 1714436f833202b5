"""Who is calling: HubOAuth for browsers, hub tokens for the API; deny by default.

A browser signs in at JupyterHub and comes back with a code; we keep the hub's token in an encrypted, host-only
session cookie. Every request asks the hub (through a short cache) whether that token still stands, so that signing out
or deactivating somebody takes effect everywhere within `HUB_CACHE_S`.

Learners' own servers live on sibling subdomains, so they are *same-site and hostile*: cookies are `__Host-` (a sibling
can't set them), and every request that changes something must prove that it comes from our own origin.
"""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlencode

from cryptography.fernet import Fernet, InvalidToken
from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from jupyterhub.services.auth import HubOAuth
from starlette.concurrency import run_in_threadpool
from tornado.web import HTTPError

from hub.errors import NotAllowedError, NotFoundError, NotSignedInError, UnavailableError
from hub.people.models import Person, Role

if TYPE_CHECKING:
    from hub.service import Services
    from hub.settings import Settings

HUB_CACHE_S = 30
SESSION_COOKIE = "__Host-atelier-session"
STATE_COOKIE = "__Host-atelier-state"
SESSION_MAX_AGE_S = 14 * 24 * 3600
ACCESS_SCOPE = "access:services!service=atelier"
EXCHANGE_SCOPE = "custom:atelier:exchange"
API_SCOPE = "custom:atelier:api"

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Caller:
    """The person behind a request. `csrf` is empty for token callers: they need none."""

    person_id: int
    name: str
    display_name: str
    role: Role
    language: str
    scopes: frozenset[str] = frozenset()
    csrf: str = ""


class SignInRequiredError(NotSignedInError):
    """A page was asked for without a session: the handler in hub/service.py leads into the sign-in."""


def make_hub_auth(settings: Settings) -> HubOAuth:
    """Return the client of the hub's sign-in and token checks for the service called `atelier`."""
    return HubOAuth(
        api_url=settings.internal_hub_api_url,
        api_token=settings.secret("service-token"),
        oauth_client_id="service-atelier",
        oauth_redirect_uri=settings.service_url + "oauth_callback",
        oauth_authorization_url=settings.url + "/hub/api/oauth2/authorize",
        base_url=settings.service_prefix,
        hub_host=settings.url,
        access_scopes={ACCESS_SCOPE},
        cache_max_age=HUB_CACHE_S,
    )


def get_services(request: Request) -> Services:
    """Dependency: what the application is made of."""
    services: Services = request.app.state.services
    return services


ServicesDep = Annotated["Services", Depends(get_services)]


def _caller(person: Person, scopes: frozenset[str], csrf: str = "") -> Caller:
    return Caller(
        person_id=person.id,
        name=person.name,
        display_name=person.display_name,
        role=Role(person.role),
        language=person.language,
        scopes=scopes,
        csrf=csrf,
    )


async def _hub_user(request: Request, token: str) -> dict[str, Any] | None:
    hub_auth: HubOAuth = request.app.state.hub_auth
    try:
        model: dict[str, Any] | None = await hub_auth.user_for_token(token, sync=False)
    except (
        Exception
    ) as error:  # the hub's client raises tornado HTTPErrors and aiohttp's own; all mean the same here
        raise UnavailableError(
            "The sign-in service does not answer. Please try again in a minute.",
            reason="hub_unavailable",
            log=repr(error),
        ) from error
    if model is None or model.get("kind") != "user":
        return None
    return model if hub_auth.check_scopes(hub_auth.access_scopes, model) else None


async def _active_person(request: Request, name: str) -> Person:
    person = await run_in_threadpool(get_services(request).people.find, name)
    if person is None or not person.active:
        raise NotSignedInError(
            "This account is not active. Ask your training centre.", reason="account_inactive"
        )
    return person


# --- the API: hub tokens ----------------------------------------------------------------------------------------------


def needs_scope(*scopes: str) -> Callable[[Request], Awaitable[Caller]]:
    """Return a dependency: a hub token that holds one of `scopes` (a server's token holds only the exchange's).

    Raises (when a request comes in):
        NotSignedInError: no token, an unknown one, or an inactive person.
        NotAllowedError: the token stands but is not for this.
    """
    unknown = set(scopes) - {EXCHANGE_SCOPE, API_SCOPE}
    if unknown or not scopes:
        raise ValueError(f"unknown scopes: {sorted(unknown)}")  # a typo must fail at import, not open a door

    async def token_caller(request: Request) -> Caller:
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind.lower() not in ("token", "bearer") or not token.strip():
            raise NotSignedInError("Send the header 'Authorization: token …'.")
        model = await _hub_user(request, token.strip())
        if model is None:
            raise NotSignedInError("This token is not valid here, or no longer.")
        held = frozenset(model["scopes"])
        if not held.intersection(scopes):
            raise NotAllowedError("This token may not do that.")
        return _caller(await _active_person(request, model["name"]), held)

    return token_caller


# --- pages: the session cookie ----------------------------------------------------------------------------------------


class SessionCodec:
    """Encrypts what the session cookie holds: the hub's token and the request-forgery token."""

    def __init__(self, settings: Settings) -> None:
        self._fernet = Fernet(settings.secret("session-key").encode("ascii"))

    def encode(self, hub_token: str, csrf: str) -> str:
        """Return the cookie's value."""
        return self._fernet.encrypt(json.dumps([hub_token, csrf]).encode()).decode("ascii")

    def decode(self, value: str) -> tuple[str, str] | None:
        """Return (hub token, csrf token), or None when the value is not ours, damaged or too old."""
        try:
            hub_token, csrf = json.loads(self._fernet.decrypt(value.encode(), ttl=SESSION_MAX_AGE_S))
        except (InvalidToken, ValueError, UnicodeEncodeError):
            return None
        return hub_token, csrf


async def page_caller(request: Request) -> Caller:
    """Dependency of every page: the signed-in person.

    Raises:
        SignInRequiredError: no session, or one that the hub no longer knows.
    """
    codec: SessionCodec = request.app.state.sessions
    session = codec.decode(request.cookies.get(SESSION_COOKIE, ""))
    if session is None:
        raise SignInRequiredError("Please sign in.")
    hub_token, csrf = session
    model = await _hub_user(request, hub_token)
    if model is None:
        raise SignInRequiredError("Please sign in again.")
    caller = _caller(await _active_person(request, model["name"]), frozenset(model["scopes"]), csrf)
    request.state.caller = caller  # error pages are in the person's language
    return caller


def needs_role(*roles: Role) -> Callable[..., Awaitable[Caller]]:
    """Return a dependency: a signed-in person with one of `roles`; to all others the page does not exist."""

    async def role_caller(caller: Annotated[Caller, Depends(page_caller)]) -> Caller:
        if caller.role not in roles:
            raise NotFoundError("This page does not exist.")
        return caller

    return role_caller


async def same_origin(request: Request, caller: Annotated[Caller, Depends(page_caller)]) -> None:
    """Dependency of every page route that changes something: the request comes from our own pages.

    Raises:
        NotAllowedError: another origin (a learner's server is one), no sign of the origin at all, or a wrong token.
    """
    settings: Settings = get_services(request).settings
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    from_here = (
        (site is not None or origin is not None)
        and site in (None, "same-origin")
        and origin in (None, settings.service_origin)
    )
    sent = request.headers.get("x-csrf-token") or str((await request.form()).get("csrf", ""))
    if not from_here or not caller.csrf or not hmac.compare_digest(sent.encode(), caller.csrf.encode()):
        raise NotAllowedError(
            "This request did not come from this page. Reload the page and try again.",
            reason="cross_site_request",
        )


def safe_next(settings: Settings, target: str | None) -> str:
    """Return `target` when it is a path of ours, else the start page: no redirect leads elsewhere."""
    prefix = settings.service_prefix
    if not target or not target.startswith(prefix) or "\\" in target or not target.isprintable():
        return prefix
    return target


def sign_in_redirect(request: Request) -> RedirectResponse:
    """Lead the browser to the hub's sign-in; it comes back to the page it asked for (GET) or the start page."""
    settings: Settings = get_services(request).settings
    hub_auth: HubOAuth = request.app.state.hub_auth
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    verifier, challenge, method = hub_auth.generate_pkce_code_challenge()
    state = hub_auth.generate_state(
        safe_next(settings, wanted if request.method == "GET" else None), code_verifier=verifier
    )
    query = urlencode(
        {
            "client_id": hub_auth.oauth_client_id,
            "redirect_uri": hub_auth.oauth_redirect_uri,
            "response_type": "code",
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": method,
        }
    )
    response = RedirectResponse(f"{hub_auth.oauth_authorization_url}?{query}", status_code=302)
    _set_cookie(response, STATE_COOKIE, state, 600)
    return response


def _set_cookie(response: Response, name: str, value: str, max_age_s: int) -> None:
    response.set_cookie(name, value, max_age=max_age_s, path="/", secure=True, httponly=True, samesite="lax")


@router.get("/oauth_callback")
async def oauth_callback(
    request: Request, services: ServicesDep, code: str = "", state: str = ""
) -> Response:
    """Finish the sign-in: the state must be the one this browser was given."""
    hub_auth: HubOAuth = request.app.state.hub_auth
    expected = request.cookies.get(STATE_COOKIE, "")
    if not code or not state or not hmac.compare_digest(state.encode(), expected.encode()):
        # An old tab, a second sign-in beside this one, or a forged link: begin again, keep nothing.
        response: Response = RedirectResponse(services.settings.service_prefix, status_code=302)
        response.delete_cookie(STATE_COOKIE, path="/", secure=True, httponly=True, samesite="lax")
        return response
    target = safe_next(services.settings, hub_auth.get_next_url(state))
    verifier = hub_auth.get_code_verifier(state)
    hub_auth.clear_oauth_state(state)
    try:
        hub_token = await hub_auth.token_for_code(code, code_verifier=verifier, sync=False)
    except HTTPError as error:
        raise UnavailableError(
            "Signing in did not work. Please try again.", reason="sign_in_failed", log=type(error).__name__
        ) from error
    codec: SessionCodec = request.app.state.sessions
    response = RedirectResponse(target, status_code=302)
    _set_cookie(
        response, SESSION_COOKIE, codec.encode(hub_token, secrets.token_urlsafe(24)), SESSION_MAX_AGE_S
    )
    response.delete_cookie(STATE_COOKIE, path="/", secure=True, httponly=True, samesite="lax")
    return response


@router.post("/sign-out", dependencies=[Depends(same_origin)])
async def sign_out(services: ServicesDep) -> Response:
    """Forget the session here and lead to the hub's sign-out, which ends the tokens too."""
    response = RedirectResponse(f"{services.settings.url}/hub/logout", status_code=303)
    response.delete_cookie(SESSION_COOKIE, path="/", secure=True, httponly=True, samesite="lax")
    return response
