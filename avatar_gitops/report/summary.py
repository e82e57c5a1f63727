"""The summary of one run as Markdown: what was published, gates, metrics, what it was made from, what comes next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from avatar_gitops.assessment.catalogue import (
    DETAILS,
    canonical_name,
    is_exact,
    written_interval,
    written_target,
    written_value,
)
from avatar_gitops.assessment.drawing import Gauge
from avatar_gitops.assessment.drawing import gauges as draw
from avatar_gitops.assessment.facts import MetricValue
from avatar_gitops.assessment.metric_texts import metric_meaning
from avatar_gitops.assessment.phrases import PHRASES
from avatar_gitops.assessment.risk import check, worst_blocks
from avatar_gitops.assessment.sections import gauge
from avatar_gitops.assessment.targets import parse_target
from avatar_gitops.report.jinja import render
from avatar_gitops.report.words import WORDS, Language


class State(StrEnum):
    """What became of a run."""

    PUBLISHED = "published"
    NOT_PUBLISHED = "not_published"
    FAILED = "failed"
    RUNNING = "running"
    DELETED = "deleted"


@dataclass(slots=True, frozen=True)
class GateView:
    """One gate with what was measured; `table` None means that it holds for every table and `value` is the worst.

    `gate` is "op value". A gate whose metric was not measured has failed.
    """

    metric: str
    gate: str
    value: float | None
    table: str | None = None

    @property
    def passed(self) -> bool:
        """Whether the measured value satisfies the gate."""
        return self.value is not None and parse_target(self.gate).met_by(self.value)


@dataclass(slots=True, frozen=True)
class TableView:
    """The metrics of one table, in natural units."""

    name: str
    metrics: tuple[MetricValue, ...]


@dataclass(slots=True, frozen=True)
class MadeFrom:
    """Identity of the run; digests in full, shown as eight characters. `seed` None means not recorded."""

    spec_digest: str | None = None
    input_digests: Mapping[str, str] = field(default_factory=dict)
    is_keyed: bool = False
    engine: str | None = None
    seed: int | None = None


@dataclass(slots=True, frozen=True)
class SummaryView:
    """Everything a summary shows.

    `when` is written in UTC ("2026-09-17 09:18 UTC"). `notes` are short clauses for the status line, such as "weaker
    than the previous run (k 20 → 15)". `level` and `conclusion` come from `assessment.assess`. `documents` maps a label
    to a path beside the summary. `next_step`, `check` and `repeat` are commands. `folder` is where the plots are,
    beside the summary; empty when there are none. `recipient` is who gets the avatars: targets depend on it.
    """

    set_name: str
    state: State
    gates: tuple[GateView, ...] = ()
    tables: tuple[TableView, ...] = ()
    made_from: MadeFrom = MadeFrom()
    when: str | None = None
    notes: tuple[str, ...] = ()
    level: str | None = None
    conclusion: str | None = None
    documents: Mapping[str, str] = field(default_factory=dict)
    check: str | None = None
    repeat: str | None = None
    next_step: str | None = None
    folder: str = ""
    recipient: str = "unknown"
    language: Language = "en"


@dataclass(slots=True, frozen=True)
class _Line:
    name: str
    scope: str | None
    value: str
    interval: str
    bound: str
    meaning: str


@dataclass(slots=True, frozen=True)
class _Gate:
    metric: str
    table: str
    wanted: str
    value: str
    verdict: str


def summary_markdown(view: SummaryView, overrides: Path | None = None) -> str:
    """The summary in the language of the view; `overrides` may hold an own `summary.md.j2`."""
    language = view.language
    text = render(
        "summary.md.j2",
        overrides,
        view=view,
        status=WORDS[view.state].in_(language),
        clauses=(gate_sentence(view.gates, language), *view.notes),
        gates=[_gate(gate, language) for gate in view.gates],
        tables=[
            (
                table.name,
                [_line(metric, table.name, view) for metric in table.metrics if _is_told(metric, table.name, view)],
                _shown(view, number, table),
            )
            for number, table in enumerate(view.tables, start=1)
        ],
        risk=_risk(view),
        spec=short(view.made_from.spec_digest),
        inputs=[(name, short(digest)) for name, digest in sorted(view.made_from.input_digests.items())],
        word=lambda key: WORDS[key].in_(language),
    )
    return text.strip() + "\n"


def plots(view: SummaryView) -> dict[str, str]:
    """The plots of the summary as SVG, by file name: for each table its metrics against their gates and targets."""
    found = {}
    for number, table in enumerate(view.tables, start=1):
        gauges = _gauges(view, table)
        if gauges:
            found[_plot_name(number)] = draw(gauges, _alt(view, table, gauges))
    return found


def _plot_name(number: int) -> str:
    return f"summary-{number}.svg"


def _shown(view: SummaryView, number: int, table: TableView) -> tuple[str, str] | None:
    """Path and alternative text of the plot of a table; None when it has none."""
    gauges = _gauges(view, table) if view.folder else ()
    return (f"{view.folder}/{_plot_name(number)}", _alt(view, table, gauges)) if gauges else None


def _gauges(view: SummaryView, table: TableView) -> tuple[Gauge, ...]:
    """The worst block of each metric that has a gate or a target."""
    worst = worst_blocks(table.metrics, view.recipient)
    bound = ((metric, _wanted(metric, table.name, view)[0]) for metric in worst)
    return tuple(
        gauge(view.language, metric, wanted) for metric, wanted in bound if wanted and metric.value is not None
    )


def _alt(view: SummaryView, table: TableView, gauges: tuple[Gauge, ...]) -> str:
    missed = ", ".join(f"{item.label} {item.text}" for item in gauges if item.met is False)
    words = {"table": table.name, "missed": missed or WORDS["none"].in_(view.language)}
    return WORDS["plot.alt"].in_(view.language).format(**words)


def gate_sentence(gates: tuple[GateView, ...], language: Language) -> str:
    """How many gates passed or failed."""
    failed = sum(not gate.passed for gate in gates)
    if not gates:
        return WORDS["gates_none"].in_(language)
    if failed:
        return WORDS["gates_failed"].in_(language).format(failed=failed, total=len(gates))
    return WORDS["gates_passed" if len(gates) > 1 else "gate_passed"].in_(language).format(total=len(gates))


def short(digest: str | None) -> str | None:
    """Eight characters of a digest, without the name of its algorithm."""
    return digest.rpartition(":")[2][:8] if digest else None


def _gate(gate: GateView, language: Language) -> _Gate:
    measured = gate.value is not None
    verdict = ("passed" if gate.passed else "failed") if measured else "not_measured"
    return _Gate(
        gate.metric,
        gate.table or WORDS["every_table"].in_(language),
        written_target(gate.metric, gate.gate, language),
        _written(gate.metric, gate.value, language, gate.gate),
        WORDS[f"verdict.{verdict}"].in_(language),
    )


def _written(name: str, value: float | None, language: Language, bound: str | None) -> str:
    return WORDS["not_measured"].in_(language) if value is None else written_value(name, value, language, bound)


def _is_told(metric: MetricValue, table: str, view: SummaryView) -> bool:
    """Whether a summary has room for a metric: details stand in the longer documents unless a gate is about them."""
    return canonical_name(metric.name) not in DETAILS or _gate_of(metric, table, view.gates) is not None


def _line(metric: MetricValue, table: str, view: SummaryView) -> _Line:
    bound, kind = _wanted(metric, table, view)
    scope = None if metric.scope == "standalone" else _scope(metric, view.language)
    return _Line(
        metric.name,
        scope,
        _written(metric.name, metric.value, view.language, bound),
        _interval(metric, view.language, bound),
        f"{written_target(metric.name, bound, view.language)} ({WORDS[kind].in_(view.language)})" if bound else "–",
        metric_meaning(metric.name, view.language) or "–",
    )


def _wanted(metric: MetricValue, table: str, view: SummaryView) -> tuple[str | None, str]:
    """The bound of a metric and the word for its kind: its gate, else what the longer documents judge it against."""
    if gate := _gate_of(metric, table, view.gates):
        return gate, "gate"
    judged = check(metric, view.recipient)
    if judged is None:
        return None, "target"
    return judged.target, "default_target" if judged.is_default_target else "target"


def _gate_of(metric: MetricValue, table: str, gates: tuple[GateView, ...]) -> str | None:
    name = canonical_name(metric.name)
    return next((g.gate for g in gates if canonical_name(g.metric) == name and g.table in {None, table}), None)


def _scope(metric: MetricValue, language: Language) -> str:
    words = PHRASES.get(f"scope.{metric.scope}")
    scope = words.in_(language) if words else metric.scope
    return f"{scope}, {metric.reference}" if metric.reference else scope


def _interval(metric: MetricValue, language: Language, bound: str | None) -> str:
    if metric.value is None:
        return "–"
    if metric.low is None or metric.high is None:
        return WORDS["exact" if is_exact(metric.name) else "unknown"].in_(language)
    return written_interval(metric.name, metric.low, metric.high, language, bound)


def _risk(view: SummaryView) -> str | None:
    if view.level is None or view.conclusion is None:
        return None
    level, conclusion = (
        PHRASES[f"{group}.{value}"] for group, value in (("level", view.level), ("conclusion", view.conclusion))
    )
    return (
        WORDS["risk"]
        .in_(view.language)
        .format(level=level.in_(view.language), conclusion=conclusion.in_(view.language))
    )
