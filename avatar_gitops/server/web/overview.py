"""The first page of a run, with the state of its jobs and how its metrics turned out, and that of its parameters."""

from __future__ import annotations

from fastapi.responses import Response

from avatar_gitops.server.web.measured import measured_tables
from avatar_gitops.server.web.parameters import run_settings, table_settings
from avatar_gitops.server.web.run import open_run, origin_of
from avatar_gitops.server.web.visit import Visit


def show(visit: Visit) -> Response:
    """State of the run and of each job, and how many targets each table meets."""
    run = open_run(visit)
    return visit.page(
        "run.html",
        run=run,
        origin=origin_of(run.documents),
        tables=[table.name for table in table_settings(run.documents)],
        measured=measured_tables(visit, run),
        done=visit.asked("done"),
    )


def parameters(visit: Visit) -> Response:
    """What the run was asked to do, table by table."""
    run = open_run(visit)
    return visit.page(
        "run_parameters.html",
        run=run,
        settings=run_settings(run.documents),
        tables=table_settings(run.documents),
    )
