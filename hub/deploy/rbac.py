"""Who may do what at JupyterHub: roles, custom scopes, what a server's token holds. One table, tested on a
real hub.

Everything is by group, and the groups are the platform's roles: somebody in no group may do nothing. The
smallest scopes that work; `self`, JupyterHub's usual bundle, is not among them.
"""

from __future__ import annotations

from typing import Any

from hub.people.models import Role

SERVICE = "atelier"
CULLER = "idle-culler"

EXCHANGE_SCOPE = "custom:atelier:exchange"
API_SCOPE = "custom:atelier:api"
ACCESS_SCOPE = f"access:services!service={SERVICE}"

CUSTOM_SCOPES = {
    EXCHANGE_SCOPE: {"description": "Fetch and submit exercises in Atelier, within one's own courses."},
    API_SCOPE: {"description": "Use Atelier's API as oneself."},
}

SIGNED_IN = ("read:users!user", ACCESS_SCOPE, API_SCOPE)
"""Everybody with a role: see oneself, open the platform's pages."""

OWN_SERVER = (
    "servers!user",
    "access:servers!user",
    "users:activity!user",
    EXCHANGE_SCOPE,
)
"""Those who have a workspace: start and stop it, be in it, and what its token may hold."""

OWN_TOKENS = ("tokens!user",)
"""Make personal tokens for the API."""

SCOPES_BY_ROLE: dict[Role, tuple[str, ...]] = {
    Role.LEARNER: (*SIGNED_IN, *OWN_SERVER, *OWN_TOKENS),
    Role.MENTOR: (*SIGNED_IN, *OWN_SERVER, *OWN_TOKENS),
    Role.TRAINER: (*SIGNED_IN, *OWN_SERVER, *OWN_TOKENS),
    # Sees who is there and stops what runs away. May not look into anybody's workspace, nor act as them.
    Role.ADMIN: (
        *SIGNED_IN,
        *OWN_TOKENS,
        "admin-ui",
        "list:users",
        "read:users",
        "read:servers",
        "delete:servers",
        "read:hub",
    ),
}

SERVER_TOKEN_SCOPES = (
    ACCESS_SCOPE,
    "read:users:name!user",
    "users:activity!user",
    "access:servers!server",
    EXCHANGE_SCOPE,
)
"""What the token in a container may do: say whose it is, report activity, let its person in, use the
exchange."""

SERVICE_SCOPES = ("list:users", "read:users", "read:servers")
"""The platform's pages show whether somebody's workspace runs; starting it is the person's own request."""

OAUTH_SCOPES = ("read:users!user", "read:servers!user")
"""What the service may do with a signed-in person's session: see who they are and whether their workspace
runs."""

CULLER_SCOPES = ("list:users", "read:users:activity", "read:servers", "delete:servers")


def roles() -> list[dict[str, Any]]:
    """Return JupyterHub's `load_roles`."""
    by_group = [
        {
            "name": f"atelier-{role.value}",
            "description": f"What a {role.value} may do",
            "scopes": list(scopes),
            "groups": [role.value],
        }
        for role, scopes in SCOPES_BY_ROLE.items()
    ]
    return [
        # JupyterHub gives the role `user` to everybody it ever saw, so it must be worth nothing by itself.
        {"name": "user", "description": "Known here", "scopes": ["read:users:name!user"]},
        {"name": "server", "description": "A workspace's own token", "scopes": list(SERVER_TOKEN_SCOPES)},
        *by_group,
        {
            "name": "atelier-service",
            "description": "The platform's pages and API",
            "scopes": list(SERVICE_SCOPES),
            "services": [SERVICE],
        },
        {
            "name": "atelier-culler",
            "description": "Stops workspaces that nobody uses",
            "scopes": list(CULLER_SCOPES),
            "services": [CULLER],
        },
    ]
