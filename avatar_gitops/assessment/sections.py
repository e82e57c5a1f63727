"""Pieces that both documents share: tables of metrics, verdicts, parameters and provenance."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Final

from avatar_gitops.assessment.catalogue import Unit, canonical_name, is_exact, unit_of, written_value
from avatar_gitops.assessment.document import (
    Block,
    Bullets,
    Cell,
    Document,
    Inline,
    Paragraph,
    Table,
    Tone,
    code,
    fill,
    plain,
    strong,
    text_of,
)
from avatar_gitops.assessment.drawing import Gauge
from avatar_gitops.assessment.facts import AssessmentFacts, MetricValue, Scalar, TableFacts
from avatar_gitops.assessment.guarantee import Guarantee, certainty, promise_numbers
from avatar_gitops.assessment.metric_texts import metric_definition, metric_label
from avatar_gitops.assessment.phrases_risk import LIMITS, LIMITS_OF
from avatar_gitops.assessment.phrases_sources import RULES
from avatar_gitops.assessment.risk import Assessment, Check, CriterionRisk, Finding, Flag, TableRisk, check
from avatar_gitops.assessment.targets import parse_target
from avatar_gitops.assessment.text import bare, number, percent
from avatar_gitops.assessment.voice import Voice, tone

DP: Final = frozenset({"open_dp", "fast_dp"})
MEANS: Final = frozenset({"barycentered", "class_balancing_barycenter"})
WHOLE: Final = 100
FINEST: Final = 4
_ORDER: Final = (
    Finding.MET,
    Finding.INTERVAL_UNKNOWN,
    Finding.INTERVAL_MISSES,
    Finding.SLIGHT,
    Finding.SHORT,
    Finding.FAR,
)


def whole(voice: Voice, facts: AssessmentFacts, line: Inline, blocks: Sequence[Block]) -> Document:
    """The document of these blocks: its title, the line under it, and the words of its pages."""
    return Document(
        text_of(voice.say("title", set=facts.set_name)),
        voice.word("subject"),
        facts.language,
        (line,),
        facts.set_name,
        voice.word("page"),
        voice.word("source"),
        tuple(blocks),
    )


def cells(*contents: Inline) -> tuple[Cell, ...]:
    """A row of uncoloured cells."""
    return tuple(Cell(content) for content in contents)


def metric_table(voice: Voice, summary: str, metrics: Iterable[MetricValue], recipient: str) -> Table:
    """One row per metric: value, interval, target, finding, and the name it has in the result files."""
    rows = []
    for metric in metrics:
        judged = check(metric, recipient)
        wanted = judged.target if judged else None
        rows.append(
            cells(
                voice.metric_name(metric, plain(metric_label(metric.name, voice.language))),
                voice.value(metric, wanted),
                voice.interval(metric, wanted),
                voice.target(judged) if judged else plain("–"),
                finding(voice, judged),
                code(metric.name),
            )
        )
    header = voice.head("metric", "value", "interval", "target", "finding", "source")
    return Table(summary, header, tuple(rows), (22, 11, 16, 14, 20, 17))


def metric_gauges(voice: Voice, recipient: str, metrics: Iterable[MetricValue]) -> tuple[Gauge, ...]:
    """The measured metrics that have a bound, as they are drawn; a scale goes from 0 to 100%, 1, or twice the bound."""
    found = []
    for metric in metrics:
        judged = check(metric, recipient)
        if judged is not None and metric.value is not None:
            found.append(gauge(voice.language, metric, judged.target))
    return tuple(found)


def gauge(language: str, metric: MetricValue, target: str) -> Gauge:
    """One metric against one bound as it is drawn."""
    assert metric.value is not None
    bound = parse_target(target)
    ends = tuple(end for end in (metric.value, metric.high) if end is not None)
    unit = unit_of(metric.name)
    whole = 100.0 if unit is Unit.PERCENT else 1.0 if unit is Unit.RATIO else 2 * bound.bound
    if not bound.higher_is_better:
        whole = 2 * bound.bound or whole
    return Gauge(
        metric_label(metric.name, language),
        written_value(metric.name, metric.value, language, target),
        metric.value,
        max(whole, *ends) or 1.0,
        metric.low,
        metric.high,
        bound.bound,
        bound.met_by(metric.value),
    )


def finding(voice: Voice, judged: Check | None) -> Inline:
    """What a check found; anything but a met target stands out."""
    if judged is None:
        return voice.say("finding.none")
    if judged.finding is Finding.MET and judged.metric.low is None and is_exact(judged.metric.name):
        return voice.say("finding.met_exact")
    text = voice.word(f"finding.{judged.finding}")
    return plain(text) if judged.finding.value.startswith(("met", "interval")) else strong(text)


def verdict_table(voice: Voice, table: TableRisk) -> Table:
    """One row per criterion with every input of its level."""
    rows = tuple(
        (
            *cells(
                voice.say(f"criterion.{item.criterion}"),
                plain(str(item.vulnerability)),
                plain(signed(item.exposure)),
                voice.scale("likelihood", item.likelihood),
                voice.scale("severity", item.severity),
            ),
            voice.level_cell(item.level),
        )
        for item in table.criteria
    )
    header = voice.head("criterion", "vulnerability", "exposure", "likelihood", "severity", "level")
    widths = (22, 16, 14, 18, 16, 14)
    return Table(voice.word("verdicts.summary"), header, rows, widths, voice.cite("metrics", "rule"))


def signed(value: int) -> str:
    """A shift with its sign; the minus is the typographic one."""
    return f"{value:+d}".replace("-", "−") if value else "0"


def reason(voice: Voice, risk: CriterionRisk) -> Inline:
    """Why a criterion has its vulnerability: the flag, the worst finding with its metric, or what was not measured."""
    if risk.flags:
        return voice.say(f"flag.{risk.flags[0]}")
    if risk.guarantee is not None:
        return voice.say("promised", epsilon=_promised(voice, risk.guarantee)["epsilon"])
    known = [item for item in risk.checks if item.metric.value is not None]
    worst = max(known, key=lambda item: (item.vulnerability, item.shortfall, _ORDER.index(item.finding)), default=None)
    if worst is None or (not risk.measured and worst.vulnerability < risk.vulnerability):
        return voice.say("not_attacked")
    return fill(
        "{metric}: {finding}" if voice.language == "en" else "{metric}\u00a0: {finding}",
        metric=code(worst.metric.name),
        finding=finding(voice, worst),
    )


def table_source(facts: AssessmentFacts, table: TableFacts) -> Inline:
    """Where a table stands in the spec."""
    return code(facts.provenance.sources.get(f"table.{table.name}", f"tables.{table.name}"))


def parameter_table(voice: Voice, facts: AssessmentFacts, table: TableFacts) -> Table:
    """What was done to one table: the method, each parameter, and the columns treated apart."""
    rows = [cells(voice.say("parameter.method"), voice.say(method_key(table.method)))]
    rows += [cells(code(name), scalar(voice, value)) for name, value in table.parameters.items()]
    kinds = tuple(
        fill("{column} ({kind})", column=code(column), kind=kind) for column, kind in table.pseudonymized.items()
    )
    if table.guarantee is not None:
        rows += guarantee_rows(voice, table.guarantee)
    if table.links:
        tied = tuple(fill("{table} ({how})", table=code(child), how=how) for child, how in table.links.items())
        rows.append(cells(voice.say("parameter.links"), lines(voice, tied)))
    rows += [
        cells(voice.say("parameter.dropped"), voice.names(table.dropped)),
        cells(voice.say("parameter.pseudonymized"), lines(voice, kinds)),
        cells(voice.say("parameter.excluded"), voice.names(table.excluded)),
        cells(voice.say("parameter.known_variables"), voice.names(table.known_variables)),
        cells(voice.say("parameter.inference_target"), voice.names(tuple(filter(None, (table.inference_target,))))),
        cells(voice.say("parameter.groups"), voice.names(table.groups)),
    ]
    sources = table_source(facts, table)
    if table.guarantee is not None:
        library = code(table.guarantee.library)
        sources = voice.listed(sources, voice.say("source.promise", library=library))
    header = voice.head("parameter", "value")
    return Table(voice.word("parameters.summary"), header, tuple(rows), (30, 70), sources)


def guarantee_rows(voice: Voice, said: Guarantee) -> list[tuple[Cell, ...]]:
    """What differential privacy promises for one table, and on which grounds."""
    budget = _promised(voice, said)
    one = said.rows_per_person == 1
    person = voice.say("guarantee.person.one" if one else "guarantee.person", rows=code(str(said.rows_per_person)))
    budget |= {"declared": plain(bare(said.declared, voice.language)), "library": code(said.library)}
    return [
        cells(voice.say("guarantee"), voice.say("guarantee.budget", **budget)),
        cells(voice.say("guarantee.measure"), voice.say("guarantee.pure" if said.pure else "guarantee.zcdp")),
        cells(voice.say("guarantee.unit"), person),
        cells(voice.say("guarantee.public"), _knowledge(voice, said.public)),
        cells(voice.say("guarantee.learned"), _knowledge(voice, said.learned)),
        cells(voice.say("guarantee.limits"), voice.say("guarantee.limits.text")),
    ]


def promise(voice: Voice, said: Guarantee) -> Paragraph:
    """What a promise of differential privacy means, in one paragraph."""
    sentence = voice.say("promise.stands", guess=_guess(voice, 100 * certainty(said)), **_promised(voice, said))
    sources = voice.listed(voice.say("source.promise", library=code(said.library)), voice.cite("rule", "dp"))
    return Paragraph(sentence, source=sources)


def _promised(voice: Voice, said: Guarantee) -> dict[str, Inline]:
    epsilon, delta = promise_numbers(said, voice.language)
    return {"epsilon": plain(epsilon), "delta": plain(delta)}


def _guess(voice: Voice, share: float) -> Inline:
    """How often a guess can be right: a percentage never rounded down, or that it is nearly always."""
    for decimals in range(1, FINEST + 1):
        above = math.ceil(round(share * 10**decimals, 6)) / 10**decimals
        if above < WHOLE:
            return voice.say("promise.bounded", share=percent(number(above, decimals, voice.language), voice.language))
    below = percent(number(WHOLE - 10**-FINEST, FINEST, voice.language), voice.language)
    return voice.say("promise.open", share=below)


def _knowledge(voice: Voice, pairs: tuple[tuple[str, str], ...]) -> Inline:
    """Each kind of knowledge once, with the columns it is about."""
    parts: list[Inline] = []
    for kind in dict.fromkeys(kind for kind, _ in pairs):
        columns = tuple(column for other, column in pairs if other == kind and column)
        label = voice.say(f"guarantee.{kind}")
        parts.append(fill("{what} ({columns})", what=label, columns=voice.names(columns)) if columns else label)
    return lines(voice, tuple(parts))


def method_key(method: str) -> str:
    """The phrase of a method; what is not a method of the platform is none."""
    return f"method.{method}" if method in {"avatar", *DP} else "method.none"


def scalar(voice: Voice, value: Scalar) -> Inline:
    """A parameter value as it is written in this language."""
    if isinstance(value, bool):
        return voice.yes_no(value)
    return code(value) if isinstance(value, str) else plain(bare(value, voice.language))


def lines(voice: Voice, parts: tuple[Inline, ...]) -> Inline:
    """Several inlines with commas, or "none"."""
    joint: list[Inline] = []
    for part in parts:
        joint += [plain(", "), part] if joint else [part]
    return tuple(span for part in joint for span in part) or plain(voice.word("none.feminine"))


def provenance_table(voice: Voice, facts: AssessmentFacts) -> Table:
    """What the figures were made from, so that they can be found and made again."""
    made = facts.provenance
    rows = [
        cells(voice.say("provenance.date"), voice.stated(made.date)),
        cells(voice.say("provenance.engine"), voice.stated(made.engine)),
        cells(voice.say("provenance.seed"), voice.yes_no(made.seed_recorded)),
        cells(voice.say("provenance.spec"), voice.coded(made.spec_digest)),
    ]
    inputs = dict.fromkeys([*(table.name for table in facts.tables), *sorted(made.input_digests)])
    rows += [
        cells(voice.say("provenance.input", table=code(name)), voice.coded(made.input_digests.get(name)))
        for name in inputs
    ]
    optional = {"commit": made.commit, "job": made.job}
    rows += [cells(voice.say(f"provenance.{name}"), code(text)) for name, text in optional.items() if text]
    rows += [
        cells(voice.say("provenance.version", component=code(name)), code(version))
        for name, version in sorted(made.versions.items())
    ]
    return Table(
        voice.word("annex.provenance.summary"),
        voice.head("component", "value"),
        tuple(rows),
        (30, 70),
        voice.cite("run"),
    )


def table_overview(voice: Voice, facts: AssessmentFacts) -> Table:
    """Name, size bucket, width, kind and input digest of each table."""
    digests = facts.provenance.input_digests
    rows = tuple(
        cells(
            code(table.name),
            voice.bucket(table.rows),
            voice.unknown() if table.columns is None else plain(str(table.columns)),
            voice.yes_no(table.individual_level),
            voice.coded(short_digest(digests.get(table.name))),
        )
        for table in facts.tables
    )
    header = voice.head("table", "rows", "columns", "individual", "digest")
    return Table(voice.word("tables.summary"), header, rows, (24, 20, 14, 20, 22), voice.cite("spec", "run"))


def short_digest(digest: str | None) -> str | None:
    """Eight characters of a digest, without the name of its algorithm."""
    return digest.rpartition(":")[2][:8] if digest else None


def definition_table(voice: Voice, facts: AssessmentFacts) -> Table:
    """The definition and the limit of each metric that the document shows."""
    names = dict.fromkeys(canonical_name(metric.name) for table in facts.tables for metric in table.metrics)
    rows = tuple(
        cells(plain(metric_label(name, voice.language)), plain(metric_definition(name, voice.language) or "–"))
        for name in names
    )
    header, source = voice.head("metric", "definition"), _engine(voice, facts)
    return Table(voice.word("annex.metrics.summary"), header, rows, (28, 72), source)


def _engine(voice: Voice, facts: AssessmentFacts) -> Inline:
    return voice.say("source.engine", engine=voice.stated(facts.provenance.engine))


def limits(voice: Voice, facts: AssessmentFacts) -> Bullets:
    """What the figures do not prove, as far as it is true of the methods of the set."""
    promised = {table.method in DP for table in facts.tables}
    found = tuple(key for key in LIMITS if LIMITS_OF.get(key) in {None, *promised})
    cited = tuple(name for name, said in (("avatar", False), ("dp", True)) if said in promised)
    return Bullets(tuple(voice.say(key) for key in found), voice.cite("wp29", *cited))


def rules(voice: Voice) -> Bullets:
    """How levels follow from what was measured and stated."""
    return Bullets(tuple(voice.say(key) for key in RULES), voice.cite("wp29", "cnil"))


def verdict(voice: Voice, facts: AssessmentFacts, assessment: Assessment) -> tuple[Inline, Tone]:
    """The conclusion in one sentence and its tone; it never says that data are anonymous."""
    use = (facts.context.purpose or "").rstrip(" .")
    sentence = voice.say(
        "conclusion",
        level=voice.level(assessment.level),
        conclusion=strong(voice.word(f"conclusion.{assessment.conclusion}")),
        use=voice.stated(use),
        stop="" if use.endswith(("?", "!", "…")) else ".",
        recipient=voice.choice("recipient", facts.context.data_recipient),
    )
    return sentence, tone(assessment.level)


def views(voice: Voice, metrics: Iterable[MetricValue]) -> Inline:
    """What a table was measured with beside itself alone; empty when there is nothing."""
    kinds = {"means" if metric.scope in MEANS else "links" for metric in metrics if metric.scope != "standalone"}
    return voice.say(f"views.{'both' if len(kinds) > 1 else kinds.pop()}") if kinds else ()


def flag_sentences(voice: Voice, raised: Iterable[Flag]) -> tuple[Inline, ...]:
    """One sentence for each red flag."""
    return tuple(voice.say("flagged", flag=strong(voice.word(f"flag.{flag}"))) for flag in raised)
