"""The version, which the build writes here from client/pyproject.toml."""

VERSION = "0.0.0"
