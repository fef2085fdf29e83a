"""`python -m sendoff_worker` runs a worker."""

import sys

from .cli import main

sys.exit(main())
