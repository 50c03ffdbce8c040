"""The authorization code flow with PKCE, state and nonce (OpenID Connect Core 1.0, RFC 7636, RFC 9207, RFC 9700)."""

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from urllib.parse import urlencode

from appliance.errors import Invalid
from appliance.errors import NotAllowed
from appliance.errors import Unavailable
from appliance.hookspecs import Departure
from appliance.hookspecs import ForeignAccount
from plugins.oidc_signin import id_token
from plugins.oidc_signin.provider import Provider

LONGEST_SUBJECT = 255


@dataclass(frozen=True, slots=True)
class OpenIdConnect:
    """Signing in by one provider."""

    label: str
    provider: Provider
    client_id: str
    client_secret: str
    scope: str
    name: str = "oidc"

    def __repr__(self) -> str:
        return f"OpenIdConnect({self.provider.issuer})"

    def begin(self, return_to: str) -> Departure:
        """To the provider, with a state, a nonce and a challenge that nobody else knows."""
        # Imported when it is first used: the extra [oidc] need not be installed.
        from authlib.oauth2.rfc7636 import create_s256_code_challenge

        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        asked = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": return_to,
            "scope": self.scope,
            "state": state,
            "nonce": nonce,
            "code_challenge": create_s256_code_challenge(verifier),
            "code_challenge_method": "S256",
        }
        there = str(self.provider.described()["authorization_endpoint"])
        url = f"{there}{'&' if '?' in there else '?'}{urlencode(asked, quote_via=quote)}"
        return Departure(url, state, {"nonce": nonce, "verifier": verifier})

    def finish(self, answer: Mapping[str, str], kept: Mapping[str, str], *, return_to: str) -> ForeignAccount:
        """Trade the code for an ID token, and believe only what is signed and meant for us."""
        described = self.provider.described()
        said_by = answer.get("iss")
        if said_by != self.provider.issuer and (
            said_by is not None or described.get("authorization_response_iss_parameter_supported") is True
        ):
            raise Invalid("This answer is from another place than the one you were sent to.")
        if "error" in answer:
            raise NotAllowed("{label} did not let you in, or you did not agree.", label=self.label)
        if not answer.get("code"):
            raise Invalid("This answer proves nothing. Start again.")
        tokens = self._tokens(described, answer["code"], kept["verifier"], return_to)
        claims = id_token.checked(
            tokens, provider=self.provider, client_id=self.client_id, nonce=kept["nonce"]
        )
        return self._account(claims, tokens, described)

    def _tokens(
        self, described: Mapping[str, Any], code: str, verifier: str, return_to: str
    ) -> dict[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": return_to,
            "code_verifier": verifier,
            "client_id": self.client_id,
        }
        headers = {}
        methods = described.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        if self.client_secret and "client_secret_basic" in methods:
            # Both are quoted before they are joined (RFC 6749, section 2.3.1).
            pair = f"{quote(self.client_id, safe='')}:{quote(self.client_secret, safe='')}"
            headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        elif self.client_secret:
            form["client_secret"] = self.client_secret
        got = self.provider.post(str(described["token_endpoint"]), form, headers=headers)
        if got.status == 200:
            return got.json()
        if got.status == 401:
            raise Unavailable("{label} does not know this server; an operator must look.", label=self.label)
        if 400 <= got.status < 500:
            # The code was used before, is too old, or was made for another browser.
            raise Invalid("This answer proves nothing. Start again.")
        raise Unavailable("{host} answered {status}.", host=got.host, status=got.status)

    def _account(
        self, claims: Mapping[str, Any], tokens: Mapping[str, Any], described: Mapping[str, Any]
    ) -> ForeignAccount:
        subject = claims["sub"]
        if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT:
            raise Invalid("This answer proves nothing. Start again.")
        told = dict(claims)
        if "email" not in told and described.get("userinfo_endpoint") and tokens.get("access_token"):
            more = self.provider.get(str(described["userinfo_endpoint"]), bearer=str(tokens["access_token"]))
            # Else it could be about somebody else (OpenID Connect Core, section 5.3.2).
            told.update(more if more.get("sub") == subject else {})
        email, name = told.get("email"), told.get("name")
        return ForeignAccount(
            issuer=self.provider.issuer,
            subject=subject,
            email=email if isinstance(email, str) else "",
            # Nothing but true is true: some send a text.
            email_verified=told.get("email_verified") is True,
            name=name if isinstance(name, str) else "",
        )
