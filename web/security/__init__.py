"""Accounts by Flask-Security on the models of ``accounts``: signing in and joining, sessions, second factors, and proving it again."""

from web.security import elsewhere
from web.security import passkeys
from web.security import second_step
from web.security import step_up
from web.security.configuration import register
from web.security.routing import blueprint

__all__ = ["blueprint", "elsewhere", "passkeys", "register", "second_step", "step_up"]
