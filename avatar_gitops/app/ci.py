"""`ci`: a plan or an apply as files for a workflow, and the one comment of a pull request."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, TypeVar

from avatar_gitops.app.clock import SystemClock
from avatar_gitops.app.forges import forge, on_gitlab, pipeline
from avatar_gitops.app.loading import load_applied
from avatar_gitops.app.offline import Offline
from avatar_gitops.app.plan import Consent, Planned, plan
from avatar_gitops.app.policy import refuse
from avatar_gitops.app.validate import validate
from avatar_gitops.ci.comment import Body, Published, Result, publish, read_body
from avatar_gitops.ci.forge import People, Pipeline
from avatar_gitops.ci.outputs import dotenv_text, room, write_outputs, write_summary
from avatar_gitops.diagnostics import SpecError
from avatar_gitops.errors import AvatarGitOpsError, IntegrityError, UsageError
from avatar_gitops.plan.lock import GateResult, Metrics
from avatar_gitops.plan.model import Action, Privacy
from avatar_gitops.plan.outcome import Outcome, State
from avatar_gitops.plan.serial import document
from avatar_gitops.report.budget import COMMENT_LIMIT, STEP_SUMMARY_LIMIT
from avatar_gitops.report.comment import Origin, invalid_comment, plan_comment, policy_block, refused_comment
from avatar_gitops.report.comment_applied import Applied, Finished, applied_comment, not_applied_comment
from avatar_gitops.report.comment_fork import fork_comment
from avatar_gitops.report.policy import as_data
from avatar_gitops.report.preview import block
from avatar_gitops.spec.project import PROJECT_FILE
from avatar_gitops.workspace.discover import find_root
from avatar_gitops.workspace.files import write_atomic
from avatar_gitops.workspace.git import file_at, head_commit
from avatar_gitops.workspace.locks import lock_path, parse_lock

Answer = TypeVar("Answer")

COMMENT: Final = "comment.md"
OUTPUTS: Final = "outputs.env"
PLAN: Final = "plan.json"
COUNTED: Final = {
    "launches": Action.LAUNCH,
    "relaunches": Action.RELAUNCH,
    "updates": Action.UPDATE,
    "collects": Action.COLLECT,
    "adopts": Action.ADOPT,
    "renames": Action.RENAME,
    "deletes": Action.DELETE,
}


@dataclass(frozen=True, slots=True)
class Report:
    """What a step leaves: the comment, a longer form of it for the page of the job, outputs, other files by name.

    `error` is what ended the command; its comment says the same.
    """

    comment: str
    summary: str
    outputs: Mapping[str, str]
    files: Mapping[str, str] = field(default_factory=dict)
    error: AvatarGitOpsError | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """How a plan is made for a pull request, and the folder that it is left in.

    With `reviews` whoever approves the head of the pull request has agreed to weaker privacy. `preview` is what
    `preview --out json:FILE` wrote.
    """

    folder: Path
    reviews: bool = False
    offline: Offline | None = None
    preview: Path | None = None


def ci_plan(project: Path | None, server: str | None, consent: Consent, wish: Wish) -> Report:
    """Plan and say it for a pull request, also when there is no plan because specs are wrong or guard rails refuse.

    Raises IntegrityError for a preview that is none.
    """
    run, folder = pipeline(), wish.folder
    predicted = _predicted(wish.preview)
    root = find_root(project or Path.cwd())
    if wish.reviews:
        people = _people()
        consent = replace(
            consent,
            approved_by=(*consent.approved_by, *people.approving),
            authors=(*consent.authors, *filter(None, people.authors)),
        )
    try:
        planned = plan(project, server, consent, offline=wish.offline)
    except SpecError as error:
        text = invalid_comment(_project_name(root), error.diagnostics, _origin(run, Path.cwd()))
        return _failed(text, error, folder)
    except UsageError:
        raise
    except AvatarGitOpsError as error:
        return _failed(refused_comment(_project_name(root), error, _origin(run, root)), error, folder)
    made, policy, origin = planned.plan, policy_block(planned.policy), _origin(run, root)
    stopped = _stopped(planned)
    content = document(made) | {"policy": as_data(planned.policy)}
    return Report(
        plan_comment(made, origin, policy, predicted=predicted),
        plan_comment(made, origin, policy, _summary_limit(), predicted),
        {
            **_outputs(planned),
            "plan_path": (folder / PLAN).as_posix(),
            **_always(folder, stopped.exit_code if stopped else 0),
        },
        {PLAN: json.dumps(content, indent=2, ensure_ascii=False) + "\n"},
        stopped,
    )


def _predicted(path: Path | None) -> str:
    """The block of a preview for the comment; empty when there is none."""
    if path is None:
        return ""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        content = None
    return block(content)


def _stopped(planned: Planned) -> AvatarGitOpsError | None:
    """The error with which apply would stop before it changes anything, if it would."""
    try:
        if planned.plan.effective:
            refuse(planned.policy)
    except AvatarGitOpsError as error:
        return error
    return None


def ci_applied(project: Path | None, result: Path, approved_by: tuple[str, ...], folder: Path) -> Report:
    """Say for a pull request what `apply --format json` did; `result` is what it printed, empty when it ended early."""
    run = pipeline()
    applied = load_applied(project)
    origin = _origin(run, applied.root, run.commit or head_commit(applied.root))
    text = result.read_text(encoding="utf-8")
    if not text.strip():
        body = not_applied_comment(applied.name, origin)
        return Report(body, body, {"applied": "0", "failed": "unknown", "comment_path": (folder / COMMENT).as_posix()})
    digest, outcomes = read_outcomes(text)
    links = {"documents": origin.artifacts} if origin.artifacts else {}
    finished = []
    for outcome in outcomes:
        lock = applied.locks.get(outcome.set) if outcome.state in {State.PUBLISHED, State.UPDATED} else None
        before = _before(applied.root, lock.path, lock.set) if lock else {}
        whole = Outcome(outcome.set, outcome.action, outcome.state, outcome.message, outcome.gates, lock=lock)
        finished.append(Finished(whole, before, links))
    approving = Consent.of((), (), None, approved_by).approved_by
    body = applied_comment(Applied(applied.name, digest, tuple(finished), approving), origin)
    well = sum(outcome.ok for outcome in outcomes)
    outputs = {
        "applied": str(well),
        "failed": str(len(outcomes) - well),
        "plan_digest": digest,
        "comment_path": (folder / COMMENT).as_posix(),
    }
    return Report(body, body, outputs)


def save(report: Report, folder: Path) -> None:
    """Write the files, and tell the runner of outputs and page where there is one."""
    write_files(folder, {**report.files, COMMENT: report.comment}, report.outputs, report.summary)


def write_files(folder: Path, files: Mapping[str, str], outputs: Mapping[str, str], summary: str) -> None:
    """Write files for later steps; GitLab's jobs read outputs from `outputs.env`."""
    folder.mkdir(parents=True, exist_ok=True)
    dotenv = {OUTPUTS: dotenv_text(outputs)} if on_gitlab() else {}
    for name, text in {**files, **dotenv}.items():
        write_atomic(folder / name, text)
    tell_runner(outputs, summary)


