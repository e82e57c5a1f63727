"""Sections 4 to 6 of the impact assessment: risk analysis, feared events, risk matrix."""

from __future__ import annotations

from avatar_gitops.assessment.catalogue import Family
from avatar_gitops.assessment.document import (
    Block,
    Cell,
    Heading,
    Inline,
    Paragraph,
    Table,
    code,
    joined,
    plain,
    strong,
)
from avatar_gitops.assessment.facts import AssessmentFacts, TableFacts
from avatar_gitops.assessment.risk import Assessment, CriterionRisk, level
from avatar_gitops.assessment.sections import cells, flag_sentences, metric_table, reason, signed, verdict_table
from avatar_gitops.assessment.voice import Voice, tone


def risks(voice: Voice, facts: AssessmentFacts, assessment: Assessment) -> list[Block]:
    """Section 4: scales, severity and exposure with their inputs, then every criterion of every table."""
    blocks: list[Block] = [
        Heading(1, voice.say("h.risks")),
        Paragraph(voice.say("risks.attacker")),
        Heading(2, voice.say("h.method")),
        _scales(voice),
        Paragraph(_severity(voice, facts, assessment)),
        Paragraph(
            voice.say(
                "exposure.derivation",
                value=strong(signed(assessment.exposure)),
                recipient=voice.choice("recipient", facts.context.data_recipient),
                source=voice.source(facts, "data_recipient"),
            )
        ),
        Paragraph(
            voice.say(
                "before.derivation",
                likelihood=voice.scale("likelihood", assessment.likelihood_before),
                level=voice.level(assessment.level_before),
            )
        ),
    ]
    for number, (table, risk) in enumerate(zip(facts.tables, assessment.tables, strict=True), start=2):
        blocks.append(Heading(2, voice.say("h.table_risk", number=str(number), table=code(table.name))))
        blocks.append(verdict_table(voice, risk))
        blocks += [Paragraph(sentence, "very_high") for sentence in flag_sentences(voice, risk.criteria[0].flags)]
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
        Paragraph(voice.say("other_metrics")),
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
    return Table(voice.word("scales.summary"), voice.head("step", "severity", "likelihood"), rows, (12, 44, 44))


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
        bonus="+1" if harm.vulnerable else "+0",
        subjects=voice.choice("subject", said.data_subject),
    )


def _criterion(voice: Voice, facts: AssessmentFacts, table: TableFacts, risk: CriterionRisk) -> list[Block]:
    name = voice.word(f"criterion.{risk.criterion}")
    metrics = [metric for metric in table.metrics if metric.family is risk.criterion]
    blocks: list[Block] = [Heading(3, plain(name)), Paragraph(voice.say(f"scenario.{risk.criterion}"))]
    if risk.criterion in {"linkability", "inference"} and metrics:
        target = tuple(filter(None, (table.inference_target,)))
        known = voice.say("knows", columns=voice.names(table.known_variables), target=voice.names(target))
        blocks.append(Paragraph(known))
    if metrics:
        summary = voice.phrases["criterion.summary"].in_(voice.language).format(criterion=name)
        blocks.append(metric_table(voice, summary, metrics, facts.context.data_recipient))
    if not risk.measured:
        blocks.append(Paragraph(strong(voice.word("not_measured"))))
    sentence = voice.say(
        "derivation",
        vulnerability=strong(str(risk.vulnerability)),
        reason=reason(voice, risk),
        exposure=signed(risk.exposure),
        likelihood=voice.scale("likelihood", risk.likelihood),
        severity=voice.scale("severity", risk.severity),
        level=voice.level(risk.level),
    )
    return [*blocks, Paragraph(sentence, tone(risk.level))]


def events(voice: Voice, assessment: Assessment) -> list[Block]:
    """Section 5: the three feared events for the originals and re-identification in what is handed over."""
    harm = voice.scale("severity", assessment.severity.value)
    originals, unknown = voice.say("asset.originals"), Cell(voice.unknown(), "muted")
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
        Paragraph(voice.say("events.intro")),
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
        Table(voice.word("matrix.summary"), header, rows, (20, 20, 20, 20, 20)),
        Paragraph(voice.say("matrix.caption")),
    ]


def _place(voice: Voice, assessment: Assessment, harm: int, chance: int) -> Cell:
    here = level(harm, chance)
    marks: list[Inline] = [plain(voice.word(f"level.{here}"))]
    if harm == assessment.severity.value:
        if chance == assessment.likelihood_before:
            marks.append(strong(voice.word("matrix.before")))
        marks += [
            voice.say("matrix.after", table=code(table.table))
            for table in assessment.tables
            if chance == max(item.likelihood for item in table.criteria)
        ]
    return Cell(joined(tuple(marks), " · "), tone(here))
