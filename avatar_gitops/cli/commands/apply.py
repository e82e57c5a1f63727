"""`avatar-gitops apply`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

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


TELLING: Final = """What is begun, ended, refused or overridden is added to the audit log in audit/; commit it with the
lock files.

Webhooks of the project file are posted each outcome of a set once for the same spec and data, also over retries and
later applies, as .avatar/notified.jsonl remembers. Where that folder is new each time, as in CI, receivers know a
repeated message by its X-Avatar-Gitops-Delivery header. With AVATAR_GITOPS_WEBHOOK_KEY set, bodies are signed
(HMAC-SHA256, X-Avatar-Gitops-Signature). A message that is not delivered is a warning and nothing else."""


@click.command("apply", epilog=TELLING)
@click.argument("plan_file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@project_option
@server_option
@click.option("--yes", is_flag=True, help="Answer the question with yes; needed where there is no terminal.")
@click.option("--expect-digest", metavar="DIGEST", default=None, help="Apply only this plan; 8 characters are enough.")
@click.option(
    "--only-equal",
    is_flag=True,
    help="With PLAN_FILE: apply the changes that are still the reviewed ones, leave the rest alone and list it.",
)
@parallelism_option
@click.option(
    "--timeout", type=click.FloatRange(min=1), default=None, help="Seconds to wait for one set; no limit by default."
)
@lock_option
@click.option("--lease-seconds", type=click.FloatRange(min=0.5), default=1800.0, hidden=True)
@select_options
@consent_options
@approved_option
@author_option
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@progress_option
@events_option
@quiet_option
@verbose_option
@color_option
@ascii_option
@click.pass_context
def command(
    ctx: click.Context,
    plan_file: Path | None,
    project: Path | None,
    server: str | None,
    yes: bool,
    expect_digest: str | None,
    only_equal: bool,
    parallelism: int | None,
    timeout: float | None,
    lock_timeout: float,
    lease_seconds: float,
    select: tuple[str, ...],
    exclude: tuple[str, ...],
    allow_delete: tuple[str, ...],
    allow_relaunch: tuple[str, ...],
    approved_by: tuple[str, ...],
    author: tuple[str, ...],
    force: str | None,
    form: str,
    progress: str,
    events: str | None,
    quiet: bool,
    verbose: bool,
    color: str,
    ascii_only: bool,
) -> None:
    """Launch, relaunch, update and delete what the plan says; with PLAN_FILE only if that is still the plan."""
    from avatar_gitops.app.apply import How, apply
    from avatar_gitops.app.plan import Consent
    from avatar_gitops.cli.applying import Screen, run
    from avatar_gitops.plan.select import Selection

    consent = Consent.of(allow_delete, allow_relaunch, force, approved_by, author)
    how = How(
        parallelism,
        timeout,
        expect_digest,
        _reviewed(plan_file),
        Selection(select, exclude),
        only_equal=only_equal,
        plan_file=str(plan_file or ""),
        lock_timeout=lock_timeout,
        lease_seconds=lease_seconds,
    )

    def use(confirm: Confirm, listener: Listener) -> Applied:
        return apply(project, server, consent, how, confirm, listener)

    ctx.exit(run("apply", use, Screen.of(ctx)))


def _reviewed(path: Path | None) -> dict[str, Any] | None:
    if path is None:
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise click.UsageError(f"{path} is not a plan; write one with: avatar-gitops plan --out json:plan.json")
    return content
