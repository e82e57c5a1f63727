"""`advise`: parameters that suit the data of each set, from the server; with consent, into the spec files."""

from __future__ import annotations

import stat
from collections.abc import Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from avatar_gitops.app.clock import SystemClock
from avatar_gitops.app.loading import Loaded, load
from avatar_gitops.app.servers import open_server
from avatar_gitops.client.advice import Adviser
from avatar_gitops.errors import UsageError
from avatar_gitops.plan.advice import Proposal, proposals
from avatar_gitops.plan.desired import DesiredSet
from avatar_gitops.spec.editing import with_value
from avatar_gitops.workspace.files import write_atomic


@dataclass(frozen=True, slots=True)
class Advice:
    """Proposals by set, and the spec file of each set."""

    proposals: Mapping[str, Sequence[Proposal]]
    paths: Mapping[str, str]
    root: Path


def advise(project: Path | None, server: str | None, names: Collection[str]) -> Advice:
    """Ask the server for advice on these sets, or on all; the data are uploaded, and nothing else stays there."""
    loaded = load(project)
    chosen = _chosen(loaded, names)
    with (
        open_server(loaded.root, loaded.project, server) as connection,
        closing(
            Adviser(
                connection.base_url,
                connection.api_key,
                root=loaded.root,
                clock=SystemClock(),
                verify=connection.verify_tls,
            )
        ) as adviser,
    ):
        found = {item.name: proposals(item, adviser.advise(item)) for item in chosen}
    return Advice(found, {item.name: item.path for item in chosen}, loaded.root)


def write(advice: Advice, *, overwrite: bool) -> tuple[tuple[str, int], ...]:
    """Put proposals into the spec files: those for fields that say nothing, with `overwrite` all of them.

    Comments and layout stay. Returns each file with the number of its fields that were written.
    """
    written: dict[str, int] = {}
    for name, proposed in advice.proposals.items():
        chosen = [one for one in proposed if overwrite or not one.written]
        path = (advice.root / advice.paths[name]).resolve()
        text = path.read_bytes().decode("utf-8")
        mark = "\N{ZERO WIDTH NO-BREAK SPACE}" if text.startswith("\N{ZERO WIDTH NO-BREAK SPACE}") else ""
        after = text.removeprefix(mark)
        try:
            for one in chosen:
                after = with_value(after, one.path, one.proposed)
        except UsageError as error:
            raise UsageError(f"{advice.paths[name]}: {error.message}", hint=error.hint) from None
        if mark + after != text:
            write_atomic(path, mark + after, mode=stat.S_IMODE(path.stat().st_mode))
            written[advice.paths[name]] = written.get(advice.paths[name], 0) + len(chosen)
    return tuple(written.items())


def _chosen(loaded: Loaded, names: Collection[str]) -> list[DesiredSet]:
    known = {item.name: item for item in loaded.desired}
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"did you mean `{near[0]}`?" if near else f"there are: {', '.join(known) or 'none'}"
            raise UsageError(f"there is no spec of a set `{name}`", hint=hint)
    return [item for name, item in known.items() if not names or name in names]
