"""The task scene.check: what a game engine or a renderer would stumble over, in one report."""

from __future__ import annotations

import traceback
from typing import Any

from .evaluation import Workbench
from .findings import Findings
from .job import Job
from .lod_sources import mesh_sources
from .mesh_checks import check_mesh
from .scene_checks import check_budget, check_names, check_scale, check_textures


def run(job: Job) -> dict[str, Any]:
    """Check every mesh object of the scene; a mesh that several objects share is checked once."""
    objects = [source.object for source in mesh_sources() if source.object.data is not None]
    findings = Findings(max_listed=job.params.get("max_findings_listed", 200))
    if not objects:
        job.warn("The scene has no mesh objects to check.")
    workbench, checked = Workbench(), set()
    for done, one in enumerate(objects):
        job.progress(0.95 * done / len(objects), f"Checking {one.name}", stage="check", done=done, total=len(objects))
        try:
            if one.data not in checked:
                checked.add(one.data)
                check_mesh(findings, one.name, one.data)
            check_scale(findings, one)
            check_budget(findings, one, workbench, job.params.get("face_budget", 100_000))
        except (RuntimeError, ValueError, IndexError, AttributeError) as error:
            traceback.print_exc()
            job.warn(f"“{one.name}” could not be checked ({type(error).__name__}).")
    workbench.close()
    check_names(findings, objects)
    check_textures(findings, objects)
    write_reports(job, findings, len(objects))
    job.progress(1.0, f"{len(findings.found):,} findings on {len(objects):,} objects", stage="check")
    return findings.summary(len(objects))


def write_reports(job: Job, findings: Findings, objects: int) -> None:
    """Write and hand in report.json and report.txt."""
    title = f"Check of {job.scene.name if job.scene else 'the scene'}"
    report, text = job.folder / "report.json", job.folder / "report.txt"
    report.write_text(findings.as_json(objects), encoding="utf-8")
    text.write_text(findings.as_text(title, objects), encoding="utf-8", errors="replace")
    job.add_file(report, role="report", media_type="application/json")
    job.add_file(text, role="report", media_type="text/plain")
