"""Sections 4 to 6 of the impact assessment: risk analysis, feared events, risk matrix."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from avatar_gitops.assessment.catalogue import Family
from avatar_gitops.assessment.document import (
    Block,
    Cell,
    Drawing,
    Heading,
    Inline,
    Paragraph,
    Table,
    code,
    joined,
    plain,
    strong,
    text_of,
)
from avatar_gitops.assessment.drawing import Place
from avatar_gitops.assessment.drawing import matrix as draw
from avatar_gitops.assessment.facts import AssessmentFacts, MetricValue, TableFacts
from avatar_gitops.assessment.pia_flow import original_key
from avatar_gitops.assessment.risk import VULNERABLE_SUBJECTS, Assessment, CriterionRisk, level, unchecked, worst_blocks
from avatar_gitops.assessment.sections import (
    cells,
    flag_sentences,
    metric_table,
    promise,
    reason,
    signed,
    table_source,
    verdict_table,
    views,
)
from avatar_gitops.assessment.voice import Voice, tone

_SCENARIOS: Final = {
    Family.SINGLING_OUT: "wp29",
    Family.LINKABILITY: "wp29",
    Family.INFERENCE: "wp29",
    Family.MEMBERSHIP: "membership",
}


def risks(voice: Voice, facts: AssessmentFacts, assessment: Assessment) -> list[Block]:
    """Section 4: scales, severity and exposure with their inputs, then every criterion of every table."""
    blocks: list[Block] = [
        Heading(1, voice.say("h.risks")),
        Paragraph(voice.say("risks.attacker"), source=voice.cite("wp29")),
        Heading(2, voice.say("h.method")),
        _scales(voice),
        Paragraph(_severity(voice, facts, assessment), source=voice.cite("spec", "rule")),
        Paragraph(
            voice.say(
                "exposure.derivation",
                value=strong(signed(assessment.exposure)),
                recipient=voice.choice("recipient", facts.context.data_recipient),
                source=voice.source(facts, "data_recipient"),
            ),
            source=voice.cite("spec", "rule"),
        ),
        Paragraph(
            voice.say(
                "before.derivation",
                likelihood=voice.scale("likelihood", assessment.likelihood_before),
                level=voice.level(assessment.level_before),
            ),
            source=voice.cite("rule"),
        ),
    ]
    for number, (table, risk) in enumerate(zip(facts.tables, assessment.tables, strict=True), start=2):
        blocks.append(Heading(2, voice.say("h.table_risk", number=str(number), table=code(table.name))))
        blocks.append(verdict_table(voice, risk))
        if others := views(voice, table.metrics):
            blocks.append(Paragraph(voice.say("worst_shown", views=others), source=voice.cite("rule")))
        blocks += [
            Paragraph(sentence, "very_high", table_source(facts, table))
            for sentence in flag_sentences(voice, risk.criteria[0].flags)
        ]
        if table.guarantee is not None:
            blocks += [Heading(3, voice.say("h.promise")), promise(voice, table.guarantee)]
        for item in risk.criteria:
            blocks += _criterion(voice, facts, table, item)
        blocks += _other(voice, facts, table)
    return blocks


def _other(voice: Voice, facts: AssessmentFacts, table: TableFacts) -> list[Block]:
    metrics = [metric for metric in table.metrics if metric.family is Family.OTHER]
    if not metrics:
        return []
    name = voice.word("criterion.other")
    return [
        Heading(3, plain(name)),
        Paragraph(voice.say("other_metrics"), source=voice.cite("rule")),
        metric_table(voice, name, metrics, facts.context.data_recipient),
    ]


def _scales(voice: Voice) -> Table:
    rows = tuple(
        cells(
            plain(str(step)),
            joined((voice.say(f"severity.{step}"), voice.say(f"severity.{step}.meaning")), " – "),
            joined((voice.say(f"likelihood.{step}"), voice.say(f"likelihood.{step}.meaning")), " – "),
        )
        for step in range(1, 5)
    )
    header = voice.head("step", "severity", "likelihood")
    return Table(voice.word("scales.summary"), header, rows, (12, 44, 44), voice.cite("cnil"))


def _severity(voice: Voice, facts: AssessmentFacts, assessment: Assessment) -> Inline:
    harm, said = assessment.severity, facts.context
    return voice.say(
        "severity.derivation",
        value=strong(voice.scale("severity", harm.value)[0].text),
        base=str(harm.base),
        sensitivity=voice.choice("sensitivity", said.sensitivity_level),
        source=voice.source(facts, "sensitivity_level"),
        floor=str(harm.floor),
        type=voice.choice("type", said.data_type),
        bonus=voice.say(f"severity.{_bonus(facts, assessment)}", subjects=voice.choice("subject", said.data_subject)),
    )


def _bonus(facts: AssessmentFacts, assessment: Assessment) -> str:
    """Why the people raise the severity, or do not."""
    if assessment.severity.vulnerable:
        return "raised"
    people = facts.context.data_subject
    if people == "unknown":
        return "people_unknown"
    return "not_two" if people in VULNERABLE_SUBJECTS else "not_vulnerable"


def _criterion(voice: Voice, facts: AssessmentFacts, table: TableFacts, risk: CriterionRisk) -> list[Block]:
    name = voice.word(f"criterion.{risk.criterion}")
    recipient = facts.context.data_recipient
    metrics = worst_blocks((metric for metric in table.metrics if metric.family is risk.criterion), recipient)
    scenario = Paragraph(voice.say(f"scenario.{risk.criterion}"), source=voice.cite(_SCENARIOS[risk.criterion]))
    blocks: list[Block] = [Heading(3, plain(name)), scenario]
    if known := _known(voice, table, risk.criterion, metrics):
        blocks.append(Paragraph(known, source=table_source(facts, table)))
    compared = any(metric.value is not None for metric in metrics)
    if risk.criterion is Family.MEMBERSHIP and table.control is not None and compared:
        blocks.append(Paragraph(voice.say(f"control.{table.control}"), source=table_source(facts, table)))
    doubtful = tuple(metric.name for metric in metrics if metric.name in unchecked(table))
    if doubtful:
        sentence = voice.say("unchecked", metrics=voice.names(doubtful))
        blocks.append(Paragraph(sentence, "high", voice.cite("spec", "rule")))
    if metrics:
        summary = voice.phrases["criterion.summary"].in_(voice.language).format(criterion=name)
        blocks.append(metric_table(voice, summary, metrics, facts.context.data_recipient))
    if risk.guarantee is not None and risk.criterion is Family.INFERENCE:
        blocks.append(Paragraph(voice.say("promise.inference"), source=voice.cite("dp")))
    if not risk.measured and risk.guarantee is None:
        lacking = "not_measured.unchecked" if doubtful else "not_measured"
        key = "not_measured.membership" if risk.criterion is Family.MEMBERSHIP else lacking
        blocks.append(Paragraph(strong(voice.word(key)), source=voice.cite("metrics", "rule")))
    sentence = voice.say(
        "derivation",
        vulnerability=strong(str(risk.vulnerability)),
        reason=reason(voice, risk),
        exposure=signed(risk.exposure),
        likelihood=voice.scale("likelihood", risk.likelihood),
        severity=voice.scale("severity", risk.severity),
        level=voice.level(risk.level),
    )
    return [*blocks, Paragraph(sentence, tone(risk.level), voice.cite("metrics", "rule"))]


def _known(voice: Voice, table: TableFacts, criterion: Family, metrics: Iterable[MetricValue]) -> Inline:
    """What the attacker knows whom the shown metrics measured; nothing where no attack rests on stated columns."""
    if not table.known_variables or all(metric.value is None for metric in metrics):
        return ()
    columns = voice.names(table.known_variables)
    if criterion is Family.LINKABILITY:
        return voice.say("knows", columns=columns)
    if criterion is Family.INFERENCE and table.inference_target:
        return voice.say("knows.target", columns=columns, target=code(table.inference_target))
    return ()


def events(voice: Voice, facts: AssessmentFacts, assessment: Assessment) -> list[Block]:
    """Section 5: the three feared events for the originals and re-identification in what is handed over."""
    harm = voice.scale("severity", assessment.severity.value)
    originals, unknown = voice.say(original_key(facts, "asset.originals")), Cell(voice.unknown(), "muted")
    security = voice.say("event.security")
    rows = (
        (*cells(voice.say("event.access"), originals, harm), unknown, unknown, *cells(security)),
        (*cells(voice.say("event.change"), originals), unknown, unknown, unknown, *cells(security)),
        (*cells(voice.say("event.loss"), originals), unknown, unknown, unknown, *cells(security)),
        (
            *cells(
                voice.say("event.reidentification"),
                voice.say("asset.avatars"),
                harm,
                voice.scale("likelihood", assessment.likelihood),
            ),
            voice.level_cell(assessment.level),
            *cells(voice.say("event.section4")),
        ),
    )
    header = voice.head("event", "asset", "severity", "likelihood", "level", "source")
    return [
        Heading(1, voice.say("h.events")),
        Paragraph(voice.say("events.intro"), source=voice.cite("cnil")),
        Table(voice.word("events.summary"), header, rows, (18, 20, 14, 15, 13, 20)),
    ]


def matrix(voice: Voice, assessment: Assessment) -> list[Block]:
    """Section 6: severity against likelihood, with the originals and each table in their place."""
    header = (voice.say("matrix.corner"), *(voice.scale("likelihood", step) for step in range(1, 5)))
    rows = tuple(
        (Cell(voice.scale("severity", harm)), *(_place(voice, assessment, harm, chance) for chance in range(1, 5)))
        for harm in range(4, 0, -1)
    )
    return [
        Heading(1, voice.say("h.matrix")),
        Paragraph(voice.say("matrix.caption"), source=voice.cite("rule")),
        matrix_drawing(voice, assessment),
        Table(voice.word("matrix.summary"), header, rows, (20, 20, 20, 20, 20), voice.cite("rule")),
    ]


def matrix_drawing(voice: Voice, assessment: Assessment) -> Drawing:
    """The matrix as a picture; its alternative text says where everything stands."""
    chances = {table.table: max(item.likelihood for item in table.criteria) for table in assessment.tables}
    harm = assessment.severity.value
    before = (voice.word("matrix.before"), assessment.likelihood_before)
    rows = tuple(
        tuple(
            Place(
                tone(level(row, chance)),
                voice.word(f"level.{level(row, chance)}"),
                _marks(voice, assessment, row, chance),
            )
            for chance in range(1, 5)
        )
        for row in range(4, 0, -1)
    )
    severities = tuple(text_of(voice.scale("severity", step)) for step in range(4, 0, -1))
    likelihoods = tuple(text_of(voice.scale("likelihood", step)) for step in range(1, 5))
    places = [before, *((text_of(voice.say("matrix.after", table=name)), chance) for name, chance in chances.items())]
    alt = text_of(
        voice.say(
            "matrix.alt",
            severity=text_of(voice.scale("severity", harm)),
            places=", ".join(f"{name} {text_of(voice.scale('likelihood', chance))}" for name, chance in places),
        )
    )
    return Drawing("risk-matrix.svg", draw(rows, (severities, likelihoods), voice.word("matrix.corner"), alt), alt)


def _marks(voice: Voice, assessment: Assessment, harm: int, chance: int) -> tuple[str, ...]:
    if harm != assessment.severity.value:
        return ()
    before = (voice.word("matrix.before"),) if chance == assessment.likelihood_before else ()
    after = (
        text_of(voice.say("matrix.after", table=table.table))
        for table in assessment.tables
        if chance == max(item.likelihood for item in table.criteria)
    )
    return (*before, *after)


def _place(voice: Voice, assessment: Assessment, harm: int, chance: int) -> Cell:
    here = level(harm, chance)
    marks = tuple(strong(mark) for mark in _marks(voice, assessment, harm, chance))
    return Cell(joined((plain(voice.word(f"level.{here}")), *marks), " · "), tone(here))
