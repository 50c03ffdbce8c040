"""What was bought with an address before it had an account: taken in when its owner confirms it, and at each sign-in."""

from typing import Any

from flask import Flask
from flask_security import user_authenticated
from flask_security import user_confirmed

from appliance import clock
from appliance.accounts.models import User
from appliance.shop import delivery


def register(app: Flask) -> None:
    """Watch the sign-ins of *app*."""
    user_authenticated.connect(take_in, app)
    user_confirmed.connect(take_in, app)


def take_in(app: Flask, user: Any, **_unused: Any) -> None:
    """Give them what is waiting for their address."""
    delivery.claim(User.get_by_id(user.id), now=clock.now())
