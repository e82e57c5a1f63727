"""What no plan may do without consent: take over sets of others, delete everything, change too much at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from avatar_gitops.errors import UnsafePlan
from avatar_gitops.plan.blocks import Blocks
from avatar_gitops.plan.claims import may_adopt
from avatar_gitops.plan.desired import DesiredSet
from avatar_gitops.plan.model import Action, Change, NoteKind, Plan
from avatar_gitops.plan.observed import Observed, ServerSet
from avatar_gitops.plan.select import Selection
from avatar_gitops.spec.project import Prune, Thresholds

FOREIGN: Final = "R003"
ADOPTION: Final = "R004"
TOO_MUCH: Final = "R005"
EVERYTHING: Final = "R007"


@dataclass(frozen=True, slots=True)
class Options:
    """What the project file and the command line allow.

    `force` is the reason for going over a threshold. `look` = somebody only looks, so nothing is refused.
    `today` is the day in UTC, which retention is compared with; without it nothing is due. `blocks` is what the project
    file says about names that changed, went or came.
    """

    prune: Prune = Prune.NEVER
    thresholds: Thresholds = field(default_factory=Thresholds)
    allow_delete: frozenset[str] = frozenset()
    allow_relaunch: frozenset[str] = frozenset()
    force: str = ""
    look: bool = False
    selection: Selection = field(default_factory=Selection)
    today: date = date.min
    blocks: Blocks = field(default_factory=Blocks)


def refuse_foreign(desired: Iterable[DesiredSet], foreign: Mapping[str, Sequence[ServerSet]]) -> None:
    """Refuse to write to a name that exists on the server and is not ours."""
    taken = [item for item in desired if item.name in foreign]
    if not taken:
        return
    names = ", ".join(f"`{item.name}`" for item in taken)
    owners = sorted({version.project or "nobody" for item in taken for version in foreign[item.name]})
    exists = "set {} exists on the server and does" if len(taken) == 1 else "sets {} exist on the server and do"
    places = ", ".join(_place(item) for item in taken)
    raise UnsafePlan(
        f"{exists.format(names)} not belong to this project (owner: {', '.join(owners)})",
        hint=f"use another name in {places}, or adopt it: avatar-gitops adopt {taken[0].name}",
        code=FOREIGN,
    )


def _place(item: DesiredSet) -> str:
    line = item.lines.get(("metadata", "name"), 0)
    return f"{item.path}:{line}" if line else item.path


def refuse_adoption(changes: Iterable[Change], observed: Observed, project: str, options: Options) -> None:
    """Refuse to go on without a version that is to be adopted: it is not there, or another project owns it."""
    known = {version.id: version for version in observed.sets}
    selected = {change.set: change for change in changes}
    for entry in options.blocks.adopted:
        change, version = selected.get(entry.set), known.get(entry.id.lower())
        if change is None or change.desired is None or (change.lock and entry.id.lower() in change.lock.adopted):
            continue
        if version is None and change.lock is None:
            raise UnsafePlan(
                f"the set to adopt as `{entry.set}` is not on the server {observed.server}: {entry.id}",
                hint="correct its id under `adopted` in avatar-gitops.yaml, or remove the entry",
                code=ADOPTION,
            )
        if version is not None and not may_adopt(entry, version, project):
            raise UnsafePlan(
                f"the set to adopt as `{entry.set}` belongs to project {version.project}: {entry.id}",
                hint="two projects must not both answer for it: let that project list it under `removed` with "
                "keep_results, then say `take_over: true` in the entry under `adopted`",
                code=ADOPTION,
            )


def named(options: Options) -> frozenset[str]:
    """Sets whose deletion somebody consented to by name: on the command line, or in the project file."""
    consented = (entry.set for entry in options.blocks.removed if not entry.keep_results)
    return options.allow_delete.union(consented)


def refuse_everything(desired: Sequence[DesiredSet], changes: Sequence[Change], options: Options) -> None:
    """Refuse to delete everything because no spec was found, unless each set was named."""
    deleted = [change.set for change in changes if change.action is Action.DELETE and change.versions]
    unnamed = sorted(set(deleted) - named(options))
    if desired or not unnamed:
        return
    raise UnsafePlan(
        f"no run spec was found, and all {len(deleted)} owned sets would be deleted: {', '.join(sorted(deleted))}",
        hint="check the folder of the specs and the branch; to delete on purpose name each set: "
        + " ".join(f"--allow-delete {name}" for name in unnamed),
        code=EVERYTHING,
    )


def refuse_too_much(plan: Plan, owned: int, options: Options) -> None:
    """Refuse to delete or relaunch a larger share of the owned sets than the project allows, unless forced."""
    limits = options.thresholds
    if options.force.strip() or owned < limits.min_sets:
        return
    for action, meant, percent, verb in (
        (Action.DELETE, named(options), limits.max_delete_percent, "deleted"),
        (Action.RELAUNCH, options.allow_relaunch, limits.max_relaunch_percent, "relaunched"),
    ):
        names = sorted(c.set for c in plan.changes if c.action is action and c.versions and c.set not in meant)
        if 100 * len(names) > percent * owned:
            share = f"{round(100 * len(names) / owned)} %, limit {percent} %"
            raise UnsafePlan(
                f"{len(names)} of {owned} owned sets would be {verb} ({share}): {', '.join(names)}",
                hint='if it is meant: --force "why", the reason is recorded; '
                f"or name each set with --allow-{action.value} NAME{_renames(plan) if action is Action.DELETE else ''}",
                code=TOO_MUCH,
            )


def _renames(plan: Plan) -> str:
    """The lines that make a rename of what looks like one, to be pasted as they are."""
    found = [
        note.code.removeprefix("moved: [").removesuffix("]") for note in plan.notes if note.kind is NoteKind.RENAME
    ]
    if not found:
        return ""
    new = "1 new set has the content of one" if len(found) == 1 else f"{len(found)} new sets have the content of others"
    rename = "that left git; if this is a rename, say so under `spec` in avatar-gitops.yaml"
    return "\n".join([f"\n   = {new} {rename}:", "     moved:", *(f"       - {entry}" for entry in found)])
