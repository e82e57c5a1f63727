"""What `apply` and `resume` have in common: the question, the progress, the ending."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from avatar_gitops.cli.commands.plan import rendered
from avatar_gitops.cli.console import Look, Style, ascii_wanted, note, out, plain, program, style_for
from avatar_gitops.cli.eventlog import STANDARD_ERROR, telling
from avatar_gitops.cli.progress import progress_for
from avatar_gitops.errors import UsageError

if TYPE_CHECKING:
    from avatar_gitops.app.apply import Applied, Confirm
    from avatar_gitops.app.loading import Loaded
    from avatar_gitops.app.plan import Planned
    from avatar_gitops.events import Listener
    from avatar_gitops.plan.desired import DesiredSet
    from avatar_gitops.plan.model import Plan

MOST_FIELDS: Final = 4
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
    kind = "none" if silent else screen.progress
    progress = progress_for(kind, note, verbose=screen.verbose, ascii_only=screen.ascii_only)
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
            tell_end(stream, applied.planned.plan, applied.outcomes, seconds)
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
        out(rendered(applied.planned.plan, "text", None, Look(screen.style, screen.ascii_only)).rstrip("\n"))
    else:
        context = report.context_of(applied.planned.plan, applied.outcomes)
        out(report.as_text(applied.outcomes, seconds, context, style=screen.style, ascii_only=screen.ascii_only))
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
        if len(published) == 1:
            _documents(loaded, published[0])
        out(f"Read   {_short(loaded.out / 'index.md')}")
        out(f"Commit {len(published)} lock file{'s' * (len(published) != 1)} beside the specs, audit/ and ledger/")
    out(f"\nNext: {_next(applied)}")


def _documents(loaded: Loaded, name: str) -> None:
    """The documents of one set, each with what to do with it."""
    folder = loaded.out / name
    rows = [(folder / "summary.md", "read this first")]
    pia = next((folder / file for file in ("pia.docx", "pia.md") if (folder / file).is_file()), None)
    if pia is not None:
        rows.append((pia, _unsaid(next((item for item in loaded.desired if item.name == name), None))))
    width = max(len(_short(path)) for path, _ in rows)
    for path, purpose in rows:
        out(f"  {_short(path):<{width}}   {purpose}")
    out("")


def _unsaid(desired: DesiredSet | None) -> str:
    """What is missing in an impact assessment before somebody can sign it."""
    from avatar_gitops.spec.pia import unstated

    names = unstated(desired.run.spec.pia) if desired else ()
    if not names:
        return "impact assessment, to be signed"
    more = f" and {len(names) - MOST_FIELDS} more" if len(names) > MOST_FIELDS else ""
    field = "1 field of `pia` is" if len(names) == 1 else f"{len(names)} fields of `pia` are"
    return f"{field} still unknown: {', '.join(names[:MOST_FIELDS])}{more}"


def _next(applied: Applied) -> str:
    """The command to go on with, and what else there is to do."""
    from avatar_gitops.plan.outcome import State

    loaded, command = applied.planned.loaded, program()
    flag = "" if loaded.root.samefile(".") else f" --project {_short(loaded.root)}"
    badly = [outcome for outcome in applied.outcomes if not outcome.ok]
    match applied.exit_code:
        case 0:
            calm = "" if applied.planned.plan.left_out else "        (it will say: no changes)"
            return f"{command} plan{flag}{calm}"
        case 4:
            look = f"out/{badly[0].set if len(badly) == 1 else '<set>'}/rejected/summary.md"
            return f"change the spec, or look at {look}, then {command} plan{flag}"
        case 130 | 9:
            return f"{command} resume{flag}"
        case _ if all(outcome.late for outcome in badly):
            return f"{command} resume{flag}        (waits again, without a limit)"
        case _:
            only = f"        (repeats only {', '.join(outcome.set for outcome in badly)})" if len(badly) <= 3 else ""
            spec = (
                "" if any(outcome.state is not State.FAILED for outcome in badly) else "fix the spec or the data, then "
            )
            return f"{spec}{command} retry{flag}{only}"


def _short(path: Path) -> str:
    """A path as seen from here when that is shorter."""
    return min(os.path.relpath(path), str(path), key=len)
