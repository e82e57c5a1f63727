"""`avatar-gitops policy`: the rules of a project, what they say now, and whether they do what their tests expect."""

from __future__ import annotations

import json
from pathlib import Path

import click

from avatar_gitops.cli.console import ascii_wanted, out, style_for
from avatar_gitops.cli.options import approved_option, ascii_option, author_option, color_option, project_option

form_option = click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)


@click.group("policy")
def command() -> None:
    """Rules that a set has to keep before and after a run.

    Files in policies/ say which rules apply and who answers for an exception until when. Without such a file the rules
    of the set `baseline` are looked at and can only warn.

    \b
      policies/policy.yaml           policies/waivers.yaml
        apiVersion: avatar-gitops/v1   apiVersion: avatar-gitops/v1
        kind: Policy                   kind: Waivers
        enabled: [baseline, health]    waivers:
        severity: {P013: fail}           - rule: P044
        thresholds:                        sets: [claims-*]
          - id: X-hidden                   owner: dpo-lead
            metric: hidden_rate            reason: Pilot for the ethics board
            condition: ">= 90"             granted: 2026-09-15
        required_approvers: [dpo]          expires: 2026-12-31
        approvers: {dpo: [d.lead, a.martin]}
        regressions:
          - metric: hidden_rate       # not worse than published by more than chance explains
            sets: [patients-*]
        ledger: {max_releases: 5, max_epsilon: 10}

    Weaker privacy needs an approval by somebody who did not write the change, and nobody waives what their own change
    needs. Chance is measured by `avatar-gitops noise`.
    """


@command.command("list", short_help="List the rules of the project.")
@project_option
@click.option("--all", "everything", is_flag=True, help="Also the rules that the project does not use.")
@form_option
@color_option
def list_command(project: Path | None, everything: bool, form: str, color: str) -> None:
    """List the rules of the project: id, severity, when they look, what is wrong when they find something."""
    from avatar_gitops.app.policy_tests import list_rules
    from avatar_gitops.report.policy import rules, rules_data

    found = list_rules(project, everything=everything)
    if form == "json":
        out(json.dumps(rules_data(found), indent=2, ensure_ascii=False))
    else:
        out(rules(found, style=style_for(color)))
        out("Explain one: avatar-gitops explain P010")


@command.command("check", short_help="Apply the rules without a server; exit code 4 when one fails.")
@project_option
@approved_option
@author_option
@click.option(
    "--fail-on",
    type=click.Choice(["fail", "warn"]),
    default="fail",
    show_default=True,
    help="Exit with 4 when there is such a finding, or a worse one.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "sarif", "gitlab"]),
    default="text",
    show_default=True,
    help="Form of the findings; `sarif` for code scanning, `gitlab` for a Code Quality report.",
)
@color_option
@ascii_option
@click.pass_context
def check_command(
    ctx: click.Context,
    project: Path | None,
    approved_by: tuple[str, ...],
    author: tuple[str, ...],
    fail_on: str,
    form: str,
    color: str,
    ascii_only: bool,
) -> None:
    """Apply the rules that look before a run, without a server: specs against lock files.

    In `sarif` a waived finding is a suppressed result, and files that cannot be read are notifications of the run.
    """
    from avatar_gitops.app.clock import today
    from avatar_gitops.app.loading import load
    from avatar_gitops.app.policy import check_loaded, findings_file, unread_file
    from avatar_gitops.diagnostics import SpecError
    from avatar_gitops.policy.model import Level
    from avatar_gitops.report.policy import document, section

    try:
        loaded = load(project)
        report = check_loaded(loaded, approved_by, author, today())
    except SpecError as error:
        if form == "sarif":
            out(unread_file(error).rstrip("\n"))
        raise
    match form:
        case "json":
            out(json.dumps(document(report), indent=2, ensure_ascii=False))
        case "sarif" | "gitlab":
            out(findings_file(form, report, loaded.root).rstrip("\n"))
        case _:
            out(section(report, style=style_for(color), ascii_only=ascii_wanted(ascii_only)))
    ctx.exit(4 if report.breaks(Level(fail_on)) else 0)


@command.command("ledger", short_help="List the releases of each source: to whom, which columns, epsilon in sum.")
@project_option
@click.option("--format", "form", type=click.Choice(["text", "json", "markdown"]), default="text", show_default=True)
@color_option
@ascii_option
def ledger_command(project: Path | None, form: str, color: str, ascii_only: bool) -> None:
    """List the releases of each source: how many, to whom, with which columns, how much epsilon in sum.

    Apply puts every release on record in ledger/*.yaml, one file per source; commit them with the lock files. A release
    stays on record when its set is deleted. Data are the same when their digest or their address is. Releases with
    other bytes count; the same avatars again do not. Epsilon adds up by basic composition.
    """
    from avatar_gitops.app.ledger import ledger
    from avatar_gitops.report import ledger as report

    found = ledger(project)
    match form:
        case "json":
            text = report.to_json(found)
        case "markdown":
            text = report.markdown(found)
        case _:
            text = report.render(found, style=style_for(color), ascii_only=ascii_wanted(ascii_only))
    out(text.rstrip("\n"))


@command.command("test", short_help="Run the tests in policies/tests/.")
@project_option
@color_option
@ascii_option
@click.pass_context
def test_command(ctx: click.Context, project: Path | None, color: str, ascii_only: bool) -> None:
    """Run the tests in policies/tests/*.yaml: does the policy object to what it should, and to nothing else?

    The parts of a test are laid over a spec that passes every rule; null takes a field away.

    \b
      apiVersion: avatar-gitops/v1
      kind: PolicyTest
      tests:
        - name: k of 3 is refused
          spec: {tables: {people: {avatarization: {k: 3}}}}
          expect: [P010]
        - name: a loss within the noise passes
          stage: after
          published_metrics: {hidden_rate: 95}
          metrics: {hidden_rate: 94}
          noise: {hidden_rate: {sd: 0.8, n: 8}}

    A test may also say `author`, `approved_by`, `waivers`, `base_waivers` (those before the change) and `releases`
    (those in the ledger).
    """
    from avatar_gitops.app.policy_tests import run_tests
    from avatar_gitops.report.policy import cases

    views = run_tests(project)
    out(cases(views, style=style_for(color), ascii_only=ascii_wanted(ascii_only)))
    ctx.exit(0 if all(view.passed for view in views) else 1)
