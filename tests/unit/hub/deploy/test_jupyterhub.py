"""JupyterHub's configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from traitlets.config import Config

from hub.deploy.jupyterhub import UnsafeAddressError, check_address, configure
from hub.settings import Settings

EVERYWHERE = "0.0.0.0"  # noqa: S104 - refused without TLS
CERTIFICATE: dict[str, Any] = {"tls_certificate": Path("/c.pem"), "tls_key": Path("/k.pem")}


@pytest.fixture
def c(settings: Settings) -> Config:
    config = Config()
    configure(config, settings)
    return config


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"bind_ip": "::1"},
        {"url": "https://learn.example.org"},
        {"url": "https://learn.example.org", "bind_ip": EVERYWHERE, **CERTIFICATE},
    ],
)
def test_safe_addresses(values: dict[str, Any]) -> None:
    check_address(Settings(**values))


@pytest.mark.parametrize(
    ("values", "hint"),
    [
        ({"bind_ip": EVERYWHERE}, "ATELIER_TLS_CERTIFICATE"),
        ({"bind_ip": "192.0.2.1"}, "ATELIER_TLS_CERTIFICATE"),
        ({"bind_ip": "localhost.example.org"}, "ATELIER_TLS_CERTIFICATE"),
        ({"bind_ip": ""}, "ATELIER_TLS_CERTIFICATE"),
        ({"url": "https://learn.example.org", "bind_ip": EVERYWHERE}, "ATELIER_TLS_CERTIFICATE"),
        (
            {"url": "https://learn.example.org", "bind_ip": EVERYWHERE, "tls_key": Path("/k")},
            "ATELIER_TLS_CERTIFICATE",
        ),
        ({"url": "http://learn.example.org"}, "https://"),
        ({"url": "http://notlocalhost"}, "https://"),
        ({"bind_ip": EVERYWHERE, **CERTIFICATE}, "https://"),
    ],
)
def test_unsafe_addresses_are_refused_with_what_to_set(values: dict[str, Any], hint: str) -> None:
    with pytest.raises(UnsafeAddressError, match=hint):
        check_address(Settings(**values))


@pytest.mark.parametrize(
    ("section", "trait", "value"),
    [
        ("JupyterHub", "bind_url", "http://127.0.0.1:8000"),
        ("JupyterHub", "hub_ip", "10.213.0.1"),
        ("JupyterHub", "subdomain_host", "http://atelier.localhost:8000"),
        ("JupyterHub", "default_url", "http://atelier--service.atelier.localhost:8000/services/atelier/"),
        ("JupyterHub", "cookie_host_prefix_enabled", True),
        ("JupyterHub", "oauth_require_pkce", True),
        ("JupyterHub", "cleanup_servers", False),
        ("JupyterHub", "allow_named_servers", False),
        ("ConfigurableHTTPProxy", "api_url", "http://127.0.0.1:8001"),
        ("PeopleAuthenticator", "manage_groups", True),
        ("PeopleAuthenticator", "auth_refresh_strict", True),
        ("AtelierSpawner", "allowed_images", {}),
        ("AtelierSpawner", "pull_policy", "never"),
        ("AtelierSpawner", "remove", True),
    ],
)
def test_decision(c: Config, section: str, trait: str, value: object) -> None:
    assert c[section][trait] == value


def test_without_a_proxy_in_front_no_address_in_a_header_is_skipped(c: Config) -> None:
    assert "trusted_downstream_ips" not in c.JupyterHub


def test_the_service_is_at_its_own_host_and_asks_for_little(c: Config) -> None:
    service = c.JupyterHub.services[0]
    assert (
        service["oauth_redirect_uri"]
        == "http://atelier--service.atelier.localhost:8000/services/atelier/oauth_callback"
    )
    assert service["oauth_client_allowed_scopes"] == ["read:users!user", "read:servers!user"]
    assert "admin" not in service


def test_nobody_is_let_in_by_configuration(c: Config) -> None:
    for trait in ("allow_all", "allow_existing_users", "allowed_users", "admin_users"):
        assert trait not in c.PeopleAuthenticator
        assert trait not in c.Authenticator


def test_tls_ends_here_when_there_is_a_certificate(settings: Settings) -> None:
    config = Config()
    public = settings.model_copy(
        update={"url": "https://learn.example.org", "bind_ip": EVERYWHERE, **CERTIFICATE}
    )
    configure(config, public)
    assert config.JupyterHub.bind_url == "https://0.0.0.0:443"
    assert config.JupyterHub.ssl_cert == "/c.pem"


def test_behind_a_proxy_that_ends_tls_it_listens_on_loopback(settings: Settings) -> None:
    config = Config()
    configure(config, settings.model_copy(update={"url": "https://learn.example.org"}))
    assert config.JupyterHub.bind_url == "http://127.0.0.1:8000"
    assert config.JupyterHub.public_url == "https://learn.example.org"
    assert config.JupyterHub.trusted_downstream_ips == ["127.0.0.1", "::1"]
