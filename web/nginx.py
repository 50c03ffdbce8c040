"""``musicconnect nginx``: the configuration of an nginx in front, filled in for this node."""

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import SplitResult
from urllib.parse import urlsplit

import click

from appliance import startup
from appliance.catalog.models import Quality
from appliance.errors import Invalid
from appliance.invocation import data_option
from appliance.invocation import settings_from
from appliance.memberships import media_tokens
from appliance.settings import Settings
from appliance.storage import LocalStore
from appliance.storage import ObjectStore
from appliance.storage import Signing
from appliance.storage import labels
from appliance.storage import open_store

CACHE = "/var/cache/nginx/musicconnect"
LOG = "/var/log/nginx/musicconnect.log"
CERTIFICATES = "/etc/letsencrypt/live"
AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"
PLAIN = re.compile(r"[A-Za-z0-9_./:\[\]@~+ -]+")
"""What can stand in nginx's language as it is; a space only between the words of a ``listen``."""
RECORDINGS = (
    "^/(?:api/v1/uploads(?:/[^/]+)?|(?:api/v1|studio)/releases/[^/]+/tracks|studio/tracks/[^/]+/master)$"
)
PICTURES = "^/(?:(?:api/v1|studio)/(?:artists/[^/]+/(?:merchandise/[^/]+/)?picture|releases/[^/]+/artwork)|admin/collective/logo)$"
MOST_SENDERS = 12
"""How many recordings may be coming in from one address at once: six people behind it who send as many as the page does. Who is the next
waits for one of them, and the page goes on by itself; so a school takes turns, and nobody holds all web servers by having many accounts."""
HIDDEN = ("X-Trans-Id", "X-Openstack-Request-Id", "Server")
"""What kinds of S3 servers say of themselves."""


@click.command(short_help="Print the configuration of nginx in front of this node.")
@click.option("--listen", multiple=True, help="What nginx listens on (default: 443 with TLS, or 80).")
@click.option(
    "--upstream", multiple=True, help="HOST:PORT of each web server behind it (default: this node alone)."
)
@click.option("--cache", default=CACHE, show_default=True, help="Folder in which nginx keeps what it may.")
@click.option("--log", default=LOG, show_default=True, help="File in which nginx notes requests.")
@click.option("--certificate", help="The certificate (default: where certbot puts it).")
@click.option("--certificate-key", help="The key of the certificate (default: where certbot puts it).")
@click.option(
    "--challenges", help="Folder in which certbot answers the certificate authority (--webroot-path)."
)
@data_option
@click.pass_context
def nginx(
    ctx: click.Context,
    listen: tuple[str, ...],
    upstream: tuple[str, ...],
    cache: str,
    log: str,
    certificate: str | None,
    certificate_key: str | None,
    challenges: str | None,
) -> None:
    """Print the configuration of an nginx in front of this node, which then hands out the sound itself.

    It holds a key: let only root and nginx read the file.
    """
    settings = settings_from(ctx)
    startup.make_data_folder(settings)
    store = open_store(startup.store_url(settings))
    secret = startup.secret_key(settings)
    tls = (certificate, certificate_key) if certificate and certificate_key else None
    text = configuration(
        settings,
        store,
        secret=secret,
        listen=listen,
        cache=cache,
        log=log,
        tls=tls,
        upstreams=upstream,
        challenges=challenges or "",
    )
    click.echo(text, nl=False)


