"""Where every set stands: a table for people, rows for programs. Made from a plan, the locks in it and the time."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from avatar_gitops.plan.lock import Lock
from avatar_gitops.plan.model import Change, NoteKind, Plan
from avatar_gitops.plan.signoff import Signatures, Signing
from avatar_gitops.plan.standing import standing
from avatar_gitops.report.plan_markdown import escape
from avatar_gitops.report.values import Style, count, number, plain, safe, to_ascii

HIDDEN: Final = "hidden_rate"
COLUMNS: Final = ("SET", "STATE", "GATES", "HIDDEN", "RUN", "AGE", "COMMIT")
WIDE: Final = ("OWNER", "SEED", "ENGINE")
STYLES: Final = {"published": "ok", "failed": "fail", "changed": "warn", "unfinished": "warn", "not published": "warn"}
NOT_SAID: Final = "–"


@dataclass(frozen=True, slots=True)
class Held:
    """Who applies the project at this moment; texts are safe to show."""

    id: str
    by: str
    url: str
    since: str
    expires: str


@dataclass(frozen=True, slots=True)
class Shape:
    """What of the rows is shown: `wide` adds columns, `since` leaves out what was published before or never.

    `signatures` are those under the assessments of the sets that anybody signs.
    """

    wide: bool = False
    since: datetime | None = None
    signatures: Mapping[str, Signatures] = field(default_factory=dict)


SHAPE: Final = Shape()


@dataclass(frozen=True, slots=True)
class SetStatus:
    """Where one set stands. `hidden_rate` is the worst table's, `age` and `seconds` are those of the published run.

    `owner` and `seed` are those of the spec, or of the last one where it has left git; `engine` made what is published.
    """

    set: str
    state: str
    gates_passed: int
    gates: int
    hidden_rate: float | None
    run: str
    seconds: float | None
    published_at: str
    age: str
    commit: str
    path: str
    owner: str
    seed: int | None
    engine: str


def statuses(plan: Plan, now: datetime, since: datetime | None = None) -> tuple[SetStatus, ...]:
    """One row per set, by name; only of sets that were published since a moment when there is one."""
    rows = (_status(change, now) for change in sorted(plan.changes, key=lambda change: change.set))
    return tuple(row for row in rows if since is None or _later(row.published_at, since))


def render(
    plan: Plan,
    now: datetime,
    shape: Shape = SHAPE,
    *,
    held: Held | None = None,
    style: Style = plain,
    ascii_only: bool = False,
) -> str:
    """The table, how many sets are in which state, who applies now, and the one thing to do next."""
    rows = statuses(plan, now, shape.since)
    if not rows and shape.since and plan.changes:
        return f"No set was published since {shape.since:%Y-%m-%d %H:%M} UTC.\n"
    if not rows and plan.left_out:
        return f"No set is selected, {plan.left_out} left out.\n"
    if not rows:
        return "There is no set in git and none of ours on the server.\nNext: avatar-gitops init\n"
    head = _head(shape)
    cells = [head, *(_cells(row, shape) for row in rows)]
    widths = [max(len(line[index]) for line in cells) for index in range(len(head))]
    lines = [style(_line(head, widths).rstrip(), "bold")]
    for row in rows:
        padded = [f"{cell:<{width}}" for cell, width in zip(_cells(row, shape), widths, strict=True)]
        padded[1] = style(padded[1], STYLES.get(row.state, "dim"))
        lines.append("  ".join(padded).rstrip())
    lines += ["", f"{_verdict(rows)}.", *_ending(plan), *_signing(shape), *_locked(held), *_next(rows)]
    text = "\n".join(lines) + "\n"
    return to_ascii(text) if ascii_only else text


def _ending(plan: Plan) -> Iterator[str]:
    """Sets whose last day comes soon."""
    yield from (f"Note: {note.set} {note.text}" for note in plan.notes if note.kind is NoteKind.RETENTION)


def _signing(shape: Shape) -> Iterator[str]:
    """Who has to sign which assessment, for the first time or again; and what was refused."""
    for name, item in sorted(shape.signatures.items()):
        if item.standing is Signing.REFUSED:
            yield f"Refused: {name}, see signoffs/{name}.yaml"
        elif item.open:
            yield f"{item.standing.value.capitalize()}: {name} by {', '.join(map(safe, item.open))}"


def _locked(held: Held | None) -> Iterator[str]:
    """Who applies now, and what to do when that is not true any more."""
    if held is not None:
        where = f" {held.url}" if held.url else ""
        yield f"Locked by {held.by}{where} since {held.since}, until {held.expires} if it is not renewed."
        yield f"        If that run is dead: avatar-gitops unlock --id {held.id}"


def to_json(plan: Plan, now: datetime, shape: Shape = SHAPE, held: Held | None = None) -> str:
    """The same rows as one JSON document."""
    content = {
        "format": "avatar-gitops/status",
        "version": "1.0",
        "project": plan.project,
        "server": plan.server,
        "lease": None if held is None else asdict(held),
        "sets": [asdict(row) for row in statuses(plan, now, shape.since)],
        "signatures": {
            name: {"state": item.standing.value, "to_sign": list(item.open)}
            for name, item in sorted(shape.signatures.items())
        },
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def markdown(plan: Plan, now: datetime, shape: Shape = SHAPE) -> str:
    """The same rows as a Markdown table."""
    rows, columns = statuses(plan, now, shape.since), _head(shape)
    head = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    body = [f"| `{row.set}` | " + " | ".join(escape(cell) for cell in _cells(row, shape)[1:]) + " |" for row in rows]
    signing = [f"- {escape(line)}" for line in _signing(shape)]
    return "\n".join([*head, *body, "", f"{_verdict(rows)}.", *(["", *signing] if signing else [])]) + "\n"


def duration(seconds: float) -> str:
    """A duration as it is shown: 5s, 6m40s, 2h05m."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02}m"


