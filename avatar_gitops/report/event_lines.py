"""Events as public data: the lines of `--events`, described by `schemas/event.v1.schema.json`.

A new kind or field is a new minor version of `UI`; anything that breaks a reader is a new major version.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final

from avatar_gitops import events
from avatar_gitops.events import Event

UI: Final = "1.0"
SCHEMA: Final = "schemas/event.v1.schema.json"
KINDS: Final[dict[type[Event], str]] = {
    events.DiagnosticFound: "diagnostic",
    events.ServerObserved: "observed",
    events.ChangePlanned: "planned_change",
    events.PlanMade: "plan_summary",
    events.DriftFound: "drift",
    events.StepStarted: "step_start",
    events.SetCreated: "step_progress",
    events.JobLaunched: "step_start",
    events.JobProgressed: "step_progress",
    events.GateChecked: "gate",
    events.RuleFound: "diagnostic",
    events.Retrying: "retrying",
    events.ApplyEnded: "apply_summary",
}
SEVERITIES: Final = {"fail": "error", "warn": "warning"}
PUBLISHED: Final = "published"


def version(program: str, command: str) -> dict[str, Any]:
    """The first line: which form the others have, and what wrote them."""
    return {"type": "version", "ui": UI, "$schema": SCHEMA, "avatar_gitops": program, "command": command}


def stamped(data: dict[str, Any], run: str, now: datetime) -> dict[str, Any]:
    """A line with its time and the id of its run, which come right after the type."""
    at = now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"type": data["type"], "at": at, "run": run, **data}


def as_data(event: Event) -> dict[str, Any] | None:
    """An event as plain JSON data; None for requests, which are told on a terminal only."""
    match event:
        case events.RequestDone():
            return None
        case events.RuleFound(name, rule, severity, message):
            plain = events.DiagnosticFound(SEVERITIES.get(severity, "note"), rule, message, name)
            return {"type": "diagnostic", **asdict(plain)}
        case events.StepEnded(name, step, seconds, ok):
            kind = "step_done" if ok else "step_failed"
            return {"type": kind, "set": name, "step": step, "seconds": round(seconds, 3)}
        case events.JobDone(name, job, seconds, error):
            told = {"set": name, "job": job, "seconds": round(seconds, 3)}
            return {"type": "step_failed", **told, "error": error} if error else {"type": "step_done", **told}
        case events.SetDone(state=state):
            return {"type": "published" if state == PUBLISHED else "set_done", **asdict(event)}
        case events.SetCreated(name, set_id):
            return {"type": "step_progress", "set": name, "step": "CreateSet", "set_id": set_id}
        case _:
            return {"type": KINDS[type(event)], **asdict(event)}
