"""A preview as text and as a block of Markdown for a pull request; the block is made from the JSON document alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from avatar_gitops.plan.compare import Verdict
from avatar_gitops.plan.noise import Spread
from avatar_gitops.plan.prediction import Basis, GateVerdict, MetricPrediction, PredictedGate, Preview, SetPreview
from avatar_gitops.report.plan_markdown import escape
from avatar_gitops.report.preview_document import Shown, read
from avatar_gitops.report.values import Style, before_and_after, count, direction, field_name, number, plain, safe
from avatar_gitops.report.values import to_ascii as without_signs
from avatar_gitops.spec.gates import METRICS

STYLES: Final = {Verdict.WORSE: "fail", Verdict.GONE: "fail", Verdict.BETTER: "ok"}
GATE_STYLES: Final = {GateVerdict.FAILS: "fail", GateVerdict.UNSURE: "warn", GateVerdict.PASSES: "ok"}
MARKS: Final = {GateVerdict.FAILS: "⛔", GateVerdict.UNSURE: "⚠️", GateVerdict.PASSES: "✅"}
HEAD: Final = ("", "", "base", "head", "change", "noise ±", "gate", "")
LOCAL: Final = "local"
NOTHING: Final = "Nothing to preview: no spec changed in a way that makes a run or its metrics another one."
CHANCE: Final = (
    "Change and noise are over paired seeds, at 95 %: of 20 metrics that did not change, 1 leaves its noise by chance."
)


@dataclass(frozen=True, slots=True)
class _Row:
    group: str
    name: str
    cells: tuple[str, ...] = ("", "", "", "", "", "")
    kind: str = ""

    @property
    def line(self) -> tuple[str, ...]:
        return (self.group, self.name, *self.cells)


def render(content: Any, *, style: Style = plain, ascii_only: bool = False) -> str:
    """The document for a terminal."""
    shown = read(content)
    text = "\n".join(_text(shown, style)).rstrip() + "\n"
    return without_signs(text.replace("±", "+/-").replace("→", "->")) if ascii_only else text


def block(content: Any) -> str:
    """The document as Markdown to stand in a comment; text from outside cannot become markup, links or mentions."""
    return "\n".join(_markdown(read(content))).rstrip() + "\n"


def ending(preview: Preview) -> str:
    """The verdict in one sentence."""
    failed = sum(bool(one.error) for one in preview.sets)
    worse = [metric.metric for one in preview.sets for metric in one.worse]
    gates = [gate.metric for one in preview.sets for gate in one.failing]
    said = []
    if failed:
        said.append(f"{count(failed, 'set')} could not run")
    if gates:
        said.append(f"{count(len(gates), 'gate')} would fail: {', '.join(dict.fromkeys(gates))}")
    if worse:
        verb = "gets" if len(worse) == 1 else "get"
        said.append(
            f"{count(len(worse), 'metric')} {verb} worse by more than the noise: {', '.join(dict.fromkeys(worse))}"
        )
    return f"{'; '.join(said)}." if said else "No metric gets worse by more than its noise, and no gate would fail."


def _about(preview: Preview) -> str:
    """What the numbers are, and what they are not."""
    made = f"Prediction on the embedded engine {safe(preview.engine) or 'of this version'}"
    if preview.server == LOCAL:
        return f"{made}, the one that apply uses."
    return f"{made}, not a result of `{safe(preview.server)}`, where apply runs and values may differ."


def _basis(one: SetPreview) -> str:
    return "its data" if one.basis is Basis.DATA else "its sample, a synthetic stand-in for the data"


def _against(shown: Shown) -> str:
    return f"the locks at {safe(shown.preview.base)}" if shown.preview.base else "the lock files"


def _text(shown: Shown, style: Style) -> Iterator[str]:
    preview = shown.preview
    if not preview.sets:
        yield NOTHING
        return
    yield style(f"Preview of {count(len(preview.sets), 'set')} against {_against(shown)}", "bold")
    yield _about(preview)
    for one in preview.sets:
        yield ""
        yield from _set_text(one, shown.rows.get(one.set, ()), style)
    yield ""
    yield CHANCE
    yield ending(preview)


def _set_text(one: SetPreview, sizes: Sequence[str], style: Style) -> Iterator[str]:
    what = "new set, head alone" if one.new else "base and head" if _has_base(one) else "head alone"
    runs = "" if one.error else f"   {what}, {count(len(one.seeds), 'seed')} each, on {_basis(one)}"
    yield style(safe(one.set), "bold") + runs
    for size in sizes:
        yield f"  input  {safe(size)}"
    for field in one.fields:
        before, after = before_and_after(field)
        kind = "weaker" if field.privacy.value == "weaker" else ""
        line = f"  spec   {field_name(field.path)}  {before} → {after}  {direction(field)}".rstrip()
        yield style(line, kind) if kind else line
    if one.error:
        yield style(f"  failed {safe(one.error)}", "fail")
    yield from _table(one, style)
    for note in one.notes:
        yield f"  note   {safe(note)}"
    if one.promoted:
        yield f"  kept   the full run is on the server as {safe(one.promoted[:8])}; after the merge apply publishes it"


def _has_base(one: SetPreview) -> bool:
    return any(metric.base for metric in one.metrics)


def _table(one: SetPreview, style: Style) -> Iterator[str]:
    rows = list(_rows(one))
    if not rows:
        return
    widths = [max(len(line[index]) for line in (HEAD, *(row.line for row in rows))) for index in range(len(HEAD))]
    yield style(_line(HEAD, widths), "bold")
    group = ""
    for row in rows:
        line = _line((row.group if row.group != group else "", *row.line[1:]), widths)
        group = row.group
        yield style(line, row.kind) if row.kind else line


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  " + "  ".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip()


def _rows(one: SetPreview) -> Iterator[_Row]:
    """Privacy, utility, metrics whose better direction nobody knows, then gates on metrics that no run measured."""
    gates = {gate.metric: gate for gate in one.gates}
    several = len({metric.table for metric in one.metrics}) > 1
    for group in ("priv", "util", "more"):
        for metric in one.metrics:
            if _group(metric) == group:
                yield _metric(metric, group, gates.get(metric.metric), several)
    measured = {metric.metric for metric in one.metrics}
    for gate in one.gates:
        if gate.metric not in measured:
            yield _Row("gate", safe(gate.metric), ("", "-", "", "", _gate(gate), "not measured"), "fail")


def _group(one: MetricPrediction) -> str:
    return "more" if one.metric not in METRICS else "util" if one.utility else "priv"


def _metric(one: MetricPrediction, group: str, gate: PredictedGate | None, several: bool) -> _Row:
    name = f"{safe(one.table)}.{safe(one.metric)}" if several else safe(one.metric)
    cells = (_mean(one.base), _mean(one.head), _moved(one), _noise(one), _gate(gate), _verdict(one))
    failing = gate is not None and gate.verdict is not GateVerdict.PASSES
    return _Row(group, name, cells, GATE_STYLES[gate.verdict] if failing and gate else STYLES.get(one.verdict, ""))


def _mean(one: Spread | None) -> str:
    return number(one.mean) if one else "-"


def _moved(one: MetricPrediction) -> str:
    if one.delta is None or one.verdict is Verdict.SAME:
        return ""
    return f"{'-' if one.delta < 0 else '+'} {number(abs(one.delta))}"


def _noise(one: MetricPrediction) -> str:
    """The noise of the change; for a head alone, the spread of its runs."""
    if one.noise is not None:
        return number(one.noise) if one.noise else "none"
    return f"sd {number(one.head.sd)}" if one.head and one.head.n > 1 else ""


def _gate(gate: PredictedGate | None) -> str:
    if gate is None:
        return ""
    seeds = "" if gate.verdict is GateVerdict.PASSES else f", {gate.seeds_passed} of {gate.seeds} seeds pass"
    return f"{safe(gate.condition)} {gate.verdict.value}{seeds}"


def _verdict(one: MetricPrediction) -> str:
    return "" if one.verdict is Verdict.NEW else one.verdict.value


def _markdown(shown: Shown) -> Iterator[str]:
    preview = shown.preview
    if not preview.sets:
        return
    yield "**Predicted effect** " + escape(ending(preview))
    yield ""
    for one in preview.sets:
        yield from _set_markdown(one)
    seeds = max((len(one.seeds) for one in preview.sets), default=0)
    against = f"{count(seeds, 'seed')}, against {escape(_against(shown))}."
    yield f"<sub>{escape(_about(preview))} {escape(CHANCE)} {against}</sub>"


def _set_markdown(one: SetPreview) -> Iterator[str]:
    """What moved and the gates stand open, everything that stayed within its noise is folded."""
    yield f"<code>{escape(one.set)}</code> on {escape(_basis(one))}" + (
        " · new, nothing to compare with" if one.new else ""
    )
    yield ""
    if one.error:
        yield f"⛔ could not run: {escape(one.error)}"
        yield ""
    rows = [(row, loud) for row, loud in _markdown_rows(one)]
    open_ = [row for row, loud in rows if loud]
    folded = [row for row, loud in rows if not loud]
    if open_:
        yield from _markdown_table(open_)
        yield ""
    if folded:
        title = "without a change beyond noise, or without a better direction" if _has_base(one) else "without a gate"
        yield f"<details><summary>{count(len(folded), 'metric')} {title}</summary>"
        yield ""
        yield from _markdown_table(folded)
        yield "</details>"
        yield ""
    for note in one.notes:
        yield f"- {escape(note)}"
    if one.promoted:
        yield "- the full run is on the server already: after the merge it is published, not run again"
    if one.notes or one.promoted:
        yield ""


def _markdown_table(rows: Sequence[str]) -> Iterator[str]:
    yield "| Metric | Base | Head | Change | Noise ± | | Gate |"
    yield "|---|---|---|---|---|---|---|"
    yield from rows


def _markdown_rows(one: SetPreview) -> Iterator[tuple[str, bool]]:
    gates = {gate.metric: gate for gate in one.gates}
    moved = {metric.metric: metric for metric in one.metrics}
    for row in sorted(_rows(one), key=lambda row: row.kind != "fail"):
        name = row.name.rpartition(".")[2]
        gate, metric = gates.get(name), moved.get(name)
        loud = gate is not None or (metric is not None and metric.verdict in STYLES)
        base, head, change, noise, said, verdict = (escape(cell) for cell in row.cells)
        mark = f"{MARKS[gate.verdict]} {said}" if gate else ""
        yield f"| {escape(row.name)} | {base} | {head} | {change} | {noise} | {verdict} | {mark} |", loud
