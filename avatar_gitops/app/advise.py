"""`advise`: parameters and links that suit the data of each set, from the server; with consent, into the spec files."""

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
from avatar_gitops.client.sources import opened
from avatar_gitops.errors import AvatarGitOpsError, UsageError
from avatar_gitops.plan.advice import Proposal, proposals
from avatar_gitops.plan.desired import DesiredSet
from avatar_gitops.plan.keys import guess_keys, may_be_key, with_keys
from avatar_gitops.plan.link_advice import AdvisedLinks, LinkAdvice, advise_links, declared_links
from avatar_gitops.spec.editing import value_at, with_item, with_value
from avatar_gitops.spec.models import ColumnType
from avatar_gitops.workspace.files import write_atomic
from avatar_gitops.workspace.inputs import InputUnreadable
from avatar_gitops.workspace.keys import KeyColumn, check_keys, read_keys


@dataclass(frozen=True, slots=True)
class Advice:
    """Proposals by set, the links of sets with several tables, and the spec file of each set."""

    proposals: Mapping[str, Sequence[Proposal]]
    links: Mapping[str, LinkAdvice]
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
        found: dict[str, Sequence[Proposal]] = {}
        links: dict[str, LinkAdvice] = {}
        for item in chosen:
            keyed, linked = item, LinkAdvice()
            if len(item.run.spec.tables) > 1:
                linked, keyed = _links(loaded.root, item, adviser)
                links[item.name] = linked
            found[item.name] = (*linked.proposals, *proposals(keyed, adviser.advise(keyed)))
    return Advice(found, links, {item.name: item.path for item in chosen}, loaded.root)


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
                after = _with(after, one)
        except UsageError as error:
            raise UsageError(f"{advice.paths[name]}: {error.message}", hint=error.hint) from None
        if mark + after != text:
            write_atomic(path, mark + after, mode=stat.S_IMODE(path.stat().st_mode))
            written[advice.paths[name]] = written.get(advice.paths[name], 0) + len(chosen)
    return tuple(written.items())


def _with(text: str, one: Proposal) -> str:
    """The text with what one proposal says; a link goes behind those that are there, once for all sets of a file."""
    path, place = one.path[:-1], one.path[-1]
    if path[-1] != "links":
        return with_value(text, one.path, one.proposed)
    there = value_at(text, path) or []
    if one.proposed in there:
        return text
    if len(there) != place:
        raise UsageError(
            f"table `{one.table}` has links from another file, which a list here would replace",
            hint="write the link into that file; avatar-gitops show NAME --resolved --origin says which it is",
        )
    return with_item(text, path, one.proposed)


def _links(root: Path, item: DesiredSet, adviser: Adviser) -> tuple[LinkAdvice, DesiredSet]:
    """The links of a set, and the set with its keys declared: parameters are advised for the tables without them."""
    columns = {name: _key_columns(root, item, name) for name in item.run.spec.tables}
    keys = guess_keys(
        item.run, {name: {key: one.facts() for key, one in found.items()} for name, found in columns.items()}
    )
    declared = declared_links(item)
    said = AdvisedLinks()
    if any(table.primary for table in keys.values()) and any(table.foreign for table in keys.values()):
        said = adviser.advise_links(with_keys(item, keys, links=False))
    checks = {
        ends: check_keys(columns[ends.parent].get(ends.key), columns[ends.child].get(ends.foreign_key))
        for ends in {**said.links, **declared}
    }
    found = advise_links(item, keys, said, checks)
    return found, with_keys(item, found.keys)


def _key_columns(root: Path, item: DesiredSet, name: str) -> dict[str, KeyColumn]:
    table = item.run.spec.tables[name]
    expected = next(one for one in item.inputs if one.table == name)
    texts = [column for column, said in table.columns.items() if said.type is ColumnType.CATEGORY]
    try:
        with opened(root, table.source, expected) as path:
            return read_keys(path, lambda column: may_be_key(column, name, item.run), texts)
    except InputUnreadable as error:
        raise AvatarGitOpsError(f"{item.name}: the data of {name} cannot be read: {error.message}") from None


def _chosen(loaded: Loaded, names: Collection[str]) -> list[DesiredSet]:
    known = {item.name: item for item in loaded.desired}
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"did you mean `{near[0]}`?" if near else f"there are: {', '.join(known) or 'none'}"
            raise UsageError(f"there is no spec of a set `{name}`", hint=hint)
    return [item for name, item in known.items() if not names or name in names]
