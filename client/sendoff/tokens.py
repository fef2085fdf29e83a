"""What a token says of itself: whose it is and how long it is good. Only the server can say whether that is true."""

from __future__ import annotations

import base64
import json
import math
from dataclasses import dataclass


@dataclass(frozen=True)
class TokenClaims:
    """What stands in a token, unverified: for showing it to a person, never for deciding anything."""

    #: Whose it is (`sub`); "" where it does not say.
    person: str = ""
    #: Unix time in seconds from which on the server refuses it (`exp`); None where it does not say.
    expires_at: float | None = None
    #: The session (`sid`), which stays when the token is replaced; "" where it does not say.
    sid: str = ""


def read_claims(token: str) -> TokenClaims:
    """Read the claims of a JSON Web Token (RFC 7519); what is no such token has none."""
    parts = token.split(".")
    if len(parts) != 3:
        return TokenClaims()
    try:
        payload = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        return TokenClaims()
    if not isinstance(payload, dict):
        return TokenClaims()
    person, expires = payload.get("sub"), payload.get("exp")
    if not isinstance(expires, (int, float)) or isinstance(expires, bool) or not math.isfinite(expires):
        expires = None
    sid = payload.get("sid")
    return TokenClaims(person if isinstance(person, str) else "", expires, sid if isinstance(sid, str) else "")