def tell_runner(outputs: Mapping[str, str], summary: str = "") -> None:
    """Outputs and page of the step; nothing outside of GitHub Actions."""
    if path := os.environ.get("GITHUB_OUTPUT"):
        write_outputs(Path(path), outputs)
    if summary and (path := os.environ.get("GITHUB_STEP_SUMMARY")):
        write_summary(Path(path), summary)


@dataclass(frozen=True, slots=True)
class Request:
    """What `ci comment` would send: the target is known only as far as the event names it."""

    repository: str
    number: int | None
    text: str


def would_publish(body: Path, number: int | None) -> Request:
    """What `ci comment` would send; asks nobody."""
    run = pipeline(required=True)
    return Request(run.repository, number or run.pull_request_number, _body(body, run).text)


def ci_comment(body: Path, number: int | None, author: str | None = None) -> Published:
    """Publish a comment on the pull request of this run, or on a named one.

    Of a fork the comment is made here, from the plan beside the file: see `report.comment_fork`.
    """
    content = _body(body, pipeline())
    with forge() as found:
        target = found.target(number)
        return publish(found, target, content, author) if target else Published(Result.NOT_NEEDED)


def _people(number: int | None = None) -> People:
    """Who approves a pull request, by default that of this run, and who wrote it."""
    with forge() as found:
        target = found.target(number)
        return found.people(target.number) if target else People()


