"""Make server/sendoff_server/page/three.js anew: what the pages need of three.js to show a .glb, in one module.

    vendor_three.py

Needs npm. The result is committed, so that neither the server nor its build needs npm or a network.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

PAGE = Path(__file__).resolve().parent.parent / "server" / "sendoff_server" / "page"
PACKAGES = ["three@0.187.0", "esbuild@0.28.2"]
ENTRY = """
export {
  Box3, GridHelper, NeutralToneMapping, PMREMGenerator, PerspectiveCamera, Scene, Vector3, WebGLRenderer
} from "three";
export { OrbitControls } from "three/addons/controls/OrbitControls.js";
export { RoomEnvironment } from "three/addons/environments/RoomEnvironment.js";
export { GLTFLoader } from "three/addons/loaders/GLTFLoader.js";
"""


def main() -> None:
    """Install, bundle, copy."""
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", *PACKAGES], cwd=folder, check=True)
        (folder / "entry.js").write_text(ENTRY)
        command = ["npx", "esbuild", "entry.js", "--bundle", "--format=esm", "--minify", "--target=es2022",
                   "--legal-comments=eof", "--outfile=three.js"]  # fmt: skip
        subprocess.run(command, cwd=folder, check=True)
        shutil.copy(folder / "three.js", PAGE / "three.js")
        shutil.copy(folder / "node_modules" / "three" / "LICENSE", PAGE / "three.LICENSE.txt")


if __name__ == "__main__":
    main()
