"""Whether what ran was allowed: a plan on record, begun in the audit log, with approvals given before, by others."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from avatar_gitops.audit.archive import Finding
from avatar_gitops.audit.layout import PROJECT
from avatar_gitops.audit.log import HEAD, plan_path
from avatar_gitops.audit.story import LOG, Story, Told, object_in
from avatar_gitops.plan.lock import Lock
from avatar_gitops.policy.approvals import Approval

SECOND_PERSON: Final = "P031"
WAIVER: Final = re.compile(r"(?P<rule>\S+) (?P<owner>.+) until (?P<expires>\d{4}-\d\d-\d\d)")


def check(story: Story, told: Told, path: str, lock: Lock) -> Iterator[Finding]:
    """What denies that a published run was allowed; `path` is that of its lock."""
    if lock.applied is None:
        yield Finding(path, "it does not say by which plan the run was published")
        return
    yield from _planned(story, told, path, lock)
    yield from _allowed(story, told, path, lock)


def _planned(story: Story, told: Told, path: str, lock: Lock) -> Iterator[Finding]:
    """The plan on record has a change of this set, made from this spec and these data."""
    assert lock.applied is not None
    name = told.plans.get(lock.applied.plan_digest)
    if name is None:
        yield Finding(
            PROJECT + plan_path(lock.applied.plan_digest).as_posix(), f"it is missing; {path} names this plan"
        )
        return
    changes = {change["set"]: change["content"] for change in object_in(story.files[name])["changes"]}
    change = changes.get(lock.set)
    if change is None:
        yield Finding(name, f"it has no change of {lock.set}, whose lock file names this plan")
    elif change.get("input") != lock.digests.input:
        yield Finding(name, f"the data of {lock.set} are not those of its run")
    elif change.get("spec") != lock.digests.spec:
        told.notes.append(f"{lock.set}: what changed since its plan needed no run; {path} has the spec of now")


def _allowed(story: Story, told: Told, path: str, lock: Lock) -> Iterator[Finding]:
    """The audit log began the plan with this set, with these approvals, given before, by somebody else."""
    applied = lock.applied
    assert applied is not None
    begun = [
        entry
        for entry in told.log.entries
        if entry["phase"] == "begun" and entry["plan"] == applied.plan_digest and lock.set in entry["sets"]
    ]
    if not begun:
        if not told.log.broken:
            yield Finding(LOG + HEAD, f"no line of the audit log begins the plan of {lock.set}")
        return
    fitting = [entry for entry in begun if set(applied.approved_by) <= set(entry["approvals"])]
    if not fitting:
        extra = sorted(set(applied.approved_by) - {name for entry in begun for name in entry["approvals"]})
        yield Finding(path, f"the audit log knows no approval by {', '.join(extra)} of this plan")
        return
    entry = fitting[-1]
    for name, at in sorted(entry.get("approved_at", {}).items()):
        if at > entry["at"]:
            yield Finding(_line_of(entry), f"{name} approved at {at}, after the apply began at {entry['at']}")
    _untimed(told, lock, entry)
    yield from _second_person(story, told, path, lock, entry)
    for text in applied.waivers:
        found = WAIVER.fullmatch(text)
        if found is None or found["expires"] < entry["at"][:10]:
            yield Finding(path, f"the waiver of {text.partition(' ')[0]} had ended before the apply")
    _ended(told, lock, entry)


def _untimed(told: Told, lock: Lock, entry: Mapping[str, Any]) -> None:
    missing = sorted(set(lock.applied.approved_by if lock.applied else ()) - set(entry.get("approved_at", {})))
    if missing:
        told.notes.append(
            f"{lock.set}: nobody recorded when {', '.join(missing)} approved; the log has it at the apply"
        )


def _second_person(story: Story, told: Told, path: str, lock: Lock, entry: Mapping[str, Any]) -> Iterator[Finding]:
    """Where the policy asked for a second person and was satisfied, there was one."""
    assert lock.applied is not None
    name = told.plans.get(lock.applied.plan_digest, "")
    policy = object_in(story.files.get(name, b"")).get("policy", {})
    if not lock.applied.weaker or SECOND_PERSON not in policy.get("passed", ()):
        return
    if "authors" not in entry:
        told.notes.append(f"{lock.set}: the audit log does not say who wrote the change")
        return
    asked = Approval(tuple(entry["approvals"]), tuple(entry["authors"]), story.required, story.people)
    if not set(lock.applied.approved_by) & set(asked.counting):
        text = "its privacy got weaker, and nobody approved it who may and who did not write the change"
        yield Finding(path, text)


def _ended(told: Told, lock: Lock, begun: Mapping[str, Any]) -> None:
    ends = [
        entry
        for entry in told.log.entries
        if entry["phase"] == "ended" and entry["run"] == begun["run"] and entry["seq"] > begun["seq"]
    ]
    if not ends:
        told.notes.append(f"{lock.set}: the audit log does not say how the apply of its plan ended")


def _line_of(entry: Mapping[str, Any]) -> str:
    return f"{LOG}{entry['at'][:7]}.jsonl"
