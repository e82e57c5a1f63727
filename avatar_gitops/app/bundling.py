"""`audit bundle`: everything that an auditor needs to know of some sets, and no data, as one file or folder."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from avatar_gitops import __version__
from avatar_gitops.app.ci import read_outcomes
from avatar_gitops.app.loading import AppliedProject, load_applied
from avatar_gitops.app.signing import seal_of, trusted
from avatar_gitops.app.verifying import Verification, judged
from avatar_gitops.audit import layout
from avatar_gitops.audit.archive import Opened, bad_name, packed
from avatar_gitops.audit.bundle import complete
from avatar_gitops.audit.crate import About, RunAction
from avatar_gitops.audit.log import FOLDER as AUDIT
from avatar_gitops.audit.log import HEAD, MONTH, PLANS
from avatar_gitops.audit.statement import FILE as STATEMENT
from avatar_gitops.audit.statement import sha256
from avatar_gitops.audit.verify import verify
from avatar_gitops.errors import AvatarGitOpsError, IntegrityError, UsageError
from avatar_gitops.plan.deletion import FILE as RECEIPT
from avatar_gitops.plan.lock import Lock
from avatar_gitops.plan.outcome import State
from avatar_gitops.reconcile.journal import journal_path
from avatar_gitops.spec.canonical import canonical
from avatar_gitops.spec.layers import DEFAULTS_FILE
from avatar_gitops.spec.nodes import read
from avatar_gitops.spec.policies import LEDGER_FOLDER
from avatar_gitops.spec.project import PROJECT_FILE
from avatar_gitops.spec.resolving import starts_from
from avatar_gitops.spec.secrets import secret_columns, secret_in
from avatar_gitops.workspace.discover import SPEC_SUFFIXES, defaults_files, read_start
from avatar_gitops.workspace.files import write_atomic
from avatar_gitops.workspace.git import head_commit
from avatar_gitops.workspace.inputs import local_path
from avatar_gitops.workspace.locks import lock_path
from avatar_gitops.workspace.noise import noise_path
from avatar_gitops.workspace.policies import policy_files
from avatar_gitops.workspace.signoffs import signoffs_path

ARCHIVE: Final = ".zip"
EVIDENCE: Final = f"evidence{ARCHIVE}"
EVIDENT: Final = frozenset({State.PUBLISHED, State.UPDATED, State.DELETED})
MOST_TOLD: Final = 5
SIGNED: Final = ".dsse.json"
PROSE: Final = ".md"
TEXTS: Final = (".yaml", ".yml", ".json", ".jsonl", PROSE)


@dataclass(frozen=True, slots=True)
class Bundled:
    """A bundle that was written: where, its digest when it is an archive, and what verifying it says."""

    path: Path
    files: int
    verification: Verification


def bundle(project: Path | None, names: Sequence[str], output: Path) -> Bundled:
    """Write the bundle of some sets, by default of all; nothing is written when it would not verify.

    Raises UsageError for a set that nobody knows, IntegrityError for documents that deny each other or hold a secret.
    """
    applied = load_applied(project)
    _free(output)
    chosen, gone = _chosen(applied, names)
    seal = seal_of(applied.project, os.environ)
    files = dict(_documents(applied, chosen, gone))
    _refuse(files)
    made = complete(files, _about(applied, chosen, files), _predicate(applied, chosen, gone, files), seal)
    content = packed(made) if output.suffix == ARCHIVE else None
    said = judged(Opened(made, archive=content), trusted(applied.project, ()))
    if not said.whole:
        raise IntegrityError("the documents of the project do not fit together, so no bundle is made:" + _list(said))
    if content is None:
        _write_folder(output, made)
    else:
        write_atomic(output, content)
    return Bundled(output, len(made), said)


def bundle_applied(project: Path | None, result: Path, folder: Path) -> Bundled | None:
    """Write `evidence.zip` about what an apply published or deleted, from what it printed; None when that is nothing.

    Raises IntegrityError when the file is no result of an apply.
    """
    text = result.read_text(encoding="utf-8")
    outcomes = read_outcomes(text)[1] if text.strip() else ()
    names = [outcome.set for outcome in outcomes if outcome.state in EVIDENT]
    return bundle(project, names, folder / EVIDENCE) if names else None


def _write_folder(output: Path, files: Mapping[str, bytes]) -> None:
    """The whole folder or none: it is written beside its place, which is free or empty."""
    fresh = output.with_name(f".{output.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    for name, data in files.items():
        write_atomic(fresh / name, data)
    fresh.replace(output)


def _list(said: Verification) -> str:
    shown = [f"\n  {one.file}: {one.message}" for one in said.findings[:MOST_TOLD]]
    more = len(said.findings) - len(shown)
    return "".join(shown) + (f"\n  and {more} more" if more else "")


def _free(output: Path) -> None:
    if output.exists() and (output.suffix == ARCHIVE or not output.is_dir() or any(output.iterdir())):
        raise UsageError(f"{output} is there already", hint="name another file, or remove this one")


def _chosen(applied: AppliedProject, names: Sequence[str]) -> tuple[list[Lock], list[str]]:
    """The published and the deleted sets of these names; of all when there are no names."""
    receipts = {path.parent.name for path in applied.out.glob(f"*/{RECEIPT}")} - applied.locks.keys()
    known = applied.locks.keys() | receipts
    unknown = [name for name in names if name not in known]
    if unknown:
        raise UsageError(
            f"nothing was ever published of {', '.join(unknown)}",
            hint=f"one of {', '.join(sorted(known))}" if known else "avatar-gitops apply",
        )
    wanted = set(names) or known
    if not wanted:
        raise UsageError("nothing is published yet, so there is no evidence", hint="avatar-gitops apply")
    return [applied.locks[name] for name in sorted(wanted & applied.locks.keys())], sorted(wanted & receipts)


def _documents(applied: AppliedProject, chosen: Sequence[Lock], gone: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """Path in the bundle and content of everything that is told."""
    root = applied.root
    for path in dict.fromkeys(_of_project(applied, chosen)):
        if path.is_file():
            yield layout.PROJECT + path.relative_to(root).as_posix(), path.read_bytes()
    for lock in chosen:
        yield f"{layout.RESOLVED}{lock.set}.json", canonical(lock.spec)
        yield from _artifacts(applied, lock.set)
    for name in gone:
        receipt = applied.out / name / RECEIPT
        yield layout.PROJECT + receipt.relative_to(root).as_posix(), receipt.read_bytes()
    plans = {lock.applied.plan_digest for lock in chosen if lock.applied}
    for path in sorted({journal_path(root, plan) for plan in plans}):
        if path.is_file():
            yield layout.JOURNAL + path.name, path.read_bytes()


def _of_project(applied: AppliedProject, chosen: Sequence[Lock]) -> Iterator[Path]:
    """Files of the project that are in git: settings, policies, specs with their locks, ledger, audit log."""
    root = applied.root
    yield root / PROJECT_FILE
    yield from policy_files(root)
    yield from sorted((root / LEDGER_FOLDER).glob("*.yaml"))
    yield from (path for path in defaults_files(root, applied.project) if path.name == DEFAULTS_FILE)
    for lock in chosen:
        yield root / lock.path
        yield from _start(root, lock.path)
        yield signoffs_path(root, lock.set)
        yield from (_lock_file(root, lock), noise_path(root, lock.path, lock.set), noise_path(root, lock.path))
    yield from sorted(path for path in (root / AUDIT).glob("*.jsonl") if MONTH.fullmatch(path.name))
    yield root / AUDIT / HEAD
    yield from sorted((root / AUDIT / PLANS).glob("*.json"))


def _start(root: Path, spec: str) -> Iterator[Path]:
    """The file of the platform that a spec starts from, so that others can see what it makes."""
    path = root / spec
    document = read(read_start(path), spec)[0] if path.is_file() else None
    uri = starts_from(document) if document is not None else None
    found = local_path(root, uri) if uri else None
    if found is not None and found.suffix in SPEC_SUFFIXES:
        yield found


def _lock_file(root: Path, lock: Lock) -> Path:
    """The lock of a set, also when its spec makes several."""
    one = lock_path(root, lock.path, lock.set)
    return one if one.is_file() else lock_path(root, lock.path)


def _artifacts(applied: AppliedProject, name: str) -> Iterator[tuple[str, bytes]]:
    folder = applied.out / name
    if not (folder / STATEMENT).is_file():
        shown = folder.relative_to(applied.root).as_posix()
        what = "has no statement: an older avatar-gitops published it" if folder.is_dir() else "is not here"
        raise UsageError(
            f"{shown} {what}, so there is no evidence of {name}",
            hint="fetch what the apply left, such as the artifact of its workflow, into this folder"
            if not folder.is_dir()
            else f"run it again: avatar-gitops apply --allow-relaunch {name}",
        )
    for path in sorted(folder.rglob("*")):
        shown = path.relative_to(applied.root).as_posix()
        if path.is_file() and not path.is_symlink() and layout.is_document(shown):
            yield layout.PROJECT + shown, path.read_bytes()


def _refuse(files: Mapping[str, bytes]) -> None:
    """Stop before anything is written that nobody should read, or that other machines cannot hold."""
    for name, content in sorted(files.items()):
        if why := bad_name(name):
            raise UsageError(f"{name} cannot be in a bundle: {why}", hint="give the file another name")
        if name.endswith(SIGNED) or not name.endswith(TEXTS):
            continue
        for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), start=1):
            if secret_in(line) if name.endswith(PROSE) else secret_columns(line):
                raise IntegrityError(
                    f"{name.removeprefix(layout.PROJECT)}:{number} seems to hold a secret, so no bundle is made",
                    hint="take it out, and change the secret: it was written to a file",
                )


def _about(applied: AppliedProject, chosen: Sequence[Lock], files: Mapping[str, bytes]) -> About:
    place = f"{layout.PROJECT}{applied.out.relative_to(applied.root).as_posix()}"
    runs = [
        RunAction(
            lock.set,
            lock.started,
            lock.finished,
            lock.engine,
            tuple(name for name in sorted(files) if name.startswith(f"{place}/{lock.set}/")),
        )
        for lock in chosen
    ]
    moments = [lock.finished for lock in chosen] + [str(entry["at"]) for entry in verify(applied.root).entries]
    last = max((_moment(text) for text in moments), default=datetime.fromtimestamp(0, UTC))
    return About(
        applied.name,
        last.isoformat(timespec="seconds").replace("+00:00", "Z"),
        f"avatar-gitops {__version__}",
        tuple(runs),
    )


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return datetime.fromtimestamp(0, UTC)
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def _predicate(
    applied: AppliedProject, chosen: Sequence[Lock], gone: Sequence[str], files: Mapping[str, bytes]
) -> dict[str, Any]:
    place = f"{layout.PROJECT}{applied.out.relative_to(applied.root).as_posix()}"
    sets: list[dict[str, Any]] = [
        {
            "set": lock.set,
            "state": "published",
            "spec_digest": lock.digests.spec,
            "statement": sha256(files[f"{place}/{lock.set}/{STATEMENT}"]),
        }
        for lock in chosen
    ]
    sets += [{"set": name, "state": "deleted", "spec_digest": None, "statement": None} for name in gone]
    found = verify(applied.root)
    if not found.ok:
        raise AvatarGitOpsError(
            f"the audit log is not as it was written: {found.broken}", hint="avatar-gitops audit log"
        )
    last = found.entries[-1] if found.entries else None
    return {
        "project": applied.name,
        "sets": sorted(sets, key=lambda item: str(item["set"])),
        "audit": {"seq": last["seq"], "digest": last["digest"]} if last else None,
        "commit": head_commit(applied.root) or None,
        "tool": f"avatar-gitops {__version__}",
    }