def age(since: timedelta) -> str:
    """How long ago something was, in its largest unit: 40 s, 5 min, 2 h, 41 d."""
    seconds = max(0, int(since.total_seconds()))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def _status(change: Change, now: datetime) -> SetStatus:
    lock = change.lock
    finished = _time(lock.finished) if lock else None
    started = _time(lock.started) if lock else None
    return SetStatus(
        set=change.set,
        state=standing(change).value,
        gates_passed=sum(gate.passed for gate in lock.gates) if lock else 0,
        gates=len(lock.gates) if lock else 0,
        hidden_rate=_hidden(lock),
        run=lock.run if lock else "",
        seconds=(finished - started).total_seconds() if finished and started else None,
        published_at=lock.finished if lock else "",
        age=age(now - finished) if finished else "",
        commit=lock.commit if lock else "",
        path=change.path,
        owner=str(_said(change, "metadata").get("owner") or ""),
        seed=seed if isinstance(seed := _said(change, "spec").get("seed"), int) else None,
        engine=lock.engine if lock else "",
    )


def _said(change: Change, part: str) -> Mapping[str, Any]:
    """A part of the spec, or of the one that was published last."""
    spec = change.desired.resolved if change.desired else change.lock.spec if change.lock else {}
    found = spec.get(part)
    return found if isinstance(found, Mapping) else {}


def _later(published_at: str, since: datetime) -> bool:
    moment = _time(published_at)
    return moment is not None and moment >= since


def _hidden(lock: Lock | None) -> float | None:
    values = [table[HIDDEN] for table in lock.metrics.values() if HIDDEN in table] if lock else []
    return min(values, default=None)


def _time(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _head(shape: Shape) -> tuple[str, ...]:
    return (*COLUMNS, *WIDE) if shape.wide else COLUMNS


def _cells(row: SetStatus, shape: Shape) -> tuple[str, ...]:
    took = f" {duration(row.seconds)}" if row.seconds is not None else ""
    return (
        row.set,
        row.state,
        f"{row.gates_passed}/{row.gates}" if row.gates else "none" if row.run else NOT_SAID,
        number(row.hidden_rate) if row.hidden_rate is not None else NOT_SAID,
        f"{safe(row.run[:4])}{took}" if row.run else NOT_SAID,
        row.age or NOT_SAID,
        safe(row.commit[:7]) or NOT_SAID,
        *(_more(row) if shape.wide else ()),
    )


def _more(row: SetStatus) -> tuple[str, str, str]:
    return safe(row.owner) or NOT_SAID, NOT_SAID if row.seed is None else str(row.seed), safe(row.engine) or NOT_SAID


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True))


def _verdict(rows: Sequence[SetStatus]) -> str:
    counted = Counter(row.state for row in rows)
    states = ", ".join(f"{amount} {state}" for state, amount in counted.most_common())
    return f"{count(len(rows), 'set')}: {states}" if rows else "No sets"


def _next(rows: Sequence[SetStatus]) -> Iterator[str]:
    if any(row.state not in {"published", "protected"} for row in rows):
        yield "Next: avatar-gitops plan"
