"""Steps of traces in the words of OpenTelemetry, sent by its own exporter; its packages are imported for the first ones."""

import logging
from collections.abc import Mapping
from collections.abc import Sequence
from typing import TYPE_CHECKING

from appliance import __version__
from appliance.observed import Span

if TYPE_CHECKING:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import ReadableSpan

log = logging.getLogger(__name__)

NAMES = {
    "method": "http.request.method",
    "route": "http.route",
    "status": "http.response.status_code",
    "engine": "db.system.name",
    "sql": "db.query.text",
}
"""Our words and those of the semantic conventions; for jobs there are none that fit."""


class Exporter:
    """Sends to one collector, and says once when it is away and once when it is back."""

    def __init__(
        self, endpoint: str, headers: Mapping[str, str], *, service: str, environment: str, timeout_s: int
    ) -> None:
        self._endpoint, self._headers, self._timeout_s = endpoint, headers, timeout_s
        named = {"service.name": service, "service.version": __version__}
        self._named = {**named, "deployment.environment.name": environment} if environment else named
        self._exporter: OTLPSpanExporter | None = None
        self._away = False

    def send(self, spans: Sequence[Span]) -> None:
        """Hand *spans* over; called where nobody waits."""
        from opentelemetry.sdk.trace.export import SpanExportResult

        if self._exporter is None:
            self._exporter = self._connect()
        away = self._exporter.export(self._readable(spans)) is not SpanExportResult.SUCCESS
        if away and not self._away:
            log.warning("the collector of traces does not take them; they are lost until it does")
        if self._away and not away:
            log.info("the collector of traces takes them again")
        self._away = away

    def _connect(self) -> "OTLPSpanExporter":
        from opentelemetry.exporter.otlp.proto.http import Compression
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        # It tells of each try, with the address; that it fails is said here.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        return OTLPSpanExporter(
            endpoint=self._endpoint,
            headers=dict(self._headers),
            timeout=self._timeout_s,
            compression=Compression.Gzip,
        )

    def _readable(self, spans: Sequence[Span]) -> "list[ReadableSpan]":
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import ReadableSpan
        from opentelemetry.sdk.util.instrumentation import InstrumentationScope
        from opentelemetry.trace import SpanContext
        from opentelemetry.trace import SpanKind
        from opentelemetry.trace import TraceFlags
        from opentelemetry.trace.status import Status
        from opentelemetry.trace.status import StatusCode

        # Not Resource.create, which would look at the environment.
        resource, scope = Resource(self._named), InstrumentationScope("musicconnect", __version__)
        kinds = {"request": SpanKind.SERVER, "job": SpanKind.CONSUMER, "query": SpanKind.CLIENT}

        def context(trace_id: str, span_id: str) -> SpanContext:
            return SpanContext(
                int(trace_id, 16), int(span_id, 16), is_remote=False, trace_flags=TraceFlags(1)
            )

        return [
            ReadableSpan(
                name_of(span),
                context=context(span.trace_id, span.span_id),
                parent=context(span.trace_id, span.parent_id) if span.parent_id else None,
                resource=resource,
                attributes=attributes_of(span),
                kind=kinds.get(span.kind, SpanKind.INTERNAL),
                status=Status(StatusCode.ERROR) if span.error else Status(StatusCode.UNSET),
                start_time=span.started_at_ns,
                end_time=span.ended_at_ns,
                instrumentation_scope=scope,
            )
            for span in spans
        ]


def name_of(span: Span) -> str:
    """Pure: what a step is called: one of few names, as the conventions want it."""
    return span.name if span.kind in {"request", "query"} else f"{span.kind} {span.name}"


def attributes_of(span: Span) -> dict[str, str | int]:
    """Pure: the facts of a step under the names of the conventions."""
    told = {NAMES.get(name, f"musicconnect.{span.kind}.{name}"): value for name, value in span.facts.items()}
    if span.kind == "query":
        told["db.query.summary"] = span.name
    if span.kind in {"queue", "job"}:
        told["musicconnect.job.kind"] = span.name
    return {**told, "error.type": span.error} if span.error else told
