"""From one assignment to result files; everything that can go wrong with data or parameters is a `JobFault`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from avatar_gitops.errors import AvatarGitOpsError
from avatar_gitops.server.assignment import Assignment, Progress, ResultFile
from avatar_gitops.server.faults import JobFault
from avatar_gitops.server.offered import ENGINE
from avatar_gitops.server.result_json import write_json
from avatar_gitops.wire.environment import KEY
from avatar_gitops.wire.models import JobKind, ResultKind


def run(assignment: Assignment, folder: Path, progress: Progress) -> list[ResultFile]:
    """Do the work and leave its files in the folder.

    Raises:
        JobFault: the user can do something about it; the text is safe to show.
    """
    started = datetime.now(UTC)
    try:
        files, facts = _run_kind(assignment, folder, progress)
    except AvatarGitOpsError as error:
        hint = f" {error.hint}" if error.hint else ""
        raise JobFault(f"{error.message}{hint}") from None
    except FileNotFoundError:
        raise JobFault("A file that this job needs was deleted while it ran.") from None
    except MemoryError:
        raise JobFault("The table needs more memory than this machine has.") from None
    if assignment.kind not in {JobKind.REPORT, JobKind.ADVICE}:
        files.append(_run_metadata(assignment, folder, started, facts))
    return files


def _run_kind(assignment: Assignment, folder: Path, progress: Progress) -> tuple[list[ResultFile], dict[str, Any]]:
    """The files of a job, and what its metadata says about them."""
    # Numerics and document libraries are imported by the job that needs them.
    match assignment.kind:
        case JobKind.STANDARD:
            from avatar_gitops.server.work_avatars import run_standard
            from avatar_gitops.server.work_series import anonymize_together

            return run_standard(assignment, folder, progress, anonymize_together)
        case JobKind.PRIVACY_METRICS | JobKind.SIGNAL_METRICS:
            from avatar_gitops.server.work_metrics import run_metrics

            return run_metrics(assignment, folder, progress), {}
        case JobKind.REPORT:
            from avatar_gitops.server.work_report import run_report

            return run_report(assignment, folder), {}
        case JobKind.ADVICE:
            from avatar_gitops.server.work_advice import run_advice

            return run_advice(assignment, folder, progress), {}


def _run_metadata(assignment: Assignment, folder: Path, started: datetime, facts: dict[str, Any]) -> ResultFile:
    names = {
        JobKind.STANDARD: "avatarize",
        JobKind.PRIVACY_METRICS: "privacy-metrics",
        JobKind.SIGNAL_METRICS: "signal-metrics",
    }
    filename = f"run_metadata.{names[assignment.kind]}.json"
    from avatar_gitops.engine.environment import environment

    content = {
        "created_at": started.isoformat(),
        "finished_at": datetime.now(UTC).isoformat(),
        "engine": ENGINE,
        KEY: environment(),
        "kind": assignment.kind,
        "parameters_name": assignment.parameters.metadata.name,
        "parameters": {name: value for name, value in assignment.parameters.spec.items() if name != "results"},
        **facts,
    }
    write_json(folder / filename, content)
    return ResultFile(ResultKind.RUN_METADATA, filename)
