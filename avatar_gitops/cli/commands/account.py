"""`avatar-gitops account`: users, API keys and organizations of an embedded platform."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import click

from avatar_gitops.cli.console import note, out
from avatar_gitops.errors import UsageError

state_option: Final = click.option(
    "--state-dir",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(".avatar/server"),
    show_default=True,
    help="Folder of the platform, as given to `serve`.",
)
form_option: Final = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
yes_option: Final = click.option("--yes", is_flag=True, help="Do not ask.")
email_argument: Final = click.argument("email")
DAYS: Final = ("30", "60", "120", "365", "3650")


@click.group("account")
def command() -> None:
    """Manage users, API keys and organizations of the embedded platform.

    Works on the platform's state folder, whether or not a server is running, and needs no key: who can write to the
    folder is its operator. A database and bucket by URL come from AVATAR_GITOPS_DATABASE and AVATAR_GITOPS_BUCKET.
    Every act is written to STATE_DIR/audit.log.

    A password is asked for on the terminal, or read as the first line of standard input; it is never an argument.
    New keys and tokens are printed once, to standard output, and stored as hashes only.
    """


@command.command("create", short_help="Add a user.")
@email_argument
@click.option("--role", type=click.Choice(["user", "admin"]), default="user", show_default=True)
@click.option("--organization", metavar="NAME", help="Needed when there is more than one.")
@click.option("--with-password", is_flag=True, help="Ask for a password. Without one, sign in with API keys.")
@state_option
def create_command(email: str, role: str, organization: str | None, with_password: bool, state_dir: Path) -> None:
    """Add a user. Administrators manage the users and keys of their own organization."""
    from avatar_gitops.app.account import NewUser, create

    password = _password() if with_password else None
    row = create(state_dir, NewUser(email, role, organization, password))
    note(f"Created {row.email} ({row.role}) in {row.organization}.")
    note(f"Next: avatar-gitops account key create {row.email}")


@command.command("list", short_help="List the users.")
@click.option("--organization", metavar="NAME", help="Only this one.")
@form_option
@state_option
def list_command(organization: str | None, form: str, state_dir: Path) -> None:
    """List the users, oldest first."""
    from avatar_gitops.app.account import list_users
    from avatar_gitops.report.accounts import to_json, users_text

    rows = list_users(state_dir, organization)
    out(to_json("users", rows) if form == "json" else users_text(rows))


@command.command("reset-password", short_help="Print a token to set a new password with, or set it here.")
@email_argument
@click.option("--set", "set_here", is_flag=True, help="Ask for the new password now, instead of printing a token.")
@state_option
def reset_command(email: str, set_here: bool, state_dir: Path) -> None:
    """Print a token that sets a new password, once, within 24 hours; for platforms that send no mail.

    The user gives it to Manager.reset_password(EMAIL, NEW, NEW, TOKEN), or to POST /api/login/reset_password.
    """
    from avatar_gitops.app.account import reset_token, set_password

    if set_here:
        set_password(state_dir, email, _password())
        note("The password is set. Whoever was signed in with the old one no longer is.")
        return
    token, until = reset_token(state_dir, email)
    out(token)
    note(f"The token is valid once, until {until}.")


@command.command("disable", short_help="Let a user sign in no more.")
@email_argument
@state_option
def disable_command(email: str, state_dir: Path) -> None:
    """Let a user sign in no more, by any key, token or password. Files, results and running jobs stay."""
    from avatar_gitops.app.account import disable

    disable(state_dir, email)
    note("The user is disabled.")


@command.command("enable", short_help="Let a disabled user sign in again.")
@email_argument
@state_option
def enable_command(email: str, state_dir: Path) -> None:
    """Let a disabled user sign in again, with the password and the API keys of before."""
    from avatar_gitops.app.account import enable

    enable(state_dir, email)
    note("The user is enabled.")


@command.command("delete", short_help="Remove a user with all files, runs, results and keys.")
@email_argument
@yes_option
@state_option
def delete_command(email: str, yes: bool, state_dir: Path) -> None:
    """Remove a user with all files, sets, jobs, results, keys and events. There is no way back; running jobs stop."""
    from avatar_gitops.app.account import delete

    _confirm(f"Delete {email} and everything that belongs to this user?", yes)
    delete(state_dir, email)
    note("The user and all that belonged to them is deleted.")


@command.group("key", short_help="API keys of a user.")
def key_group() -> None:
    """API keys of a user."""


@key_group.command("create", short_help="Print a new API key, once.")
@email_argument
@click.option("--name", default="command line", show_default=True, help="What it is for.")
@click.option("--days", type=click.Choice(DAYS), default="365", show_default=True, help="How long it is valid.")
@state_option
def create_key_command(email: str, name: str, days: str, state_dir: Path) -> None:
    """Print a new API key to standard output. It cannot be shown again."""
    from avatar_gitops.app.account import create_key

    out(create_key(state_dir, email, name, int(days)))
    note("Keep this key: it is shown only once.")


@key_group.command("list", short_help="List the keys of a user, without their secrets.")
@email_argument
@form_option
@state_option
def list_keys_command(email: str, form: str, state_dir: Path) -> None:
    """List the keys of a user, without their secrets."""
    from avatar_gitops.app.account import list_keys
    from avatar_gitops.report.accounts import keys_text, to_json

    rows = list_keys(state_dir, email)
    out(to_json("keys", rows) if form == "json" else keys_text(rows))


@key_group.command("revoke", short_help="Revoke one key of a user, or all.")
@email_argument
@click.argument("key_id", required=False)
@click.option("--all", "everything", is_flag=True, help="Every key of the user.")
@state_option
def revoke_command(email: str, key_id: str | None, everything: bool, state_dir: Path) -> None:
    """Revoke one key of a user, or all. What it opened in the object storage is closed with it."""
    from avatar_gitops.app.account import revoke_keys

    if (key_id is None) is not everything:
        raise click.UsageError("Name one key, or say --all.")
    number = revoke_keys(state_dir, email, key_id)
    note("The key is revoked." if key_id is not None else f"Keys revoked: {number}")


@command.group("organization", short_help="Organizations: each sees its own users and data only.")
def organization_group() -> None:
    """Organizations: each sees its own users and data only."""


@organization_group.command("create", short_help="Add an organization.")
@click.argument("name")
@state_option
def create_organization_command(name: str, state_dir: Path) -> None:
    """Add an organization."""
    from avatar_gitops.app.account import create_organization

    create_organization(state_dir, name)
    note("The organization is created.")
    note(f"Next: avatar-gitops account create EMAIL --role admin --organization '{name}'")


@organization_group.command("list", short_help="List the organizations.")
@form_option
@state_option
def list_organizations_command(form: str, state_dir: Path) -> None:
    """List the organizations with the number of their users."""
    from avatar_gitops.app.account import list_organizations
    from avatar_gitops.report.accounts import organizations_text, to_json

    rows = list_organizations(state_dir)
    out(to_json("organizations", rows) if form == "json" else organizations_text(rows))


@organization_group.command("delete", short_help="Remove an organization that has no users.")
@click.argument("name")
@state_option
def delete_organization_command(name: str, state_dir: Path) -> None:
    """Remove an organization that has no users."""
    from avatar_gitops.app.account import delete_organization

    delete_organization(state_dir, name)
    note("The organization is deleted.")


def _password() -> str:
    """A new password from the terminal, twice, or from the first line of standard input."""
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    try:
        line = sys.stdin.readline()
    except UnicodeDecodeError:
        raise UsageError("The password is not text in UTF-8.") from None
    if not line:
        raise UsageError("No password was given.", hint="Write it to standard input, or call this from a terminal.")
    return line.rstrip("\r\n")


def _confirm(question: str, yes: bool) -> None:
    if yes:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError("Nobody can be asked here.", hint="Say --yes if you are sure.")
    click.confirm(question, abort=True, err=True)
