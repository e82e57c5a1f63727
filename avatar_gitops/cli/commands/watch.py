"""`avatar-gitops watch`."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from avatar_gitops.cli.console import ascii_wanted, note, out
from avatar_gitops.cli.options import (
    Duration,
    ascii_option,
    events_option,
    project_option,
    select_options,
    server_option,
    verbose_option,
)

if TYPE_CHECKING:
    from avatar_gitops.app.watch import Round


@click.command("watch")
@project_option
@server_option
@click.option(
    "--interval", metavar="DURATION", type=Duration(), default=300.0, help="Time between two rounds: seconds, 90s, 5m."
)
@click.option(
    "--jitter", metavar="DURATION", type=Duration(), default=None, help="At most this much more; a tenth by default."
)
@click.option("--apply", "applies", is_flag=True, help="Apply what differs, as apply --yes does.")
@click.option("--once", is_flag=True, help="One round; exit code 2 when changes wait or sets drifted.")
@select_options
@events_option
@verbose_option
@ascii_option
@click.pass_context
def command(
    ctx: click.Context,
    project: Path | None,
    server: str | None,
    interval: float,
    jitter: float | None,
    applies: bool,
    once: bool,
    select: tuple[str, ...],
    exclude: tuple[str, ...],
    events: str | None,
    verbose: bool,
    ascii_only: bool,
) -> None:
    """Plan and look for drift again and again; say what is found when it changes.

    The files are read as they are at the moment: let something else pull the repository. A round begins when the one
    before is over; without an answer from the server the pauses get longer, up to an hour.

    With --apply every guard rail holds and there is no option to pass one: what needs consent or an approval waits for
    an apply by hand. A set that ended badly is not run again before its spec or its data change.

    Ctrl-C ends with exit code 130, SIGTERM with 0; runs on the server go on, and resume collects them.
    """
    from avatar_gitops.app.clock import SystemClock
    from avatar_gitops.app.watch import Rhythm, Watched, Watcher, watch
    from avatar_gitops.cli.eventlog import told
    from avatar_gitops.plan.select import Selection

    if interval < 1 and not once:
        raise click.BadParameter("at least one second", param_hint="--interval")
    show = _Screen(ascii_wanted(ascii_only))
    with told("watch", events, verbose=verbose) as stream, _terminated():
        look = Watcher(Watched(project, server, Selection(select, exclude), applies), stream)
        if once:
            found = look()
            if found.error is not None:
                raise found.error
            show(found)
            ctx.exit(found.exit_code)
        rhythm = Rhythm(interval, interval / 10 if jitter is None else jitter)
        watch(look, rhythm, show, SystemClock())


class _Screen:
    """Says what a round found, unless it is what the round before found."""

    def __init__(self, ascii_only: bool) -> None:
        self._ascii_only = ascii_only
        self._said: list[str] = []

    def __call__(self, found: Round) -> None:
        from avatar_gitops.report.values import to_ascii

        lines = _lines(found)
        if lines == self._said:
            return
        self._said = lines
        text = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}  " + "\n    ".join(lines)
        out(to_ascii(text) if self._ascii_only else text)


def _lines(found: Round) -> list[str]:
    from avatar_gitops.report import watch as report

    if found.plan is None or found.drift is None:
        return report.refused(found.error) if found.error is not None else []
    if found.applied is not None:
        return report.ended(found.plan, found.applied.outcomes, found.drift)
    return report.waits(found.plan, found.drift, found.held)


class _TerminatedError(KeyboardInterrupt):
    """SIGTERM: everything that Ctrl-C cleans up is cleaned up."""


@contextmanager
def _terminated() -> Iterator[None]:
    """End in good order, with exit code 0, when the process is asked to stop."""
    asked = False

    def stop(*given: object) -> NoReturn:
        nonlocal asked
        asked = True
        raise _TerminatedError

    try:
        before = signal.signal(signal.SIGTERM, stop)
    except ValueError:  # not the main thread: whoever started it ends it
        yield
        return
    try:
        yield
    except KeyboardInterrupt:
        if not asked:
            raise
        note("Stopped.")
    finally:
        signal.signal(signal.SIGTERM, before)
