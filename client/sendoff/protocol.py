"""The numbers and names of the wire contract, version 1, that client and server must agree on."""

from __future__ import annotations

#: Version of the contract that this package speaks; `GET /v1/server` tells the range a server speaks.
PROTOCOL = 1

#: Most bytes of one chunk, before compression.
CHUNK_BYTES = 1024 * 1024
#: Most bytes of one pack as it is sent, the body of `POST /v1/chunks`.
PACK_BYTES = 8 * 1024 * 1024
#: Most bytes of one pack once its Content-Encoding is undone. Four times as much shrinks no further (measured:
#: 43.25 % instead of 43.34 % of a 153 MB scene), and would cost the server the memory.
PACK_RAW_BYTES = 8 * 1024 * 1024
#: Most chunks in one pack.
PACK_CHUNKS = 4096
#: A JSON body of at least this size is compressed, where the server lists `request_encodings`.
COMPRESSED_JSON_BYTES = 1024
#: Connections that a client sends packs on at the same time.
PARALLEL = 4
#: Most chunks that one `POST /v1/chunks/missing` may ask for.
MISSING_PER_CALL = 20_000

#: A heartbeat is sent this often (G7 promises one at least every 15 s).
HEARTBEAT_SECONDS = 10.0
#: A socket that was silent for so long is broken: the client connects again.
SILENCE_SECONDS = 35.0
#: A browser (or the all-jobs socket) must send its hello within this time.
HELLO_SECONDS = 3.0

PROBLEM_MEDIA_TYPE = "application/problem+json"
#: Prefix of a problem's `type`, followed by its kind ("chunks-missing").
PROBLEM_PREFIX = "urn:sendoff:problem:"
PACK_MEDIA_TYPE = "application/vnd.sendoff.pack"
IDEMPOTENCY_HEADER = "Idempotency-Key"

#: WebSocket close codes.
CLOSE_SERVER_RESTARTS = 1012
CLOSE_SIGN_IN_REQUIRED = 4401
CLOSE_NOT_FOUND = 4404
CLOSE_NO_HELLO = 4408
CLOSE_TOO_SLOW = 4413
