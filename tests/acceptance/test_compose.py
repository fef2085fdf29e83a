"""docker-compose.yml against the schema of the Compose specification, and against the settings that exist."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import yaml
from tests.stack import BIN

from sendoff_server.settings import ServerSettings
from sendoff_worker.settings import WorkerSettings

ROOT = Path(__file__).resolve().parent.parent.parent


def test_the_compose_file_is_valid() -> None:
    done = subprocess.run(
        [BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", ROOT / "docker-compose.yml"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_every_setting_in_it_exists_and_every_dockerfile_is_there() -> None:
    composed = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    known = {f"SENDOFF_{name.upper()}" for kind in (ServerSettings, WorkerSettings) for name in kind.model_fields}
    assert set(composed["services"]) == {"redis", "rabbitmq", "server", "worker"}
    for service in composed["services"].values():
        used = {name for name in service.get("environment", {}) if name.startswith("SENDOFF_")}
        assert used <= known, used - known
        if "build" in service:
            text = (ROOT / service["build"]["dockerfile"]).read_text()
            assert set(re.findall(r"SENDOFF_[A-Z_]+", text)) <= known
            for source in re.findall(r"^COPY (.+) \S+$", text, re.MULTILINE):
                assert all((ROOT / path).exists() for path in source.split())
