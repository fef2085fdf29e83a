"""Every file once in each Blender: by the add-on's click, and by the command, and what is said of it."""

from __future__ import annotations

import contextlib
import itertools
import json
import shutil
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import children
from blenders import Installed, plain_environment
from leaks import leaks
from scene_list import SceneFile, number_of
from table import DEVIATES, FAILED, REFUSED, RIGHT, SKIPPED, Verdict
from tests.stack import BIN, Stack

TASKS = ("scene.check", "mesh.lods")
WAYS = ("add-on", "command")
LEVELS, RATIO = 3, 0.5
_serial = itertools.count()


@dataclass(kw_only=True)
class Run:
    """One run of the tool."""

    stack: Stack
    folder: Path
    addon: Path
    tasks: list[str]
    ways: list[str]
    seconds: float
    lanes: int
    say: Callable[[Verdict], None]
    commands_in_newest: bool = False
    """Whether the command is tried in the newest Blender alone; each has made its own files."""
    verdicts: list[Verdict] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _commanded: set[Path] = field(default_factory=set)
    _is_stopping: bool = False

    def visit(self, blender: Installed, scenes: list[SceneFile], *, all_blenders: list[Installed]) -> None:
        """Send all files from one Blender, on as many lanes as were asked for."""
        waiting: SimpleQueue[SceneFile] = SimpleQueue()
        for scene in scenes:
            waiting.put(scene)
        with ThreadPoolExecutor(self.lanes) as lanes:
            running = [lanes.submit(self._lane, blender, waiting, all_blenders) for _ in range(self.lanes)]
            try:
                for lane in running:
                    lane.result()
            except BaseException:  # Ctrl-C: nothing goes on
                self._is_stopping = True
                children.end_all()
                raise

    def _lane(self, blender: Installed, waiting: SimpleQueue[SceneFile], all_blenders: list[Installed]) -> None:
        artist: children.Blender | None = None
        try:
            while not self._is_stopping:
                try:
                    scene = waiting.get_nowait()
                except Empty:
                    return
                if scene.is_newer_than(blender.series):
                    why = f"saved by Blender {scene.version // 100}.{scene.version % 100}, which is newer"
                    self._note(scene, blender, way="add-on", task="", verdict=SKIPPED, reasons=[why])
                    continue
                try:
                    artist = artist or self._artist(blender)
                    self._one(scene, blender, artist, all_blenders)
                except children.Ended as how:
                    if self._is_stopping:
                        return
                    for task in self.tasks:
                        self._note(scene, blender, way="add-on", task=task, verdict=FAILED, reasons=[str(how)])
                    if artist is not None:
                        artist.close()
                    artist = None
        finally:
            if artist is not None:
                artist.close()

    def _artist(self, blender: Installed) -> children.Blender:
        folder = self.folder / "artists" / f"{blender.series}-{next(_serial)}"
        folder.mkdir(parents=True)
        environment = plain_environment(
            SENDOFF_URL=self.stack.url, SENDOFF_TOKEN=self.stack.token, SENDOFF_HOME=str(folder / "home")
        )
        command = blender.artist("--zip", self.addon, "--folder", folder)
        return children.Blender(command, environment, folder / "blender.log")

    def _one(
        self, scene: SceneFile, blender: Installed, artist: children.Blender, all_blenders: list[Installed]
    ) -> None:
        begun = time.monotonic()
        order: dict[str, Any] = {
            "scene": str(scene.path),
            "ways": self.ways,
            "tasks": self.tasks,
            "job_seconds": self.seconds / 4,  # three jobs, and the measuring
        }
        commanded: dict[str, Any] = {}
        if "command" in self.ways and self._is_first_to_command(scene, blender, all_blenders):
            commanded = {task: self._command(scene, task) for task in self.tasks}
            order["command"] = {task: done for task, done in commanded.items() if not done["problem"]}
        answer = artist.ask(order, self.seconds)
        seconds = time.monotonic() - begun
        refused, error = answer.get("refused"), answer.get("error")
        note = partial(self._note, scene, blender, seconds=seconds)
        for said in answer["verdicts"]:
            lines = [*said["lines"], *self._leaks(said["files"])]
            if said["way"] == "command":
                lines += self._leaks(commanded[said["task"]]["files"])
            verdict = FAILED if said["problem"] else DEVIATES if lines else RIGHT
            reasons = [said["problem"], *lines] if said["problem"] else lines
            note(way=said["way"], task=said["task"], verdict=verdict, reasons=reasons)
        if error or refused:
            for task in self.tasks if "add-on" in self.ways else ():
                note(way="add-on", task=task, verdict=FAILED if error else REFUSED, reasons=[error or refused])
        for task, done in commanded.items():
            if done["problem"]:
                is_right = bool(refused) and done["is_sentence"]
                note(way="command", task=task, verdict=REFUSED if is_right else FAILED, reasons=[done["problem"]])
            elif refused:
                why = f"Blender {blender.series} cannot open it ({refused}), and the command sent it all the same"
                note(way="command", task=task, verdict=FAILED, reasons=[why])
            shutil.rmtree(done["folder"], ignore_errors=True)

    def _is_first_to_command(self, scene: SceneFile, blender: Installed, all_blenders: list[Installed]) -> bool:
        """The command is judged once, in the Blender that its job goes to: the file's own series, or the next."""
        fitting = [one.series for one in all_blenders if number_of(one.series) >= scene.version]
        if not scene.is_blend or self.commands_in_newest:
            fitting = fitting[-1:]
        with self._lock:
            if not fitting or fitting[0] != blender.series or scene.path in self._commanded:
                return False
            self._commanded.add(scene.path)
            return True

    def _command(self, scene: SceneFile, task: str) -> dict[str, Any]:
        """Send a file by `sendoff submit`; returns what it said and the files that came."""
        out = self.folder / "commands" / str(next(_serial))
        command = [
            str(BIN / "sendoff"),
            "submit",
            str(scene.path),
            "--task",
            task,
            "--wait",
            "--json",
            "--out",
            str(out),
        ]
        if task == "mesh.lods":
            params: dict[str, Any] = {"levels": LEVELS, "ratio": RATIO}
            if scene.is_blend:
                params["formats"] = ["blend", "usd", "fbx", "glb"]
            command += ["--params", json.dumps(params)]
        done: dict[str, Any] = {"levels": LEVELS, "ratio": RATIO, "folder": str(out), "files": [], "texts": []}
        try:
            status, output, errors = children.run(command, self.stack.environment, self.seconds / 2)
        except children.Ended as how:
            return done | {"problem": str(how), "is_sentence": False}
        job: dict[str, Any] = {}
        for line in output.splitlines():
            with contextlib.suppress(ValueError):
                read = json.loads(line)
                if isinstance(read, dict) and "result" in read:
                    job = read
                if isinstance(read, dict) and "files" in read and "job" in read:
                    done["files"] = list(read["files"])
        result = job.get("result") or {}
        summary = result.get("summary") or {}
        done["texts"] = [*map(str, result.get("warnings") or job.get("warnings") or []), *errors.strip().splitlines()]
        done["texts"].append(json.dumps({k: v for k, v in summary.items() if k != "objects"}, ensure_ascii=False))
        if status:
            sentence = (errors.strip().splitlines() or [f"it ended with status {status} and said nothing"])[-1]
            is_sentence = "Traceback" not in errors and "unexpected" not in errors.lower() and bool(errors.strip())
            return done | {"problem": sentence, "is_sentence": is_sentence}
        return done | {"problem": "", "is_sentence": True}

    def _leaks(self, files: list[str]) -> list[str]:
        worker = [self.folder / "server"]
        found = []
        for path in map(Path, files):
            if path.is_file():
                found += [f"path of the worker: {path.name} holds {text}" for text in leaks(path, worker)[:2]]
        return found

    def _note(
        self, scene: SceneFile, blender: Installed, *, way: str, task: str, verdict: str, reasons: list[Any],
        seconds: float = 0.0,
    ) -> None:  # fmt: skip
        texts = tuple(str(reason) for reason in reasons)
        one = Verdict(
            file=scene.name, series=blender.series, way=way, task=task, verdict=verdict, reasons=texts,
            seconds=round(seconds, 1),
        )  # fmt: skip
        with self._lock:
            self.verdicts.append(one)
            self.say(one)
