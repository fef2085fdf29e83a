"""`python -m sendoff_server` is `sendoff-server`."""

from .cli import main

main()
