"""Entry point of the `avatar-gitops` command: finds the subcommand, turns errors into one text and one exit code."""

from __future__ import annotations

import gc
import os
import sys
import traceback
from importlib import import_module
from keyword import iskeyword
from typing import Any, Final

import click

from avatar_gitops import __version__
from avatar_gitops.diagnostics import SpecError
from avatar_gitops.errors import AvatarGitOpsError, UnsafePlan

USAGE_EXIT: Final = 64
INTERRUPTED_EXIT: Final = 130
RARE_COLLECTIONS: Final = (200_000, 50, 100)  # looking for cycles took a fifth of a large plan and found none

COMMANDS: Final = {
    "init": "Create a project with one public sample table.",
    "doctor": "Check project, specs, server, sign-in and storage.",
    "validate": "Check specs without any network call.",
    "fmt": "Put the keys of specs in order; comments and digests stay.",
    "plan": "Show what would happen and whether privacy gets weaker. Changes nothing.",
    "preview": "Predict what changed specs do to the metrics, on the embedded engine.",
    "apply": "Launch, relaunch, update and delete what the plan says.",
    "resume": "Go on with an apply that was interrupted.",
    "retry": "Repeat the sets that the last apply ended badly.",
    "unlock": "End the lease of an apply that died.",
    "history": "List the applies made from this folder and how they ended.",
    "audit": "Check the record, bundle and verify evidence, replay runs.",
    "drift": "Compare the server with what was applied. Cannot change anything.",
    "watch": "Plan, or apply, and look for drift again and again.",
    "status": "List the sets with their state and gates.",
    "show": "Show one set: resolved spec, last run, metrics, gates.",
    "noise": "Measure how much metrics move by chance; kept beside the spec.",
    "diff": "Compare two published runs, of now or of any commit.",
    "report": "Render documents of a run again, sign its assessment.",
    "ci": "Bring plans and results into pull requests.",
    "policy": "Show, check and test the rules that sets have to keep.",
    "import": "Make a spec from YAML of the platform or from a set on a server.",
    "adopt": "Take a set that others made on the server into this project.",
    "advise": "Propose parameters that suit the data; write them into specs.",
    "schema": "Print the JSON Schemas of the spec and project files.",
    "explain": "Explain a diagnostic code.",
    "serve": "Run the embedded Avatar platform.",
    "account": "Manage users, API keys and organizations of the embedded platform.",
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called, so that `--help` stays fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        name = f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name
        module = import_module(f"avatar_gitops.cli.commands.{name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, n=1)
            if near and not args[0].startswith("-"):
                raise click.UsageError(f"{error.message} Did you mean '{near[0]}'?", error.ctx) from None
            raise


@click.group(
    cls=LazyGroup,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "auto_envvar_prefix": "AVATAR_GITOPS",
        "max_content_width": 100,
    },
)
@click.version_option(__version__, prog_name="avatar-gitops")
@click.option("--debug", is_flag=True, help="Show the traceback of an unexpected error.")
def cli(debug: bool) -> None:
    """Anonymization runs as code: describe a run in YAML, review the plan, apply it, keep the evidence.

    \b
    First steps:
      avatar-gitops init demo && cd demo
      avatar-gitops plan
      avatar-gitops apply
    """


def run(args: list[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    argv = sys.argv[1:] if args is None else args
    debug = "--debug" in argv or os.environ.get("AVATAR_GITOPS_DEBUG", "") not in {"", "0"}
    try:
        result: Any = cli.main(args=argv, prog_name="avatar-gitops", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return USAGE_EXIT
    except click.ClickException as error:
        error.show(sys.stderr)
        return USAGE_EXIT
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        return INTERRUPTED_EXIT
    except AvatarGitOpsError as error:
        if debug:
            traceback.print_exc()
        if isinstance(error, SpecError):
            _report_findings(error)
        _report(error)
        return error.exit_code
    except BrokenPipeError:
        sys.stderr.close()
        return 1
    except OSError as error:
        if debug:
            traceback.print_exc()
        _report_file(error)
        return 1
    except Exception as error:  # the last line of defence: no traceback, because it could show a value
        if debug:
            traceback.print_exc()
        _report_unexpected(error)
        return 1
    return result if isinstance(result, int) else 0


def _report(error: AvatarGitOpsError) -> None:
    code = f"[{error.code}]" if error.code else ""
    click.echo(f"error{code}: {error.message}", err=True)
    if error.hint:
        click.echo(f"   = fix: {error.hint}", err=True)
    if isinstance(error, UnsafePlan):
        click.echo("Nothing was changed.", err=True)


def _report_findings(error: SpecError) -> None:
    """Show every finding with its line, as `validate` does."""
    from pathlib import Path

    from avatar_gitops.cli.console import style_for
    from avatar_gitops.report.diagnostics import as_text

    files = {finding.span.file for finding in error.diagnostics}
    sources = {
        name: Path(name).read_text(encoding="utf-8-sig", errors="replace") for name in files if Path(name).is_file()
    }
    click.echo(as_text(error.diagnostics, sources, style=style_for("auto")), err=True)


def _report_file(error: OSError) -> None:
    """Name the file that cannot be used, and the system's reason; an error about no file is unexpected."""
    if not isinstance(error.filename, str) or not error.strerror:
        _report_unexpected(error)
        return
    from avatar_gitops.report.values import safe

    click.echo(f"error: {safe(error.filename)} cannot be used: {error.strerror}", err=True)
    if isinstance(error, FileExistsError | NotADirectoryError):
        click.echo("   = fix: a file stands where a folder is needed; move it away", err=True)


def _report_unexpected(error: Exception) -> None:
    """Name the kind and the place of an unexpected error; its text may hold anything, so it is not shown."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "avatar_gitops" in frame.filename]
    place = f" in {ours[-1].filename.rpartition('avatar_gitops')[2].lstrip('/')}:{ours[-1].lineno}" if ours else ""
    click.echo(f"error: unexpected {type(error).__name__}{place}. This is a fault of avatar-gitops.", err=True)
    click.echo(
        "   = fix: run again with --debug and report what it shows; look for data values before you share it", err=True
    )


def main() -> None:
    """Console script."""
    gc.set_threshold(*RARE_COLLECTIONS)
    sys.exit(run())
