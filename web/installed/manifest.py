"""What a system is told of the app before it installs it (Web App Manifest)."""

import json

from flask import Response
from flask import url_for
from flask_babel import get_locale
from flask_babel import gettext as _

from appliance.collective import identity
from web import colours
from web import navigation
from web.frame import asset
from web.installed import icons
from web.installed.routing import blueprint
from web.request_cycle import appliance

LONGEST_NAME = 12
"""What fits below an icon."""
MAX_AGE_S = 3600


@blueprint.get("/manifest.webmanifest")
def manifest() -> Response:
    """Name, look, icons and shortcuts."""
    ours = identity.current(appliance().settings)
    told = {
        "id": "/",
        "name": ours.name,
        "short_name": ours.name if len(ours.name) <= LONGEST_NAME else ours.name.split()[0][:LONGEST_NAME],
        "description": ours.tagline or _("Music by the artists of %(name)s.", name=ours.name),
        "lang": get_locale().language,
        "start_url": url_for("storefront.index"),
        "scope": "/",
        "display": "standalone",
        "background_color": colours.LIGHT_PAGE,
        "theme_color": colours.accent(ours.accent or colours.OWN).on_light,
        "categories": ["music", "entertainment"],
        "icons": _icons(own=bool(ours.logo_key)),
        "shortcuts": _shortcuts(),
    }
    answer = Response(json.dumps(told, ensure_ascii=False), mimetype="application/manifest+json")
    answer.headers["Cache-Control"] = f"public, max-age={MAX_AGE_S}"
    answer.vary.add("Accept-Language")
    answer.vary.add("Cookie")  # The language that was chosen stands in one.
    return answer


def _icons(*, own: bool) -> list[dict[str, str]]:
    pictures = [
        {"src": icons.address(name), "sizes": f"{px}x{px}", "type": "image/png", "purpose": purpose}
        for name, px, purpose in (("192", 192, "any"), ("512", 512, "any"), ("maskable-512", 512, "maskable"))
    ]
    mark = {"src": asset("icon.svg"), "sizes": "any", "type": "image/svg+xml", "purpose": "any"}
    return pictures if own else [*pictures, mark]


def _shortcuts() -> list[dict[str, object]]:
    picture = [{"src": icons.address("192"), "sizes": "192x192", "type": "image/png"}]
    places = (
        ("/search", _("Search")),
        ("/library", _("Library")),
        ("/library/offline", _("Kept offline")),
        ("/studio", _("Studio")),
    )
    return [{"name": name, "url": path, "icons": picture} for path, name in places if navigation.exists(path)]
