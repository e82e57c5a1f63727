"""A plan as the one comment of a pull request: marker and data first, verdict in the title, details in folds."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from avatar_gitops import __version__
from avatar_gitops.diagnostics import Diagnostic, Severity
from avatar_gitops.errors import AvatarGitOpsError, UnsafePlan
from avatar_gitops.plan.model import Action, Change, Plan
from avatar_gitops.policy.model import PolicyReport
from avatar_gitops.report import comment_meaning, comment_pia, plan_explain, plan_markdown
from avatar_gitops.report import plan_words as words
from avatar_gitops.report.budget import COMMENT_LIMIT, Block, fit
from avatar_gitops.report.plan_markdown import escape
from avatar_gitops.report.policy import markdown as policy_markdown
from avatar_gitops.report.values import before_and_after, count, direction, field_name, short_digest

FINDINGS_SHOWN: Final = 10
LONGEST_REASON: Final = 3_000
APPROVAL_RULE: Final = "P031"
WAITING: Final = "waiting for "
ANY: Final = "an approval"
MARK: Final = "avatar-gitops:plan:v1"
DATA: Final = "avatar-gitops:data:v1"


class Verdict(StrEnum):
    """The state that a comment shows; public, it stands in the comment's data line."""

    BLOCKED = "blocked"
    READY = "ready"
    NO_CHANGES = "no_changes"
    INVALID = "invalid"
    REFUSED = "refused"
    UNVERIFIED = "unverified"
    APPLIED = "applied"
    PARTIAL = "partial"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a comment comes from; every part may be empty.

    `head` is the full commit of the branch, `files` the URL that paths of the project are added to, `log` the URL of
    the run, `at` the time in UTC ("2026-09-17 09:02 UTC"), `artifacts` the URL of the files that the run keeps.
    """

    head: str = ""
    files: str = ""
    log: str = ""
    at: str = ""
    artifacts: str = ""


@dataclass(frozen=True, slots=True)
class PolicyBlock:
    """A rendered report of policies. `waiting` says what stops the plan ("waiting for @dpo-team"), else it is empty."""

    head: tuple[str, ...]
    rows: tuple[str, ...] = ()
    waiting: str = ""


def policy_block(report: PolicyReport) -> PolicyBlock:
    """What the policy says, and whether it stops the plan: for want of an approval, or for another reason."""
    lines = [line for line in policy_markdown(report, escape) if line]
    head = (lines[0], "", *lines[1:3]) if len(lines) > 1 else (lines[0],)
    failed = {finding.rule for finding in report.failed}
    whom = " or ".join(escape(f"@{name.removeprefix('@')}") for name in report.asked) or ANY
    waiting = "" if not failed else WAITING + whom if failed == {APPROVAL_RULE} else "stopped by the policy"
    return PolicyBlock(head, tuple(lines[3:]), waiting)


def marker(project: str) -> str:
    """First line of every comment of a project; how the comment is found again."""
    return project_mark(MARK, project)


def project_mark(kind: str, project: str) -> str:
    """The hidden line that says of which project and of which kind a text is."""
    return f"<!-- {kind} project={_name(project)} -->"


def _name(project: str) -> str:
    """A project's name as it may stand in an HTML comment; names of valid projects stay as they are."""
    return re.sub(r"[^A-Za-z0-9_.-]", "-", project) or "unknown"


def opening(project: str, digest: str, head: str, verdict: Verdict) -> tuple[str, str]:
    """The two hidden lines: the marker, and what a program needs to know of the comment."""
    data = json.dumps({"digest": digest, "head": head, "state": verdict.value}, separators=(",", ":"))
    hidden = data.replace("<", "\\u003c").replace(">", "\\u003e")
    return marker(project), f"<!-- {DATA} {hidden} -->"


