"""What a server tells of the job "j1", applied to a list of jobs; `host` has the modules of sendoff.host."""

from __future__ import annotations

NOW = 1_000_000.0


def submitted(host, jobs, **fields):
    snapshot = host.messages.Job.from_dict({"id": "j1", "state": "queued", **fields})
    jobs.apply(host.messages.Submitted("k", snapshot), NOW)


def event(host, jobs, kind="progress", state="running", **fields):
    data = {"job": "j1", "kind": kind, "state": state, **fields}
    jobs.apply(host.messages.JobEvent(host.messages.Event.from_dict(data)), NOW)
