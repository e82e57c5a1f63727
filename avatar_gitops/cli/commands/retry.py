"""`avatar-gitops retry`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from avatar_gitops.cli.again import again_options, asked
from avatar_gitops.cli.console import note

if TYPE_CHECKING:
    from avatar_gitops.app.apply import Applied, Confirm
    from avatar_gitops.events import Listener


@click.command("retry")
@again_options
@click.pass_context
def command(ctx: click.Context, /, **given: Any) -> None:
    """Repeat the sets that the last apply ended badly: jobs that failed run again, gates are checked again."""
    from avatar_gitops.app.retry import last_apply, retry
    from avatar_gitops.cli.applying import Screen, run

    call = asked(given)
    if not last_apply(call.project).failed:
        note("No set ended badly in the last apply. Nothing was changed.")
        ctx.exit(0)

    def use(confirm: Confirm, listener: Listener) -> Applied:
        return retry(call.project, call.server, call.consent, call.how, confirm, listener)

    ctx.exit(run("retry", use, Screen.of(ctx)))
