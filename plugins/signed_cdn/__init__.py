"""Serve media from a CDN whose edge checks a signature in the path (HMAC-SHA256); see README.md beside this file."""

from appliance import clock
from appliance import hookimpl
from appliance.errors import Invalid
from appliance.settings import Setting
from plugins.signed_cdn import signing

SHORTEST_KEY = 32
_base_url = ""
_key = ""


@hookimpl
def plugin_settings() -> tuple[Setting, ...]:
    """Where the CDN is, and the key it shares with us."""
    return (
        Setting(
            "base_url", str, "", "Address of the CDN, such as https://cdn.music.example; empty: not used."
        ),
        Setting(
            "key",
            str,
            "",
            f"Key the edge checks signatures with; at least {SHORTEST_KEY} characters.",
            secret=True,
        ),
    )


@hookimpl
def plugin_start(values: dict[str, object]) -> bool | None:
    """Take address and key; ``Invalid`` for half a configuration, since players would be sent to a dead address."""
    global _base_url, _key
    _base_url, _key = "", ""
    base_url, key = str(values["base_url"]).rstrip("/"), str(values["key"])
    if not base_url and not key:
        # Else it would be asked for the address of each picture of a list, to say that it knows none.
        return False
    if not base_url:
        raise Invalid("The setting 'base_url' is missing; give the address of the CDN.", field="base_url")
    if not signing.is_base(base_url):
        raise Invalid(
            f"The setting 'base_url' is {base_url!r}; it must be http:// or https:// and a host, without ? or #.",
            field="base_url",
        )
    if len(key) < SHORTEST_KEY:
        raise Invalid(
            f"The setting 'key' is too short to be safe; give at least {SHORTEST_KEY} characters.",
            field="key",
        )
    _base_url, _key = base_url, key
    return None


@hookimpl
def media_url(key: str, expires_in_s: int) -> str | None:
    """The address on the CDN: plain for what is public, else with a signature that opens the whole folder of *key*."""
    if not _base_url:
        return None
    if not expires_in_s:
        return f"{_base_url}/{key}"
    expires_at_s = int(clock.now().timestamp()) + expires_in_s
    return f"{_base_url}/{signing.sign(key, _key, expires_at_s=expires_at_s)}"
