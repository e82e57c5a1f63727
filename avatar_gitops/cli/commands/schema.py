"""`avatar-gitops schema`: the JSON Schemas that editors and other tools check files with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import click

from avatar_gitops.cli.console import note, out

if TYPE_CHECKING:
    from avatar_gitops.spec.schema import Kind

KINDS: Final = ("run", "project", "defaults", "policy", "waivers", "policy-test", "signoffs")
EVIDENCE: Final = (
    "run-statement",
    "replay-statement",
    "bundle-statement",
    "applied-plan",
    "audit-line",
    "run-record",
    "metrics",
)


REPORTS: Final = ("report", "statements")
EVERY: Final = (*KINDS, *EVIDENCE, *REPORTS)


@click.command(name="schema")
@click.argument("kind", type=click.Choice(EVERY), default="run")
@click.option(
    "--write",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    metavar="DIR",
    help="Write every schema into this folder instead of printing one.",
)
def command(kind: str, folder: Path | None) -> None:
    """Print the JSON Schema of run specs (default), of the project file, of `_defaults.yaml` or of files in policies/.

    The other kinds are what templates of reports see (report), what people sign (statements), and documents of
    evidence, which nobody writes by hand.

    Editors use it through the first line of a spec: # yaml-language-server: $schema=PATH
    """
    from avatar_gitops.spec.schema import file_name

    if folder is None:
        out(_text(kind).rstrip("\n"))
        return
    folder.mkdir(parents=True, exist_ok=True)
    for each in EVERY:
        path = folder / file_name(cast("Kind", each))
        path.write_text(_text(each), encoding="utf-8")
        note(f"Wrote {path.as_posix()}")


def _text(kind: str) -> str:
    if kind in EVIDENCE:
        from avatar_gitops.audit import documents

        return documents.schema_text(kind)
    if kind in REPORTS:
        from avatar_gitops.assessment import view

        return view.schema_text() if kind == "report" else view.statements_schema_text()
    from avatar_gitops.spec.schema import schema_text

    return schema_text(cast("Kind", kind))
