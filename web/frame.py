"""What the frame of every page needs: versioned addresses of static files, the language, dates and numbers by locale."""

import hashlib
import json
import mimetypes
from datetime import date
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from babel import Locale
from babel import support
from flask import Blueprint
from flask import Flask
from flask import Response
from flask import redirect
from flask import request
from flask import url_for
from flask.globals import request_ctx
from flask.typing import ResponseReturnValue
from flask_babel import Babel
from flask_babel import format_date
from flask_babel import format_datetime
from flask_babel import format_decimal
from flask_babel import get_domain
from flask_babel import get_locale
from flask_compress import Compress
from werkzeug.security import safe_join

from appliance.collective import identity
from appliance.errors import NotFound
from web import colours
from web import navigation
from web import rich_text
from web.request_cycle import appliance
from web.request_cycle import by_origin
from web.request_cycle import nonce
from web.request_cycle import person

blueprint = Blueprint("frame", __name__)

STATIC = Path(__file__).with_name("static")
TRANSLATIONS = Path(__file__).with_name("translations")
LANGUAGES = {"en": "English", "de": "Deutsch"}
THEMES = ("light", "dark")
YEAR_S = 365 * 86_400
TYPES = {".mjs": "text/javascript", ".js": "text/javascript", ".woff2": "font/woff2"}
"""What the tables of a system may not know."""
COMPRESSED = [
    "application/atom+xml",
    "application/javascript",
    "application/json",
    "application/ld+json",
    "application/manifest+json",
    "application/rss+xml",
    "application/xml",
    "image/svg+xml",
    "text/css",
    "text/html",
    "text/javascript",
    "text/plain",
    "text/xml",
]
"""What is text. Music and pictures are compressed already, and a compressed answer has no byte ranges."""

# Functions, not values, where the database is asked: the page of an error must not need it.
blueprint.add_app_template_global(nonce)
blueprint.add_app_template_global(person, "viewer")
blueprint.add_app_template_global(get_locale)


def register(app: Flask) -> None:
    """Languages, compression and the long life of versioned files on *app*."""
    app.config.update(
        BABEL_TRANSLATION_DIRECTORIES=str(TRANSLATIONS),
        COMPRESS_MIMETYPES=COMPRESSED,
        COMPRESS_REGISTER=False,
        COMPRESS_ALGORITHM=["br", "gzip"],
        COMPRESS_ALGORITHM_STREAMING=["br", "gzip"],
    )
    Babel(app, locale_selector=lambda: _locale(language()))
    compress = Compress(app)

    @app.after_request
    def pack(answer: Response) -> Response:
        # It says of all it looks at that it varies by encoding; of media, a cache in front shall keep one copy for everyone.
        packable = answer.mimetype in COMPRESSED and request.blueprint != "media"
        packed: Response = compress.after_request(answer) if packable else answer
        return packed

    app.jinja_env.add_extension("jinja2.ext.do")
    app.jinja_env.globals["navigation"] = navigation
    # A page has a hundred texts, and Flask-Babel spells the name of the language out for each.
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        lambda text: catalogue().ugettext(text),
        lambda one, many, count: catalogue().ungettext(one, many, count),
        newstyle=True,
    )
    app.jinja_env.filters.update(day=day, instant=instant, number=number, rich=rich_text.rendered)


def catalogue() -> support.Translations | support.NullTranslations:
    """The catalogue of this answer's language, or of that in which a part of it is told."""
    return _catalogue_of(get_locale())


@cache
def _catalogue_of(locale: Locale | None) -> support.Translations | support.NullTranslations:
    # Flask-Babel keeps it too, by the name of the language, which it spells out each time.
    return get_domain().get_translations()


def language() -> str:
    """The language of this answer: what the reader chose, else what their browser asks for."""
    asked = request_ctx.request
    chosen = asked.cookies.get("language", "") if "HTTP_COOKIE" in asked.environ else ""
    if chosen in LANGUAGES:
        return chosen
    return asked.accept_languages.best_match(LANGUAGES, "en") if "Accept-Language" in asked.headers else "en"


@cache
def _locale(code: str) -> Locale:
    return Locale.parse(code)


