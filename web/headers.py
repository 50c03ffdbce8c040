"""Headers of every answer, errors and static files too: what browsers may do with it, and who may see it in a frame."""

from urllib.parse import urlsplit

from flask import Flask
from flask import Response
from flask import current_app
from flask import request

from appliance import hooks
from web import addresses
from web.request_cycle import appliance
from web.request_cycle import nonce

HSTS = f"max-age={2 * 365 * 86_400}"
"""Without the domains below: they need not be ours."""
PERMISSIONS = ", ".join(
    f"{name}=()"
    for name in (
        "accelerometer", "camera", "display-capture", "geolocation", "gyroscope", "hid", "magnetometer", "microphone", "midi",
        "payment", "serial", "usb",
    )
)  # fmt: skip
SEEN_ELSEWHERE = frozenset({"media", "sharing"})
"""Families whose answers stand in foreign pages: players, covers, cards."""
OF_DATA = "default-src 'none'; frame-ancestors 'none'"
DATA = frozenset({"application/json", "application/problem+json", "text/plain"})
OF_SOMEBODY = frozenset({"text/html", "application/json", "application/problem+json"})


def register(app: Flask) -> None:
    """Put the headers on every answer of *app*."""
    app.after_request(finish)


def finish(answer: Response) -> Response:
    """The headers of *answer*, where its view has not said its own."""
    headers, kind = answer.headers, answer.mimetype
    said = {name.lower() for name, _ in headers}
    elsewhere = request.blueprint in SEEN_ELSEWHERE or "access-control-allow-origin" in said
    ours = {
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "strict-origin-when-cross-origin",
        "Cross-Origin-Resource-Policy": "cross-origin" if elsewhere else "same-origin",
    }
    if current_app.config["SESSION_COOKIE_SECURE"]:
        ours["Strict-Transport-Security"] = HSTS
    if kind == "text/html":
        ours["Permissions-Policy"] = PERMISSIONS
        # A page with a policy of its own says there who may put it in a frame.
        if "content-security-policy" not in said:
            ours["X-Frame-Options"] = "SAMEORIGIN"
            ours["Content-Security-Policy"] = policy()
            ours["Cross-Origin-Opener-Policy"] = "same-origin"
    elif kind in DATA:
        ours["Content-Security-Policy"] = OF_DATA
    if kind in OF_SOMEBODY:
        # What one may see another may not, and a signed address in it ends; what is public and stays says so itself.
        ours["Cache-Control"] = "private, no-cache"
    # One look at what is there, and not one for each.
    headers.extend((name, value) for name, value in ours.items() if name.lower() not in said)
    return answer


def policy() -> str:
    """What a page of ours may load and run: from here, and media from where they lie."""
    media = media_sources()
    return (
        f"default-src 'none'; script-src 'self' 'nonce-{nonce()}'; style-src 'self' 'nonce-{nonce()}'; font-src 'self'; "
        f"img-src 'self' data:{media}; media-src 'self' blob:{media}; connect-src 'self'{media}; worker-src 'self' blob:; "
        "manifest-src 'self'; frame-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
        + upgrade()
    )


def policy_of_embeds() -> str:
    """The same for a player in a foreign page; without a nonce, since that answer is kept for everybody."""
    media = media_sources()
    return (
        f"default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data:{media}; "
        f"media-src 'self' blob:{media}; connect-src 'self'{media}; worker-src 'self' blob:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors *" + upgrade()
    )


def upgrade() -> str:
    """Where this server is reached by https, nothing of a page may be asked for without."""
    return "; upgrade-insecure-requests" if current_app.config["SESSION_COOKIE_SECURE"] else ""


def media_sources() -> str:
    """The origins of media that are not the page's own, each after a space: a plugin, or 'public_url', may put them elsewhere."""
    told = [addresses.root(), *hooks.announce("media_url", key="artwork/origin", expires_in_s=0)[:1]]
    told += hooks.announce(
        "media_url", key="media/origin", expires_in_s=appliance().settings.media_token_ttl_s
    )[:1]
    found = {origin(str(address)) for address in told}
    return "".join(f" {one}" for one in sorted(found - {"", f"{request.scheme}://{request.host}"}))


def origin(address: str) -> str:
    """Scheme, host and port of *address*; empty for what has none or could break out of a policy."""
    place = urlsplit(address)
    if place.scheme not in {"http", "https"} or not place.netloc or set(place.netloc) & set("@;*, '\""):
        return ""
    return f"{place.scheme}://{place.netloc}"
