"""Links between the tables of a set: what a platform advises beside what is declared, and whether the keys hold.

The platform goes by names. What is said of the values are numbers of rows, which leave here in buckets only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from avatar_gitops.plan.advice import Proposal
from avatar_gitops.plan.desired import DesiredSet, FieldPath
from avatar_gitops.plan.keys import TableKeys
from avatar_gitops.spec import fields
from avatar_gitops.spec.facts import bucket
from avatar_gitops.spec.models import Avatarization, Column, LinkMethod

TABLES: Final[FieldPath] = ("spec", "tables")
TIMES: Final = frozenset({"t", "time", "timestamp", "ts", "temps"})
SURE: Final = {
    "high": "the names leave no doubt",
    "medium": "the key is called after the table",
    "low": "the names are somewhat alike: look twice",
}
METHODS: Final = {
    LinkMethod.LINEAR_SUM_ASSIGNMENT: "best match on the whole, with as many children as each parent avatar asks for",
    LinkMethod.MINIMUM_DISTANCE_ASSIGNMENT: "each child goes to the nearest parent avatar",
    LinkMethod.SENSITIVE_ORIGINAL_ORDER_ASSIGNMENT: "children stay with the avatar of their own parent",
    LinkMethod.TIME_SERIES: "the child holds series of the parent",
}


@dataclass(frozen=True, slots=True, order=True)
class Ends:
    """Primary key of a parent and foreign key of a child."""

    parent: str
    key: str
    child: str
    foreign_key: str


@dataclass(frozen=True, slots=True)
class AdvisedLinks:
    """What a platform says: links with method and confidence, and foreign keys that may lead to several tables or none.

    `refused` says why it gave no advice.
    """

    links: Mapping[Ends, tuple[LinkMethod, str]] = field(default_factory=dict)
    unlinked: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    refused: str = ""


@dataclass(frozen=True, slots=True)
class KeyCheck:
    """Rows of the parent without a key and with one that another row has; rows of the child whose parent is not there,
    and that name none; whether several children have the same parent. Numbers are only shown through `bucket`.
    """

    without_key: int = field(repr=False)
    repeated: int = field(repr=False)
    orphans: int = field(repr=False)
    without_parent: int = field(repr=False)
    several: bool

    @property
    def holds(self) -> bool:
        """Whether the platform can link by these keys; a child may be without a parent."""
        return not (self.without_key or self.repeated or self.orphans)


class Standing(StrEnum):
    """How a link stands: advised and to be written, declared, declared otherwise, or not possible as things are."""

    PROPOSED = "proposed"
    DECLARED = "declared"
    DIFFERS = "differs"
    BROKEN = "broken"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class LinkFinding:
    """One link; `check` is None where the keys were not compared. `fix` is for what is not possible."""

    ends: Ends
    method: LinkMethod
    standing: Standing
    declared: bool
    why: str
    check: KeyCheck | None = None
    confidence: str = ""
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Unclear:
    """A foreign key that leads nowhere for sure."""

    table: str
    column: str
    candidates: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LinkAdvice:
    """All about the links of one set, the fields that would be written for it, and the keys of the tables concerned."""

    findings: tuple[LinkFinding, ...] = ()
    unclear: tuple[Unclear, ...] = ()
    proposals: tuple[Proposal, ...] = ()
    notes: tuple[str, ...] = ()
    keys: Mapping[str, TableKeys] = field(default_factory=dict)
    refused: str = ""


def declared_links(desired: DesiredSet) -> dict[Ends, tuple[int, LinkMethod]]:
    """The links of a spec with their place in the list of their parent."""
    return {
        Ends(name, link.field, link.to.table, link.to.field): (place, link.method)
        for name, table in desired.run.spec.tables.items()
        for place, link in enumerate(table.links or ())
    }


def advise_links(
    desired: DesiredSet,
    keys: Mapping[str, TableKeys],
    said: AdvisedLinks,
    checks: Mapping[Ends, KeyCheck | None],
) -> LinkAdvice:
    """Compare advice with what is declared, and propose what is missing and possible.

    Nothing is proposed that would not hold: a run links all its tables or none, and the keys of a link must fit.
    """
    declared = declared_links(desired)
    found = [_declared(ends, method, said, checks.get(ends)) for ends, (_, method) in declared.items()]
    linked = {(ends.child, ends.foreign_key) for ends in declared}
    for ends, advice in said.links.items():
        if (ends.child, ends.foreign_key) not in linked:
            others = [one.ends for one in found if one.declared or one.standing is Standing.PROPOSED]
            found.append(_possible(desired, _advised(ends, advice, checks.get(ends)), others))
    found = list(_hanging_together(desired, found))
    unclear = tuple(Unclear(*place, names) for place, names in said.unlinked.items() if place not in linked)
    concerned = {name for one in found for name in (one.ends.parent, one.ends.child)} | {one.table for one in unclear}
    if said.refused:  # keys are keys, whoever says what they lead to
        concerned |= {name for name, own in keys.items() if own.primary or own.foreign}
    mine = {name: keys[name] for name in desired.run.spec.tables if name in concerned}
    return LinkAdvice(
        findings=tuple(found),
        unclear=unclear,
        proposals=(*_keys(desired, mine, found), *_links(desired, found), *_methods(desired, said)),
        notes=tuple(_notes(desired, found)),
        keys=mine,
        refused=said.refused,
    )


def _declared(ends: Ends, method: LinkMethod, said: AdvisedLinks, check: KeyCheck | None) -> LinkFinding:
    other = next((one for one in said.links if (one.child, one.foreign_key) == (ends.child, ends.foreign_key)), None)
    advised = said.links.get(ends)
    found = LinkFinding(
        ends, method, Standing.DECLARED, True, "declared, as advised", check, advised[1] if advised else ""
    )
    if check is not None and not check.holds:
        return replace(found, standing=Standing.BROKEN, why="declared", fix=_mend(ends, check))
    if said.refused:
        return replace(found, why="declared")
    if advised is None and other is not None:
        return replace(found, standing=Standing.DIFFERS, why=f"declared; by its name it leads to {other.parent}")
    if advised is None:
        return replace(found, why="declared; the names say nothing")
    if method not in (advised[0], LinkMethod.TIME_SERIES):
        return replace(found, standing=Standing.DIFFERS, why=f"declared; advised: {advised[0].value}")
    return found


def _advised(ends: Ends, advice: tuple[LinkMethod, str], check: KeyCheck | None) -> LinkFinding:
    method, confidence = advice
    why = f"{confidence}: {SURE[confidence]}" if confidence in SURE else "advised"
    found = LinkFinding(ends, method, Standing.PROPOSED, False, why, check, confidence)
    if check is not None and not check.holds:
        return replace(found, standing=Standing.BROKEN, fix=_mend(ends, check))
    return found


def _possible(desired: DesiredSet, found: LinkFinding, others: Sequence[Ends]) -> LinkFinding:
    """A finding, blocked where a spec with its link and these others would not be valid."""
    if found.standing is not Standing.PROPOSED:
        return found
    ends, why, fix = found.ends, "", ""
    for name in (ends.parent, ends.child):
        said = desired.run.spec.tables[name].avatarization
        if reason := _in_the_way(said) if said else "":
            why, fix = f"{reason} of {name} is not for linked tables", f"take {reason} out of {name} and ask again"
    if any({ends.parent, ends.child} == {other.parent, other.child} for other in others):
        why = f"{ends.parent} and {ends.child} are linked by other keys, and two tables have one link"
        fix = f"let {ends.child}.{ends.foreign_key} be `identifier: true` without a link"
    elif ends.parent in _below(ends.child, others):
        why, fix = "it would close a circle, and parents come before their children", "choose which link is left out"
    return replace(found, standing=Standing.BLOCKED, why=why, fix=fix) if why else found


def _below(table: str, links: Sequence[Ends]) -> set[str]:
    """A table with all its children and theirs."""
    reached = {table}
    while more := {link.child for link in links if link.parent in reached} - reached:
        reached |= more
    return reached


def _in_the_way(said: Avatarization) -> str:
    """A setting that linked tables cannot have."""
    settings = ("holdout_share", "data_augmentation", "open_dp", "fast_dp")
    return next((name for name in settings if getattr(said, name) is not None), "")


def _mend(ends: Ends, check: KeyCheck) -> str:
    if check.without_key or check.repeated:
        return f"give each row of {ends.parent} a key of its own"
    return f"add the missing rows of {ends.parent}, remove those of {ends.child}, or leave their key empty"


def _hanging_together(desired: DesiredSet, found: Sequence[LinkFinding]) -> Iterator[LinkFinding]:
    """The findings; proposals are blocked when some table would hang apart."""
    pairs = [{one.ends.parent, one.ends.child} for one in found if one.declared or one.standing is Standing.PROPOSED]
    reached = set(pairs[0]) if pairs else set()
    while more := set().union(*(pair for pair in pairs if pair & reached)) - reached:
        reached |= more
    apart = next((name for name in desired.run.spec.tables if name not in reached), None)
    for one in found:
        if one.standing is Standing.PROPOSED and apart is not None:
            why = f"table {apart} would hang apart, and a run links all its tables or none"
            yield replace(one, standing=Standing.BLOCKED, why=why, fix=f"link {apart}, too, or give it its own spec")
        else:
            yield one


def _notes(desired: DesiredSet, found: Sequence[LinkFinding]) -> Iterator[str]:
    """What a table with several rows for one of its parent may be, where the spec says nothing about it."""
    parents = {one.ends.parent for one in found}
    several = {one.ends.child: one for one in reversed(found) if one.check is not None and one.check.several}
    for name, one in several.items():
        table = desired.run.spec.tables[name]
        if "individual_level" not in table.model_fields_set and name not in parents:
            yield (
                f"several rows of {name} belong to one row of {one.ends.parent}: with the link, say"
                f" `individual_level: false` in table {name}, unless each of its rows is another person"
            )
        time = next((column for column in _columns(desired, name) if column.lower() in TIMES), None)
        if time is not None and not any(column.time_series_time for column in table.columns.values()):
            yield (
                f"if {name}.{time} is the time of a series of each row of {one.ends.parent}: say"
                f" `time_series_time: true` there, and `method: time_series` in the link"
            )


def _columns(desired: DesiredSet, table: str) -> tuple[str, ...]:
    return next((one.columns for one in desired.inputs if one.table == table), ())


def _keys(desired: DesiredSet, keys: Mapping[str, TableKeys], found: Sequence[LinkFinding]) -> Iterator[Proposal]:
    """The keys that nobody declared; they are none the less keys where their link is not possible yet."""
    named = {(one.ends.parent, one.ends.key): f"{one.ends.child}.{one.ends.foreign_key} names it" for one in found}
    names = {(one.ends.child, one.ends.foreign_key): f"names rows of {one.ends.parent}" for one in found}
    for name, mine in keys.items():
        columns = desired.run.spec.tables[name].columns
        own = [(mine.primary, "primary_key", named.get((name, mine.primary or ""), "another one in each row"))]
        others = [(key, "identifier", names.get((name, key), "called like the key of a table")) for key in mine.foreign]
        for column, role, why in (*own, *others):
            if column is not None and not getattr(columns.get(column, Column()), role):
                path: FieldPath = (*TABLES, name, "columns", column, role)
                yield Proposal(name, path, None, True, why, fields.direction(path, None, True))


def _links(desired: DesiredSet, found: Sequence[LinkFinding]) -> Iterator[Proposal]:
    for name, table in desired.run.spec.tables.items():
        mine = (one for one in found if one.standing is Standing.PROPOSED and one.ends.parent == name)
        for place, one in enumerate(mine, start=len(table.links or ())):
            to = {"table": one.ends.child, "field": one.ends.foreign_key}
            link = {"field": one.ends.key, "to": to, "method": one.method.value}
            way = fields.direction((*TABLES, name, "links"), None, [link])
            yield Proposal(name, (*TABLES, name, "links", place), None, link, METHODS[one.method], way)


def _methods(desired: DesiredSet, said: AdvisedLinks) -> Iterator[Proposal]:
    """Methods that are declared otherwise than advised; a table is of time series whatever the names say."""
    for ends, (place, method) in declared_links(desired).items():
        advised = said.links.get(ends)
        if advised is not None and method not in (advised[0], LinkMethod.TIME_SERIES):
            path: FieldPath = (*TABLES, ends.parent, "links", place, "method")
            sides = ([{"to": ends.child, "method": side}] for side in (method, advised[0]))
            way = fields.direction((*TABLES, ends.parent, "links"), *sides)
            yield Proposal(ends.parent, path, method.value, advised[0].value, METHODS[advised[0]], way)


def key_words(ends: Ends, check: KeyCheck | None) -> str:
    """What the values say of a link, in words; rows in buckets."""
    if check is None:
        return "not compared: too many keys"
    faults = []
    if check.without_key:
        faults.append(f"{bucket(check.without_key)} rows of {ends.parent} have no key")
    if check.repeated:
        faults.append(f"{bucket(check.repeated)} rows of {ends.parent} share their key")
    if check.orphans:
        faults.append(f"{bucket(check.orphans)} rows of {ends.child} name no row of {ends.parent}")
    if faults:
        return "; ".join(faults)
    return f"hold; {bucket(check.without_parent)} rows name none" if check.without_parent else "hold"
