"""A collector of OpenTelemetry in a process of its own: it takes OTLP over HTTP and tells a test which spans were in it.

Run as ``python -m tests.servers.otlp``: it prints its port. What comes is read with the project's own description of the protocol
(opentelemetry-proto), and refused without the header that the test's settings name.
"""

from __future__ import annotations

import gzip
import http.server
import json
import threading
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from tests.servers.observer import Observer
from tests.servers.observer import serve

TOKEN = "let-me-in"


def environment(server: Observer, **more: str) -> dict[str, str]:
    """The settings of a node that tells *server* of everything."""
    prefix = "MUSICCONNECT_PLUGIN_OTEL_TRACING__"
    given = {
        "ENDPOINT": f"http://127.0.0.1:{server.port}",
        "HEADERS": f"X-Token={TOKEN}",
        "KEPT_PER_1000": "1000",
        "QUERIES_FROM_MS": "0",
        **more,
    }
    return {prefix + name: value for name, value in given.items()}


def spans_of(body: bytes) -> list[dict[str, Any]]:
    """The spans in one request."""
    asked = ExportTraceServiceRequest.FromString(body)
    return [
        {
            "resource": {one.key: one.value.string_value for one in resource.resource.attributes},
            "scope": scope.scope.name,
            "name": span.name,
            "kind": span.kind,
            "trace": span.trace_id.hex(),
            "id": span.span_id.hex(),
            "parent": span.parent_span_id.hex(),
            "began": span.start_time_unix_nano,
            "ended": span.end_time_unix_nano,
            "status": span.status.code,
            "attributes": {
                one.key: getattr(one.value, str(one.value.WhichOneof("value"))) for one in span.attributes
            },
        }
        for resource in asked.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


class Handler(http.server.BaseHTTPRequestHandler):
    """Takes spans; ``GET /seen`` tells them."""

    seen: list[dict[str, Any]] = []
    lock = threading.Lock()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        right = (self.path, self.headers["Content-Type"], self.headers["X-Token"])
        if right != ("/v1/traces", "application/x-protobuf", TOKEN):
            self.tell(400, b"", "text/plain")
            return
        if self.headers["Content-Encoding"] == "gzip":
            body = gzip.decompress(body)
        with self.lock:
            self.seen.extend(spans_of(body))
        self.tell(200, ExportTraceServiceResponse().SerializeToString(), "application/x-protobuf")

    def do_GET(self) -> None:
        with self.lock:
            self.tell(200, json.dumps(self.seen).encode(), "application/json")

    def tell(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    serve(Handler)
