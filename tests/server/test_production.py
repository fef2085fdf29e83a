from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sendoff_server.production import check
from sendoff_server.settings import ServerSettings
from sendoff_store.errors import SettingsError

GOOD: dict[str, Any] = {
    "env": "production", "secret": "jX8wq3-Vn0s5Lr1Tz7Kd2Pf9Bh4Gm6Yc8Qa", "host": "0.0.0.0", "behind_proxy": True,
    "redis_url": "redis://:7Gk2pQ9x@redis01:6379/0", "broker_url": "amqp://farm:9Hs4kL2m@rabbit01//",
}  # fmt: skip


def settings(tmp_path: Path, **changes: Any) -> ServerSettings:
    return ServerSettings(**{"data_dir": tmp_path} | GOOD | changes)


def test_what_a_studio_should_have_is_taken(tmp_path: Path) -> None:
    check(settings(tmp_path))
    check(settings(tmp_path, host="127.0.0.1", behind_proxy=False, redis_url="redis://127.0.0.1:6379/0"))
    check(settings(tmp_path, host="::1", behind_proxy=False, broker_url=""))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"secret": ""}, "needs a SENDOFF_SECRET"),
        ({"secret": "a" * 40}, "can be guessed"),
        ({"secret": "changeme-changeme-changeme-changeme-1234"}, "can be guessed"),
        ({"behind_proxy": False}, "SENDOFF_BEHIND_PROXY=true"),
        ({"host": "10.0.0.1", "behind_proxy": False}, "does not speak plain http on 10.0.0.1"),
        ({"host": "::", "behind_proxy": False}, "does not speak plain http on ::"),
        ({"redis_url": "redis://redis01:6379/0"}, "SENDOFF_REDIS_URL has no password"),
        ({"redis_url": "rediss://redis01:6379/0"}, "SENDOFF_REDIS_URL has no password"),
        ({"broker_url": "amqp://guest:guest@rabbit01//"}, "SENDOFF_BROKER_URL is one that everybody knows"),
        ({"broker_url": "amqp://farm@rabbit01//"}, "SENDOFF_BROKER_URL has no password"),
    ],
)
def test_what_is_only_good_on_ones_own_machine_is_refused(
    tmp_path: Path, changes: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        check(settings(tmp_path, **changes))
    assert sentence in str(refused.value)
    check(settings(tmp_path, **changes, env="development") if "env" not in changes else settings(tmp_path))
