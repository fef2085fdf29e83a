"""Single sign-on: an OpenID provider says who somebody is (authorization code flow with PKCE, RFC 6749, 7636).

Its keys are fetched again when a token names one that is not known, so that they may be changed at any time.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import logging
import secrets
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx
import jwt
import redis.asyncio

from .settings import ServerSettings

log = logging.getLogger("sendoff.server")

#: Public keys only: with HS256 the provider's public key would do as the secret.
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "ES512"]
STATE_SECONDS = 600
_LEEWAY_SECONDS = 30
_DOCUMENT_SECONDS = 3600.0
#: Keys are fetched so often at most, whatever tokens name.
_KEYS_PAUSE_SECONDS = 5.0
_CALL_SECONDS = 10.0
_MOST_BYTES = 1024 * 1024


class OidcFailed(Exception):
    """Nobody is signed in; the sentence says why and what to do."""


@dataclass(frozen=True)
class Identity:
    """Who somebody is, as the provider says."""

    person: str
    groups: tuple[str, ...]


class Provider:
    """The provider that the settings name; lives in one event loop."""

    def __init__(self, settings: ServerSettings, client: redis.asyncio.Redis) -> None:
        self._settings = settings
        self._redis = client
        self._http = httpx.AsyncClient(timeout=_CALL_SECONDS, follow_redirects=False)
        self._document: dict[str, Any] = {}
        self._document_at = 0.0
        self._keys: dict[str, jwt.PyJWK] = {}
        self._keys_at = 0.0
        self._lock = asyncio.Lock()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def begin(self, *, redirect_uri: str, return_to: str) -> tuple[str, str]:
        """Where a browser is sent, and the state that it has to come back with; raises OidcFailed."""
        document = await self._discovered()
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        kept = {"nonce": nonce, "verifier": verifier, "redirect_uri": redirect_uri, "return_to": return_to}
        await self._redis.set(_state_key(state), json.dumps(kept), ex=STATE_SECONDS)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "response_type": "code",
            "client_id": self._settings.oidc_client_id,
            "redirect_uri": redirect_uri,
            "scope": self._settings.oidc_scopes,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return f"{document['authorization_endpoint']}?{urlencode(query)}", state

    async def spend(self, state: str) -> dict[str, str] | None:
        """What `begin` kept for a state, once; None where there is nothing (any more)."""
        text = await self._redis.getdel(_state_key(state))
        return None if text is None else dict(json.loads(text))

    async def identify(self, kept: dict[str, str], code: str) -> Identity:
        """Who came back with a code; raises OidcFailed."""
        document = await self._discovered()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": kept["redirect_uri"],
            "client_id": self._settings.oidc_client_id,
            "code_verifier": kept["verifier"],
        }
        if self._settings.oidc_client_secret:
            form["client_secret"] = self._settings.oidc_client_secret
        answer = await self._call("POST", str(document["token_endpoint"]), form)
        claims = await self._verified(str(answer.get("id_token") or ""))
        if not hmac.compare_digest(str(claims.get("nonce") or ""), kept["nonce"]):
            raise OidcFailed("What the sign-in service sent is of another sign-in. Try again.")
        return self._identity(claims)

    async def _verified(self, token: str) -> dict[str, Any]:
        try:
            header = jwt.get_unverified_header(token)
            key = await self._key(str(header.get("kid") or ""))
            if header.get("alg") not in ALGORITHMS:
                raise jwt.InvalidAlgorithmError(f"the algorithm {header.get('alg')!r}")
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=ALGORITHMS,
                audience=self._settings.oidc_client_id,
                issuer=self._issuer,
                leeway=_LEEWAY_SECONDS,
                options={"require": ["exp", "iat", "iss", "aud", "sub"]},
            )
        except jwt.PyJWTError as error:
            log.warning("The sign-in service's token is refused: %s", error, extra={"action": "oidc.bad_token"})
            raise OidcFailed(
                "The sign-in service's answer cannot be trusted. Ask your administrator to look into the server's log."
            ) from error
        return claims

    def _identity(self, claims: dict[str, Any]) -> Identity:
        name = str(claims.get(self._settings.oidc_person_claim) or "")
        if not name:
            raise OidcFailed(
                f"The sign-in service does not say who you are: its token has no {self._settings.oidc_person_claim}. "
                "Ask your administrator to set SENDOFF_OIDC_PERSON_CLAIM."
            )
        groups = claims.get(self._settings.oidc_groups_claim) or []
        return Identity(name, tuple(map(str, groups if isinstance(groups, list) else [groups])))

    @property
    def _issuer(self) -> str:
        return str(self._document.get("issuer") or self._settings.oidc_issuer)

    async def _discovered(self) -> dict[str, Any]:
        async with self._lock:
            if not self._document or time.monotonic() - self._document_at > _DOCUMENT_SECONDS:
                issuer = self._settings.oidc_issuer.rstrip("/")
                document = await self._call("GET", f"{issuer}/.well-known/openid-configuration")
                if str(document.get("issuer") or "").rstrip("/") != issuer:
                    raise OidcFailed(
                        f"The sign-in service calls itself {document.get('issuer')}, and SENDOFF_OIDC_ISSUER names "
                        f"{issuer}. Ask your administrator to set the one that it says."
                    )
                self._document, self._document_at = document, time.monotonic()
            return self._document

    async def _key(self, kid: str) -> jwt.PyJWK:
        async with self._lock:
            if kid not in self._keys and time.monotonic() - self._keys_at > _KEYS_PAUSE_SECONDS:
                found = await self._call("GET", str(self._document["jwks_uri"]))
                self._keys = {}
                for one in found.get("keys") or []:
                    try:
                        key = jwt.PyJWK.from_dict(one)
                    except jwt.PyJWTError:  # of a kind that is not for us
                        continue
                    self._keys[key.key_id or ""] = key
                self._keys_at = time.monotonic()
            if kid not in self._keys:
                raise jwt.InvalidKeyError(f"there is no key {kid[:80]!r}")
            return self._keys[kid]

    async def _call(self, method: str, url: str, form: dict[str, str] | None = None) -> dict[str, Any]:
        try:
            async with self._http.stream(method, url, data=form) as answer:
                body = bytearray()
                async for piece in answer.aiter_bytes():
                    body += piece
                    if len(body) > _MOST_BYTES:
                        raise ValueError("more than 1 MiB")  # noqa: TRY301
            document = json.loads(body)
            if answer.status_code != 200 or not isinstance(document, dict):
                said = document.get("error") if isinstance(document, dict) else None  # the rest may hold tokens
                raise ValueError(f"status {answer.status_code}, error {str(said)[:200]!r}")  # noqa: TRY301
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, RecursionError) as error:
            log.warning("%s does not answer as a sign-in service: %s", url, error, extra={"action": "oidc.failed"})
            raise OidcFailed(
                "The studio's sign-in service does not answer as it should. Try again in a minute, or ask your "
                "administrator to look into the server's log."
            ) from error
        return document


def role_of(settings: ServerSettings, groups: tuple[str, ...]) -> str:
    """The role that somebody's groups give, the highest; "" where they may not sign in."""
    given = [role for group, role in settings.oidc_role_map.items() if group in groups]
    return next((role for role in ("admin", "td", "artist") if role in given), settings.oidc_default_role)


def _state_key(state: str) -> str:
    return f"oidc:{hashlib.sha256(state.encode()).hexdigest()}"
