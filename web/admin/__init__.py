"""The pages of those who look after the collective; every one of them asks first whether one may come in."""

from flask import Blueprint

from web.admin import artists
from web.admin import collective
from web.admin import entrance
from web.admin import featured
from web.admin import mail
from web.admin import overview
from web.admin import payment_events
from web.admin import payments
from web.admin import payouts
from web.admin import people
from web.admin import plugins
from web.admin import takedowns
from web.admin import trail
from web.admin import work

__all__ = ["blueprint"]

blueprint: Blueprint = entrance.blueprint
PAGES = (
    overview,
    collective,
    featured,
    people,
    artists,
    payments,
    payment_events,
    payouts,
    work,
    mail,
    plugins,
    takedowns,
    trail,
)
"""Modules whose import puts their pages onto the blueprint."""
