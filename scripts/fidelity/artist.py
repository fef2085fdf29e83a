"""The artist's side: runs inside Blender, takes one file after the other from its standard input.

    python artist.py --zip dist/sendoff.zip --folder FOLDER

A line in is one order, as JSON; a line out is what was found. What Blender prints goes to the standard error.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import os
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any

#: Files that are measured by pxr if the command sent them.
USD = frozenset({".usd", ".usda", ".usdc", ".usdz"})
LEVELS, RATIO = 3, 0.5
NEAR_LEVELS, NEAR_RATIO = 1, 0.95


def main(arguments: list[str]) -> int:
    """Read orders until there are no more."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--zip", type=Path, help="the built extension")
    parser.add_argument("--folder", type=Path, required=True, help="a folder for what is written on the way")
    options = parser.parse_args(arguments)
    out = os.fdopen(os.dup(1), "w", encoding="utf-8", errors="backslashreplace")
    os.dup2(2, 1)
    options.folder.mkdir(parents=True, exist_ok=True)
    os.environ["BLENDER_USER_RESOURCES"] = str(options.folder / "blender")  # before bpy is imported
    (options.folder / "blender").mkdir(exist_ok=True)
    tempfile.tempdir = os.environ["TMPDIR"] = str(options.folder)
    import bpy

    package = install(bpy, options.zip) if options.zip else ""
    print(json.dumps({"kind": "ready", "version": ".".join(map(str, bpy.app.version[:2]))}), file=out, flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        try:
            answer = Visit(order, package, options.folder).run()
        except Exception as error:
            traceback.print_exc()
            answer = {"verdicts": [], "error": f"the measuring failed: {type(error).__name__}: {error}"}
        print(json.dumps(answer, default=str), file=out, flush=True)
    return 0


def install(bpy: Any, addon: Path) -> str:
    """Install and enable the extension from disk; returns its module's name."""
    bpy.ops.extensions.package_install_files(
        filepath=str(addon), repo="user_default", enable_on_install=True, overwrite=True
    )
    return next(str(one.module) for one in bpy.context.preferences.addons if one.module.endswith(".sendoff"))


class Visit:
    """One file, opened and measured, sent by clicks, and compared."""

    def __init__(self, order: dict[str, Any], package: str, folder: Path) -> None:
        import bpy

        self.bpy = bpy
        self.order = order
        self.package = package
        self.folder = folder
        self.shown: list[Any] = []
        self.scene = Path(order["scene"])
        self.verdicts: list[dict[str, Any]] = []

    def run(self) -> dict[str, Any]:
        """All that the order asks for; returns the verdicts."""
        from surfaces import what_is_shown

        if self.scene.suffix.lower() in USD and "add-on" not in self.order["ways"]:
            self._judge_command()  # by pxr alone: Blender's importer may crash on what is damaged
            return {"verdicts": self.verdicts}
        try:
            self._open()
        except RuntimeError as error:
            return {"verdicts": self.verdicts, "refused": _first_line(error)}
        if self.order.get("only_open"):
            return {"verdicts": []}
        self.shown = what_is_shown(self.bpy.context)
        self.lost = _lost()
        self.shown_scene = self.bpy.context.scene.name
        known = set(self.bpy.data.objects.keys())
        if self.package and "add-on" in self.order["ways"]:
            if "scene.check" in self.order["tasks"]:
                self._click_check()
            if "mesh.lods" in self.order["tasks"]:
                self._click_lods(known)
        if self.order.get("command"):
            self._judge_command()
        return {"verdicts": self.verdicts, "shown": len(self.shown)}

    def _open(self) -> None:
        wm, kind = self.bpy.ops.wm, self.scene.suffix.lower()
        if kind == ".blend":
            wm.open_mainfile(filepath=os.fspath(self.scene), load_ui=True, use_scripts=False)
            return
        wm.read_homefile(use_empty=True, use_factory_startup=True)
        if kind == ".fbx":
            import addon_utils

            addon_utils.enable("io_scene_fbx")
            is_text = self.scene.read_bytes()[:18] != b"Kaydara FBX Binary"
            if is_text and "fbx_import" in dir(wm):  # the other importer reads binary files alone
                wm.fbx_import(filepath=os.fspath(self.scene))
                self._name_as_sent()
                return
            self.bpy.ops.import_scene.fbx(filepath=os.fspath(self.scene))
        else:
            wm.usd_import(filepath=os.fspath(self.scene))
            for mesh in self.bpy.data.meshes:  # of faces of points that are not there, Blender crashes sooner or later
                mesh.validate()

    def _name_as_sent(self) -> None:
        """Blender's newer importer gives the geometry of a node with a pivot to an object of its own."""
        for one in list(self.bpy.data.objects):
            if one.name.endswith("_GeomAdjust") and one.parent is not None:
                name, one.parent.name = one.parent.name, f"{one.parent.name} node"
                one.name = name

    def _process(self, task: str, params: dict[str, Any]) -> tuple[Any, str]:
        jobs = importlib.import_module(f"{self.package}.current").desk.jobs
        before = len(jobs.jobs)
        problem = ""
        try:
            self.bpy.ops.sendoff.process(
                task=task, params=json.dumps(params), timeout_seconds=self.order["job_seconds"]
            )
        except RuntimeError as error:
            problem = str(error).strip().removeprefix("Error: ")
        return (jobs.jobs[-1] if len(jobs.jobs) > before else None), problem

    def _click_check(self) -> None:
        from counts import judge_check
        from open_file import changes, look

        before = look(self.bpy.context)
        job, problem = self._process("scene.check", {})
        if job is None or problem:
            self._add("scene.check", problem=problem or "no job was made")
            return
        lines = changes(before, look(self.bpy.context), by_import=False)
        report = next((file.path for file in job.files if file.path.name == "report.json"), None)
        read = json.loads(report.read_text(encoding="utf-8")) if report is not None else None
        lines += judge_check(self.shown, read, _texts(job))
        self._add("scene.check", lines, files=[str(file.path) for file in job.files])

    def _click_lods(self, known: set[str]) -> None:
        from judge import Request, judge_levels, judge_unsaid
        from levels import levels_among
        from open_file import changes, look
        from surfaces import distance_and_angle

        bpy, lines, files = self.bpy, [], []
        settings = getattr(bpy.context.scene, "sendoff", None)
        if settings is not None and hasattr(settings, "lod_placement"):
            settings.lod_placement = "OVER"
        for levels, ratio in ((LEVELS, RATIO), (NEAR_LEVELS, NEAR_RATIO)):
            before = look(bpy.context)
            job, problem = self._process("mesh.lods", {"levels": levels, "ratio": ratio})
            if job is None or problem:
                self._add("mesh.lods", lines, problem=problem or "no job was made", files=files)
                return
            bpy.context.view_layer.update()
            texts = _texts(job)
            end = "" if ratio == RATIO else f" [ratio {NEAR_RATIO}, second import]"
            new = [one for one in bpy.data.objects if one.name not in known and one.library is None]
            known |= {one.name for one in new}
            request = Request(levels=levels, ratio=ratio, texts=texts, scene=self.shown_scene, is_first=ratio == RATIO)
            found = judge_levels(self.shown, levels_among(new), request, measure=distance_and_angle)
            if ratio == RATIO:
                found += judge_unsaid(self.shown, request)
            found += changes(before, look(bpy.context), by_import=True)
            lines += [line + end for line in found if line not in lines]
            files += [str(file.path) for file in job.files]
        lines += self._saved_and_reopened(files)
        self._add("mesh.lods", lines, files=files)

    def _saved_and_reopened(self, files: list[str]) -> list[str]:
        """Save a copy elsewhere, open it: nothing may be missing that was not missing before."""
        copy = self.folder / "saved.blend"
        try:
            self.bpy.ops.wm.save_as_mainfile(filepath=str(copy), copy=True, compress=False, check_existing=False)
            self.bpy.ops.wm.open_mainfile(filepath=str(copy), load_ui=False, use_scripts=False)
        except RuntimeError as error:
            return [f"saved file: {_first_line(error)}"]
        files.append(str(copy))
        return [f"saved file: {lost} is missing after reopening" for lost in sorted(_lost() - self.lost)]

    def _judge_command(self) -> None:
        from counts import judge_check
        from judge import Request, judge_levels, judge_unsaid
        from surfaces import distance_and_angle

        for task, done in self.order["command"].items():
            texts = tuple(done["texts"])
            files = [Path(path) for path in done["files"]]
            by_name = {path.name: path for path in files}
            if task == "scene.check":
                if self.scene.suffix.lower() != ".blend":  # the numbers of another reader are not the same
                    self._add(task, [] if "report.json" in by_name else ["report: there is none"], way="command")
                    continue
                with contextlib.suppress(RuntimeError):
                    self._open()
                report = by_name.get("report.json")
                read = json.loads(report.read_text(encoding="utf-8")) if report is not None else None
                self._add(task, judge_check(self.shown, read, texts), way="command")
                continue
            is_blend = "lods.blend" in by_name
            request = Request(levels=done["levels"], ratio=done["ratio"], texts=texts, has_parents=is_blend)
            shown, levels, lines = self.shown, [], []
            try:
                shown, levels, lines = self._read_result(by_name)
            except RuntimeError as error:
                lines = [f"result: it cannot be read: {_first_line(error)}"]
            lines += judge_levels(shown, levels, request, measure=distance_and_angle)
            lines += judge_unsaid(shown, request)
            self._add(task, lines, way="command")

    def _read_result(self, by_name: dict[str, Path]) -> tuple[list[Any], list[Any], list[str]]:
        """What the scene shows, the levels in a result of the scene's own kind, and what is wrong with its file."""
        from levels import levels_among

        wm = self.bpy.ops.wm
        if "lods.blend" in by_name:
            wm.open_mainfile(filepath=str(by_name["lods.blend"]), load_ui=False, use_scripts=False)
            levels = levels_among(self.bpy.data.objects)
            lines = self._judge_result_file(levels)
            if len(by_name) > 1:
                from formats import judge_formats

                lines += judge_formats(self.shown, levels, by_name)
            return self.shown, levels, lines
        if "lods.fbx" in by_name:
            wm.read_homefile(use_empty=True, use_factory_startup=True)
            self.bpy.ops.import_scene.fbx(filepath=str(by_name["lods.fbx"]), use_custom_props=True)
            self.bpy.context.view_layer.update()
            from formats import judge_groups

            every = levels_among(self.bpy.data.objects, with_originals=True)
            return self.shown, [one for one in every if one.number], judge_groups(every)
        if "lods.usdc" in by_name:
            import usd_stage

            levels = usd_stage.levels_of(usd_stage.open_stage(by_name["lods.usdc"]))
            return usd_stage.what_is_shown(usd_stage.open_stage(self.scene)), levels, []
        if self.scene.suffix.lower().startswith(".usd"):
            import usd_stage

            return usd_stage.what_is_shown(usd_stage.open_stage(self.scene)), [], []
        return self.shown, [], []

    def _judge_result_file(self, levels: list[Any]) -> list[str]:
        """Compare libraries by the artist's paths; a result holds no library."""
        links = [os.path.normpath(self.bpy.path.abspath(one.filepath)) for one in self.bpy.data.libraries]
        # Blender's own brushes come with it, into any file.
        lines = [f"result: it links {path}" for path in links if f"{os.sep}datafiles{os.sep}assets" not in path]
        base = self.scene.parent
        renamed_surfaces: set[int] = set()
        for level in levels:
            told = self.bpy.data.objects[level.object_name].get("sendoff_library")
            if told is not None:
                level.library = os.path.normpath(
                    str(told).replace("//", f"{base}/", 1) if told.startswith("//") else told
                )
            if id(level.shown.surface) in renamed_surfaces:
                continue
            renamed_surfaces.add(id(level.shown.surface))
            slots = self.bpy.data.objects[level.object_name].material_slots
            mine = [_artists_name(slot.material, base) for slot in slots]
            renamed = dict(zip(level.shown.surface.slots, mine, strict=True))
            level.shown.surface.used = [renamed.get(name, name) for name in level.shown.surface.used]
            level.shown.surface.slots = mine
        return lines

    def _add(self, task: str, lines: Any = (), *, problem: str = "", way: str = "add-on", files: Any = ()) -> None:
        self.verdicts.append({"way": way, "task": task, "lines": list(lines), "problem": problem, "files": list(files)})


def _artists_name(material: Any, base: Path) -> str | None:
    """A material of a result as the artist knows it: a copy of a library's says so."""
    if material is None:
        return None
    library = material.get("sendoff_library")
    if library is None:
        return str(material.name)
    path = str(library).replace("//", f"{base}/", 1) if str(library).startswith("//") else str(library)
    return f"{material.get('sendoff_name', material.name)} of {os.path.normpath(path)}"


def _texts(job: Any) -> tuple[str, ...]:
    summary = dict(job.summary or {})
    said = [json.dumps(summary.get("skipped", ""), ensure_ascii=False)]
    said += [
        json.dumps(value, ensure_ascii=False) for key, value in summary.items() if key not in {"objects", "skipped"}
    ]
    notes = (*job.notes, *getattr(job, "import_notes", ()))
    return (*map(str, job.warnings), *map(str, notes), *said)


def _lost() -> set[str]:
    from open_file import not_found

    return not_found()


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().removeprefix("Error: ").splitlines()
    return lines[0] if lines else type(error).__name__


if __name__ == "__main__":
    status = 1
    try:
        status = main(sys.argv[1:])
    except BaseException:
        traceback.print_exc()
    sys.stderr.flush()
    os._exit(status)  # Blender's own way out can hang
