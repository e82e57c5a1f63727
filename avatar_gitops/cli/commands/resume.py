"""`avatar-gitops resume`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from avatar_gitops.cli.again import again_options, asked

if TYPE_CHECKING:
    from avatar_gitops.app.apply import Applied, Confirm
    from avatar_gitops.events import Listener


@click.command("resume")
@again_options
@click.pass_context
def command(ctx: click.Context, /, **given: Any) -> None:
    """Go on with the sets that the last apply did not end; repeatable, and nothing runs twice."""
    from avatar_gitops.app.apply import resume
    from avatar_gitops.cli.applying import Screen, run

    call = asked(given)

    def use(confirm: Confirm, listener: Listener) -> Applied:
        return resume(call.project, call.server, call.consent, call.how, confirm, listener)

    ctx.exit(run("resume", use, Screen.of(ctx)))
