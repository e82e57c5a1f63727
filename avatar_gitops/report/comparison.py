"""Two runs compared, as one table: text, Markdown and JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from avatar_gitops.plan.compare import Comparison, InputChange, MetricChange, Verdict
from avatar_gitops.plan.desired import FieldPath, TableInput
from avatar_gitops.plan.lock import Lock
from avatar_gitops.report.plan_markdown import escape
from avatar_gitops.report.values import (
    Style,
    before_and_after,
    count,
    direction,
    field_name,
    number,
    plain,
    safe,
    short_digest,
    to_ascii,
)

HEAD: Final = ("", "", "before", "after", "change", "noise ±", "gate", "")
WIDE: Final = ("input", "engine")
STYLES: Final = {Verdict.WORSE: "fail", Verdict.GONE: "fail", Verdict.BETTER: "ok"}


@dataclass(frozen=True, slots=True)
class _Row:
    group: str
    name: str
    before: str = ""
    after: str = ""
    change: str = ""
    noise: str = ""
    gate: str = ""
    verdict: str = ""
    kind: str = ""

    @property
    def cells(self) -> tuple[str, ...]:
        return (self.group, self.name, self.before, self.after, self.change, self.noise, self.gate, self.verdict)


def render(found: Comparison, labels: tuple[str, str], *, style: Style = plain, ascii_only: bool = False) -> str:
    """What was compared, the table, and the verdict."""
    rows = list(_rows(found))
    widths = _widths(rows)
    lines = [f"{safe(labels[0])} -> {safe(labels[1])}", "", style(_line(HEAD, widths), "bold")]
    before = ""
    for row in rows:
        cells = (row.group if row.group != before else "", *row.cells[1:])
        before = row.group
        lines.append(style(_line(cells, widths), row.kind) if row.kind else _line(cells, widths))
    text = "\n".join([*lines, "", *_band(found), _verdict(found)]) + "\n"
    return to_ascii(text).replace("noise ?", "noise +") if ascii_only else text


def _widths(rows: Sequence[_Row]) -> list[int]:
    """Columns as wide as what is measured or changed needs; names of engines and files may go beyond theirs."""
    narrow = [HEAD, *(row.cells for row in rows if row.group not in WIDE)]
    names = [len(row.name) for row in rows]
    groups = [len(row.group) for row in rows]
    first = (max(groups, default=0), max(names, default=0))
    return [*first, *(max(len(line[index]) for line in narrow) for index in range(2, len(HEAD)))]


def markdown(found: Comparison, labels: tuple[str, str]) -> str:
    """The same for a pull request; text from outside cannot become markup."""
    sign = "⚠️" if found.regressions else "✅"
    lines = [f"### {sign} {escape(labels[0])} → {escape(labels[1])}", ""]
    lines += ["| " + " | ".join(HEAD) + " |", "|" + "---|" * len(HEAD)]
    lines += ["| " + " | ".join(escape(cell) for cell in row.cells) + " |" for row in _rows(found)]
    return "\n".join([*lines, "", *map(escape, _band(found)), escape(_verdict(found))]) + "\n"


def to_json(found: Comparison, labels: tuple[str, str]) -> str:
    """The same as one JSON document."""
    content = {
        "format": "avatar-gitops/diff",
        "version": "1.0",
        "before": _side(found.before, labels[0]),
        "after": _side(found.after, labels[1]),
        "fields": [
            {"path": list(one.path), "before": one.before, "after": one.after, "privacy": one.privacy.value}
            for one in found.fields
        ],
        "metrics": [_metric_json(one) for one in found.metrics],
        "inputs": [{"table": one.table, "same": one.same} for one in found.inputs],
        "regressions": [f"{one.table}.{one.metric}" for one in found.regressions],
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _side(lock: Lock, label: str) -> dict[str, str]:
    return {"label": label, "set": lock.set, "run": lock.run, "engine": lock.engine, "spec": lock.digests.spec}


def _metric_json(one: MetricChange) -> dict[str, Any]:
    return {
        "table": one.table,
        "metric": one.metric,
        "before": one.before,
        "after": one.after,
        "noise": one.noise,
        "noise_from": "seeds" if one.measured else "interval" if one.noise is not None else None,
        "verdict": one.verdict.value,
        "gate": one.gate or None,
        "passed": one.passed if one.gate else None,
    }


def _rows(found: Comparison) -> Iterator[_Row]:
    several = len({change.table for change in found.metrics}) > 1
    for field in found.fields:
        before, after = before_and_after(field)
        yield _Row(
            "spec", _field(field.path, several), before, after, direction(field), kind=_loud(field.privacy.value)
        )
    for utility, group in ((False, "priv"), (True, "util")):
        yield from (_metric(one, group, several) for one in found.metrics if one.utility is utility)
    for item in found.inputs:
        yield from _input(item)
    yield _Row("engine", "", *_engine(found))


def _field(path: FieldPath, several: bool) -> str:
    """A field's name; where there is only one table, its name is left out."""
    return field_name(path[3:] if path[:2] == ("spec", "tables") and len(path) > 3 and not several else path)


def _loud(privacy: str) -> str:
    return "weaker" if privacy == "weaker" else ""


def _metric(one: MetricChange, group: str, several: bool) -> _Row:
    gate = f"{one.gate}   {'ok' if one.passed else 'failed'}" if one.gate else "-"
    return _Row(
        group,
        f"{safe(one.table)}.{one.metric}" if several else one.metric,
        number(one.before),
        number(one.after),
        _moved(one),
        number(one.noise) if one.noise is not None else "exact" if one.exact else "unknown",
        gate,
        one.verdict.value,
        STYLES.get(one.verdict, ""),
    )


def _moved(one: MetricChange) -> str:
    if one.before is None or one.after is None or one.verdict is Verdict.SAME:
        return ""
    moved = one.after - one.before
    return f"{'-' if moved < 0 else '+'} {number(abs(moved))}"


def _input(one: InputChange) -> Iterator[_Row]:
    if one.same and one.after is not None:
        keyed = " (keyed digest)" if one.after.digest.startswith("hmac-") else ""
        size = f"{count(len(one.after.columns), 'column')}, {one.after.rows} rows"
        yield _Row("input", safe(one.table), "same file" + keyed, size)
        return
    for text in (_content, _size):
        before, after = text(one.before), text(one.after)
        if before != after:
            yield _Row("input", safe(one.table), before, after)


def _content(item: TableInput | None) -> str:
    return short_digest(item.digest) if item else "-"


def _size(item: TableInput | None) -> str:
    return f"{item.rows} rows" if item else "-"


def _engine(found: Comparison) -> tuple[str, str, str]:
    before, after = safe(found.before.engine) or "unknown", safe(found.after.engine) or "unknown"
    return (before, "same", "") if before == after else (before, after, "another engine")


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip()


def _band(found: Comparison) -> list[str]:
    """Where the noise comes from, when it was measured with repeated seeds."""
    if found.band is None:
        return []
    doubt = f"; it was measured for {found.doubt}" if found.doubt else ""
    return [f"The noise is that of {count(len(found.band.seeds), 'seed')}{doubt}."]


def _verdict(found: Comparison) -> str:
    if found.before.run == found.after.run:
        return "Both are the same run."
    worse = [one.metric for one in found.regressions]
    if not worse:
        return "No metric got worse by more than its noise."
    return f"{count(len(worse), 'metric')} got worse by more than the noise: {', '.join(dict.fromkeys(worse))}."
