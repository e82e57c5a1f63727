"""Whether the documents of a bundle tell one story: spec, plan, approvals, run, files, deletion, audit log."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePosixPath

from avatar_gitops.audit import journals, runs, sources
from avatar_gitops.audit.archive import Finding, guarded
from avatar_gitops.audit.documents import problem
from avatar_gitops.audit.integrity import Files, statement_in
from avatar_gitops.audit.layout import MANIFEST, PROJECT
from avatar_gitops.audit.log import HEAD, MONTH, head_in, lines_in, plan_path
from avatar_gitops.audit.records import AuditLine
from avatar_gitops.audit.story import LOG, Story, Told, object_in
from avatar_gitops.audit.verify import Verified, verify_lines
from avatar_gitops.spec.canonical import canonical, digest


def check(story: Story, told: Told) -> Iterator[Finding]:
    """What one document says and another one denies."""
    yield from guarded(LOG + HEAD, _log(story, told))
    yield from _plans(story, told)
    yield from guarded(MANIFEST, _manifest(story, told))
    yield from sources.check(story, told)
    yield from journals.check(story, told)
    for path, lock in sorted(story.locks.items()):
        yield from guarded(path, runs.check(story, told, path, lock))
    yield from guarded(LOG + HEAD, _deletions(story, told))


def _log(story: Story, told: Told) -> Iterator[Finding]:
    """The chain of the audit log, and lines of another form, which are not read any further."""
    told.log = audit_log(story.files)
    if told.log.broken:
        file, _, what = told.log.broken.partition(": ")
        yield Finding(PROJECT + file, what)
    told.notes += told.log.notes
    lines = [(entry, problem(AuditLine, canonical(dict(entry)))) for entry in told.log.entries]
    for entry, wrong in lines:
        if wrong:
            yield Finding(
                f"{LOG}{str(entry.get('at'))[:7]}.jsonl", f"line {entry.get('seq')} has another form ({wrong})"
            )
    told.log = replace(told.log, entries=tuple(entry for entry, wrong in lines if not wrong))


def audit_log(files: Files) -> Verified:
    """The audit log in a bundle, checked."""
    names = sorted(name for name in files if name.startswith(LOG) and MONTH.fullmatch(name.removeprefix(LOG)))
    found = (line for name in names for line in lines_in(name.removeprefix(LOG), files[name]))
    head = files.get(LOG + HEAD)
    return verify_lines(found, None if head is None else head_in(head))


def _plans(story: Story, told: Told) -> Iterator[Finding]:
    """Digests of recorded plans and of their changes, computed again."""
    for name in sorted(story.files):
        if not name.startswith(f"{LOG}plans/"):
            continue
        content = object_in(story.files[name])
        try:
            changes = [(change["set"], change["digest"], change["content"]) for change in content["changes"]]
            wrong = [of for of, said, made_from in changes if digest(made_from) != said or made_from["set"] != of]
            pairs = sorted([of, said] for of, said, _ in changes)
            whole = digest({"project": content["project"], "server": content["server"], "changes": pairs})
            said = str(content["digest"])
        except (KeyError, TypeError, ValueError):
            continue  # not of the form of its schema, which is told
        told.plans[said] = name
        if wrong:
            yield Finding(name, f"the digest of the change of {', '.join(map(str, wrong))} is not that of its content")
        if whole != said:
            yield Finding(name, "the digest of the plan is not that of its changes")
        if PROJECT + plan_path(said).as_posix() != name:
            yield Finding(name, "it stands under the name of another plan")


def _manifest(story: Story, told: Told) -> Iterator[Finding]:
    """What the statement about the bundle says of its sets and of the end of the log."""
    content = statement_in(story.files, MANIFEST)
    if content is None:
        return
    said, entries = content["predicate"], told.log.entries
    last = {"seq": entries[-1]["seq"], "digest": entries[-1]["digest"]} if entries else None
    if not told.log.broken and said["audit"] != last:
        yield Finding(LOG + HEAD, "the audit log does not end where the manifest says; lines were removed or added")
    published = {item["set"]: item for item in said["sets"] if item["state"] == "published"}
    by_set = {lock.set: path for path, lock in story.locks.items()}
    for name in sorted(published.keys() - by_set.keys()):
        yield Finding(MANIFEST, f"it names {name}, whose lock file is not in the bundle")
    for name in sorted(by_set.keys() - published.keys()):
        yield Finding(by_set[name], "the manifest does not name its set")


def _deletions(story: Story, told: Told) -> Iterator[Finding]:
    """Receipts name a plan of the log that deletes their set, and nobody who did not approve."""
    published = {lock.set for lock in story.locks.values()}
    for name in sorted(story.files):
        if not name.startswith(f"{PROJECT}{story.out}/") or PurePosixPath(name).name != "deletion.json":
            continue
        receipt = object_in(story.files[name])
        gone = str(receipt.get("set", ""))
        begun = [
            entry
            for entry in told.log.entries
            if entry["phase"] == "begun" and entry["plan"] == receipt.get("plan_digest")
            and entry["sets"].get(gone) == "delete"
        ]  # fmt: skip
        if story.artifact(gone, "deletion.json") != name:
            yield Finding(name, "it is the receipt of another set")
        elif gone in published:
            yield Finding(name, "the set is deleted, and a lock file says that it is published")
        elif not begun:
            yield Finding(name, "no line of the audit log begins a plan that deletes this set")
        else:
            extra = sorted(set(receipt.get("approved_by", ())) - set(begun[-1]["approvals"]))
            if extra:
                yield Finding(name, f"the audit log knows no approval by {', '.join(extra)}")
            if str(receipt.get("deleted_at", ""))[:19] < begun[0]["at"][:19]:
                yield Finding(name, "it was deleted before the apply of its plan began")
