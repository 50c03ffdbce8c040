"""The Flask application: made from a started appliance, with every family of pages registered here."""

from functools import lru_cache

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from appliance.startup import Appliance
from web import about
from web import admin
from web import api
from web import bodies
from web import counting
from web import design
from web import discovery
from web import downloads
from web import errors
from web import frame
from web import gate
from web import headers
from web import health
from web import hosts
from web import installed
from web import library
from web import listen
from web import listening
from web import media
from web import membership
from web import metrics
from web import people
from web import plugin_pages
from web import private_keys
from web import reading
from web import request_cycle
from web import request_log
from web import resubmission
from web import retrying
from web import security
from web import senders
from web import setup
from web import sharing
from web import shop
from web import storefront
from web import studio
from web import undecodable
from web import webhooks

EXTENSION = "musicconnect"
CALLED = 2000
"""More functions than there are pages, and what is done before and after each."""


def create_app(appliance: Appliance) -> Flask:
    """The WSGI application on top of *appliance*; nothing is read from the environment."""
    settings = appliance.settings
    app = Flask(__name__)
    app.extensions[EXTENSION] = appliance
    # Flask looks at each function that it calls, some thirty for a request, whether it is a coroutine; that it was one or not stays so.
    # Some are made for one request and hold what is its alone, so not all are kept for ever.
    app.ensure_sync = lru_cache(CALLED)(app.ensure_sync)  # type: ignore[method-assign]
    secure = settings.public_url.startswith("https://")
    app.config.update(
        SECRET_KEY=appliance.secret,
        SESSION_COOKIE_NAME="__Host-session" if secure else "session",
        SESSION_COOKIE_SECURE=secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        MAX_CONTENT_LENGTH=(settings.max_upload_mb + 1) * 1024 * 1024,
        MAX_FORM_MEMORY_SIZE=bodies.MOST_FORM_BYTES,
        MAX_FORM_PARTS=200,
        TEMPLATES_AUTO_RELOAD=False,
    )
    app.wsgi_app = undecodable.replaced(retrying.once(app.wsgi_app))  # type: ignore[method-assign]
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    request_log.register(app, settings)
    metrics.register(app, settings)
    # In this order: who calls it what, how much is sent, and only then who is asking; who sends too much at once before it is read.
    hosts.register(app, settings)
    bodies.register(app)
    request_cycle.register(app)
    senders.register(app, settings)
    request_cycle.protect(app)
    reading.register(app)
    headers.register(app)
    frame.register(app)
    resubmission.register(app)
    private_keys.register(app)
    security.register(app, settings)
    shop.register(app)
    # As they were written, the id first. After Flask-Security, which brings a JSON provider of its own.
    app.json.sort_keys = False  # type: ignore[attr-defined]
    errors.register(app)
    for family in (
        frame,
        health,
        installed,
        setup,
        api,
        library,
        downloads,
        listen,
        listening,
        media,
        gate,
        storefront,
        discovery,
        sharing,
        webhooks,
        studio,
        security,
        people,
        membership,
        shop,
        admin,
        about,
        design,
    ):
        app.register_blueprint(family.blueprint)
    plugin_pages.register(app)
    counting.register(app, settings)
    return app
