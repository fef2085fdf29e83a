"""The task scene.check: what a game engine or a renderer would stumble over, in one report."""

from __future__ import annotations

import traceback
from typing import Any

from .findings import Findings, counted
from .job import Job
from .mesh_checks import check_mesh
from .scene_checks import check_budget, check_names, check_scale, check_textures, triangles_shown
from .view import View, plain_name


def run(job: Job) -> dict[str, Any]:
    """Check every object that shows a surface; a mesh that several objects share is checked once."""
    view = View.of(job)
    shown = triangles_shown(view)
    objects = list(dict.fromkeys(place.object for place in view.places))
    view.drop()
    findings = Findings(max_listed=job.params.get("max_findings_listed", 200), library_path=job.library_path)
    view.tell()
    if not objects:
        job.warn(view.why_nothing("to check"))
    checked = set()
    for done, one in enumerate(objects):
        job.progress(
            0.95 * done / len(objects), f"Checking {plain_name(one)}", stage="Checking", done=done, total=len(objects)
        )
        try:
            if one.type == "MESH" and one.data not in checked:
                checked.add(one.data)
                check_mesh(findings, one)
            check_scale(findings, one)
        except (RuntimeError, ValueError, IndexError, AttributeError):
            traceback.print_exc()
            job.warn(
                f"The mesh of “{plain_name(one)}” is damaged and could not be checked. Open it in Edit Mode and use "
                "Mesh > Clean Up, or import it again."
            )
    check_budget(findings, shown, job.params.get("face_budget", 100_000))
    job.progress(0.95, "Looking at names and textures")
    check_names(findings, objects)
    check_textures(findings, objects, unused=job.scope is None)
    write_reports(job, findings, len(objects), nothing=view.why_nothing("to check"))
    job.progress(1.0, f"{counted(len(findings.found), 'finding')} on {counted(len(objects), 'object')}")
    summary = findings.summary(len(objects))
    if view.counts():
        summary["left_alone"] = view.counts()
    if job.missing_files:
        summary["missing_files"] = job.missing_files
    return summary


def write_reports(job: Job, findings: Findings, objects: int, *, nothing: str) -> None:
    """Write and hand in report.json and report.txt; `nothing` is why there are no objects."""
    scene, scope = job.scene.name if job.scene else "", job.scope.title if job.scope is not None else None
    title = f"Check of {scene or 'the scene'}"
    report, text = job.folder / "report.json", job.folder / "report.txt"
    report.write_text(findings.as_json(objects, scene=scene, scope=scope), encoding="utf-8")
    text.write_text(findings.as_text(title, objects, nothing=nothing), encoding="utf-8", errors="replace")
    job.add_file(report, role="report", media_type="application/json")
    job.add_file(text, role="report", media_type="text/plain")
