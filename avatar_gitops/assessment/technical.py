"""The technical report as a document: summary, attack scenario, each metric, signal retention, parameters, limits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from itertools import count

from avatar_gitops.assessment.catalogue import CONTROLLED, CRITERIA, LINKED, TARGETED, Family, canonical_name
from avatar_gitops.assessment.document import (
    Bars,
    Block,
    Bullets,
    Document,
    Drawing,
    Heading,
    Inline,
    Paragraph,
    Picture,
    Table,
    code,
    plain,
    strong,
    text_of,
)
from avatar_gitops.assessment.drawing import gauges
from avatar_gitops.assessment.facts import AssessmentFacts, MetricValue, TableFacts
from avatar_gitops.assessment.metric_texts import metric_definition, metric_label, metric_meaning
from avatar_gitops.assessment.phrases_technical import TECHNICAL_PHRASES
from avatar_gitops.assessment.risk import Assessment, TableRisk, check, unchecked, worst_blocks
from avatar_gitops.assessment.sections import (
    cells,
    finding,
    flag_sentences,
    limits,
    metric_gauges,
    metric_table,
    parameter_table,
    promise,
    provenance_table,
    rules,
    short_digest,
    table_overview,
    verdict,
    verdict_table,
    views,
    whole,
)
from avatar_gitops.assessment.text import bare, number
from avatar_gitops.assessment.voice import Voice

HELLINGER_GOAL = 0.05
HELLINGER_TOLERANCE = 0.1
SERIES = ("raw_series", "normalized_series")


def technical_document(facts: AssessmentFacts, assessment: Assessment) -> Document:
    """Every section of the report in the language of the facts."""
    voice = Voice(facts.language, TECHNICAL_PHRASES)
    made = facts.provenance
    line = voice.say(
        "made_from",
        date=voice.stated(made.date),
        engine=voice.stated(made.engine),
        spec=voice.coded(short_digest(made.spec_digest)),
    )
    sentence, tone = verdict(voice, facts, assessment)
    blocks: list[Block] = [
        Heading(1, voice.say("h.objective")),
        Paragraph(voice.say("objective", set=code(facts.set_name))),
        Heading(1, voice.say("h.summary")),
        Paragraph(sentence, tone),
    ]
    for position, (table, risk) in enumerate(zip(facts.tables, assessment.tables, strict=True), start=1):
        blocks += _summary(voice, facts, table, risk, position)
    blocks += [*_privacy(voice, facts), *_signal(voice, facts), *_parameters(voice, facts)]
    blocks += [Heading(1, voice.say("h.limits")), Heading(2, voice.say("h.limits.measured")), limits(voice, facts)]
    blocks += [Heading(2, voice.say("h.rules")), rules(voice), Heading(1, voice.say("h.metadata"))]
    blocks += [Heading(2, voice.say("h.data")), table_overview(voice, facts)]
    blocks += [Heading(2, voice.say("h.provenance")), provenance_table(voice, facts)]
    return whole(voice, facts, line, blocks)


def _summary(
    voice: Voice, facts: AssessmentFacts, table: TableFacts, risk: TableRisk, position: int
) -> Iterator[Block]:
    yield Heading(2, voice.say("h.summary.table", number=str(position), table=code(table.name)))
    yield Heading(3, voice.say("t.verdict"))
    yield verdict_table(voice, risk)
    for sentence in flag_sentences(voice, risk.criteria[0].flags):
        yield Paragraph(sentence, "very_high")
    if doubtful := unchecked(table):
        yield Paragraph(voice.say("unchecked", metrics=voice.names(doubtful)), "high", voice.cite("spec", "rule"))
    if table.guarantee is not None:
        yield Heading(3, voice.say("h.promise"))
        yield promise(voice, table.guarantee)
    elif not next(item for item in risk.criteria if item.criterion is Family.MEMBERSHIP).measured:
        yield Paragraph(strong(voice.word("not_measured.membership")))
    groups = {"privacy": _private(table.metrics), "signal": _useful(table.metrics)}
    recipient = facts.context.data_recipient
    if others := views(voice, table.metrics):
        yield Paragraph(voice.say("worst_shown.technical", views=others), source=voice.cite("rule"))
    for name, found in groups.items():
        metrics = worst_blocks(found, recipient)
        yield Heading(3, voice.say(f"t.{name}"))
        if not metrics:
            yield Paragraph(strong(voice.word("no_metric")))
            continue
        summary = text_of(voice.say(f"summary.{name}", table=table.name))
        drawn = metric_gauges(voice, recipient, metrics)
        if drawn:
            missed = ", ".join(f"{item.label} {item.text}" for item in drawn if item.met is False)
            alt = text_of(voice.say("gauges.alt", summary=summary, missed=missed or voice.word("none.feminine")))
            yield Drawing(f"{name}-{position}.svg", gauges(drawn, alt), alt, voice.say("gauges.legend"))
        yield metric_table(voice, summary, metrics, recipient)


def _private(metrics: Iterable[MetricValue]) -> tuple[MetricValue, ...]:
    order = (*CRITERIA, Family.OTHER)
    kept = [metric for metric in metrics if metric.family in order]
    return tuple(sorted(kept, key=lambda metric: order.index(metric.family)))


def _useful(metrics: Iterable[MetricValue]) -> tuple[MetricValue, ...]:
    return tuple(metric for metric in metrics if metric.family is Family.UTILITY)


def _privacy(voice: Voice, facts: AssessmentFacts) -> list[Block]:
    names = _names(metric for table in facts.tables for metric in _private(table.metrics))
    blocks: list[Block] = [
        Heading(1, voice.say("h.privacy")),
        Heading(2, voice.say("h.attack")),
        Paragraph(voice.say("risks.attacker"), source=voice.cite("wp29")),
        Paragraph(voice.say("attack.criteria"), source=voice.cite("wp29")),
        Bullets(tuple(_scenario(voice, criterion) for criterion in CRITERIA)),
    ]
    return [*blocks, *_metrics(voice, facts, names, 3, 2)]


def _scenario(voice: Voice, criterion: Family) -> Inline:
    return (*strong(voice.word(f"criterion.{criterion}")), *plain(". "), *voice.say(f"scenario.{criterion}"))


def _metrics(voice: Voice, facts: AssessmentFacts, names: tuple[str, ...], chapter: int, first: int) -> Iterator[Block]:
    """A section for each metric that was measured for some table, then one that names those that were not."""
    measured = {canonical_name(m.name) for table in facts.tables for m in table.metrics if m.value is not None}
    shown = [name for name in names if name in measured]
    for position, name in enumerate(shown, start=first):
        yield from _metric(voice, facts, name, f"{chapter}.{position}")
    missing = [name for name in names if name not in measured]
    if missing:
        yield Heading(2, voice.say("h.not_measured", number=f"{chapter}.{first + len(shown)}"))
        yield Paragraph(voice.say("not_measured.intro"), source=voice.cite("metrics"))
        rows = (
            cells(
                plain(metric_label(name, voice.language)),
                strong(voice.word("finding.not_measured")),
                voice.say(f"why.{_why(facts, name, measured)}"),
                code(name),
            )
            for name in missing
        )
        header = voice.head("metric", "value", "why", "source")
        yield Table(voice.word("not_measured.summary"), header, tuple(rows), (28, 14, 32, 26))


def _why(facts: AssessmentFacts, name: str, measured: Set[str]) -> str:
    """Why a metric has no value: it needs a control, the avatar of each person, or what nobody stated."""
    if name in CONTROLLED and not CONTROLLED & measured:
        return "control"
    if name in LINKED and all(table.method != "avatar" for table in facts.tables):
        return "link"
    if name == "knowledge_protection_rate" and not any(table.known_variables for table in facts.tables):
        return "known"
    if name in TARGETED and not any(table.inference_target for table in facts.tables):
        return "target"
    return "other"


def _names(metrics: Iterable[MetricValue]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(canonical_name(metric.name) for metric in metrics))


def _metric(voice: Voice, facts: AssessmentFacts, name: str, position: str) -> Iterator[Block]:
    label = metric_label(name, voice.language)
    yield Heading(2, voice.say("h.metric", number=position, metric=label))
    meaning, definition = metric_meaning(name, voice.language), metric_definition(name, voice.language)
    if meaning:
        yield Paragraph((*strong(voice.word("metric.meaning")), *plain(f" {meaning}.")))
        yield Paragraph(plain(definition))
    rows = []
    for table in facts.tables:
        for metric in table.metrics:
            if canonical_name(metric.name) != name:
                continue
            judged = check(metric, facts.context.data_recipient)
            wanted = judged.target if judged else None
            rows.append(
                cells(
                    voice.metric_name(metric, code(table.name)),
                    voice.value(metric, wanted),
                    voice.interval(metric, wanted),
                    voice.target(judged) if judged else plain("–"),
                    finding(voice, judged),
                )
            )
    header = voice.head("table", "value", "interval", "target", "finding")
    yield Table(text_of(voice.say("metric.values", metric=label)), header, tuple(rows), (26, 14, 20, 16, 24))


def _signal(voice: Voice, facts: AssessmentFacts) -> list[Block]:
    names = _names(metric for table in facts.tables for metric in _useful(table.metrics))
    blocks: list[Block] = [Heading(1, voice.say("h.signal")), *_metrics(voice, facts, names, 4, 1)]
    if not names:
        blocks.append(Paragraph(strong(voice.word("no_metric"))))
    position = sum(isinstance(block, Heading) and block.level == 2 for block in blocks)
    for table in facts.tables:
        if table.column_hellinger:
            position += 1
            heading = voice.say("h.columns", number=f"4.{position}", table=code(table.name))
            blocks += [Heading(2, heading), Paragraph(voice.say("columns.intro")), _bars(voice, table)]
    if not any(table.figures for table in facts.tables):
        return [*blocks, Paragraph(voice.say("figures.none"))]
    return [*blocks, *_figures(voice, facts, position + 1)]


def _figures(voice: Voice, facts: AssessmentFacts, position: int) -> Iterator[Block]:
    """A section for each table that has figures; they are numbered through the report."""
    numbers = count(1)
    for at, table in enumerate(table for table in facts.tables if table.figures):
        yield Heading(2, voice.say("h.figures", number=f"4.{position + at}", table=code(table.name)))
        of_series = any(figure.kind in SERIES for figure in table.figures)
        yield Paragraph(voice.say("figures.intro.series" if of_series else "figures.intro"))
        for figure in table.figures:
            told = f"figure.{figure.kind}"
            caption = voice.say(told, subject=code(figure.subject))
            alt = text_of(voice.say(f"{told}.alt" if f"{told}.alt" in voice.phrases else told, subject=figure.subject))
            numbered = (*strong(text_of(voice.say("figure.number", number=str(next(numbers))))), *plain(" "), *caption)
            yield Picture(figure.file(table.name), figure.png, alt, numbered)


def _bars(voice: Voice, table: TableFacts) -> Bars:
    ranked = sorted(table.column_hellinger.items(), key=lambda item: (-item[1], item[0]))
    goal, tolerance = bare(HELLINGER_GOAL, voice.language), bare(HELLINGER_TOLERANCE, voice.language)
    return Bars(
        voice.word("columns.summary"),
        (voice.say("head.column"), voice.say("head.distance")),
        text_of(voice.say("columns.legend", goal=goal, tolerance=tolerance)),
        tuple(name for name, _ in ranked),
        tuple(value for _, value in ranked),
        tuple(number(value, 3, voice.language) for _, value in ranked),
        HELLINGER_GOAL,
        HELLINGER_TOLERANCE,
    )


def _parameters(voice: Voice, facts: AssessmentFacts) -> list[Block]:
    blocks: list[Block] = [Heading(1, voice.say("h.parameters"))]
    for position, table in enumerate(facts.tables, start=1):
        heading: Inline = voice.say("h.parameters.table", number=str(position), table=code(table.name))
        blocks += [Heading(2, heading), parameter_table(voice, facts, table)]
    blocks += _links(voice, facts, len(facts.tables) + 1)
    return blocks


def _links(voice: Voice, facts: AssessmentFacts, position: int) -> Iterator[Block]:
    """How the tables of a set belong together, and what that means for what is measured."""
    links = [(table.name, child, method) for table in facts.tables for child, method in table.links.items()]
    if not links:
        return
    yield Heading(2, voice.say("h.links", number=str(position)))
    scopes = dict.fromkeys(metric.scope for table in facts.tables for metric in table.metrics)
    told = [f"scope.{scope}.meaning" for scope in scopes if f"scope.{scope}.meaning" in voice.phrases]
    yield Paragraph(voice.say("links.intro"))
    if told:
        yield Bullets(tuple(voice.say(key) for key in told))
    rows = tuple(
        cells(code(parent), code(child), code(method), voice.say(f"link.{method}"))
        for parent, child, method in links
        if f"link.{method}" in voice.phrases
    )
    header = voice.head("parent", "child", "link", "meaning")
    yield Table(voice.word("links.summary"), header, rows, (18, 18, 26, 38), voice.cite("spec"))
    if any(method == "time_series" for _, _, method in links):
        yield Heading(2, voice.say("h.series", number=str(position + 1)))
        yield Paragraph(voice.say("series.intro"))
