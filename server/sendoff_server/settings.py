"""The server's own settings, besides those it shares with the workers."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from sendoff_store.errors import SettingsError
from sendoff_store.people import ROLES
from sendoff_store.settings import StoreSettings

_LEAST_SECRET_CHARACTERS = 32


class ServerSettings(StoreSettings):
    """Every setting is the environment variable SENDOFF_<NAME> or a key of `sendoff.toml` in the data folder."""

    host: str = "127.0.0.1"
    port: int = Field(default=8780, ge=0, le=65535)
    #: What a person reads in the add-on.
    name: str = "Sendoff"
    #: Signs the tokens; empty means the file `secret` in the data folder, made at the first start.
    secret: str = ""
    #: How long a token of a session is good for; an application then gets the next by itself.
    token_seconds: int = Field(default=3600, ge=10, le=86400)
    #: How long a session stays without being used.
    session_days: float = Field(default=30, gt=0, le=3650)
    #: Other sites whose pages may open WebSockets, with commas between: "https://tools.studio.example".
    origins: str = ""
    #: Whether a chunk that anybody has sent counts as sent for everybody: saves sending, see docs/administrator.md.
    shared_chunks: bool = False
    #: So many jobs a person may send within a minute.
    submits_per_minute: int = Field(default=600, ge=1)
    #: So many connections at once, WebSockets included, in each process.
    connections: int = Field(default=10_000, ge=1)
    #: Who sends or takes (almost) nothing for so long is not waited for any more.
    connection_stall_seconds: float = Field(default=30, gt=0, le=3600)
    #: "production" refuses to start with what is only good on one's own machine.
    env: Literal["development", "production"] = "development"
    #: Whether a proxy in front of the server speaks https to the network.
    behind_proxy: bool = False
    #: How the server is reached from outside, where a proxy is in front of it: "https://sendoff.studio.example".
    public_url: str = ""
    #: Single sign-on by an OpenID provider; empty for none.
    oidc_issuer: str = ""
    oidc_client_id: str = "sendoff"
    #: Empty where the provider knows Sendoff as a public client.
    oidc_client_secret: str = ""
    oidc_scopes: str = "openid profile email groups"
    #: What the button says: "Sign in with ...".
    oidc_name: str = "your studio's account"
    #: Claims of the provider's token: the person's name here, and the list of groups.
    oidc_person_claim: str = "preferred_username"
    oidc_groups_claim: str = "groups"
    #: What groups may do, with commas between: "artists=artist,leads=td,it=admin".
    oidc_roles: str = ""
    #: For people in none of these groups; empty: they may not sign in.
    oidc_default_role: Literal["", "artist", "td", "admin"] = "artist"
    #: Then the provider is asked again.
    oidc_session_days: float = Field(default=7, gt=0, le=365)
    #: The largest job, all files together.
    job_bytes: int = Field(default=64 * 1024**3, ge=1)
    #: The largest body of a submit: the manifest's JSON.
    submit_bytes: int = Field(default=64 * 1024**2, ge=1024)
    #: The add-on's repository, made by scripts/build_repository.py; empty means data_dir/addon.
    addon_dir: str = ""
    #: The folder with the Maya plug-in's zip, made by scripts/build_maya.py; empty means data_dir/maya.
    maya_dir: str = ""

    @property
    def origin_list(self) -> tuple[str, ...]:
        """The other sites, one by one."""
        return tuple(one.strip() for one in self.origins.split(",") if one.strip())

    @property
    def oidc_role_map(self) -> dict[str, str]:
        """The roles by group."""
        pairs = (one.partition("=") for one in self.oidc_roles.split(",") if one.strip())
        return {group.strip(): role.strip() for group, _, role in pairs}

    @field_validator("oidc_roles")
    @classmethod
    def _check_roles(cls, text: str) -> str:
        for one in filter(str.strip, text.split(",")):
            group, _, role = one.partition("=")
            if not group.strip() or role.strip() not in ROLES:
                raise ValueError(f"{one.strip()!r} is not GROUP=ROLE with one of the roles {', '.join(ROLES)}")
        return text

    @property
    def addon_folder(self) -> Path:
        """The folder of the add-on's repository that is in force."""
        return Path(self.addon_dir) if self.addon_dir else self.data_dir / "addon"

    @property
    def maya_folder(self) -> Path:
        """Where the Maya plug-in's zip lies."""
        return Path(self.maya_dir) if self.maya_dir else self.data_dir / "maya"


def signing_secret(settings: ServerSettings) -> str:
    """The secret that signs tokens; made once (0600) where none is set.

    Raises SettingsError where the one that is set is too short to be one.
    """
    if settings.secret:
        if len(settings.secret) < _LEAST_SECRET_CHARACTERS:
            raise SettingsError(
                f"SENDOFF_SECRET has {len(settings.secret)} characters; {_LEAST_SECRET_CHARACTERS} or more are needed. "
                'Make one with: python3 -c "import secrets; print(secrets.token_urlsafe(48))"'
            )
        return settings.secret
    path = settings.data_dir / "secret"
    if not path.exists():
        _write_secret(path)
    return path.read_text().strip()


def _write_secret(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"secret-{os.getpid()}-{secrets.token_hex(4)}")
    handle = os.open(temporary, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(secrets.token_urlsafe(48))
    try:
        os.link(temporary, path)  # whoever comes first wins
    except FileExistsError:
        pass
    finally:
        temporary.unlink()
