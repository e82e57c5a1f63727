"""Whether the documents of a bundle tell one story: spec, plan, approvals, run, files, deletion, audit log."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Any, Final

from avatar_gitops.audit.archive import Finding, guarded
from avatar_gitops.audit.documents import problem
from avatar_gitops.audit.integrity import Files, statement_in
from avatar_gitops.audit.layout import MANIFEST, PROJECT, RESOLVED, SUMS, is_document
from avatar_gitops.audit.log import FOLDER, HEAD, MONTH, head_in, lines_in, plan_path
from avatar_gitops.audit.records import AuditLine
from avatar_gitops.audit.statement import ENVELOPE, FILE, REPLAY_FILE, Origin, run_statement, sha256, subjects
from avatar_gitops.audit.verify import Verified, verify_lines
from avatar_gitops.plan.desired import input_digest
from avatar_gitops.plan.lock import Lock
from avatar_gitops.plan.signoff import STATEMENTS, Signatures, SignOff
from avatar_gitops.policy.approvals import Approval
from avatar_gitops.policy.gates import evaluate
from avatar_gitops.spec.canonical import canonical, digest
from avatar_gitops.spec.signoffs import FOLDER as SIGNOFFS

SECOND_PERSON: Final = "P031"
WAIVER: Final = re.compile(r"(?P<rule>\S+) (?P<owner>.+) until (?P<expires>\d{4}-\d\d-\d\d)")
LOG: Final = f"{PROJECT}{FOLDER.as_posix()}/"


@dataclass(frozen=True, slots=True)
class Story:
    """A bundle as it is understood: its files, its locks by their path, the folder of its artifacts, who approves.

    `required` and `people` are those of its policy (see `policy.approvals.Approval`), `signoffs` are the signatures
    under the assessment of each set.
    """

    files: Files
    locks: Mapping[str, Lock]
    out: str
    required: tuple[str, ...] = ()
    people: Mapping[str, Sequence[str]] = field(default_factory=dict)
    signoffs: Mapping[str, Sequence[SignOff]] = field(default_factory=dict)

    def artifact(self, name: str, file: str) -> str:
        """Path in the bundle of a file that a set left."""
        return f"{PROJECT}{self.out}/{name}/{file}"


@dataclass(slots=True)
class Told:
    """What a check has seen: the audit log, and what is worth saying of it."""

    log: Verified = field(default_factory=Verified)
    plans: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    signed: list[str] = field(default_factory=list)


def check(story: Story, told: Told) -> Iterator[Finding]:
    """What one document says and another one denies."""
    yield from guarded(LOG + HEAD, _log(story, told))
    yield from _plans(story, told)
    yield from guarded(MANIFEST, _manifest(story, told))
    for path, lock in sorted(story.locks.items()):
        yield from guarded(path, _run(story, told, path, lock))
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
        content = _object(story.files[name])
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


def _run(story: Story, told: Told, path: str, lock: Lock) -> Iterator[Finding]:
    yield from _spec(story, path, lock)
    place = story.artifact(lock.set, FILE)
    content = statement_in(story.files, place)
    if content is None:
        if place not in story.files:
            yield Finding(place, "it is missing; a published run has a statement")
        return
    yield from _outputs(story, path, lock, subjects(content))
    yield from _predicate(story, place, lock, content)
    yield from _replay(story, path, lock)
    yield from _signoffs(story, told, lock)
    yield from _gates(path, lock)
    if lock.applied is None:
        yield Finding(path, "it does not say by which plan the run was published")
        return
    yield from _planned(story, told, path, lock)
    yield from _allowed(story, told, path, lock)


def _spec(story: Story, path: str, lock: Lock) -> Iterator[Finding]:
    place = f"{RESOLVED}{lock.set}.json"
    resolved = story.files.get(place)
    if resolved is None:
        yield Finding(place, "it is missing; it is what ran")
    elif sha256(resolved) != lock.digests.spec:
        yield Finding(place, f"it is not the spec whose digest is in {path}")
    if canonical(lock.spec) != resolved:
        yield Finding(path, f"its spec is not the one in {place}")
    if input_digest(lock.inputs) != lock.digests.input:
        yield Finding(path, "the digest of its inputs is not the one that they have together")


def _outputs(story: Story, path: str, lock: Lock, stated: Mapping[str, str]) -> Iterator[Finding]:
    """Files that the run left are those of its lock, and those of its statement."""
    about_all = {FILE, ENVELOPE, SUMS}
    for name, expected in sorted(lock.outputs.items()):
        place = story.artifact(lock.set, name)
        content = story.files.get(place)
        if content is None and is_document(f"{lock.set}/{name}"):
            yield Finding(place, f"it is missing; {path} names it")
        elif content is not None and sha256(content) != expected:
            yield Finding(place, f"it is not the file whose digest is in {path}")
        if name not in about_all and stated.get(name) != expected:
            yield Finding(story.artifact(lock.set, FILE), f"its digest of {name} is not the one in {path}")
    for name in sorted(stated.keys() - lock.outputs.keys()):
        yield Finding(story.artifact(lock.set, FILE), f"it is about {name}, which {path} does not name")
    if FILE not in lock.outputs:
        yield Finding(path, "it does not name the statement of its run")


def _predicate(story: Story, place: str, lock: Lock, content: Mapping[str, Any]) -> Iterator[Finding]:
    """Each part of a statement is what the lock says; `run.json` says the same."""
    said = content["predicate"]
    origin = Origin(said["project"], said["run"]["server"] or "", said["engine"]["seed"], said["engine"]["environment"])
    expected = run_statement(lock, {"metrics.json": "", **subjects(content)}, origin)["predicate"]
    wrong = [name for name in expected if name != "tool" and said[name] != expected[name]]
    if wrong:
        yield Finding(place, f"{', '.join(wrong)} is not what the lock file of the set says")
    manifest = statement_in(story.files, MANIFEST)
    if manifest is not None and manifest["predicate"]["project"] != said["project"]:
        yield Finding(place, "it is about a run of another project")
    seed = lock.spec.get("spec", {}).get("seed")
    if seed is not None and said["engine"]["seed"] not in {None, seed}:
        yield Finding(place, "its seed is not the one of the spec")
    record = _object(story.files.get(story.artifact(lock.set, "run.json"), b""))
    same = {
        "set": lock.set,
        "run": lock.run,
        "started": lock.started,
        "finished": lock.finished,
        "engine": lock.engine,
        "seed": said["engine"]["seed"],
        "environment": said["engine"]["environment"],
        "gates": said["gates"],
    }
    differ = [name for name, value in same.items() if record.get(name) != value]
    if differ:
        yield Finding(story.artifact(lock.set, "run.json"), f"{', '.join(differ)} is not what {place} says")


def _replay(story: Story, path: str, lock: Lock) -> Iterator[Finding]:
    """What a statement about a replay says of the run, and a verdict that fits what it compared."""
    place = story.artifact(lock.set, REPLAY_FILE)
    content = statement_in(story.files, place)
    if content is None:
        return
    said = content["predicate"]
    if (said["set"], said["run"], said["spec_digest"]) != (lock.set, lock.run, lock.digests.spec):
        yield Finding(place, f"it is about another run than {path}")
        return
    if any(lock.outputs.get(name) != expected for name, expected in subjects(content).items()):
        yield Finding(place, f"what it expects is not what {path} names")
    equal = all(file["equal"] and file["expected"] == file["found"] for file in said["files"])
    if (said["result"] == "exact") != equal:
        yield Finding(place, "its result is not what it compared")


def _signoffs(story: Story, told: Told, lock: Lock) -> Iterator[Finding]:
    """Signatures under the assessment of this run are about the statements that are in the bundle."""
    place = f"{PROJECT}{SIGNOFFS}/{lock.set}.yaml"
    stated = lock.outputs.get(STATEMENTS, "")
    given = Signatures(tuple(story.signoffs.get(lock.set, ())), stated)
    for item in given.found:
        if item.run == lock.run and item.statement != stated:
            text = f"the signature of {item.person} as {item.role} is about another {STATEMENTS} than its run has"
            yield Finding(place, text)
    held = [item for item in given.latest if given.holds(item)]
    told.signed += [f"{lock.set}: {item.role} {item.person} {item.decision.value} on {item.date}" for item in held]
    ended = [item for item in given.latest if not given.holds(item)]
    if ended:
        names = ", ".join(f"{item.role} {item.person}" for item in ended)
        told.notes.append(f"{lock.set}: {names} signed an earlier assessment, and nobody signed this one in that role")


def _gates(path: str, lock: Lock) -> Iterator[Finding]:
    """Gates judged again from the metrics in the lock; all that the spec asks for, and passed."""
    asked = {str(name): str(text) for name, text in lock.spec.get("spec", {}).get("gates", {}).items()}
    try:
        again = evaluate(asked, lock.metrics)
    except (ValueError, KeyError):
        yield Finding(path, "its gates cannot be judged")
        return
    if tuple(sorted(lock.gates, key=lambda gate: gate.metric)) != again:
        yield Finding(path, "its gates are not what its metrics and its spec say")
    elif not all(gate.passed for gate in again):
        yield Finding(path, "a gate did not pass, and the run is published")


def _planned(story: Story, told: Told, path: str, lock: Lock) -> Iterator[Finding]:
    """The plan on record has a change of this set, made from this spec and these data."""
    assert lock.applied is not None
    name = told.plans.get(lock.applied.plan_digest)
    if name is None:
        yield Finding(
            PROJECT + plan_path(lock.applied.plan_digest).as_posix(), f"it is missing; {path} names this plan"
        )
        return
    changes = {change["set"]: change["content"] for change in _object(story.files[name])["changes"]}
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
    policy = _object(story.files.get(name, b"")).get("policy", {})
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


def _deletions(story: Story, told: Told) -> Iterator[Finding]:
    """Receipts name a plan of the log that deletes their set, and nobody who did not approve."""
    published = {lock.set for lock in story.locks.values()}
    for name in sorted(story.files):
        if not name.startswith(f"{PROJECT}{story.out}/") or PurePosixPath(name).name != "deletion.json":
            continue
        receipt = _object(story.files[name])
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


def _line_of(entry: Mapping[str, Any]) -> str:
    return f"{LOG}{entry['at'][:7]}.jsonl"


def _object(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
