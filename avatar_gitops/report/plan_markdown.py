"""A plan as Markdown, for pull requests and job summaries: one table, then the fields that move privacy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from avatar_gitops.plan.model import Action, Change, Plan, Privacy
from avatar_gitops.policy.model import PolicyReport
from avatar_gitops.report import exposure
from avatar_gitops.report import plan_context as context
from avatar_gitops.report import plan_words as words
from avatar_gitops.report.policy import markdown as policy_markdown
from avatar_gitops.report.values import before_and_after, count, direction, field_name, safe, short_digest

HEAD: Final = ("| | Set | What | Why |", "|---|---|---|---|")
COST: Final = (" Cost |", "---|")
_SPECIAL: Final = re.compile(r"([\\`*_{}\[\]()#+!|~:])")


def markdown(plan: Plan, policy: PolicyReport | None = None) -> str:
    """The plan as GitHub-flavoured Markdown; text from outside cannot become markup, links or mentions."""
    return "\n".join(_lines(plan, policy)).rstrip() + "\n"


def escape(text: str) -> str:
    """Text that Markdown shows as it is."""
    marked = _SPECIAL.sub(r"\\\1", safe(text))
    entities = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("@", "@\N{ZERO WIDTH SPACE}"))
    for sign, entity in entities:
        marked = marked.replace(sign, entity)
    return marked


def _lines(plan: Plan, policy: PolicyReport | None) -> Iterator[str]:
    kept = [change for change in plan.changes if change.action is Action.KEEP]
    if not plan.effective:
        yield f"### ✅ Avatar plan: no changes · {unchanged(plan)}"
        yield ""
        yield from origin(plan)
        yield from _kept(kept)
        yield from _notes(plan)
        if policy and policy.findings:
            yield from policy_markdown(policy, escape)
        return
    yield f"### {_title(plan, policy)}"
    yield ""
    yield from origin(plan)
    head, rows = table(plan)
    yield from (*head, *rows)
    yield ""
    others = rest(plan)
    if others:
        yield others
        yield ""
    yield from privacy(plan)
    head, rows = released(plan)
    if rows:
        yield from (*head, *rows, "")
    if policy:
        yield from policy_markdown(policy, escape)
    yield from _kept(kept)
    yield from _notes(plan)
    commit = f" of commit {escape(plan.commit[:7])}" if plan.commit else ""
    yield f"<sub>Plan <code>{short_digest(plan.digest)}</code>{commit} against <b>{escape(plan.server)}</b></sub>"


def unchanged(plan: Plan) -> str:
    """How many sets are as they were published, and what that was compared with."""
    amount = words.counts(plan)[Action.UNCHANGED]
    if plan.context.offline is None:
        return f"{count(amount, 'set')} equal on {escape(plan.server)}"
    return f"{count(amount, 'set')} equal {escape(words.equal_to(plan, amount))}"


def _title(plan: Plan, policy: PolicyReport | None) -> str:
    counted = words.counts(plan)
    parts = [f"{counted[action]} {action.value}" for action in words.ORDER if counted[action]]
    if counted[Action.UNCHANGED]:
        parts.append(f"{counted[Action.UNCHANGED]} unchanged")
    less = len(words.weaker(plan))
    if policy and policy.failed:
        return f"⛔ Avatar plan: {count(len(policy.failed), 'objection')} of the policy · {', '.join(parts)}"
    if less:
        return (
            f"⚠️ Avatar plan: {count(less, 'set')} {'gets' if less == 1 else 'get'} weaker privacy · {', '.join(parts)}"
        )
    return f"✅ Avatar plan: {', '.join(parts)}"


def origin(plan: Plan) -> Iterator[str]:
    """What an offline plan was compared with and what it was not, each a paragraph; nothing for any other plan."""
    for text in filter(None, [context.offline(plan), *context.not_compared(plan)]):
        yield escape(text)
        yield ""


def table(plan: Plan, files: str = "") -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Head and rows of the table of changes; `files` is the URL that the paths of specs are added to.

    The last column, the expected time, is there when it is known of any set.
    """
    costs = {change.set: context.time(change) for change in plan.effective}
    rows = [_row(change, files, context.removed_in(change, plan)) for change in plan.effective]
    if not any(costs.values()):
        return HEAD, tuple(rows)
    head = tuple(line + more for line, more in zip(HEAD, COST, strict=True))
    return head, tuple(f"{row} {costs[change.set] or '–'} |" for change, row in zip(plan.effective, rows, strict=True))


