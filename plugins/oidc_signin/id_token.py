"""An ID token is believed when the provider signed it, for us, for this browser, and a moment ago (OpenID Connect Core, 3.1.3.7)."""

import json
from collections.abc import Mapping
from typing import Any

from appliance import clock
from appliance.errors import N_
from appliance.errors import Invalid
from plugins.oidc_signin.provider import Provider

ALGORITHMS = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
    "Ed25519",
)
"""Signatures by a public key alone: neither none at all, nor one that our own password could make."""
KINDS = ("RSA", "EC", "OKP")
LEEWAY_S = 60
PROVES_NOTHING = N_("This answer proves nothing. Start again.")


def checked(tokens: Mapping[str, Any], *, provider: Provider, client_id: str, nonce: str) -> dict[str, Any]:
    """The claims of the ID token among *tokens*; ``Invalid`` unless all of it is right."""
    # Imported when it is first used: the extra [oidc] need not be installed.
    from authlib.oidc.core import CodeIDToken
    from joserfc.errors import JoseError

    text = tokens.get("id_token")
    if not isinstance(text, str):
        raise Invalid(PROVES_NOTHING)
    try:
        header, found = _verified(text, provider)
        claims = CodeIDToken(
            found,
            header,
            {
                "iss": {"essential": True, "value": provider.issuer},
                "aud": {"essential": True, "value": client_id},
            },
            {"nonce": nonce, "client_id": client_id, "access_token": str(tokens.get("access_token", ""))},
        )
        claims.validate(now=int(clock.now().timestamp()), leeway=LEEWAY_S)
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise Invalid(PROVES_NOTHING) from error
    return dict(claims)


def _verified(text: str, provider: Provider) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of *text*, whose signature is one of the provider's; its keys are asked for anew once."""
    from joserfc import jws
    from joserfc.errors import JoseError
    from joserfc.jwk import KeySet

    for anew in (False, True):
        keys = KeySet.import_key_set({"keys": _for_signatures(provider.keys(anew=anew))})
        try:
            token = jws.deserialize_compact(text, keys, algorithms=list(ALGORITHMS))
        except (JoseError, ValueError):
            if anew:
                raise
        else:
            return dict(token.headers()), json.loads(token.payload)
    raise Invalid(PROVES_NOTHING)


def _for_signatures(described: Mapping[str, Any]) -> list[Any]:
    """The public keys that sign; what else a provider lists, such as keys to encrypt with, must not keep us from reading these."""
    listed = described.get("keys")
    keys = [key for key in listed if isinstance(key, dict)] if isinstance(listed, list) else []
    return [key for key in keys if key.get("kty") in KINDS and key.get("use", "sig") == "sig"]
