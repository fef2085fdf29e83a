"""The stand-in for Maya on the path of the tests; in Maya itself (mayapy) the real one is there already."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
IS_MAYA = Path(sys.executable).stem.startswith("mayapy") or importlib.util.find_spec("maya") is not None
if not IS_MAYA:
    sys.path.insert(0, str(HERE))
