"""`avatar-gitops unlock`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from avatar_gitops.cli.console import note, out
from avatar_gitops.cli.options import project_option, server_option

if TYPE_CHECKING:
    from avatar_gitops.reconcile.lease import Lease


@click.command("unlock")
@project_option
@server_option
@click.option(
    "--id", "wanted", metavar="ID", required=True, help="Id of the lease, as the refused apply or status says."
)
@click.option("--reason", metavar="TEXT", default="", help="Why; goes into the audit log.")
@click.option("--yes", is_flag=True, help="Answer the question with yes; needed where there is no terminal.")
def command(project: Path | None, server: str | None, wanted: str, reason: str, yes: bool) -> None:
    """End the lease of an apply that is dead, so that another can begin. Recorded in the audit log.

    A lease ends by itself when its apply ends, 30 minutes after its apply died, and when the checkout that it was taken
    in applies again. An apply that still runs starts nothing any more when its lease is ended; what the server has
    begun goes on.
    """
    from avatar_gitops.app.leasing import unlock
    from avatar_gitops.errors import UsageError

    def confirm(lease: Lease) -> bool:
        note(f"The lease is held by {lease.said()}.")
        if yes:
            return True
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise UsageError("nobody can answer here, so nothing was changed", hint="make sure it is dead, then --yes")
        return bool(click.confirm("Is that apply dead, and is the lease to be ended?", default=False, err=True))

    done = unlock(project, server, wanted, reason, confirm)
    if not done.confirmed:
        note("Nothing was changed.")
    elif done.lease is None:
        out(f"Nobody holds the lease of {done.project} on {done.server}. Nothing was changed.")
    else:
        out(f"The lease of {done.project} on {done.server} is ended. Next: avatar-gitops plan, then apply.")
