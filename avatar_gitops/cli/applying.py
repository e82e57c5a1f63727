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
from avatar_gitops.cli.console import Style, note, out
from avatar_gitops.cli.progress import progress_for
from avatar_gitops.errors import UsageError

if TYPE_CHECKING:
    from avatar_gitops.app.apply import Applied, Confirm
    from avatar_gitops.app.plan import Planned
    from avatar_gitops.events import Listener

Action = Callable[["Confirm", "Listener"], "Applied"]


@dataclass(frozen=True, slots=True)
class Screen:
    """How the user wants to see an apply. `json` puts one document on standard output and everything else beside it."""

    style: Style
    ascii_only: bool
    yes: bool
    quiet: bool = False
    progress: bool = True
    json: bool = False


def run(action: Action, screen: Screen) -> int:
    """Show the plan, ask, show progress and the ending; returns the exit code."""
    from avatar_gitops.report import outcome as report

    progress = progress_for(quiet=screen.quiet, wanted=screen.progress, write=note)
    began = time.monotonic()

    def confirm(planned: Planned) -> bool:
        nonlocal began
        answer = _confirm(planned, screen)
        began = time.monotonic()
        if answer:
            progress.__enter__()
        return answer

    try:
        applied = action(confirm, progress)
    finally:
        progress.__exit__(None, None, None)
    if not applied.confirmed:
        note("Nothing was changed.")
        return 0
    seconds = time.monotonic() - began
    if screen.json:
        out(report.as_json(applied.outcomes, seconds, applied.planned.plan.digest))
    elif not applied.outcomes:
        out(rendered(applied.planned.plan, "text", None, screen.style, screen.ascii_only).rstrip("\n"))
    else:
        out(report.as_text(applied.outcomes, seconds, style=screen.style, ascii_only=screen.ascii_only))
        _ending(applied)
    return applied.exit_code


def _confirm(planned: Planned, screen: Screen) -> bool:
    """Show the plan and ask; refuse where nobody can answer."""
    from avatar_gitops.report.plan import render

    shown = render(planned.plan, style=screen.style, ascii_only=screen.ascii_only, ending=False).rstrip("\n")
    if screen.yes:
        if not screen.quiet:
            note(shown + "\n")
        return True
    note(shown + "\n")
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError("nobody can answer here, so nothing was changed", hint="review the plan, then use --yes")
    weaker = [change.set for change in planned.plan.effective if change.privacy.value == "weaker"]
    deletes = [change.set for change in planned.plan.effective if change.action.value == "delete"]
    verdict = []
    if weaker:
        verdict.append(f"{len(weaker)} set{'s' * (len(weaker) != 1)} weaker privacy")
    if deletes:
        verdict.append(f"{len(deletes)} set{'s' * (len(deletes) != 1)} deleted")
    about = f"{', '.join(verdict)}. " if verdict else ""
    count = len(planned.plan.effective)
    answer = click.prompt(
        f"{about}Apply on {planned.connection.name}? Type the number of sets ({count}) to go on",
        default="no",
        show_default=False,
        err=True,
    )
    return str(answer).strip() == str(count)


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
    flag = "" if loaded.root.samefile(".") else f" --project {_short(loaded.root)}"
    match applied.exit_code:
        case 0:
            out(f"\nNext: avatar-gitops plan{flag}        (it will say: no changes)")
        case 4:
            out(f"\nNext: change the spec, or look at out/<set>/rejected/summary.md, then avatar-gitops plan{flag}")
        case 130:
            out(f"\nNext: avatar-gitops resume{flag}")
        case _:
            out(f"\nNext: avatar-gitops status{flag}")


def _short(path: Path) -> str:
    """A path as seen from here when that is shorter."""
    return min(os.path.relpath(path), str(path), key=len)
