"""Settings that server and worker share: the environment (`SENDOFF_...`), then `sendoff.toml`, then the default."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any, TypeVar

import platformdirs
from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from .errors import SettingsError


def default_data_dir() -> Path:
    """Where data lies unless SENDOFF_DATA_DIR says otherwise: the platform's folder for a person's data."""
    return Path(platformdirs.user_data_dir("sendoff", appauthor=False))


class StoreSettings(BaseSettings):
    """Every setting is the environment variable SENDOFF_<NAME> or a key of `sendoff.toml` in the data folder."""

    model_config = SettingsConfigDict(env_prefix="SENDOFF_", extra="ignore", frozen=True)

    #: Chunks, logs, the secret and the embedded Valkey's files.
    data_dir: Path = Field(default_factory=default_data_dir)
    #: Where job records are kept; empty means the embedded Valkey (one machine).
    redis_url: str = ""
    #: Celery's broker: redis://, rediss://, unix socket or amqp://; empty means the same as redis_url.
    broker_url: str = ""
    #: Where chunks are kept; empty means data_dir/chunks, or s3://bucket/prefix.
    blob_url: str = ""
    retention_days: float = Field(default=7, gt=0, le=3650)
    #: A worker that does not renew its lease for so long is lost.
    lease_seconds: float = Field(default=25, ge=1, le=600)
    renew_seconds: float = Field(default=5, ge=0.2, le=200)
    max_attempts: int = Field(default=3, ge=1, le=20)
    #: The hard limit of one attempt's run.
    job_timeout_seconds: float = Field(default=6 * 3600, ge=1, le=30 * 86400)
    #: A running job that reports nothing for so long is shown as stalled.
    stalled_seconds: float = Field(default=60, ge=1)
    #: Uploads are refused while less than this is free on the disk.
    reserve_bytes: int = Field(default=256 * 1024 * 1024, ge=0)

    @property
    def broker(self) -> str:
        """The broker that is in force."""
        return self.broker_url or self.redis_url

    @property
    def retention_seconds(self) -> int:
        """How long an ended job is kept."""
        return int(self.retention_days * 86400)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is pydantic's
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What the caller says, then the environment, then the file in the data folder."""
        return init_settings, env_settings, _FileSource(settings_cls, init_settings)


class _FileSource(PydanticBaseSettingsSource):
    def __init__(self, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource) -> None:
        super().__init__(settings_cls)
        given = init_settings().get("data_dir") or os.environ.get("SENDOFF_DATA_DIR") or default_data_dir()
        self._path = Path(given) / "sendoff.toml"

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002
        """Not used: the file is read as a whole."""
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        try:
            text = self._path.read_text(encoding="utf-8")
        except (FileNotFoundError, NotADirectoryError):
            return {}
        try:
            return tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise SettingsError(f"{self._path} is not valid TOML: {error}.") from error


Settings = TypeVar("Settings", bound="StoreSettings")


def load(kind: type[Settings], **given: Any) -> Settings:
    """Read settings; raises SettingsError with a sentence that names the key and the value."""
    try:
        return kind(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        key = "SENDOFF_" + str(first["loc"][0]).upper() if first["loc"] else "The settings"
        raise SettingsError(f"{key} is {first.get('input')!r}: {first['msg']}.") from error
