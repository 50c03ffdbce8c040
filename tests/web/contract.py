"""A client that holds every answer of the interface against the document that describes it."""

from __future__ import annotations

import copy
import functools
import re
from typing import Any

from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from werkzeug.test import TestResponse

from web.api.documentation import document

PROBLEM = "application/problem+json"


class ContractClient(FlaskClient):
    """As Flask's own; an answer that the OpenAPI document does not promise fails the test that got it."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        """Send the request, and check what came back."""
        answer = super().open(*args, **kwargs)
        check(answer.request.method, answer.request.path, answer)
        return answer


def check(method: str, path: str, answer: TestResponse) -> None:
    """``AssertionError`` unless this answer of this operation is as described."""
    operation = _operation(method, path)
    if operation is None:
        if path.startswith(("/api/", "/media/")) and answer.status_code >= 400:
            _conforms(answer, {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}})
        return
    responses = operation["responses"]
    described = responses.get(str(answer.status_code))
    assert described is not None, (
        f"{method} {path} may not answer {answer.status_code}: {answer.get_data(as_text=True)}"
    )
    for name in described.get("headers", {}):
        assert name in answer.headers or name in {"Upload-Expires", "Location"}, f"{name} is missing"
    if method != "HEAD":
        _conforms(answer, described.get("content", {}))


def _conforms(answer: TestResponse, content: dict[str, Any]) -> None:
    if not content:
        assert not answer.data
        return
    assert answer.mimetype in content, f"{answer.mimetype} is none of {list(content)}"
    if answer.mimetype.endswith("json"):
        errors = [
            error.message
            for error in _validator(content[answer.mimetype]["schema"]["$ref"]).iter_errors(answer.json)
        ]
        assert not errors, errors
    if answer.status_code >= 400 and answer.mimetype == PROBLEM:
        assert answer.json["status"] == answer.status_code
        assert re.fullmatch(r"[A-Z0-9“'@].*[.?!]", answer.json["detail"], re.DOTALL), (
            "an error is told in a sentence"
        )


@functools.cache
def _document() -> dict[str, Any]:
    strict = copy.deepcopy(document("http://localhost", cookie="session"))
    for name, schema in strict["components"]["schemas"].items():
        _close(schema, name)
    return strict


def _close(schema: Any, name: str) -> None:
    """Refuse fields that are not described: a client may be told more one day, but not by accident."""
    if isinstance(schema, dict):
        if "properties" in schema and name != "OpenApi":
            schema["additionalProperties"] = False
        for part in schema.values():
            _close(part, name)


@functools.cache
def _validator(reference: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": reference, "components": _document()["components"]})


def _operation(method: str, path: str) -> dict[str, Any] | None:
    # A path without parameters is more special than one with.
    for pattern, operations in sorted(_document()["paths"].items(), key=lambda item: item[0].count("{")):
        if re.fullmatch(re.sub(r"{\w+}", "[^/]+", pattern), path):
            found: dict[str, Any] | None = operations.get(method.lower())
            return found
    return None
