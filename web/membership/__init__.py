"""Memberships that are paid for: joining, what one pays and when, changing, cancelling, pausing."""

from web.membership import changing
from web.membership import joining
from web.membership import keeping
from web.membership import papers
from web.membership.routing import blueprint

__all__ = ["blueprint", "changing", "joining", "keeping", "papers"]