def plan_comment(
    plan: Plan, origin: Origin, policy: PolicyBlock | None = None, limit: int = COMMENT_LIMIT, predicted: str = ""
) -> str:
    """The comment of a plan: blocked, ready or without changes; at most `limit` bytes.

    `predicted` is the block of a preview, left out as a whole when there is no room for it.
    """
    waiting = policy.waiting if policy else ""
    ready = Verdict.READY if plan.effective else Verdict.NO_CHANGES
    verdict = Verdict.BLOCKED if waiting and plan.effective else ready
    # An offline plan names no digest: it says nothing about a server, so nobody can apply on the strength of it.
    digest = "" if plan.context.offline else plan.digest
    lines = opening(plan.project, digest, origin.head or plan.commit, verdict)
    top = Block((*lines, f"### {_title(plan, waiting)}"))
    if not plan.effective:
        return fit([top, *_offline(plan), *_policy(policy), *_kept(plan), *_notes(plan)], limit)
    table = Block(*plan_markdown.table(plan, origin.files), more="changes")
    others = plan_markdown.rest(plan)
    blocks = [top, *_offline(plan), table, *([Block((others,))] if others else []), *_privacy(plan)]
    blocks += [Block(tuple(predicted.strip().splitlines()), fold=True)] if predicted.strip() else []
    blocks += [
        *_policy(policy),
        *_kept(plan),
        *_notes(plan),
        *(_fold(*fold) for fold in comment_pia.folds(plan)),
        *_fields(plan),
        *(_fold(*fold) for fold in comment_meaning.folds(plan)),
        _steps(plan),
        Block((_how(waiting), "", _provenance(plan, origin))),
    ]
    return fit(blocks, limit)


def _title(plan: Plan, waiting: str) -> str:
    less = len(words.weaker(plan))
    weaker = f"{count(less, 'set')} {'gets' if less == 1 else 'get'} weaker privacy" if less else ""
    if waiting and plan.effective:
        return " · ".join(part for part in (f"⛔ Avatar plan: {waiting}", weaker) if part)
    if not plan.effective:
        return f"✅ Avatar plan: no changes · {plan_markdown.unchanged(plan)}"
    counted = words.counts(plan)
    parts = [f"{counted[action]} {action.value}" for action in words.ORDER if counted[action]]
    parts += [f"{counted[Action.UNCHANGED]} unchanged"] if counted[Action.UNCHANGED] else []
    verdict = f"⚠️ Avatar plan: {weaker}" if weaker else "✅ Avatar plan: ready"
    return f"{verdict} · {', '.join(parts)}"


def _privacy(plan: Plan) -> Iterator[Block]:
    lines = [line for line in plan_markdown.privacy(plan) if line]
    if lines:
        yield Block((lines[0], "", *lines[1:3]), tuple(lines[3:]), more="fields")
    head, rows = plan_markdown.released(plan)
    if rows:
        yield Block(head, rows, more="columns")


def _offline(plan: Plan) -> Iterator[Block]:
    lines = tuple(plan_markdown.origin(plan))
    if lines:
        yield Block(lines[:-1])


def _policy(policy: PolicyBlock | None) -> Iterator[Block]:
    if policy is not None:
        yield Block(policy.head, policy.rows, more="findings")


def _kept(plan: Plan) -> Iterator[Block]:
    kept = tuple(f"- `{c.set}`: {escape(words.why(c))}" for c in plan.changes if c.action is Action.KEEP)
    if kept:
        yield Block(("**Kept**", ""), kept, more="sets")


def _notes(plan: Plan) -> Iterator[Block]:
    if plan.notes:
        yield Block(("**Notes**", ""), tuple(plan_markdown.noted(plan)), more="notes")


def _fields(plan: Plan) -> Iterator[Block]:
    """A fold with every changed field, also those that say nothing about privacy."""
    rows = [_field(change, index) for change in plan.effective for index in range(len(change.fields))]
    if rows:
        head = ("| Field | Before | After | Runs again | |", "|---|---|---|---|---|")
        yield _fold(f"{count(len(rows), 'field')} changed", (*head, *rows))


def _field(change: Change, index: int) -> str:
    field = change.fields[index]
    before, after = before_and_after(field)
    cells = (
        f"`{change.set}` · {escape(field_name(field.path))}",
        escape(before),
        escape(after),
        plan_explain.RUNS[field.consequence].removesuffix(" runs again").removesuffix(" run again"),
        direction(field),
    )
    return f"| {' | '.join(cells)} |"


def _steps(plan: Plan) -> Block:
    text = plan_explain.explain(plan).removesuffix("Nothing was changed.\nNext: avatar-gitops apply\n").rstrip("\n")
    return _fold("Steps", ("```text", *text.replace("```", "'''").split("\n"), "```"))


