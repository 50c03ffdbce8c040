"""Tell a collector of OpenTelemetry of requests, jobs and queries as one trace, by OTLP over HTTP; see README.md beside this file."""

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

from appliance import hookimpl
from appliance.errors import Invalid
from appliance.errors import Unavailable
from appliance.observed import Span
from appliance.observed import SpansWanted
from appliance.settings import Setting
from plugins.otel_tracing.exporting import Exporter

NEVER = -1
_exporter: Exporter | None = None
_wanted: SpansWanted | None = None


@hookimpl
def plugin_settings() -> tuple[Setting, ...]:
    """Where traces go, and which."""
    return (
        Setting(
            "endpoint",
            str,
            "",
            "Address of the collector, such as http://127.0.0.1:4318; /v1/traces is put behind it; empty: not used.",
            pattern=r"(https?://[^\s/?#@]+(/[^\s?#@]*)?)?",
            form="https:// (or http://) and a host, or nothing",
        ),
        Setting("headers", tuple, (), "Headers that the collector wants, each as NAME=VALUE.", secret=True),
        Setting("service", str, "musicconnect", "What this installation is called in traces."),
        Setting("environment", str, "", "Such as production or staging; empty: not told."),
        Setting(
            "kept_per_1000",
            int,
            100,
            "How many of a thousand traces are kept; one that began elsewhere is kept when it was there.",
            minimum=0,
            maximum=1000,
        ),
        Setting(
            "queries_from_ms",
            int,
            20,
            "Statements of the database that take so many milliseconds are steps; 0: all are, -1: none is.",
            minimum=NEVER,
            maximum=600_000,
        ),
        Setting(
            "timeout_s", int, 5, "Seconds the collector may take; nobody waits for it.", minimum=1, maximum=60
        ),
    )


@hookimpl
def plugin_start(values: dict[str, Any]) -> bool:
    """Take the settings without a look at the network; without an address there is nothing to do."""
    global _exporter, _wanted
    _exporter, _wanted = None, None
    if not values["endpoint"]:
        return False
    if find_spec("opentelemetry") is None:
        raise Unavailable(
            "The packages of OpenTelemetry are not installed; run: pip install 'musicconnect[otel]'."
        )
    headers: dict[str, str] = {}
    for header in values["headers"]:
        name, equals, value = header.partition("=")
        if not equals or not name.strip():
            raise Invalid("The setting 'headers' must be NAME=VALUE, with commas between.", field="headers")
        headers[name.strip().lower()] = value.strip()
    _exporter = Exporter(
        f"{values['endpoint'].rstrip('/')}/v1/traces",
        headers,
        service=values["service"],
        environment=values["environment"],
        timeout_s=values["timeout_s"],
    )
    from_ms = values["queries_from_ms"]
    _wanted = SpansWanted(values["kept_per_1000"], None if from_ms == NEVER else from_ms)
    return True


@hookimpl
def spans_wanted() -> SpansWanted | None:
    """As the settings say."""
    return _wanted


@hookimpl
def spans_ended(spans: Sequence[Span]) -> None:
    """Send them; those that a collector does not take are lost."""
    if _exporter is not None:
        _exporter.send(spans)
