"""`avatar-gitops plan`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from avatar_gitops.cli.console import Look, ascii_wanted, note, out, style_for
from avatar_gitops.cli.options import (
    approved_option,
    ascii_option,
    author_option,
    color_option,
    consent_options,
    events_option,
    offline_options,
    output_file,
    project_option,
    repeated,
    select_options,
    server_option,
    verbose_option,
)

if TYPE_CHECKING:
    from avatar_gitops.app.offline import Offline
    from avatar_gitops.app.plan import Planned
    from avatar_gitops.plan.model import Plan
    from avatar_gitops.policy.model import PolicyReport

FORMATS = ["text", "json", "markdown"]
FINDINGS = ["sarif", "gitlab"]


@click.command("plan")
@project_option
@server_option
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default="text", show_default=True, help="Form of the plan."
)
@click.option("--summary", is_flag=True, help="Two lines.")
@click.option("--explain", is_flag=True, help="The steps that apply would carry out.")
@click.option("--why", metavar="NAME", default=None, help="The fields and digests behind one change.")
@click.option(
    "--out",
    "outs",
    metavar="FORMAT:PATH",
    multiple=True,
    help="Also write the plan to a file, or the findings of the policy as sarif or gitlab; repeatable.",
)
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 when there are changes.")
@click.option(
    "--fail-on",
    type=click.Choice(["fail", "warn"]),
    default=None,
    help="Exit with 4 when the policy has such a finding, or a worse one.",
)
@offline_options
@select_options
@consent_options
@approved_option
@author_option
@events_option
@verbose_option
@color_option
@ascii_option
@click.pass_context
def command(
    ctx: click.Context,
    project: Path | None,
    server: str | None,
    form: str,
    summary: bool,
    explain: bool,
    why: str | None,
    outs: tuple[str, ...],
    detailed_exitcode: bool,
    fail_on: str | None,
    offline: bool,
    base: str | None,
    select: tuple[str, ...],
    exclude: tuple[str, ...],
    allow_delete: tuple[str, ...],
    allow_relaunch: tuple[str, ...],
    approved_by: tuple[str, ...],
    author: tuple[str, ...],
    force: str | None,
    events: str | None,
    verbose: bool,
    color: str,
    ascii_only: bool,
) -> None:
    """Show what would happen to each set, why, and whether privacy gets weaker. Changes nothing."""
    from avatar_gitops.app.plan import Consent, plan
    from avatar_gitops.app.telling import tell_plan
    from avatar_gitops.cli.eventlog import told
    from avatar_gitops.plan.select import Selection
    from avatar_gitops.policy.model import Level

    files = [_target(text) for text in outs]
    consent = Consent.of(allow_delete, allow_relaunch, force, approved_by, author)
    with told("plan", events, verbose=verbose) as stream:
        planned = plan(project, server, consent, Selection(select, exclude), stream, wanted_offline(ctx))
        tell_plan(stream, planned)
    found, policy = planned.plan, planned.policy
    zoom = "why" if why else "explain" if explain else "summary" if summary else form
    look = Look(style_for(color), ascii_wanted(ascii_only), repeated(ctx))
    out(rendered(found, zoom, why, look, policy).rstrip("\n"))
    for kind, path in files:
        _write(kind, path, planned)
    if fail_on and policy.breaks(Level(fail_on)):
        ctx.exit(4)
    ctx.exit(2 if detailed_exitcode and found.effective else 0)


def _write(kind: str, path: Path, planned: Planned) -> None:
    from avatar_gitops.app.policy import findings_file

    if kind in FINDINGS:
        text = findings_file(kind, planned.policy, planned.loaded.root)
    else:
        text = rendered(planned.plan, kind, None, Look(), planned.policy)
    path.write_text(text, encoding="utf-8")
    note(f"Wrote {path}")


def wanted_offline(ctx: click.Context) -> Offline | None:
    """What --offline and --base ask for; usage errors for options that would do nothing."""
    from click.core import ParameterSource

    from avatar_gitops.app.offline import Offline

    offline, base = ctx.params["offline"], ctx.params["base"]
    if base is not None and not offline:
        raise click.UsageError("--base says what an offline plan is compared with; add --offline.")
    if offline and ctx.get_parameter_source("server") is ParameterSource.COMMANDLINE:
        raise click.UsageError("--offline asks no server, so --server would do nothing; leave one of them out.")
    return Offline(base) if offline else None


def rendered(plan: Plan, form: str, name: str | None, look: Look, policy: PolicyReport | None = None) -> str:
    """The plan in one of its forms, with what the policy says about it."""
    from avatar_gitops.plan.serial import document
    from avatar_gitops.report import plan as text
    from avatar_gitops.report import plan_explain, plan_markdown
    from avatar_gitops.report import policy as rules

    style, ascii_only = look.style, look.ascii_only
    match form:
        case "json":
            return (
                json.dumps(
                    document(plan) | ({"policy": rules.as_data(policy)} if policy else {}), indent=2, ensure_ascii=False
                )
                + "\n"
            )
        case "markdown":
            return plan_markdown.markdown(plan, policy)
        case "summary":
            short = text.summary(plan, style=style, ascii_only=ascii_only)
            return short.rstrip("\n") + rules.short(policy) + "\n" if policy else short
        case "explain":
            return plan_explain.explain(plan, style=style, ascii_only=ascii_only, again=look.again)
        case "why":
            change = next((change for change in plan.changes if change.set == name), None)
            if change is None:
                raise click.UsageError(f"There is no set {name!r} in this plan.")
            return plan_explain.why(change, style=style, ascii_only=ascii_only)
        case _:
            if policy is None:
                return text.render(plan, style=style, ascii_only=ascii_only)
            shown = text.render(plan, style=style, ascii_only=ascii_only, ending=False)
            return rules.below(
                shown, policy, bool(plan.effective), style=style, ascii_only=ascii_only, again=look.again
            )


def _target(text: str) -> tuple[str, Path]:
    kind, colon, path = text.partition(":")
    if not colon or kind not in [*FORMATS, *FINDINGS] or not path:
        known = ", ".join([*FORMATS, *FINDINGS])
        raise click.UsageError(f"--out takes FORMAT:PATH with a format of {known}, not {text!r}.")
    return kind, output_file(path)