@blueprint.app_context_processor
def everywhere() -> dict[str, Any]:
    """What the frame of every page says."""
    collective = identity.current(appliance().settings)
    theme = request.cookies.get("theme", "")
    return {
        "collective": collective,
        "registration": collective.registration,
        "languages": LANGUAGES,
        "theme": theme if theme in THEMES else "",
    }


@blueprint.app_template_global()
def asset(path: str) -> str:
    """The address of a static file that changes when any of them does; imports between scripts are relative, so they follow."""
    # Put together by hand: a page has a hundred pictures of the sprite, and the router takes longer than the template.
    return f"/assets/{version()}/{path}"


@blueprint.app_template_global()
def texts() -> dict[str, str]:
    """What scripts say, in the reader's language; nothing in English, whose texts are the keys."""
    return script_texts(str(get_locale()))


@cache
def script_texts(code: str) -> dict[str, str]:
    """The translated texts of scripts, as ``tools/translations.py`` wrote them."""
    path = TRANSLATIONS / Locale.parse(code).language / "texts.json"
    return dict(json.loads(path.read_text("utf-8"))) if path.is_file() else {}


@cache
def version() -> str:
    """A digest of all static files, the same on every node that runs the same code."""
    digest = hashlib.sha256()
    for path in sorted(STATIC.rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(STATIC).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


@blueprint.get("/assets/<version>/<path:path>")
def static_file(version: str, path: str) -> Response:
    """A static file; kept for a year under its own version, and not under another, whose bytes these are not."""
    found = safe_join(str(STATIC), path)
    if found is None or not Path(found).is_file():
        raise NotFound("There is nothing at this address.")
    kind = TYPES.get(Path(path).suffix) or mimetypes.guess_type(path)[0]
    answer = Response(Path(found).read_bytes(), mimetype=kind)
    if version == globals()["version"]():
        answer.headers["Cache-Control"] = f"public, max-age={YEAR_S}, immutable"
    else:
        answer.headers["Cache-Control"] = "no-cache"
    answer.add_etag()
    return answer.make_conditional(request)


@blueprint.app_template_global()
def accent_sheet(colour: str) -> str:
    """The address of the style of a page in this *colour*, kept as long as a static file."""
    return url_for("frame.accent", colour=colour.removeprefix("#").lower(), v=version())


@blueprint.get("/accents/<colour>.css")
def accent(colour: str) -> Response:
    """The accent of a page whose artist chose *colour*, as custom properties that can be read on every ground."""
    colour = f"#{colour.removeprefix('#').lower()}"
    if not colours.is_colour(colour):
        raise NotFound("There is nothing at this address.")
    answer = Response(colours.stylesheet(colour), mimetype="text/css")
    kept = f"public, max-age={YEAR_S}, immutable" if request.args.get("v") == version() else "no-cache"
    answer.headers["Cache-Control"] = kept
    return answer


@blueprint.post("/language")
@by_origin
def choose_language() -> ResponseReturnValue:
    """Remember the language on this device and go back."""
    chosen = request.form.get("language", "")
    answer = redirect(back(), 303)
    if chosen in LANGUAGES:
        secure = appliance().settings.public_url.startswith("https://")
        answer.set_cookie("language", chosen, max_age=YEAR_S, samesite="Lax", secure=secure)
    return answer


def back(otherwise: str = "/") -> str:
    """The page of ours that the request came from, as a path, or *otherwise*."""
    came = urlsplit(request.form.get("back") or request.referrer or "")
    # A path that begins with two slashes would be another host (RFC 3986, 4.2); browsers read a backslash as one.
    if (
        came.netloc not in {"", request.host}
        or not came.path.startswith("/")
        or came.path.startswith(("//", "/\\"))
    ):
        return otherwise
    return came.path + (f"?{came.query}" if came.query else "")


def day(value: date | datetime | None) -> str:
    """A date with its month in letters, which no country reads the other way round."""
    return format_date(value, "long") if value else ""


def instant(value: datetime | None) -> str:
    """A date with the time of day, in UTC."""
    return f"{format_datetime(value, 'medium')} UTC" if value else ""


def number(value: float) -> str:
    """A number with the separators of the reader's language."""
    return str(format_decimal(value))
