"""A real OpenID Connect provider in a process of its own, made of Authlib; a test tells it what to do wrong.

Run as ``python -m tests.servers.oidc``: it prints its port. The person at it is always signed in and always agrees. ``POST /faults`` takes
claims and headers that the next ID tokens are to have instead of the right ones.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CLIENT_ID, CLIENT_SECRET = "music connect", "salt & vinegar/100%"


@dataclass
class Provider:
    """The provider as a test sees it."""

    port: int

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def faults(self, **faults: Any) -> None:
        """From now on: *claims* and *userinfo* changed so (``None`` removes), *alg*, *key*, *document*, or *deny*."""
        self._post("/faults", faults)

    def seen(self) -> list[dict[str, Any]]:
        """What the endpoint for tokens was sent."""
        with urllib.request.urlopen(f"{self.issuer}/seen") as answer:
            found: list[dict[str, Any]] = json.load(answer)
            return found

    def _post(self, path: str, said: object) -> None:
        asked = urllib.request.Request(
            self.issuer + path, json.dumps(said).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(asked):
            pass


@contextmanager
def serving() -> Iterator[Provider]:
    """A provider in its own process."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.servers.oidc"],
        stdout=subprocess.PIPE,
        stdin=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "AUTHLIB_INSECURE_TRANSPORT": "1"},
    )
    try:
        assert process.stdout is not None
        yield Provider(int(process.stdout.readline()))
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe:
                pipe.close()


