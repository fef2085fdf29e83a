"""`python -m sendoff.cli`."""

from . import main

main()
