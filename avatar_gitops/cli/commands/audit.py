"""`avatar-gitops audit`: what was applied and by whom, evidence of it in one file, and checks of both."""

from __future__ import annotations

from pathlib import Path

import click

from avatar_gitops.cli.console import ascii_wanted, note, out, style_for
from avatar_gitops.cli.options import ascii_option, color_option, project_option

format_option = click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)


@click.group("audit")
def command() -> None:
    """Evidence: the record of what was applied, bundles for auditors, their check, and replays.

    apply, retry and resume add lines to audit/YEAR-MONTH.jsonl in the project's folder: before anything is changed,
    when it ended, and when a plan was refused. audit/plans/ holds the plans. Commit both with the lock files.
    """


@command.command("log")
@project_option
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d"]),
    default=None,
    metavar="DATE",
    help="Only lines from this day (UTC) on.",
)
@click.option("--set", "sets", metavar="NAME", multiple=True, help="Only lines about this set; repeatable, a glob.")
@format_option
@color_option
@ascii_option
@click.pass_context
def log_command(
    ctx: click.Context,
    project: Path | None,
    since: object,
    sets: tuple[str, ...],
    form: str,
    color: str,
    ascii_only: bool,
) -> None:
    """Show the audit log and check that no line was changed, removed, moved or added.

    Each line holds the digest of the line before; audit/head.json names the last one. Exit code 1 when a line is not as
    it was written; the first such line is named. The whole log is checked, whatever is shown of it. Whoever can rewrite
    the whole folder can rewrite the chain: the history of git, and signed bundles, are what protects it from that.
    """
    from avatar_gitops.app.auditing import Shown, audit_log
    from avatar_gitops.report import audit as report

    found = audit_log(project)
    shown = Shown(since=str(since or "")[:10], sets=sets).of(found.entries)
    if form == "json":
        text = report.to_json(shown, found.broken, found.notes, left_out=len(found.entries) - len(shown))
    else:
        text = report.render(
            shown,
            found.broken,
            found.notes,
            whole=found.entries,
            style=style_for(color),
            ascii_only=ascii_wanted(ascii_only),
        )
    out(text.rstrip("\n"))
    ctx.exit(0 if found.ok else 1)


@command.command("bundle")
@click.argument("sets", metavar="[SET]...", nargs=-1)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FILE",
    help="What to write: an archive when it ends with .zip, else a folder. Nothing is overwritten.",
)
@project_option
@color_option
@ascii_option
def bundle_command(sets: tuple[str, ...], output: Path, project: Path | None, color: str, ascii_only: bool) -> None:
    """Write everything an auditor needs to know of some sets, by default of all, and no data.

    Specs as written and as they ran, plans, approvals, waivers, policies, metrics, reports, statements, the journal,
    the audit log, receipts of deletions, digests: an RO-Crate 1.2, with the same bytes for the same project. It is
    signed when the project names a key under `spec.signing`, and is not written when it would not verify. It needs the
    artifacts of the sets (out/SET/), and no server.
    """
    from avatar_gitops.app.bundling import bundle
    from avatar_gitops.audit.integrity import Trust
    from avatar_gitops.report import verification as report

    made = bundle(project, sets, output)
    out(report.render(made.verification, style=style_for(color), ascii_only=ascii_wanted(ascii_only)).rstrip("\n"))
    out(f"Wrote {made.path.as_posix()}, {made.files} files.")
    if made.verification.signature.trust is not Trust.UNSIGNED:
        out("Give auditors the public key in another way than the bundle.")


