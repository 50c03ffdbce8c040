"""Tell a server that speaks Sentry's protocol of errors that nobody expected, without personal data; see README.md beside this file."""

from importlib.util import find_spec
from typing import Any

from appliance import hookimpl
from appliance.errors import Unavailable
from appliance.observed import ErrorFacts
from appliance.settings import Setting
from plugins.sentry_errors.reporting import Reporter

_reporter: Reporter | None = None


@hookimpl
def plugin_settings() -> tuple[Setting, ...]:
    """Where reports go, and how many."""
    return (
        Setting(
            "dsn",
            str,
            "",
            "Where reports go, as the server says it; empty: nowhere.",
            secret=True,
            pattern=r"(https?://\w+(:\w+)?@[^\s/?#@]+(/[^\s?#@]*)?/\d+)?",
            form="https://KEY@HOST/NUMBER, or nothing",
        ),
        Setting(
            "environment",
            str,
            "production",
            "What this installation is called there, such as production or staging.",
            pattern=r"[A-Za-z0-9_.-]{1,64}",
            form="up to 64 letters, digits, _, . and -",
        ),
        Setting(
            "per_minute",
            int,
            30,
            "How many reports a process sends in a minute; what comes beyond is counted and left out.",
            minimum=1,
            maximum=6000,
        ),
    )


@hookimpl
def plugin_start(values: dict[str, Any]) -> bool:
    """Take the settings without a look at the network; without an address there is nothing to do."""
    global _reporter
    _reporter = None
    if not values["dsn"]:
        return False
    if find_spec("sentry_sdk") is None:
        raise Unavailable("The package of Sentry is not installed; run: pip install 'musicconnect[sentry]'.")
    _reporter = Reporter(values["dsn"], values["environment"], per_minute=values["per_minute"])
    return True


@hookimpl
def error_noticed(error: BaseException, facts: ErrorFacts) -> None:
    """Report it, unless there were many of late."""
    if _reporter is not None:
        _reporter.report(error, facts)
