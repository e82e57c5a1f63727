"""Whether the documents of one published run say the same: spec, statement, files, gates, signatures, replay."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from avatar_gitops.audit import permission
from avatar_gitops.audit.archive import Finding
from avatar_gitops.audit.integrity import statement_in
from avatar_gitops.audit.layout import MANIFEST, PROJECT, RESOLVED, SUMS, is_document
from avatar_gitops.audit.statement import ENVELOPE, FILE, REPLAY_FILE, Origin, run_statement, sha256, subjects
from avatar_gitops.audit.story import Story, Told, object_in
from avatar_gitops.plan.desired import input_digest
from avatar_gitops.plan.lock import Lock
from avatar_gitops.plan.signoff import STATEMENTS, Signatures
from avatar_gitops.policy.gates import evaluate
from avatar_gitops.spec.canonical import canonical
from avatar_gitops.spec.signoffs import FOLDER as SIGNOFFS


def check(story: Story, told: Told, path: str, lock: Lock) -> Iterator[Finding]:
    """What one document of a run says and another one denies; `path` is that of its lock."""
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
    yield from permission.check(story, told, path, lock)


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
    record = object_in(story.files.get(story.artifact(lock.set, "run.json"), b""))
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
