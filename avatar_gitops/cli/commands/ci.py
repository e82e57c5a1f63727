"""`avatar-gitops ci`: plans and results in pull requests."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from avatar_gitops.cli.console import note, out
from avatar_gitops.cli.options import (
    approved_option,
    consent_options,
    offline_options,
    project_option,
    server_option,
)
from avatar_gitops.cli.options import author_option as change_author_option
from avatar_gitops.errors import UsageError

if TYPE_CHECKING:
    from avatar_gitops.app.ci import Report

dir_option = click.option(
    "--dir",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("avatar-ci"),
    show_default=True,
    help="Folder for the files.",
)
dry_option = click.option("--dry-run", is_flag=True, help="Print what would be written or sent; do neither.")
number_option = click.option(
    "--number", type=click.IntRange(min=1), default=None, help="Pull request; by default the one of this run."
)
author_option = click.option(
    "--author", default=None, metavar="LOGIN", help="Whose text is edited; by default the user of the token."
)


@click.group("ci")
def command() -> None:
    """Plans and results in pull requests: files, outputs, one comment. See `init --ci github` for the workflows."""


@command.command("plan")
@project_option
@server_option
@dir_option
@dry_option
@offline_options
@consent_options
@approved_option
@change_author_option
@click.option("--reviews", is_flag=True, help="Approving reviews of the pull request count, too; needs GITHUB_TOKEN.")
@click.option(
    "--preview",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=None,
    help="Show these predictions in the comment; written by `preview --out json:FILE`.",
)
@click.pass_context
def plan_command(
    ctx: click.Context,
    project: Path | None,
    server: str | None,
    folder: Path,
    dry_run: bool,
    offline: bool,
    base: str | None,
    allow_delete: tuple[str, ...],
    allow_relaunch: tuple[str, ...],
    force: str | None,
    approved_by: tuple[str, ...],
    author: tuple[str, ...],
    reviews: bool,
    preview: Path | None,
) -> None:
    """Plan; write comment.md and plan.json, the step's outputs and its page. Changes nothing, publishes nothing.

    Also writes the comment when specs are not valid, or guard rails or the policy refuse; the exit code is then the one
    that apply would have.
    """
    from avatar_gitops.app.ci import Wish, ci_plan
    from avatar_gitops.app.plan import Consent
    from avatar_gitops.cli.commands.plan import wanted_offline

    consent = Consent.of(allow_delete, allow_relaunch, force, approved_by, author)
    wanted = wanted_offline(ctx)
    wish = Wish(folder, reviews, wanted, preview)
    _leave(ci_plan(project, server, consent, wish), folder, dry_run=dry_run)


@command.command("applied")
@click.argument("result", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@project_option
@dir_option
@dry_option
@click.option("--approved-by", metavar="LOGIN", multiple=True, help="Who approved; see `ci approvals`. Repeatable.")
def applied_command(
    result: Path, project: Path | None, folder: Path, dry_run: bool, approved_by: tuple[str, ...]
) -> None:
    """Write comment.md about an apply; RESULT is what `apply --yes --format json` printed."""
    from avatar_gitops.app.ci import ci_applied

    _leave(ci_applied(project, result, approved_by, folder), folder, dry_run=dry_run)


@command.command("comment")
@click.option("--body", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=True, help="comment.md.")
@number_option
@author_option
@dry_option
def comment_command(body: Path, number: int | None, author: str | None, dry_run: bool) -> None:
    """Publish a comment on the pull request of this run: made once, then edited in place.

    The token comes from GITHUB_TOKEN; in GitLab CI from AVATAR_GITLAB_TOKEN, for a note on the merge request. A plan of
    a commit that is not the head any more is not published, and a first plan without changes makes no comment.
    """
    from avatar_gitops.app.ci import ci_comment, tell_runner, would_publish

    if dry_run:
        request = would_publish(body, number)
        where = f"pull request {request.number}" if request.number else "the pull request of this run"
        note(f"Would publish on {where} of {request.repository}:")
        out(request.text.rstrip("\n"))
        return
    published = ci_comment(body, number, author)
    tell_runner({"comment_url": published.url, "comment_result": published.result.value})
    out(f"Comment {published.result.value.replace('_', ' ')}" + (f": {published.url}" if published.url else "."))


@command.command("approvals")
@number_option
@click.option("--times", is_flag=True, help="Each with the time of the review, LOGIN@TIME, as apply records it.")
def approvals_command(number: int | None, times: bool) -> None:
    """List who approves the head of the pull request.

    The last review of each person counts, if it is about the newest commit. Dismissed reviews, comments, and whoever
    opened the pull request or wrote or committed something in it do not count.
    """
    from avatar_gitops.app.ci import ci_approvals

    for login in ci_approvals(number, times=times):
        out(login)


@command.command("evidence")
@click.argument("result", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@project_option
@dir_option
def evidence_command(result: Path, project: Path | None, folder: Path) -> None:
    """Write evidence.zip about the sets that an apply published or deleted, as `audit bundle` does.

    RESULT is what `apply --yes --format json` printed. Where nothing was published or deleted, nothing is written. The
    output evidence_path says where it is.
    """
    from avatar_gitops.app.bundling import bundle_applied
    from avatar_gitops.app.ci import tell_runner

    made = bundle_applied(project, result, folder)
    if made is None:
        out("Nothing was published or deleted, so there is no new evidence.")
        return
    tell_runner({"evidence_path": made.path.as_posix()})
    out(f"Wrote {made.path.as_posix()}, {made.files} files.")


@command.command("reviewed")
@project_option
@server_option
def reviewed_command(project: Path | None, server: str | None) -> None:
    """Print the digest of the plan that was reviewed, for apply --expect-digest.

    It is the one that our comment showed for the last commit of the pull request whose merge started this run. Ends
    with 6 when nobody can have seen what would be applied.
    """
    from avatar_gitops.app.ci import tell_runner
    from avatar_gitops.app.reviewed import ci_reviewed

    digest = ci_reviewed(project, server)
    tell_runner({"plan_digest": digest})
    out(digest)


@command.command("drift")
@project_option
@server_option
@dir_option
def drift_command(project: Path | None, server: str | None, folder: Path) -> None:
    """Look for drift; write issue.md and drift.json, the step's outputs and its page. Cannot change anything.

    Ends with 0 also when something differs; the output `drifted` says so.
    """
    from avatar_gitops.app.ci import write_files
    from avatar_gitops.app.drift_issue import ci_drift

    found = ci_drift(project, server, folder)
    write_files(folder, found.files, found.outputs, found.summary)
    out("\n".join(f"Wrote {(folder / name).as_posix()}" for name in found.files))


@command.command("issue")
@click.option("--body", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=True, help="issue.md.")
@author_option
def issue_command(body: Path, author: str | None) -> None:
    """Keep one issue about drift: opened when sets differ, edited while they do, closed when none does."""
    from avatar_gitops.app.ci import tell_runner
    from avatar_gitops.app.drift_issue import ci_issue

    kept = ci_issue(body, author)
    tell_runner({"issue_url": kept.url, "issue_result": kept.result.value})
    out(f"Issue {kept.result.value.replace('_', ' ')}" + (f": {kept.url}" if kept.url else "."))


@command.command("mask")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
def mask_command(names: tuple[str, ...]) -> None:
    """Make the runner hide the values of environment variables in the log."""
    from avatar_gitops.ci.outputs import mask_command as command_for

    if os.environ.get("GITHUB_ACTIONS") != "true":
        raise UsageError("this is no GitHub Actions runner, so nothing would hide the values")
    for name in names:
        click.echo(command_for(os.environ.get(name, "")), nl=False)


def _leave(report: Report, folder: Path, *, dry_run: bool) -> None:
    """Write the files, or show them; then end as the command that made them."""
    from avatar_gitops.app.ci import COMMENT, save

    if dry_run:
        out(report.comment.rstrip("\n"))
        note("")
        for name, value in report.outputs.items():
            note(f"output {name}={value}")
        note(f"Would write {', '.join((folder / name).as_posix() for name in (COMMENT, *report.files))}")
    else:
        save(report, folder)
        out("\n".join(f"Wrote {(folder / name).as_posix()}" for name in (COMMENT, *report.files)))
    if report.error is not None:
        raise report.error
