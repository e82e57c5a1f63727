"""`avatar-gitops status`."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from avatar_gitops.cli.console import ascii_wanted, out, style_for
from avatar_gitops.cli.options import ascii_option, color_option, project_option, select_options, server_option

if TYPE_CHECKING:
    from avatar_gitops.reconcile.lease import Lease
    from avatar_gitops.report.status import Held


@click.command("status")
@project_option
@server_option
@click.option("--format", "form", type=click.Choice(["text", "json", "markdown"]), default="text", show_default=True)
@click.option("--wide", is_flag=True, help="Also owner, seed and engine.")
@click.option(
    "--since", metavar="DAY|DURATION", default=None, help="Only sets published since a day (2026-11-01), or in 7d, 12h."
)
@select_options
@color_option
@ascii_option
def command(
    project: Path | None,
    server: str | None,
    form: str,
    wide: bool,
    since: str | None,
    select: tuple[str, ...],
    exclude: tuple[str, ...],
    color: str,
    ascii_only: bool,
) -> None:
    """List the sets with their state, gates, hidden rate, age and commit, and who applies at this moment."""
    from avatar_gitops.app.policy import soon
    from avatar_gitops.app.status import status
    from avatar_gitops.plan.select import Selection
    from avatar_gitops.report import status as report
    from avatar_gitops.report.policy import expiry

    now = datetime.now(UTC)
    looked = status(project, server, Selection(select, exclude))
    shape = report.Shape(wide, _moment(since, now), looked.signatures)
    found, held = looked.planned, _held(looked.lease)
    plan = found.plan
    match form:
        case "json":
            text = report.to_json(plan, now, shape, held)
        case "markdown":
            text = report.markdown(plan, now, shape)
        case _:
            colour, signs = style_for(color), ascii_wanted(ascii_only)
            text = report.render(plan, now, shape, held=held, style=colour, ascii_only=signs)
            text = "\n".join([text.rstrip("\n"), *expiry(soon(found.loaded.root, now.date()))])
    out(text.rstrip("\n"))


def _moment(text: str | None, now: datetime) -> datetime | None:
    """The moment that `--since` means; a day begins in UTC."""
    if text is None:
        return None
    found = re.fullmatch(r"([0-9]{1,5})([dhm])", text)
    if found:
        return (
            now - int(found[1]) * {"d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1)}[found[2]]
        )
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter("a day such as 2026-11-01, or a duration such as 7d", param_hint="--since") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _held(lease: Lease | None) -> Held | None:
    from avatar_gitops.reconcile.lease import clock_text
    from avatar_gitops.report.status import Held

    if lease is None:
        return None
    holder = lease.holder
    return Held(holder.id, holder.by, holder.url, clock_text(lease.since), clock_text(lease.expires))
