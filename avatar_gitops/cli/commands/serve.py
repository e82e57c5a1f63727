"""`avatar-gitops serve`."""

from __future__ import annotations

import logging
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from avatar_gitops.cli.console import note

if TYPE_CHECKING:
    from avatar_gitops.app.serve import Address


ENVIRONMENT: Final = """\
\b
Mail (forgotten passwords, new accounts) is sent when AVATAR_SMTP_HOST is set:
  AVATAR_SMTP_SECURITY   starttls (default), tls or none;  AVATAR_SMTP_PORT  587, 465 or 25
  AVATAR_SMTP_USERNAME, AVATAR_SMTP_PASSWORD   when the SMTP server asks for them
  AVATAR_MAIL_FROM       the sender;  AVATAR_PUBLIC_URL  how people reach this server
AVATAR_TRUSTED_PROXIES=127.0.0.1,10.0.0.0/8 names the proxies whose X-Forwarded-For is believed.
"""


@click.group("serve", epilog=ENVIRONMENT, invoke_without_command=True)
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Address to bind; loopback unless you say otherwise."
)
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0 takes a free port.")
@click.option(
    "--state-dir",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(".avatar/server"),
    show_default=True,
    help="Folder for the database, the files and client.env.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=2,
    show_default=True,
    help="Worker processes, at most one per core; jobs at once with --executor.",
)
@click.option(
    "--job-memory",
    type=click.IntRange(min=512),
    metavar="MIB",
    envvar="AVATAR_JOB_MEMORY_MIB",
    show_envvar=True,
    help="Memory of one job; a job that needs more fails alone.  [default: its part of 90 % of the machine]",
)
@click.option(
    "--job-seconds",
    type=click.IntRange(min=1),
    metavar="SECONDS",
    envvar="AVATAR_JOB_SECONDS",
    show_envvar=True,
    help="Time of one job; a job that takes longer fails alone.  [default: a day]",
)
@click.option(
    "--patience",
    type=click.FloatRange(min=0),
    default=2,
    show_default=True,
    metavar="SECONDS",
    help="How long running jobs get to end when the server stops; then they are queued again.",
)
@click.option(
    "--database",
    metavar="URL",
    help="PostgreSQL database, postgresql://user@host/name, instead of SQLite in the folder. The password comes from"
    " PGPASSWORD, or with the whole URL from AVATAR_GITOPS_DATABASE.",
)
@click.option(
    "--bucket",
    metavar="URL",
    help="S3 bucket for the files, s3://bucket/prefix, instead of the folder; endpoint and keys come from the AWS"
    " variables. Or AVATAR_GITOPS_BUCKET.",
)
@click.option(
    "--executor",
    metavar="URL",
    help="Dask cluster that runs the jobs, tcp://host:port or tls://host:port, so many at once as --workers says. Its"
    " workers have the same avatar-gitops[local,dask], --nthreads 1 and a --memory-limit of their own, which takes the"
    " place of --job-memory; they need no database and no files. Or AVATAR_GITOPS_EXECUTOR.",
)
@click.option(
    "--retention-days",
    type=click.IntRange(min=1),
    metavar="DAYS",
    help="Days until uploads and results are removed.  [default: 3650]",
)
@click.option(
    "-v",
    "--verbose",
    is_flag=True,
    help="Log each request that changes something or is refused, with the id that the client gave it.",
)
@click.pass_context
def command(
    context: click.Context,
    host: str,
    port: int,
    state_dir: Path,
    workers: int,
    job_memory: int | None,
    job_seconds: int | None,
    patience: float,
    database: str | None,
    bucket: str | None,
    executor: str | None,
    retention_days: int | None,
    verbose: bool,
) -> None:
    """Run the embedded Avatar platform until Ctrl-C; a second Ctrl-C ends it at once.

    The first start creates an administrator and an API key. Address and key stand in STATE_DIR/client.env,
    which only you can read; the key is never printed.

    Tables of more than AVATAR_MAX_LINES rows (2,000,000), or AVATAR_MEMORY_MIB of memory (8,192 or what
    a job may use), are anonymized in batches; more than AVATAR_MAX_DIMENSIONS dimensions (1,000) are refused.
    """
    if context.invoked_subcommand is not None:
        return
    from avatar_gitops.app.serve import serve
    from avatar_gitops.server import ServeOptions

    if verbose:
        _log_requests()
    options = ServeOptions(
        state_dir,
        host,
        port,
        workers,
        job_memory=job_memory,
        job_seconds=job_seconds,
        patience=patience,
        database=database,
        bucket=bucket,
        executor=executor,
        retention_days=retention_days,
    )
    serve(options, partial(_announce, host))


def _log_requests() -> None:
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
    for name in ("naming_requests", "web.application"):
        logging.getLogger(f"avatar_gitops.server.{name}").setLevel(logging.INFO)


def _announce(host: str, address: Address, client_env: Path) -> None:
    from avatar_gitops.app.serve import is_loopback

    note(f"Serving {address.base_url}  (also for browsers; Ctrl-C stops)")
    note(f"Address and API key: {client_env}")
    if not is_loopback(host):
        note("Others on the network can reach it, unprotected: put a proxy with TLS before it (see SECURITY.md).")
    note(f"\nNext: set -a; . {client_env}; set +a; avatar-gitops plan --server env")


def _folder(context: click.Context, said: Path | None) -> Path:
    """The state folder, named after the subcommand or before it."""
    if said is not None:
        return said
    assert context.parent is not None, "a subcommand has a parent"
    found: Path = context.parent.params["state_dir"]
    return found


folder_option = click.option(
    "--state-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the server.  [default: .avatar/server]",
)


@command.command("backup")
@click.argument("target", metavar="DIR", type=click.Path(path_type=Path))
@folder_option
@click.pass_context
def backup_command(context: click.Context, target: Path, state_dir: Path | None) -> None:
    """Back up the state folder into the new folder DIR; the server may run.

    The backup is consistent: the database as it was at one moment, with every file that it points at. It holds
    personal data, like the state folder. Files on the same file system are linked, not copied: copy DIR to another
    disk. `sha256sum --check SHA256SUMS` in DIR verifies it.

    For a database or bucket by URL use their own means: the database first, then the bucket.
    """
    from avatar_gitops.app.serve import back_up

    saved = back_up(_folder(context, state_dir), target)
    note(f"{saved.files:,} files, {saved.size / 2**20:,.1f} MiB, are backed up in {target}.")


@command.command("restore")
@click.argument("source", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path))
@folder_option
@click.pass_context
def restore_command(context: click.Context, source: Path, state_dir: Path | None) -> None:
    """Make a state folder of the backup DIR, when every file in it is as it was made.

    Nothing is overwritten: the state folder must not exist or be empty. Jobs that were running are queued again at
    the next start. API keys of users go on working; client.env gets a new one.
    """
    from avatar_gitops.app.serve import restore

    folder = _folder(context, state_dir)
    saved = restore(source, folder)
    note(f"{saved.files:,} files, {saved.size / 2**20:,.1f} MiB, are restored.")
    note(f"\nNext: avatar-gitops serve --state-dir {folder}")