def configuration(
    settings: Settings,
    store: ObjectStore,
    *,
    secret: str,
    listen: tuple[str, ...] = (),
    cache: str = CACHE,
    log: str = LOG,
    tls: tuple[str, str] | None = None,
    upstreams: tuple[str, ...] = (),
    challenges: str = "",
) -> str:
    """The text for nginx; ``Invalid`` names the setting that nginx cannot do without."""
    public = urlsplit(settings.public_url.rstrip("/"))
    if not public.hostname:
        raise Invalid("Set 'public_url' first: nginx answers for that name only.", field="public_url")
    if not settings.trusted_proxies:
        raise Invalid(
            "Set 'trusted_proxies' to 1 first: else every visitor seems to come from nginx itself.",
            field="trusted_proxies",
        )
    secure = public.scheme == "https"
    folder = f"{CERTIFICATES}/{public.hostname}"
    certificate, certificate_key = tls or (f"{folder}/fullchain.pem", f"{folder}/privkey.pem")
    usual = ("443 ssl http2", "[::]:443 ssl http2") if secure else ("80", "[::]:80")
    facts = {
        "scheme": public.scheme,
        "host": public.hostname,
        "netloc": public.netloc,
        "cache": cache,
        "log": log,
        "certificate": certificate,
        "certificate_key": certificate_key,
        "authorities": AUTHORITIES,
        **_store(store),
    }
    upstreams = upstreams or (_upstream(settings),)
    lists = (("listen", listen), ("upstream", upstreams), ("challenges", (challenges,) if challenges else ()))
    for name, value in [*facts.items(), *((name, one) for name, many in lists for one in many)]:
        if not PLAIN.fullmatch(value) or (" " in value and name != "listen"):
            raise Invalid("nginx cannot be told this: {value}", value=value)
    return _text(
        {
            **facts,
            **_shared(),
            "upstreams": upstreams,
            "local": isinstance(store, LocalStore),
            "listen": listen or usual,
            "redirect": secure and not listen,
            "challenges": challenges,
            "key": media_tokens.gate_key(secret),
            "max_body_mb": settings.max_upload_mb + 1,
            "recordings": RECORDINGS,
            "pictures": PICTURES,
            "most_senders": MOST_SENDERS,
        }
    )


def _shared() -> dict[str, object]:
    """What the application says too, so that both are one answer."""
    # Imported here, as is Jinja: the supervisor, which never answers a request, would carry Flask in its memory all day.
    from web import bodies
    from web import gate
    from web import headers
    from web import media
    from web import request_log
    from web import senders

    return {
        "id_header": request_log.HEADER,
        "kept_s": gate.KEPT_S,
        "key_header": gate.KEY_HEADER,
        "picture_mb": bodies.MOST_PICTURE_BYTES // (1024 * 1024),
        "public_s": media.PUBLIC_S,
        "sound_cache": media.SOUND_CACHE,
        "exposed": media.EXPOSED,
        "public": "|".join(media.PUBLIC),
        "qualities": "|".join(Quality),
        "longest_token": media_tokens.LONGEST,
        "hsts": headers.HSTS,
        "referrer": "strict-origin-when-cross-origin",
        "types": sorted((ending[1:], kind) for ending, kind in labels.CONTENT_TYPES.items()),
        "hidden": HIDDEN,
        "again_s": {429: senders.AGAIN_S, 503: 10},
        "refusals": (
            ("refused", 403, "Not allowed", "This media address is not valid any more; ask for a new one."),
            ("beyond", 416, "No such range", "The range begins behind the end."),
            ("missing", 404, "Not found", "There is nothing at this address."),
            (
                "many",
                429,
                "Too many requests",
                "Many recordings are being sent from where you are; send this one in a moment.",
            ),
            (
                "away",
                503,
                "Not available just now",
                "The server does not answer just now; try again in a moment.",
            ),
        ),
    }


def _upstream(settings: Settings) -> str:
    if settings.web_socket:
        return f"unix:{settings.web_socket}"
    if not settings.port:
        raise Invalid("Set 'port' to a number first: nginx must know where the node listens.", field="port")
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.host, settings.host)  # noqa: S104 - compared
    return (
        f"[{host}]:{settings.port}" if ":" in host and not host.startswith("[") else f"{host}:{settings.port}"
    )


def _store(store: ObjectStore) -> dict[str, str]:
    if isinstance(store, LocalStore):
        return {"store": str(store.root)}
    if not isinstance(store, Signing):
        raise Invalid("nginx can hand out objects of a folder or of an S3 bucket only.", field="store_url")
    there: SplitResult = urlsplit(store.signed_url("hls/any", expires_in_s=60))
    port = there.port or (443 if there.scheme == "https" else 80)
    return {
        "store_scheme": there.scheme,
        "store_host": there.netloc,
        "store_name": there.hostname or "",
        "store_upstream": f"{there.hostname}:{port}",
    }


def _text(facts: Mapping[str, object]) -> str:
    import jinja2

    folder = Path(__file__).parent / "templates" / "nginx"
    # Not HTML; every value is held against PLAIN.
    found = jinja2.Environment(  # noqa: S701
        loader=jinja2.FileSystemLoader(folder),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return found.get_template("site.conf").render(facts)
