"""What takes a role, and which role it takes."""

import pytest

from appliance.accounts import permissions
from appliance.accounts.models import RoleName
from appliance.accounts.permissions import Permission
from appliance.errors import NotAllowed


def test_every_role_says_what_it_lets_one_do() -> None:
    assert set(permissions.HELD) == set(RoleName)


@pytest.mark.parametrize("permission", list(Permission))
def test_an_admin_may_do_everything_and_a_listener_nothing(permission: Permission) -> None:
    permissions.require({RoleName.LISTENER, RoleName.ADMIN}, permission)
    with pytest.raises(NotAllowed):
        permissions.require({RoleName.LISTENER, RoleName.ARTIST}, permission)


@pytest.mark.parametrize("permission", list(Permission))
def test_a_moderator_takes_down_and_does_nothing_else(permission: Permission) -> None:
    assert permissions.allows({RoleName.MODERATOR}, permission) == (permission is Permission.TAKEDOWNS_MANAGE)


@pytest.mark.parametrize("permission", list(Permission))
def test_another_role_takes_nothing_away(permission: Permission) -> None:
    for role in RoleName:
        assert permissions.held({role}) <= permissions.held({role, RoleName.MODERATOR})


def test_a_role_that_nobody_knows_any_more_opens_nothing() -> None:
    assert permissions.held({"curator"}) == frozenset()
