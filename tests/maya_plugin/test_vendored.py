"""What the module brings along, really used: in the Python of the oldest Maya too, and where that has no `ssl`."""

from __future__ import annotations

import datetime
import http.server
import ipaddress
import os
import shutil
import ssl
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from websockets.sync.server import serve

#: A Python that has nothing but its own library and the module; its `ssl` may be one that cannot be loaded.
USES = """
import importlib, sys, warnings
from pathlib import Path

warnings.simplefilter("error")
scripts, has_ssl, url, websocket_url, https_url, certificate = sys.argv[1:]

class Without:
    def find_spec(self, name, path=None, target=None):
        if name in ("ssl", "_ssl"):
            raise ImportError("libssl.so.1.1: cannot open shared object file")

if has_ssl == "no":
    sys.meta_path.insert(0, Without())
sys.path.insert(0, scripts)
for part in ("vendor", "sendoff"):
    for path in sorted(Path(scripts, "sendoff_maya", part).rglob("*.py")):
        name = ".".join(path.relative_to(scripts).with_suffix("").parts).replace(".__init__", "")
        if not name.endswith("__main__") and (has_ssl == "yes" or not name.endswith("ssltransport")):
            importlib.import_module(name)
from sendoff_maya.sendoff import Client
from sendoff_maya.sendoff.errors import ConnectionFailed
from sendoff_maya.vendor import requests, websocket

assert ("ssl" in sys.modules) == (has_ssl == "yes")
assert Client(url, "good").server()["name"] == "tiny"
echo = websocket.create_connection(websocket_url, timeout=10)
echo.send("there and back")
assert echo.recv() == "there and back"
echo.close()
if has_ssl == "no":
    try:
        Client(https_url, "good").server()
    except ConnectionFailed as error:
        assert "libssl.so.1.1" in str(error), error
        sys.exit()
try:
    requests.get(https_url, timeout=10)
except requests.exceptions.SSLError as error:
    assert "self-signed" in str(error) or "self signed" in str(error), error
else:
    raise AssertionError("a certificate that nobody knows was taken for good")
assert requests.get(https_url, timeout=10, verify=certificate).content == b"safe"
"""


@pytest.fixture(scope="module")
def echo():
    """The URL of a WebSocket that says what it hears."""

    def answer(connection):
        for message in connection:
            connection.send(message)

    with serve(answer, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}/"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def secure(tmp_path_factory):
    """The URL of a server with a certificate of its own, and the file of that."""
    certificate, key = self_signed(tmp_path_factory.mktemp("certificate"))

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", "4")
            self.end_headers()
            self.wfile.write(b"safe")

        def log_message(self, *_):
            pass

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.socket = context.wrap_socket(made.socket, server_side=True)
    with running(made) as server:
        yield f"https://127.0.0.1:{server.server_address[1]}", certificate


@contextmanager
def running(server):
    with server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def self_signed(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return paths


def python(series: str) -> str:
    """A Python of a series on this machine: on the PATH, or one that pyenv has."""
    named = shutil.which(f"python{series}")
    found = [Path(named)] if named else []
    found += [path for shim in found for path in shim.parents[1].glob(f"versions/{series}.*/bin/python{series}")]
    works = [
        path for path in found if not subprocess.run([path, "-c", ""], capture_output=True, check=False).returncode
    ]
    if not works:  # also in CI: Debian 12 has none to install
        pytest.skip(f"there is no Python {series}, which Maya 2023 has")
    return str(works[0])


@pytest.mark.parametrize("has_ssl", ["yes", "no"])
@pytest.mark.parametrize("series", ["3.9", "this"])
def test_http_and_the_websocket_work_and_https_is_checked_by_the_certificates_that_came_along(
    module_folder, server, echo, secure, series, has_ssl
):
    program = sys.executable if series == "this" else python(series)
    command = [program, "-I", "-B", "-c", USES, module_folder / "scripts", has_ssl, server.url, echo, *secure]
    environment = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
