"""The operations on the server itself."""

from web.api.operations.words import Answer
from web.api.operations.words import Operation

OPERATIONS = (
    Operation(
        "The server",
        "GET",
        "/health",
        "The process lives.",
        {200: Answer("It does.", "Health")},
        example="curl {root}/health",
    ),
    Operation(
        "The server",
        "GET",
        "/ready",
        "Database, queue and storage answer.",
        {200: Answer("They do.", "Readiness"), 503: Answer("One does not; its line says why.", "Readiness")},
        example="curl {root}/ready",
    ),
    Operation(
        "The server",
        "GET",
        "/metrics",
        "Figures for Prometheus.",
        {
            200: Answer("In the text format of Prometheus.", type="text/plain"),
            403: Answer("It is for monitors only: of trusted networks, or with a token.", type="text/plain"),
        },
        example="curl {root}/metrics",
    ),
    Operation(
        "The server",
        "GET",
        "/api/v1/openapi.json",
        "This interface as OpenAPI 3.1.",
        {200: Answer("The document.", "OpenApi")},
        example="curl {root}/api/v1/openapi.json",
    ),
    Operation(
        "The server",
        "GET",
        "/api/v1/docs",
        "This page.",
        {200: Answer("The interface for people.", type="text/html")},
    ),
)
