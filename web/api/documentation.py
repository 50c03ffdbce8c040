"""The OpenAPI document of the interface, and the same as a page for people."""

import re
from typing import Any

from flask import Response
from flask import current_app
from flask import jsonify
from flask import render_template

from appliance import __version__
from web import addresses
from web.api.operations import JSON
from web.api.operations import OPERATIONS
from web.api.operations import PATH_PARAMETERS
from web.api.operations import Answer
from web.api.operations import Operation
from web.api.routing import blueprint
from web.api.schemas import SCHEMAS
from web.api.schemas import SECURITY_SCHEMES
from web.api.shapes import ref
from web.errors import TITLES

ABOUT = (
    "Everything the web pages of MusicConnect do can be done by programs. Requests and answers are JSON, errors are problem details "
    "(RFC 9457) with a sentence in `detail`. Instants are UTC (RFC 3339). New fields may appear in any answer; what is here keeps "
    "its name and meaning for as long as the address says v1."
)
WHO = {True: (400, 401, 403, 421, 429), False: (401, 421, 429)}
"""Errors of who is asking, by whether somebody must: a page's word is missing, the token is none, it does not reach so far, too often; or
whom is asked: a name that is not the server's."""


@blueprint.get("/openapi.json")
def openapi() -> Response:
    """The interface as OpenAPI 3.1."""
    answer = jsonify(document(addresses.root(), cookie=current_app.config["SESSION_COOKIE_NAME"]))
    answer.headers["Access-Control-Allow-Origin"] = "*"  # Viewers and generators on other sites may read it.
    return answer


@blueprint.get("/docs")
def docs() -> str:
    """The interface for people, made of the same rows."""
    nouns: dict[str, list[Operation]] = {}
    for operation in OPERATIONS:
        nouns.setdefault(operation.noun, []).append(operation)
    return render_template(
        "api_docs.html",
        about=ABOUT,
        nouns=nouns,
        schemas=SCHEMAS,
        security=SECURITY_SCHEMES,
        root=addresses.root(),
        titles=TITLES,
        parameters=parameters,
    )


def document(root: str, *, cookie: str) -> dict[str, Any]:
    """Pure: the OpenAPI document of a server at *root* whose session cookie is called *cookie*."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _described(operation, root)
    security = {**SECURITY_SCHEMES, "cookie": {**SECURITY_SCHEMES["cookie"], "name": cookie}}
    problem = {
        "description": "What is wrong.",
        "content": {"application/problem+json": {"schema": ref("Problem")}},
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "MusicConnect",
            "version": __version__,
            "summary": "A music platform that a collective owns.",
            "description": ABOUT,
            "license": {"name": "AGPL-3.0-or-later", "identifier": "AGPL-3.0-or-later"},
        },
        "servers": [{"url": root}],
        "tags": [{"name": noun} for noun in dict.fromkeys(row.noun for row in OPERATIONS)],
        "paths": paths,
        "components": {
            "schemas": {
                **SCHEMAS,
                "OpenApi": {"type": "object", "description": "An OpenAPI document.", "required": ["openapi"]},
            },
            "responses": {"Problem": problem},
            "securitySchemes": security,
        },
    }


def parameters(operation: Operation) -> list[dict[str, Any]]:
    """The path, query and header parameters of *operation*, as OpenAPI wants them."""
    found: list[dict[str, Any]] = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": PATH_PARAMETERS[name],
            "schema": {"type": "string"},
        }
        for name in re.findall(r"{(\w+)}", operation.path)
    ]
    for name, says, schema in operation.query:
        found.append({"name": name, "in": "query", "description": says, "schema": dict(schema)})
    for name, says, required in operation.headers:
        found.append(
            {
                "name": name,
                "in": "header",
                "required": required,
                "description": says,
                "schema": {"type": "string"},
            }
        )
    return found


def _described(operation: Operation, root: str) -> dict[str, Any]:
    answers = {str(status): _answer(answer) for status, answer in operation.answers.items()}
    problems = sorted(
        {*operation.problems, *WHO[operation.signed_in], *(413 for kind in operation.sends if kind == JSON)}
    )
    for status in problems:
        answers[str(status)] = {
            "description": TITLES[status],
            "content": {"application/problem+json": {"schema": ref("Problem")}},
        }
    answers["default"] = {"$ref": "#/components/responses/Problem"}
    described: dict[str, Any] = {
        "operationId": operation.name,
        "tags": [operation.noun],
        "summary": operation.summary,
        "parameters": parameters(operation),
        "responses": answers,
        # Who is signed in sees more; an empty requirement means that nobody needs to be.
        "security": ([] if operation.signed_in else [{}])
        + [{"bearer": list(operation.scopes)}, {"cookie": []}],
    }
    if operation.notes:
        described["description"] = operation.notes
    if operation.sends:
        described["requestBody"] = {
            # The body of an upload's announcement is the one that may be left out.
            "required": operation.path != "/api/v1/uploads",
            "content": {kind: _sent(kind, name) for kind, name in operation.sends.items()},
        }
    if operation.example:
        described["x-codeSamples"] = [{"lang": "curl", "source": operation.example.replace("{root}", root)}]
    return described


def _answer(answer: Answer) -> dict[str, Any]:
    shown: dict[str, Any] = {"description": answer.says}
    if answer.schema:
        shown["content"] = {answer.type: {"schema": ref(answer.schema)}}
    elif answer.type != "application/json":
        shown["content"] = {answer.type: {"schema": {"type": "string"}}}
    if answer.headers:
        shown["headers"] = {
            name: {"description": says, "schema": {"type": "string"}} for name, says in answer.headers.items()
        }
    return shown


def _sent(kind: str, name: str) -> dict[str, Any]:
    if kind == "multipart/form-data":
        file = {"type": "string", "contentMediaType": "application/octet-stream"}
        return {"schema": {"type": "object", "required": [name], "properties": {name: file}}}
    return {"schema": ref(name)} if name else {}
