"""Options that several commands share, declared once."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from shlex import quote
from typing import Any, Final, TypeVar

import click
from click.core import ParameterSource

Command = TypeVar("Command", bound=Callable[..., Any])


class Duration(click.ParamType[float]):
    """Seconds, also said as 90s, 30m or 2h."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, int | float):
            return float(value)
        found = re.fullmatch(r"([0-9]{1,9})(s|m|h|)", str(value).strip())
        if found is None:
            self.fail(f"{value!r} is no duration; say seconds, or 90s, 30m, 2h", param, ctx)
        return float(found[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[found[2]]


REPEATED: Final = (
    "project",
    "server",
    "select",
    "exclude",
    "allow_delete",
    "allow_relaunch",
    "force",
    "author",
    "approved_by",
)


def repeated(ctx: click.Context) -> str:
    """Options of a call that the next command needs, too, to be about the same: ` --select iris`."""
    flags = []
    for name in REPEATED:
        if ctx.get_parameter_source(name) is not ParameterSource.COMMANDLINE:
            continue
        said = ctx.params[name]
        values = said if isinstance(said, tuple) else (said,)
        flags += [f" --{name.replace('_', '-')} {quote(str(value))}" for value in values]
    return "".join(flags)


def output_file(text: str) -> Path:
    """A file that a call writes when its work is done; a usage error, before the work, where there cannot be one."""
    path = Path(text)
    if path.is_dir():
        raise click.UsageError(f"{path} is a folder; name the file to write.")
    if not path.parent.is_dir():
        raise click.UsageError(f"{path} cannot be written: there is no folder {path.parent}.")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise click.UsageError(f"{path} cannot be written: it is protected.")
    return path


project_option = click.option(
    "--project",
    type=click.Path(path_type=Path),
    default=None,
    help="Project folder or project file; found upwards from here when not given.",
)

server_option = click.option(
    "--server",
    default=None,
    help="Server of the project file, `local` (embedded platform) or `env` (AVATAR_BASE_URL, AVATAR_API_KEY).",
)

color_option = click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="When to colour; NO_COLOR wins over auto.",
)

ascii_option = click.option("--ascii", "ascii_only", is_flag=True, help="Only ASCII signs.")

parallelism_option = click.option(
    "--parallelism", type=click.IntRange(1, 64), default=None, help="Runs at a time; the project file's value, else 4."
)

lock_option = click.option(
    "--lock-timeout",
    metavar="DURATION",
    type=Duration(),
    default=0.0,
    help="How long to wait for another apply of this project: seconds, 90s, 30m. By default not at all (exit 8).",
)

quiet_option = click.option("-q", "--quiet", is_flag=True, help="Only the verdict and errors.")

verbose_option = click.option(
    "-v", "--verbose", is_flag=True, help="Also show each request with the id that is in the server's log; no bodies."
)

events_option = click.option(
    "--events",
    metavar="FILE",
    default=None,
    help="Also write what happens as JSON lines (schemas/event.v1.schema.json) to a file or a pipe; `-` is standard "
    "error, in place of other progress.",
)

progress_option = click.option(
    "--progress",
    type=click.Choice(["auto", "lines", "groups", "none"]),
    default="auto",
    show_default=True,
    help="A redrawn block on a terminal, lines elsewhere; groups fold the lines of each set in a log of GitHub.",
)

approved_option = click.option(
    "--approved-by",
    metavar="NAME",
    multiple=True,
    help="Who agreed to weaker privacy; repeatable. The author of the change does not count.",
)

author_option = click.option(
    "--author",
    metavar="NAME",
    multiple=True,
    help="Who wrote the change; repeatable. By default whom the workflow names, else the git user.",
)


def offline_options(command: Command) -> Command:
    """Options of a plan that asks no server."""
    for option in (
        click.option(
            "--base",
            metavar="REF",
            default=None,
            help="With --offline: the commit whose lock files count; by default where this branch left the default "
            "one, else the one that is checked out.",
        ),
        click.option(
            "--offline",
            is_flag=True,
            help="Compare with lock files in git: no server, no secret, no network. apply plans again.",
        ),
    ):
        command = option(command)
    return command


def consent_options(command: Command) -> Command:
    """Options that allow, for one call, what guard rails would stop."""
    for option in (
        click.option("--allow-delete", metavar="NAME", multiple=True, help="Allow this set to be deleted, once."),
        click.option(
            "--allow-relaunch", metavar="NAME", multiple=True, help="Allow this protected set to be relaunched, once."
        ),
        click.option("--force", metavar="REASON", default=None, help="Go over the thresholds; the reason is recorded."),
    ):
        command = option(command)
    return command


def select_options(command: Command) -> Command:
    """Options that say which sets a command concerns."""
    for option in (
        click.option("--exclude", metavar="SELECTOR", multiple=True, help="Leave these sets out; same forms."),
        click.option(
            "--select",
            metavar="SELECTOR",
            multiple=True,
            help="Only these sets; repeatable. NAME (a glob), path:GLOB, label:KEY[=VALUE], owner:TEXT, git:REF (files "
            "changed since REF), weaker: or state:STATE (new, changed, failed, unchanged, …).",
        ),
    ):
        command = option(command)
    return command