def _fold(summary: str, lines: Sequence[str]) -> Block:
    return Block((f"<details><summary>{summary}</summary>", "", *lines, "", "</details>"), fold=True)


def _how(waiting: str) -> str:
    whom = waiting.removeprefix(WAITING)
    step = (
        "settle what the policy objects to"
        if whom == waiting
        else f"get {whom}"
        if whom == ANY
        else f"approval by {whom}"
    )
    first = f"{step}, then merge" if waiting else "merge"
    return f"**To apply:** {first}. The plan is made again at that moment; what is published stays until gates pass."


def _provenance(plan: Plan, origin: Origin) -> str:
    commit = (origin.head or plan.commit)[:7]
    of_commit = f" of commit {escape(commit)}" if commit else ""
    plan_is = f"Plan <code>{short_digest(plan.digest)}</code>{of_commit} against <b>{escape(plan.server)}</b>"
    return signature(origin, plan_is, "plan.json")


def signature(origin: Origin, first: str = "", artifact: str = "") -> str:
    """Last line of a comment: what it is about, when, the log, a file that the run keeps, the version that wrote it."""
    log = f"[log]({origin.log})" if origin.log else ""
    kept = f"[{artifact}]({origin.artifacts})" if origin.artifacts and artifact else ""
    parts = (first, origin.at, log, kept, f"avatar-gitops {__version__}")
    return f"<sub>{' · '.join(filter(None, parts))}</sub>"


def refused_comment(project: str, error: AvatarGitOpsError, origin: Origin) -> str:
    """The comment when there is no plan: guard rails refused it, or the server did not answer."""
    code = f" ({error.code})" if error.code else ""
    word = "⛔ Avatar plan: refused" if isinstance(error, UnsafePlan) else "⚠️ Avatar plan: could not be made"
    top = Block((*opening(project, "", origin.head, Verdict.REFUSED), f"### {word}{code}"))
    said = error.message if len(error.message) <= LONGEST_REASON else f"{error.message[:LONGEST_REASON]} …"
    why = [f"{_sentence(said)} Nothing was changed."]
    why += [f"To go on: {escape(error.hint)}"] if error.hint else []
    return fit([top, Block(("\n\n".join(why),)), Block((signature(origin),))])


def invalid_comment(project: str, found: Sequence[Diagnostic], origin: Origin) -> str:
    """The comment of specs that are not valid: the first findings with their fixes, and how many more there are."""
    errors = [item for item in found if item.severity is Severity.ERROR]
    files = count(len({item.span.file for item in errors}), "file")
    title = f"### ❌ Avatar specs: {count(len(errors), 'error')} in {files}"
    rows = tuple(_finding(item, origin.files) for item in errors[:FINDINGS_SHOWN])
    hidden = len(errors) - len(rows)
    more = f"… {hidden} more on the lines in **Files changed**. " if hidden else ""
    return fit(
        [
            Block((*opening(project, "", origin.head, Verdict.INVALID), title)),
            Block(("| Where | What | Fix |", "|---|---|---|"), rows, more="findings"),
            Block((f"{more}Run locally: `avatar-gitops validate --fix`",)),
            Block((signature(origin),)),
        ]
    )


def _finding(item: Diagnostic, files: str) -> str:
    name = f"{item.span.file.rpartition('/')[2]}:{item.span.line}".replace("`", "'").replace("|", "\\|")
    plain = re.fullmatch(r"[A-Za-z0-9_./-]+", item.span.file) is not None
    where = f"[`{name}`]({files}{item.span.file}#L{item.span.line})" if plain else f"`{name}`"
    guess = item.label if item.label.startswith("did you mean") else ""
    fix = item.fix or guess or item.why or "–"
    return f"| {where} | {_coded(item.message)} | {_coded(fix)} |"


def _coded(text: str) -> str:
    """A message whose `code spans` stay code and whose other text is escaped."""
    parts = re.split(r"(`[^`]*`)", " ".join(text.split()))
    return "".join(
        part.replace("|", "\\|") if index % 2 else escape(part).replace("\\.", ".") for index, part in enumerate(parts)
    )


def _sentence(text: str) -> str:
    shown = escape(text)
    return (shown[0].upper() + shown[1:] if shown else shown).rstrip(".") + "." * (not shown.endswith("…"))
