"""`avatar-gitops preview`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from avatar_gitops.cli.console import Style, ascii_wanted, note, out, plain, style_for
from avatar_gitops.cli.options import (
    ascii_option,
    color_option,
    output_file,
    project_option,
    quiet_option,
    select_options,
)

if TYPE_CHECKING:
    from avatar_gitops.app.trials import Trial
    from avatar_gitops.plan.prediction import Preview

FORMATS = ["text", "json", "markdown"]


@click.command("preview")
@project_option
@click.option(
    "--server", default=None, help="The server that apply uses, for --promote; the previews themselves run here."
)
@click.option("--base", metavar="REF", default="", help="Compare with the lock files at this commit, branch or tag.")
@click.option(
    "--seeds", type=click.IntRange(2, 100), default=5, show_default=True, help="Runs of each base and each head."
)
@click.option(
    "--on",
    type=click.Choice(["auto", "data", "sample"]),
    default="auto",
    show_default=True,
    help="What to run on: the data, or the `sample` of each table; auto takes samples where the data are not here.",
)
@click.option("--promote", is_flag=True, help="Keep a full run on the server, which apply publishes after the merge.")
@click.option(
    "--label",
    metavar="TEXT",
    default="",
    help="Name of what --promote keeps, such as pr-12; it replaces what had the name before. Default: the commit.",
)
@click.option(
    "--discard",
    metavar="LABEL",
    default="",
    help="Run nothing; delete what --promote kept under this label and nobody published, as when a change is given up.",
)
@click.option(
    "--keep",
    is_flag=True,
    help="Leave the runs in .avatar/preview; see them with: avatar-gitops serve --state-dir .avatar/preview.",
)
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default="text", show_default=True, help="Form of the preview."
)
@click.option("--out", "outs", metavar="FORMAT:PATH", multiple=True, help="Also write it to a file; repeatable.")
@click.option(
    "--fail-on-regression",
    is_flag=True,
    help="Exit with 4 when a metric gets worse by more than its noise or a gate would fail.",
)
@select_options
@click.option(
    "--parallelism", type=click.IntRange(1, 64), default=None, help="Runs at a time; what the machine takes by default."
)
@quiet_option
@color_option
@ascii_option
@click.pass_context
def command(
    ctx: click.Context,
    project: Path | None,
    server: str | None,
    base: str,
    seeds: int,
    on: str,
    promote: bool,
    label: str,
    discard: str,
    keep: bool,
    form: str,
    outs: tuple[str, ...],
    fail_on_regression: bool,
    select: tuple[str, ...],
    exclude: tuple[str, ...],
    parallelism: int | None,
    quiet: bool,
    color: str,
    ascii_only: bool,
) -> None:
    """Predict what changed specs do to privacy and utility, before anything is applied.

    Runs the spec of now (head) and the published one (base) of every set that would run again, each with the same seeds
    on the same input, on the embedded engine of this machine. Shows the change of every metric with its noise, and the
    gates. Nothing is published; the published versions are not touched.
    """
    from avatar_gitops.app.clock import SystemClock
    from avatar_gitops.app.preview import Ask, preview
    from avatar_gitops.plan.model import Selection

    if discard:
        _discard(project, server, discard)
        return
    files = [_target(text) for text in outs]
    selection = Selection(select, exclude)
    ask = Ask(selection, base, seeds, on, server, keep, promote, label, parallelism)
    made = preview(project, ask, SystemClock(), Lines(quiet))
    out(rendered(made, form, style_for(color), ascii_wanted(ascii_only)).rstrip("\n"))
    for kind, path in files:
        path.write_text(rendered(made, kind, plain, False), encoding="utf-8")
        note(f"Wrote {path}")
    if any(one.error for one in made.sets):
        ctx.exit(1)
    ctx.exit(4 if fail_on_regression and made.regression else 0)


def _discard(project: Path | None, server: str | None, label: str) -> None:
    from avatar_gitops.app.clock import SystemClock
    from avatar_gitops.app.promotion import discard

    names = discard(project, server, label, SystemClock())
    number = "1 set" if len(names) == 1 else f"{len(names)} sets"
    out(f"Deleted the previews {label!r} of {number}: {', '.join(names)}" if names else f"No previews {label!r}.")


def rendered(made: Preview, form: str, style: Style, ascii_only: bool) -> str:
    """The preview in one of its forms."""
    from avatar_gitops.report.preview import block, render
    from avatar_gitops.report.preview_document import document, to_json

    content: dict[str, Any] = document(made)
    match form:
        case "json":
            return to_json(made)
        case "markdown":
            return block(content)
        case _:
            return render(content, style=style, ascii_only=ascii_only)


def _target(text: str) -> tuple[str, Path]:
    kind, colon, path = text.partition(":")
    if not colon or kind not in FORMATS or not path:
        raise click.UsageError(f"--out takes FORMAT:PATH with a format of {', '.join(FORMATS)}, not {text!r}.")
    return kind, output_file(path)


class Lines:
    """Says on standard error how far a preview is: one line for each run."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet

    def trial(self, done: Trial, number: int, total: int) -> None:
        """A trial ended."""
        if not self._quiet:
            note(f"{done.key[0]}  {done.key[1]:<5} seed {done.seed:<10} {number} of {total} runs")

    def promoting(self, name: str) -> None:
        """The full run of a set begins."""
        if not self._quiet:
            note(f"{name}  full run for the apply after the merge")
