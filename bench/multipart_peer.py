"""The peer of the transfer benchmark: one multipart upload to FastAPI, written to disk, nothing else."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import uvicorn
from fastapi import FastAPI, UploadFile

app = FastAPI()
FOLDER = Path(os.environ.get("BENCH_FOLDER", "."))


@app.post("/upload")
def upload(file: UploadFile) -> dict[str, int]:
    """Keep the file, as safely on disk as Sendoff keeps its chunks."""
    with (FOLDER / "uploaded.blend").open("wb") as target:
        shutil.copyfileobj(file.file, target, 1 << 20)
        os.fsync(target.fileno())
    return {"size": (FOLDER / "uploaded.blend").stat().st_size}


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["BENCH_PORT"]), log_level="warning", access_log=False)
