"""The table of permissions. What the hub makes of it is tested on a real hub (tests/integration/hub/deploy)."""

from __future__ import annotations

import pytest

from hub.deploy import rbac
from hub.people.models import Role

TOO_MUCH = {
    "self", "inherit", "all", "admin:users", "admin:servers", "admin:groups", "admin:services", "users", "tokens",
    "groups", "shares", "proxy", "shutdown", "access:servers", "access:services", "servers",
}  # fmt: skip


def scopes_of(name: str) -> set[str]:
    return next(set(role["scopes"]) for role in rbac.roles() if role["name"] == name)


def test_no_role_holds_a_bundle_or_somebody_elses_server() -> None:
    for role in rbac.roles():
        assert not TOO_MUCH & set(role["scopes"]), role["name"]


def test_the_default_role_is_worth_nothing() -> None:
    assert scopes_of("user") == {"read:users:name!user"}


def test_every_role_has_a_group_of_its_name() -> None:
    groups = {group for role in rbac.roles() for group in role.get("groups", [])}
    assert groups == {role.value for role in Role}


@pytest.mark.parametrize("role", [Role.LEARNER, Role.MENTOR, Role.TRAINER])
def test_a_persons_scopes_are_about_themselves(role: Role) -> None:
    about_all = {scope for scope in rbac.SCOPES_BY_ROLE[role] if "!" not in scope}
    assert about_all == {rbac.EXCHANGE_SCOPE, rbac.API_SCOPE}


def test_a_servers_token_holds_no_more_than_its_person_and_not_the_api() -> None:
    held = set(rbac.SCOPES_BY_ROLE[Role.LEARNER])
    assert rbac.API_SCOPE not in rbac.SERVER_TOKEN_SCOPES
    assert {rbac.EXCHANGE_SCOPE, rbac.ACCESS_SCOPE, "users:activity!user"} <= held & set(
        rbac.SERVER_TOKEN_SCOPES
    )
    assert not [
        scope for scope in rbac.SERVER_TOKEN_SCOPES if scope.startswith(("servers", "tokens", "list:"))
    ]


def test_an_admin_may_stop_but_not_enter_or_act_as_others() -> None:
    scopes = set(rbac.SCOPES_BY_ROLE[Role.ADMIN])
    assert "delete:servers" in scopes
    assert not [scope for scope in scopes if scope.startswith("access:servers")]
    assert "tokens!user" in scopes