@command.command("verify")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option(
    "--trust-key",
    "keys",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="FILE",
    help="A public key whose signature counts, in PEM or as ed25519:HEX; repeatable. By default those of the project "
    "here, if there is one. Keys inside the bundle never count.",
)
@click.option("--allow-unsigned", is_flag=True, help="Exit 0 for a whole bundle that nobody who is trusted has signed.")
@project_option
@format_option
@color_option
@ascii_option
@click.pass_context
def verify_command(
    ctx: click.Context,
    bundle: Path,
    keys: tuple[Path, ...],
    allow_unsigned: bool,
    project: Path | None,
    form: str,
    color: str,
    ascii_only: bool,
) -> None:
    """Check a bundle, offline: digests, schemas, signatures, the audit log, and that its documents tell one story.

    Each finding names the file and what is wrong with it. Exit code 0: whole, and signed by a trusted key; 1: something
    is not as it was made; 4: whole, but unsigned or signed by somebody unknown.
    """
    from avatar_gitops.app.verifying import anchors, verify_bundle
    from avatar_gitops.report import verification as report

    found = verify_bundle(bundle, anchors(project, keys))
    if form == "json":
        text = report.to_json(found)
    else:
        text = report.render(found, style=style_for(color), ascii_only=ascii_wanted(ascii_only))
    out(text.rstrip("\n"))
    ctx.exit(found.exit_code(allow_unsigned=allow_unsigned))


@command.group("key")
def key_group() -> None:
    """Keys that evidence is signed with."""


@key_group.command("new")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def new_command(file: Path) -> None:
    """Write a new private key to FILE, for its owner only, and print its public half.

    Keep FILE out of git. Give its text to apply in an environment variable, or its path in NAME_FILE:

    \b
      spec:
        signing: {key: env/NAME, trusted: [{name: WHO, key: "ed25519:…"}]}
    """
    from avatar_gitops.app.signing import write_key

    public = write_key(file)
    note(f"Wrote {file.as_posix()}, mode 0600. Keep it out of git.")
    out(public)


@key_group.command("show")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--pem", is_flag=True, help="In PEM, as openssl reads it.")
def show_command(file: Path, pem: bool) -> None:
    """Print the public key of a private key, or of a public one, in FILE."""
    from avatar_gitops.app.signing import public_of

    out(public_of(file, pem=pem).rstrip("\n"))


@command.command("replay")
@click.argument("what", metavar="[NAME]...|BUNDLE", nargs=-1)
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    default=None,
    metavar="DIR",
    help="Of a bundle: the folder in which the paths of its specs begin; by default this one.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    metavar="DIR",
    help="Where statements go, DIR/SET/replay.intoto.json; by default the project's out/, of a bundle replay/.",
)
@project_option
@format_option
@color_option
@ascii_option
@click.pass_context
def replay_command(
    ctx: click.Context,
    what: tuple[str, ...],
    data: Path | None,
    output: Path | None,
    project: Path | None,
    form: str,
    color: str,
    ascii_only: bool,
) -> None:
    """Repeat published runs on the embedded engine, with their spec, seed and data, and compare what comes out.

    By default all published runs of the project; or those of a bundle, on data that are here. Compared are the digests
    of avatars and metrics. Where the engine, the platform or its numerics are not those of the run, metrics may differ
    within a band: that of the noise file beside the spec, else a relative 1e-6. A statement says what was compared.
    Nothing is published. Exit code 0: equal bytes, or within the band; 1: different, or not repeated.
    """
    from avatar_gitops.app.replaying import replay, replay_bundle
    from avatar_gitops.app.verifying import is_bundle
    from avatar_gitops.report import replay as report

    if len(what) == 1 and is_bundle(Path(what[0])):
        runs = replay_bundle(Path(what[0]), project, data, output)
    elif data is not None:
        raise click.UsageError("--data goes with a bundle; the data of a project are where its specs say")
    else:
        runs = replay(project, what, output)
    if form == "json":
        text = report.to_json(runs)
    else:
        text = report.render(runs, style=style_for(color), ascii_only=ascii_wanted(ascii_only))
    out(text.rstrip("\n"))
    well = all(run.comparison is not None and run.comparison.result != "different" for run in runs)
    ctx.exit(0 if well else 1)
