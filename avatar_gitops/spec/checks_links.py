"""Cross-checks of links: a connected acyclic graph of tables, from primary keys to foreign keys, with people on top."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from avatar_gitops.diagnostics import Diagnostic, Related, Severity
from avatar_gitops.spec.checks_columns import Use, not_a_column
from avatar_gitops.spec.facts import Shape
from avatar_gitops.spec.models import AvatarRun, Link, LinkMethod, Table
from avatar_gitops.spec.nodes import Path
from avatar_gitops.spec.parse import Parsed
from avatar_gitops.spec.wording import near

TABLES: Path = ("spec", "tables")


@dataclass(frozen=True, slots=True)
class Said:
    """A link and where it stands."""

    parent: str
    link: Link
    path: Path

    @property
    def child(self) -> str:
        """The table it leads to."""
        return self.link.to.table


def check_links(parsed: Parsed[AvatarRun], run: AvatarRun, shapes: Mapping[str, Shape]) -> Iterator[Diagnostic]:
    """Findings about the links of a run. What the whole graph must be is only asked when each link is sound."""
    tables = run.spec.tables
    said = [
        Said(name, link, (*TABLES, name, "links", index))
        for name, table in tables.items()
        for index, link in enumerate(table.links or ())
    ]
    wrong = [finding for item in said for finding in _ends(parsed, tables, item, shapes)]
    wrong += _twice(parsed, said)
    yield from wrong
    yield from (finding for item in said for finding in _original_order(parsed, item))
    yield from _primary_keys(parsed, tables)
    yield from _kept_apart(parsed, tables, said)
    if not wrong:
        circle = list(_circle(parsed, said))
        yield from circle
        if not circle:
            yield from _apart(parsed, tables, said)
            yield from _people(parsed, tables, said)


def _ends(
    parsed: Parsed[AvatarRun], tables: Mapping[str, Table], said: Said, shapes: Mapping[str, Shape]
) -> Iterator[Diagnostic]:
    to: Path = (*said.path, "to", "table")
    if said.child == said.parent:
        yield Diagnostic(
            code="X031",
            message=f"table `{said.parent}` is linked to itself",
            span=parsed.locate(to),
            path=to,
            why="a link leads from a parent to another table, so that parents can be anonymized first",
            fix="remove the link; `identifier: true` on the column keeps its rows together",
        )
    elif said.child not in tables:
        guess = near(said.child, list(tables))
        yield Diagnostic(
            code="X030",
            message=f"`{said.child}` is not a table of this run",
            span=parsed.locate(to),
            path=to,
            label=f"did you mean `{guess}`?" if guess else f"tables: {', '.join(tables)}",
            fix="write the name of the child table as it stands under `tables`",
        )
    else:
        yield from _keys(parsed, tables, said, shapes)


def _keys(
    parsed: Parsed[AvatarRun], tables: Mapping[str, Table], said: Said, shapes: Mapping[str, Shape]
) -> Iterator[Diagnostic]:
    start, end = (*said.path, "field"), (*said.path, "to", "field")
    field, foreign = said.link.field, said.link.to.field
    header = shapes.get(said.child)
    if header is not None and foreign not in header.columns:
        yield not_a_column(parsed, said.child, Use(foreign, end, "a foreign key"), header)
        return
    mine, theirs = tables[said.parent].columns.get(field), tables[said.child].columns.get(foreign)
    if mine is None or not mine.primary_key or mine.drop:
        message = f"`{field}` is not declared the primary key of table `{said.parent}`"
        fix = f"add `{field}: {{primary_key: true}}` to the columns of table `{said.parent}`"
        yield _no_key(parsed, start, message, fix)
    if theirs is not None and theirs.primary_key:
        message = f"`{foreign}` is the primary key of table `{said.child}`, and a foreign key too"
        yield _no_key(parsed, end, message, "put both tables together, or give the child a key of its own")
    elif theirs is None or not theirs.identifier or theirs.drop:
        message = f"`{foreign}` is not declared a foreign key of table `{said.child}`"
        fix = f"add `{foreign}: {{identifier: true}}` to the columns of table `{said.child}`"
        yield _no_key(parsed, end, message, fix)


def _no_key(parsed: Parsed[AvatarRun], path: Path, message: str, fix: str) -> Diagnostic:
    why = "keys are never modelled: they are issued again, so that no key of a person comes back"
    return Diagnostic(code="X034", message=message, span=parsed.locate(path), path=path, why=why, fix=fix)


def _twice(parsed: Parsed[AvatarRun], said: list[Said]) -> Iterator[Diagnostic]:
    first: dict[frozenset[str], Said] = {}
    for item in said:
        pair = frozenset({item.parent, item.child})
        if pair not in first:
            first[pair] = item
        elif len(pair) > 1 and first[pair].parent == item.parent:
            yield Diagnostic(
                code="X032",
                message=f"tables `{item.parent}` and `{item.child}` are linked twice",
                span=parsed.locate(item.path),
                path=item.path,
                label="second link",
                why="an avatar of the child has one parent avatar in each table",
                fix="keep one link; `identifier: true` keeps the values of the other key together",
                related=(Related(parsed.locate(first[pair].path), "first link"),),
            )


def _primary_keys(parsed: Parsed[AvatarRun], tables: Mapping[str, Table]) -> Iterator[Diagnostic]:
    for name, table in tables.items():
        keys = [column for column, about in table.columns.items() if about.primary_key]
        for extra in keys[1:]:
            first, path = ((*TABLES, name, "columns", column, "primary_key") for column in (keys[0], extra))
            yield Diagnostic(
                code="X034",
                message=f"table `{name}` has two primary keys",
                span=parsed.locate_key(path),
                path=path,
                label="second key",
                why="the primary key numbers the rows of the avatars",
                fix="keep one; another key is `identifier: true`",
                related=(Related(parsed.locate_key(first), "first key"),),
            )


def _kept_apart(parsed: Parsed[AvatarRun], tables: Mapping[str, Table], said: list[Said]) -> Iterator[Diagnostic]:
    linked = {name for item in said for name in (item.parent, item.child)}
    for name, table in tables.items():
        method = table.avatarization
        if name in linked and method is not None and method.holdout_share is not None and method.k is not None:
            path: Path = (*TABLES, name, "avatarization", "holdout_share")
            yield Diagnostic(
                code="X038",
                message=f"`holdout_share` cannot cut table `{name}`, which is linked",
                span=parsed.locate_key(path),
                path=path,
                why="rows of other tables belong to the rows that would be kept apart",
                fix="take it away, or give the table a `holdout` file",
            )


def _circle(parsed: Parsed[AvatarRun], said: list[Said]) -> Iterator[Diagnostic]:
    open_links = list(said)
    while free := [item for item in open_links if item.parent not in {other.child for other in open_links}]:
        open_links = [item for item in open_links if item not in free]
    while free := [item for item in open_links if item.child not in {other.parent for other in open_links}]:
        open_links = [item for item in open_links if item not in free]
    if open_links:
        last = open_links[-1]
        others = tuple(Related(parsed.locate(item.path), "part of the circle") for item in open_links[:-1])
        yield Diagnostic(
            code="X033",
            message=f"the links of table `{last.parent}` run in a circle",
            span=parsed.locate(last.path),
            path=last.path,
            label=f"leads back over `{last.child}`",
            why="parents are anonymized before their children",
            fix="remove one of these links",
            related=others,
        )


def _apart(parsed: Parsed[AvatarRun], tables: Mapping[str, Table], said: list[Said]) -> Iterator[Diagnostic]:
    if not said:
        return
    reached = {said[0].parent}
    while more := {name for item in said for name in (item.parent, item.child) if _touches(item, reached)} - reached:
        reached |= more
    for name in tables:
        if name not in reached:
            path: Path = (*TABLES, name)
            yield Diagnostic(
                code="X035",
                message=f"table `{name}` is not linked to the others",
                span=parsed.locate_key(path),
                path=path,
                why="the tables of a run with links hang together, directly or through others",
                fix="add a link, or give the table a spec of its own",
                related=(Related(parsed.locate(said[0].path), "a link of this run"),),
            )


def _touches(said: Said, names: set[str]) -> bool:
    return said.parent in names or said.child in names


def _people(parsed: Parsed[AvatarRun], tables: Mapping[str, Table], said: list[Said]) -> Iterator[Diagnostic]:
    children = {item.child for item in said}
    for name, table in tables.items():
        method = table.avatarization
        if method is not None and (method.open_dp or method.fast_dp):
            continue  # differential privacy has its own unit, see `checks_dp`
        if not table.individual_level and name not in children:
            path: Path = (*TABLES, name, "individual_level")
            yield Diagnostic(
                code="X036",
                message=f"table `{name}` has no parent, so each of its rows has to be one person",
                span=parsed.locate(path),
                path=path,
                why="privacy is that of people; rows that belong to nobody protect nobody",
                fix="remove the line, or link the table of the people it is about to it",
            )


def _original_order(parsed: Parsed[AvatarRun], said: Said) -> Iterator[Diagnostic]:
    if said.link.method is LinkMethod.SENSITIVE_ORIGINAL_ORDER_ASSIGNMENT:
        path: Path = (*said.path, "method")
        yield Diagnostic(
            code="X037",
            severity=Severity.WARNING,
            message=f"the avatars of table `{said.parent}` keep the rows of their own people in table `{said.child}`",
            span=parsed.locate(path),
            path=path,
            why="who recognises one row of a person has all of them: a serious breach of privacy",
            fix="write `linear_sum_assignment`, or remove the line",
        )
