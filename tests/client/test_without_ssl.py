"""An application whose Python cannot load `ssl`, as some Mayas on Linux."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name in ("ssl", "_ssl"):
            raise ImportError("libssl.so.1.1: cannot open shared object file")

sys.meta_path.insert(0, Missing())
from sendoff import Client, SendoffError
for url in sys.argv[2:]:
    try:
        print(Client(url, sys.argv[1]).server())
    except SendoffError as error:
        print(type(error).__name__, error)
"""


def test_https_says_what_is_missing_and_http_goes_on(fake, token):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT, token, "https://render01:8780", fake.url],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    https, http = done.stdout.splitlines()
    assert https.startswith("ConnectionFailed https://render01:8780 needs https")
    assert "libssl.so.1.1" in https
    assert http.startswith("{")