def main() -> None:
    """Serve until killed."""
    from authlib.integrations.flask_oauth2 import AuthorizationServer
    from authlib.oauth2.rfc6749 import ClientMixin
    from authlib.oauth2.rfc6749 import grants
    from authlib.oauth2.rfc7636 import CodeChallenge
    from flask import Flask
    from flask import Response
    from flask import jsonify
    from flask import request
    from joserfc import jws
    from joserfc.jwk import RSAKey
    from werkzeug.serving import make_server

    key, other = (RSAKey.generate_key(2048, {"kid": kid}) for kid in ("first", "other"))
    faults: dict[str, Any] = {}
    seen: list[dict[str, Any]] = []
    codes: dict[str, Any] = {}
    app = Flask(__name__)
    app.secret_key = "of the provider"

    class Client(ClientMixin):
        client_id = CLIENT_ID

        def get_client_id(self) -> str:
            return CLIENT_ID

        def get_default_redirect_uri(self) -> str | None:
            return None

        def get_allowed_scope(self, scope: str) -> str:
            return scope

        def check_redirect_uri(self, redirect_uri: str) -> bool:
            return redirect_uri.endswith("/sign-in/with/oidc/back")

        def check_client_secret(self, secret: str) -> bool:
            return secret == CLIENT_SECRET

        def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
            return method == "client_secret_basic"

        def check_response_type(self, response_type: str) -> bool:
            return response_type == "code"

        def check_grant_type(self, grant_type: str) -> bool:
            return grant_type == "authorization_code"

    class Code:
        def __init__(self, payload: Any, made: Any) -> None:
            self.redirect_uri = payload.redirect_uri
            self.scope = payload.scope
            self.code_challenge = request.values["code_challenge"]
            self.code_challenge_method = request.values["code_challenge_method"]
            self.nonce = request.values["nonce"]

        def get_redirect_uri(self) -> str:
            return str(self.redirect_uri)

        def get_scope(self) -> str:
            return str(self.scope)

    class Grant(grants.AuthorizationCodeGrant):  # type: ignore[misc]
        TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic"]

        def save_authorization_code(self, code: str, asked: Any) -> None:
            codes[code] = Code(asked.payload, code)

        def query_authorization_code(self, code: str, client: Any) -> Any:
            return codes.get(code)

        def delete_authorization_code(self, code: Any) -> None:
            for name in [name for name, known in codes.items() if known is code]:
                del codes[name]

        def authenticate_user(self, code: Any) -> Any:
            return code

    def bearer(**given: Any) -> dict[str, Any]:
        return {"token_type": "Bearer", "access_token": "an access token", "expires_in": 60}

    server = AuthorizationServer(
        app, query_client=lambda name: Client() if name == CLIENT_ID else None, save_token=lambda *_: None
    )
    server.register_grant(Grant, [CodeChallenge(required=True)])
    server.register_token_generator("default", bearer)

    def issuer() -> str:
        return request.host_url.rstrip("/")

    def changed(right: dict[str, Any], name: str) -> dict[str, Any]:
        said = {**right, **faults.get(name, {})}
        return {name: value for name, value in said.items() if value is not None}

    def id_token(nonce: str) -> str:
        now = int(time.time())
        claims = changed(
            {
                "iss": issuer(),
                "sub": "ada-1815",
                "aud": CLIENT_ID,
                "iat": now,
                "exp": now + 300,
                "nonce": nonce,
                "email": "Ada@Example.com",
                "email_verified": True,
                "name": "Ada",
            },
            "claims",
        )
        payload, alg = json.dumps(claims).encode(), faults.get("alg", "RS256")
        if alg == "none":
            body = jws.serialize_compact({"alg": "RS256"}, payload, key).split(".")[1]
            return f"eyJhbGciOiJub25lIn0.{body}."
        if alg == "HS256":
            from joserfc.jwk import OctKey

            return jws.serialize_compact(
                {"alg": "HS256"},
                payload,
                OctKey.import_key(CLIENT_SECRET.ljust(32, "x")),
                algorithms=["HS256"],
            )
        signer = other if faults.get("key") == "other" else key
        return jws.serialize_compact({"alg": "RS256", "kid": faults.get("kid", "first")}, payload, signer)

    @app.get("/.well-known/openid-configuration")
    def description() -> Response:
        return jsonify(
            changed(
                {
                    "issuer": issuer(),
                    "authorization_endpoint": f"{issuer()}/authorize",
                    "token_endpoint": f"{issuer()}/token",
                    "jwks_uri": f"{issuer()}/keys",
                    "userinfo_endpoint": f"{issuer()}/userinfo",
                    "authorization_response_iss_parameter_supported": True,
                    "token_endpoint_auth_methods_supported": ["client_secret_basic"],
                },
                "document",
            )
        )

    @app.get("/authorize")
    def authorize() -> Any:
        if faults.get("deny"):
            back = f"{request.args['redirect_uri']}?error=access_denied&state={request.args['state']}&iss={issuer()}"
            return Response(status=302, headers={"Location": back})
        grant = server.get_consent_grant(end_user="ada")
        answer = server.create_authorization_response(grant=grant, grant_user="ada")
        answer.headers["Location"] += f"&iss={faults.get('said_by', issuer())}"
        return answer

    @app.post("/token")
    def token() -> Any:
        seen.append({"form": request.form.to_dict(), "basic": request.headers.get("Authorization", "")})
        code = codes.get(request.form.get("code", ""))
        answer = server.create_token_response()
        if answer.status_code == 200:
            answer.data = json.dumps({**answer.get_json(), "id_token": id_token(code.nonce)})
        return answer

    @app.get("/keys")
    def keys() -> Response:
        return jsonify({"keys": [key.as_dict(private=False)]})

    @app.get("/userinfo")
    def userinfo() -> Any:
        if request.headers.get("Authorization") != "Bearer an access token":
            return "", 401
        return jsonify(
            changed({"sub": "ada-1815", "email": "ada@example.com", "email_verified": True}, "userinfo")
        )

    @app.post("/faults")
    def take_faults() -> str:
        faults.clear()
        faults.update(request.get_json())
        return ""

    @app.get("/seen")
    def tell_seen() -> Response:
        return jsonify(seen)

    running = make_server("127.0.0.1", 0, app, threaded=True)
    print(running.server_port, flush=True)
    running.serve_forever()


if __name__ == "__main__":
    main()
