"""A small real OpenID provider: keys, codes, PKCE and tokens as the standard has them; a test makes it misbehave."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

CLIENT, SECRET = "sendoff", "the-client's-secret"


class Provider:
    """Signs in whoever `person` is, without asking."""

    def __init__(self) -> None:
        self.url = ""
        self.person = "ada"
        self.groups: list[str] = []
        self.keys: dict[str, tuple[str, Any]] = {}
        self.signing = ""
        self.is_down = False
        #: Changes the claims, or makes the whole token, before it is sent.
        self.change: Callable[[dict[str, Any]], None] | None = None
        self.forge: Callable[[dict[str, Any]], str] | None = None
        self.asked_for_keys = 0
        self._codes: dict[str, dict[str, str]] = {}
        self.rotate("RS256")

    def rotate(self, algorithm: str) -> None:
        """Sign with a new key from now on; the old one is no more."""
        key: Any = rsa.generate_private_key(65537, 2048)
        if algorithm == "ES256":
            key = ec.generate_private_key(ec.SECP256R1())
        self.keys.clear()
        self.signing = secrets.token_hex(4)
        self.keys[self.signing] = (algorithm, key)

    def public_keys(self) -> list[dict[str, Any]]:
        """As JWKS has them."""
        found = []
        for kid, (algorithm, key) in self.keys.items():
            kind = jwt.algorithms.ECAlgorithm if algorithm == "ES256" else jwt.algorithms.RSAAlgorithm
            found.append(json.loads(kind.to_jwk(key.public_key())) | {"kid": kid, "alg": algorithm, "use": "sig"})
        return found

    def authorize(self, query: dict[str, str]) -> str:
        """Where the browser goes next."""
        assert query["response_type"] == "code"
        assert query["client_id"] == CLIENT
        assert query["code_challenge_method"] == "S256"
        assert "openid" in query["scope"].split()
        code = secrets.token_urlsafe(16)
        self._codes[code] = query
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def token(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """What the server gets for a code."""
        asked = self._codes.pop(form.get("code", ""), None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=")
        good = (
            asked is not None
            and (form["client_id"], form["client_secret"]) == (CLIENT, SECRET)
            and form["redirect_uri"] == asked["redirect_uri"]
            and challenge.decode() == asked["code_challenge"]
        )
        if not good or asked is None:
            return 400, {"error": "invalid_grant"}
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": self.url, "aud": CLIENT, "sub": "1", "iat": now, "exp": now + 300, "nonce": asked["nonce"],
            "preferred_username": self.person, "groups": self.groups,
        }  # fmt: skip
        if self.change is not None:
            self.change(claims)
        algorithm, key = self.keys[self.signing]
        sign = self.forge or (lambda made: jwt.encode(made, key, algorithm=algorithm, headers={"kid": self.signing}))
        return 200, {"id_token": sign(claims), "access_token": "x", "token_type": "Bearer"}


@contextmanager
def running() -> Iterator[Provider]:
    """A provider on a port of its own."""
    provider = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            if provider.is_down:
                self._answer(503, {})
            elif parts.path == "/.well-known/openid-configuration":
                self._answer(200, {
                    "issuer": provider.url, "authorization_endpoint": f"{provider.url}/authorize",
                    "token_endpoint": f"{provider.url}/token", "jwks_uri": f"{provider.url}/keys",
                })  # fmt: skip
            elif parts.path == "/keys":
                provider.asked_for_keys += 1
                self._answer(200, {"keys": provider.public_keys()})
            elif parts.path == "/authorize":
                self.send_response(302)
                self.send_header("Location", provider.authorize(query))
                self.send_header("Content-Length", "0")
                self.end_headers()
            else:
                self._answer(404, {})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            status, answer = provider.token({name: values[0] for name, values in parse_qs(body).items()})
            self._answer(503 if provider.is_down else status, answer)

        def _answer(self, status: int, document: dict[str, Any]) -> None:
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        provider.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield provider
        finally:
            server.shutdown()
            thread.join(10)