def ci_approvals(number: int | None, *, times: bool = False) -> tuple[str, ...]:
    """Who approves the head of the pull request and wrote nothing of it; nobody when the run belongs to none.

    With `times` each as `LOGIN@TIME`, where the forge says when, which `--approved-by` takes.
    """
    people = _people(number)
    said = people.at if times else {}
    return tuple(f"{login}@{said[login]}" if login in said else login for login in people.counting)


def _body(path: Path, run: Pipeline) -> Body:
    if not run.fork:
        return read_body(_text(path))
    try:
        content = json.loads(_text(path.with_name(PLAN))) if path.with_name(PLAN).is_file() else {}
    except (ValueError, RecursionError):
        content = {}
    return read_body(fork_comment(content, _origin(run, Path.cwd())))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not UTF-8 text") from None


def read_outcomes(text: str) -> tuple[str, tuple[Outcome, ...]]:
    """Plan digest and outcomes of what `apply --format json` printed; IntegrityError when it is something else."""
    try:
        content = json.loads(text)
        if content["format"] != "avatar-gitops/apply" or not str(content["version"]).startswith("1."):
            raise ValueError
        return str(content["plan_digest"]), tuple(_outcome(item) for item in content["outcomes"])
    except (KeyError, TypeError, ValueError):
        raise IntegrityError(
            "this file is not the result of an apply that this version can read",
            hint="avatar-gitops apply --yes --format json > applied.json",
        ) from None


def _outcome(item: Mapping[str, Any]) -> Outcome:
    gates = tuple(
        GateResult(str(gate["metric"]), str(gate["condition"]), gate["value"], bool(gate["passed"]))
        for gate in item["gates"]
    )
    return Outcome(str(item["set"]), Action(item["action"]), State(item["state"]), str(item["message"]), gates)


def _before(root: Path, spec: str, name: str) -> Metrics:
    """What the lock of the checked-out commit says was measured; nothing when it had none."""
    for path in (lock_path(root, spec, name), lock_path(root, spec)):
        file = path.relative_to(root).as_posix()
        content = file_at(root, "HEAD", file)
        lock = parse_lock(content, file) if content else None
        if lock is not None and lock.set == name:
            return lock.metrics
    return {}


def _failed(text: str, error: AvatarGitOpsError, folder: Path) -> Report:
    outputs = {"changed": "unknown", "plan_digest": "", "plan_path": "", **_always(folder, error.exit_code)}
    return Report(text, text, outputs, error=error)


def _always(folder: Path, exit_code: int) -> dict[str, str]:
    return {"exit_code": str(exit_code), "comment_path": (folder / COMMENT).as_posix()}


def _outputs(planned: Planned) -> dict[str, str]:
    made, policy = planned.plan, planned.policy
    counted = {name: str(sum(change.action is action for change in made.changes)) for name, action in COUNTED.items()}
    weaker = sum(change.privacy is Privacy.WEAKER for change in made.effective)
    return {
        "changed": "true" if made.effective else "false",
        **counted,
        "weaker": str(weaker),
        "policy": "failed" if policy.failed else "warned" if policy.warned else "passed",
        "plan_digest": made.digest,
    }


def _origin(run: Pipeline, base: Path, head: str = "") -> Origin:
    """Where a comment of this run comes from; `base` is the folder that the paths in it are relative to."""
    commit = head or run.head
    inside = os.path.relpath(base.resolve(), run.workspace.resolve()) if run.workspace else "."
    prefix = "" if inside == "." else Path(inside).as_posix() + "/"
    files = run.files(commit) + prefix if not prefix.startswith("..") else ""
    at = f"{SystemClock().now():%Y-%m-%d %H:%M} UTC"
    return Origin(commit, files if run.repository else "", run.log, at, _artifacts(run))


def _artifacts(run: Pipeline) -> str:
    """URL of the page that lists what the run keeps; empty outside of one."""
    return run.log and (f"{run.log}/artifacts/browse" if on_gitlab() else f"{run.log}#artifacts")


def _project_name(root: Path) -> str:
    """The id of a project, also of one whose specs are wrong; the folder's name when the project file itself is."""
    found = validate(root, (root / PROJECT_FILE,)).project
    return found.metadata.name if found else root.name


def _summary_limit() -> int:
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    return max(COMMENT_LIMIT, room(Path(path))) if path else STEP_SUMMARY_LIMIT - 1
