"""One set as text: what plan says about it, and the published run."""

from __future__ import annotations

from collections.abc import Iterator

from avatar_gitops.plan.lock import Lock
from avatar_gitops.plan.model import Action, Change
from avatar_gitops.report.outcome import gate_text
from avatar_gitops.report.plan_words import why
from avatar_gitops.report.values import Style, number, short_digest, to_ascii


def as_text(change: Change, files: str | None, *, style: Style, ascii_only: bool = False) -> str:
    """Head, published run, metrics of each table, gates, and what would happen next; no data value."""
    lines = [style(change.set, "bold"), *_head(change)]
    if change.lock is None:
        lines.append("  published  nothing yet")
    else:
        lines += [*_run(change.lock), *_metrics(change.lock), *_gates(change.lock, style)]
    if files:
        lines.append(f"  files      {files}")
    idle = change.action in {Action.UNCHANGED, Action.KEEP}
    lines.append("")
    lines.append(f"Plan: {change.action.value}, {why(change)}.")
    if not idle:
        lines.append("Next: avatar-gitops plan")
    text = "\n".join(lines)
    return to_ascii(text) if ascii_only else text


def _head(change: Change) -> Iterator[str]:
    yield f"  spec       {change.path or 'not in git'}"
    if change.desired is not None:
        owner = change.desired.run.metadata.owner
        yield f"  owner      {owner or 'unknown'}"
        for item in change.desired.inputs:
            yield f"  table      {item.table}: {len(item.columns)} columns, {item.rows} rows"


def _run(lock: Lock) -> Iterator[str]:
    yield f"  published  run {lock.run[:8]}, finished {lock.finished[:16].replace('T', ' ')} UTC"
    yield f"  made from  spec {short_digest(lock.digests.spec)}, input {short_digest(lock.digests.input)}"
    yield f"  engine     {lock.engine or 'unknown'}"


def _metrics(lock: Lock) -> Iterator[str]:
    for table, values in sorted(lock.metrics.items()):
        yield f"  metrics    {table}"
        width = max((len(name) for name in values), default=0)
        for name, value in sorted(values.items()):
            yield f"    {name:<{width}}  {number(round(value, 4))}"


def _gates(lock: Lock, style: Style) -> Iterator[str]:
    for gate in lock.gates:
        sign = style("✔", "ok") if gate.passed else style("✘", "fail")
        yield f"  gate       {sign} {gate_text(gate)}"