def _row(change: Change, files: str, removed: str) -> str:
    weak = change.privacy is Privacy.WEAKER
    mark = (
        "▼"
        if weak
        else {"-": "−", "->": "→", ">": "\\>", "~": "\\~", "+": "\\+"}.get(change.action.symbol, change.action.symbol)
    )
    loud = weak or change.action is Action.DELETE
    what = f"**{change.action.value}**" if loud else change.action.value
    effect = words.effect(change)
    why = "; ".join(part for part in (_why(change), effect, _jobs(change), removed and f"commit {removed}") if part)
    return f"| {mark} | {_link(change, files)} | {what} | {why} |"


def _why(change: Change) -> str:
    """The first fields behind a relaunch say more than its reason."""
    if change.action is not Action.RELAUNCH or not change.fields:
        return escape(words.why(change))
    shown = []
    for field in change.fields[:2]:
        before, after = before_and_after(field)
        shown.append(f"{escape(str(field.path[-1]))} {escape(before)} → {escape(after)}")
    more = len(change.fields) - len(shown)
    moved = f", moved from {escape(', '.join(change.moved_from))}" if change.left else ""
    return ", ".join(shown) + (f" and {more} more" if more else "") + moved


def _jobs(change: Change) -> str:
    if change.action is not Action.RELAUNCH:
        return ""
    jobs = words.job_list(change)
    return "all jobs run" if change.base is None else f"{escape(jobs)} run"


def _link(change: Change, files: str) -> str:
    file, line = change.place
    if change.desired is None or not re.fullmatch(r"[A-Za-z0-9_./-]+", file):
        return f"`{change.set}`"
    return f"[`{change.set}`]({files}{file}{f'#L{line}' if line else ''})"


def rest(plan: Plan) -> str:
    """What the table leaves out, in numbers; empty when it leaves out nothing."""
    unchanged = words.counts(plan)[Action.UNCHANGED]
    parts = [f"{count(unchanged, 'set')} unchanged"] if unchanged else []
    if plan.foreign:
        parts.append(f"{count(plan.foreign, 'set')} of someone else left alone")
    if plan.left_out:
        parts.append(f"{count(plan.left_out, 'set')} not selected")
    if left := context.credits_left(plan):
        parts.append(left)
    return " · ".join(parts)


def privacy(plan: Plan) -> Iterator[str]:
    """A table of the fields that move privacy, with its heading; nothing when none does."""
    moved = [(c, f) for c in plan.effective for f in c.fields if f.privacy is not Privacy.NEUTRAL]
    if not moved:
        return
    yield "**Privacy**"
    yield ""
    yield "| Field | Before | After | |"
    yield "|---|---|---|---|"
    for change, field in moved:
        before, after = before_and_after(field)
        name = escape(field_name(field.path))
        yield f"| `{change.set}` · {name} | {escape(before)} | {escape(after)} | {direction(field)} |"
    yield ""


def released(plan: Plan) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Head and rows of a table of what enters or leaves the release; both empty when nothing does."""
    return exposure.markdown(plan, escape)


def _kept(kept: list[Change]) -> Iterator[str]:
    if kept:
        yield f"**Kept** {', '.join(f'`{change.set}` ({escape(words.why(change))})' for change in kept)}"
        yield ""


def noted(plan: Plan) -> list[str]:
    """A bullet for each note; text from outside is escaped."""
    return [f"- `{note.set}` {escape(note.text)}{f': `{note.code}`' if note.code else ''}" for note in plan.notes]


def _notes(plan: Plan) -> Iterator[str]:
    if plan.notes:
        yield from ("**Notes**", "", *noted(plan), "")
