"""`avatar-gitops resume`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from avatar_gitops.cli.options import (
    approved_option,
    ascii_option,
    author_option,
    color_option,
    consent_options,
    events_option,
    lock_option,
    parallelism_option,
    progress_option,
    project_option,
    quiet_option,
    select_options,
    server_option,
    verbose_option,
)

if TYPE_CHECKING:
    from avatar_gitops.app.apply import Applied, Confirm
    from avatar_gitops.events import Listener


@click.command("resume")
@project_option
@server_option
@click.option("--yes", is_flag=True, help="Answer the question with yes; needed where there is no terminal.")
@select_options
@parallelism_option
@lock_option
@consent_options
@approved_option
@author_option
@progress_option
@events_option
@quiet_option
@verbose_option
@color_option
@ascii_option
@click.pass_context
def command(
    ctx: click.Context,
    project: Path | None,
    server: str | None,
    yes: bool,
    select: tuple[str, ...],
    exclude: tuple[str, ...],
    parallelism: int | None,
    lock_timeout: float,
    allow_delete: tuple[str, ...],
    allow_relaunch: tuple[str, ...],
    force: str | None,
    approved_by: tuple[str, ...],
    author: tuple[str, ...],
    progress: str,
    events: str | None,
    quiet: bool,
    verbose: bool,
    color: str,
    ascii_only: bool,
) -> None:
    """Go on with the sets that the last apply did not end; repeatable, and nothing runs twice."""
    from avatar_gitops.app.apply import How, resume
    from avatar_gitops.app.plan import Consent
    from avatar_gitops.cli.applying import Screen, run
    from avatar_gitops.plan.select import Selection

    consent = Consent.of(allow_delete, allow_relaunch, force, approved_by, author)

    def use(confirm: Confirm, listener: Listener) -> Applied:
        return resume(
            project,
            server,
            consent,
            How(parallelism, lock_timeout=lock_timeout, selection=Selection(select, exclude)),
            confirm,
            listener,
        )

    ctx.exit(run("resume", use, Screen.of(ctx)))
