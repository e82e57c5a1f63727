"""Metrics of a run against their targets: value, interval, target, what it means, and the finding in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fastapi.responses import Response

from avatar_gitops.server.web.files import list_files, read_result
from avatar_gitops.server.web.run import RunView, open_run
from avatar_gitops.server.web.visit import Visit
from avatar_gitops.server.web.words import Word
from avatar_gitops.wire.models import ResultKind

if TYPE_CHECKING:
    from avatar_gitops.assessment import MetricValue, TableFacts
    from avatar_gitops.assessment.risk import Check

MET: Final = Word("✔", "Met", "good")
MET_UNSURE: Final = Word("!", "Met, uncertain", "warn")
MISSED: Final = Word("✘", "Missed", "bad")
UNMEASURED: Final = Word("?", "Not measured", "warn")
INFORMS: Final = Word("·", "For information", "idle")
FAMILIES: Final[Mapping[str, tuple[str, str]]] = {
    "singling_out": ("Singling out", "Can one person be picked out of the avatars?"),
    "linkability": ("Linkability", "Can the avatars be used to connect what two parties know about a person?"),
    "inference": ("Inference", "Do the avatars give away a value of a person?"),
    "membership": ("Membership", "Can one tell that a person was in the original table?"),
    "utility": ("Utility", "Do the avatars still say what the originals say?"),
    "other": ("Other metrics", "What the catalogue of metrics does not know."),
}


@dataclass(slots=True, frozen=True)
class MetricLine:
    """One metric as it is shown; texts only."""

    name: str
    label: str
    meaning: str
    scope: str
    value: str
    interval: str
    target: str
    word: Word
    detail: str


@dataclass(slots=True, frozen=True)
class TableMetrics:
    """The metrics of one table: judged ones by family, those that only inform apart."""

    name: str
    families: tuple[tuple[str, str, tuple[MetricLine, ...]], ...]
    informing: tuple[MetricLine, ...]

    @property
    def judged(self) -> list[MetricLine]:
        return [line for _, _, lines in self.families for line in lines]

    @property
    def missed(self) -> int:
        return sum(line.word is MISSED for line in self.judged)

    @property
    def met(self) -> int:
        return sum(line.word is MET for line in self.judged)

    @property
    def open(self) -> int:
        """Targets of which nobody knows whether they are met."""
        return sum(line.word in {UNMEASURED, MET_UNSURE} for line in self.judged)


def show(visit: Visit) -> Response:
    """The metrics of every table as far as they were measured."""
    run = open_run(visit)
    return visit.page("run_metrics.html", run=run, tables=measured_tables(visit, run))


def measured_tables(visit: Visit, run: RunView) -> tuple[TableMetrics, ...]:
    """What the metrics jobs of the run have found so far."""
    from avatar_gitops.server.work_report import measured_tables as read

    found = [line for line in list_files(visit, run.id) if line.blob is not None]
    blocks = []
    for kind in (ResultKind.PRIVACY_METRICS, ResultKind.SIGNAL_METRICS):
        of_kind = [line for line in found if line.kind == kind]
        newest = of_kind[-1].job if of_kind else ""  # a run may have measured more than once
        blocks += [read_result(visit, line) for line in of_kind if line.job == newest]
    recipient = run.documents.pia().datarecipient
    return tuple(_table(table, recipient) for table in read(run.documents, blocks))


def _table(table: TableFacts, recipient: str) -> TableMetrics:
    from avatar_gitops.assessment.risk import check

    judged = [(metric, check(metric, recipient)) for metric in table.metrics]
    lines = [(metric, _line(metric, found)) for metric, found in judged]
    families = tuple(
        (title, question, tuple(line for metric, line in lines if metric.family == family and line.word is not INFORMS))
        for family, (title, question) in FAMILIES.items()
    )
    informing = tuple(line for _, line in lines if line.word is INFORMS)
    return TableMetrics(table.name, tuple(family for family in families if family[2]), informing)


def _line(metric: MetricValue, found: Check | None) -> MetricLine:
    from avatar_gitops.assessment.catalogue import is_exact, written_target, written_value
    from avatar_gitops.assessment.metric_texts import metric_label, metric_meaning

    wanted = found.target if found else None

    def written(value: float | None) -> str:
        return "–" if value is None else written_value(metric.name, value, "en", wanted)

    interval = "–"
    if metric.low is not None and metric.high is not None:
        interval = f"{written(metric.low)} to {written(metric.high)}"
    elif metric.value is not None and is_exact(metric.name):
        interval = "exact"
    elif metric.value is not None and found is not None:
        interval = "unknown"
    target = "–"
    if found is not None:
        target = written_target(metric.name, found.target, "en") + (" (default)" if found.is_default_target else "")
    word, detail = _verdict(metric, found)
    return MetricLine(
        metric.name,
        metric_label(metric.name, "en"),
        metric_meaning(metric.name, "en"),
        "; ".join(_scope(metric)),
        written(metric.value),
        interval,
        target,
        word,
        detail,
    )


def _verdict(metric: MetricValue, found: Check | None) -> tuple[Word, str]:
    """The finding as a word, and why where that is not all."""
    from avatar_gitops.assessment.catalogue import is_exact
    from avatar_gitops.assessment.risk import Finding

    if found is None:
        return INFORMS, ""
    match found.finding:
        case Finding.MET:
            return MET, "" if is_exact(metric.name) else "with its whole interval"
        case Finding.INTERVAL_UNKNOWN:
            return MET_UNSURE, "its interval is unknown"
        case Finding.INTERVAL_MISSES:
            return MET_UNSURE, "part of its interval misses"
        case Finding.NOT_MEASURED:
            return UNMEASURED, "what is not known counts as a risk"
        case Finding.SLIGHT:
            return MISSED, "by at most 10%"
        case Finding.SHORT:
            return MISSED, "by more than 10%"
        case _:
            return MISSED, "by more than 50%"


def _scope(metric: MetricValue) -> Iterator[str]:
    """How the table was looked at, where that is not by itself."""
    from avatar_gitops.assessment.phrases_technical import TECHNICAL_PHRASES

    if metric.scope != "standalone":
        known = TECHNICAL_PHRASES.get(f"scope.{metric.scope}")
        yield known.en if known else metric.scope
    if metric.reference:
        yield f"with table {metric.reference}"
    if metric.column:
        yield f"column {metric.column}"
