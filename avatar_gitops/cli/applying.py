"""What `apply` and `resume` have in common: the question, the progress, the ending."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from avatar_gitops.cli.commands.plan import rendered
from avatar_gitops.cli.console import Style, ascii_wanted, note, out, plain, program, style_for
from avatar_gitops.cli.eventlog import STANDARD_ERROR, telling
from avatar_gitops.cli.progress import progress_for
from avatar_gitops.errors import UsageError

if TYPE_CHECKING:
    from avatar_gitops.app.apply import Applied, Confirm
    from avatar_gitops.app.plan import Planned
    from avatar_gitops.events import Listener
    from avatar_gitops.plan.model import Plan

Use = Callable[["Confirm", "Listener"], "Applied"]


@dataclass(frozen=True, slots=True)
class Screen:
    """How the user wants to see an apply. `json` puts one document on standard output and everything else beside it.

    `progress` is a kind of `progress_for`; `events` the file of `--events`.
    """

    style: Style
    ascii_only: bool
    yes: bool
    quiet: bool = False
    progress: str = "auto"
    json: bool = False
    verbose: bool = False
    events: str | None = None

    @staticmethod
    def of(ctx: click.Context) -> Screen:
        """The screen that the options of a command ask for; a document on standard output comes without progress."""
        given = ctx.params
        as_json = given.get("form") == "json"
        return Screen(
            style=plain if as_json else style_for(given["color"]),
            ascii_only=ascii_wanted(given["ascii_only"]),
            yes=given["yes"],
            quiet=given["quiet"] or (as_json and given["progress"] == "auto"),
            progress=given["progress"],
            json=as_json,
            verbose=given["verbose"],
            events=given["events"],
        )


def run(command: str, use: Use, screen: Screen) -> int:
    """Show the plan, ask, show progress and the ending; returns the exit code."""
    from avatar_gitops.app.telling import tell_end

    silent = screen.quiet or screen.events == STANDARD_ERROR
    progress = progress_for("none" if silent else screen.progress, note, verbose=screen.verbose)
    began = time.monotonic()

    def confirm(planned: Planned) -> bool:
        nonlocal began
        answer = _confirm(planned, screen)
        began = time.monotonic()
        if answer:
            progress.__enter__()
        return answer

    with telling(command, screen.events, progress) as stream:
        try:
            applied = use(confirm, stream)
        finally:
            progress.__exit__(None, None, None)
        seconds = time.monotonic() - began
        if applied.confirmed:
            tell_end(stream, applied, seconds)
    return _end(applied, seconds, screen)


def _end(applied: Applied, seconds: float, screen: Screen) -> int:
    """Show how it ended; returns the exit code."""
    from avatar_gitops.report import outcome as report

    if applied.planned.left:
        note(f"{applied.planned.left}\n")
    if not applied.confirmed:
        note("Nothing was changed.")
        return 0
    if screen.json:
        out(report.as_json(applied.outcomes, seconds, applied.planned.plan.digest))
    elif not applied.outcomes:
        out(rendered(applied.planned.plan, "text", None, screen.style, screen.ascii_only).rstrip("\n"))
    else:
        out(report.as_text(applied.outcomes, seconds, style=screen.style, ascii_only=screen.ascii_only))
        _ending(applied)
    return applied.exit_code


def _confirm(planned: Planned, screen: Screen) -> bool:
    """Show the plan and ask; refuse where nobody can answer, or where the policy says no."""
    from avatar_gitops.app.policy import refuse
    from avatar_gitops.report.plan import render
    from avatar_gitops.report.policy import section

    shown = render(planned.plan, style=screen.style, ascii_only=screen.ascii_only, ending=False)
    shown += section(planned.policy, style=screen.style, ascii_only=screen.ascii_only)
    if planned.left and not screen.yes:
        shown += f"\n\n{planned.left}"
    if planned.policy.failed:
        note(shown + "\n")
        refuse(planned.policy)
    if screen.yes:
        if not screen.quiet:
            note(shown + "\n")
        return True
    note(shown + "\n")
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError("nobody can answer here, so nothing was changed", hint="review the plan, then use --yes")
    count = len(planned.plan.effective)
    question = f"{_verdict(planned.plan)}Apply on {planned.connection.name}? Type the number of sets ({count}) to go on"
    answer = click.prompt(question, default="no", show_default=False, err=True)
    return str(answer).strip() == str(count)


def _verdict(plan: Plan) -> str:
    """What is dangerous about a plan, in one sentence; empty when nothing is."""
    from avatar_gitops.plan.model import Action, Privacy

    weaker = sum(change.privacy is Privacy.WEAKER for change in plan.effective)
    deleted = sum(change.action is Action.DELETE for change in plan.effective)
    parts = [
        f"{number} set{'s' * (number != 1)} {verb if number == 1 else verbs}"
        for number, verb, verbs in (
            (weaker, "gets weaker privacy", "get weaker privacy"),
            (deleted, "is deleted", "are deleted"),
        )
        if number
    ]
    return f"{' and '.join(parts)}. " if parts else ""


def _ending(applied: Applied) -> None:
    """Where the results are, and the one next step."""
    loaded = applied.planned.loaded
    published = [outcome.set for outcome in applied.outcomes if outcome.lock is not None]
    if published:
        out("")
        for name in published:
            documents = [loaded.out / name / file for file in ("summary.md", "pia.docx", "pia.md")]
            shown = [_short(path) for path in documents if path.is_file()][:2]
            out("  " + "   ".join(shown))
        out(f"\nRead   {_short(loaded.out / 'index.md')}")
        out(f"Commit {len(published)} lock file{'s' * (len(published) != 1)} beside the specs")
    command = program()
    flag = "" if loaded.root.samefile(".") else f" --project {_short(loaded.root)}"
    match applied.exit_code:
        case 0:
            out(f"\nNext: {command} plan{flag}        (it will say: no changes)")
        case 4:
            out(f"\nNext: change the spec, or look at out/<set>/rejected/summary.md, then {command} plan{flag}")
        case 130:
            out(f"\nNext: {command} resume{flag}")
        case _:
            out(f"\nNext: {command} retry{flag}")


def _short(path: Path) -> str:
    """A path as seen from here when that is shorter."""
    return min(os.path.relpath(path), str(path), key=len)
