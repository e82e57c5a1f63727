"""The privacy impact assessment as a document: sections of GDPR article 35(7) and of the CNIL method."""

from __future__ import annotations

from avatar_gitops.assessment.approval import decision_of, required_roles
from avatar_gitops.assessment.catalogue import Family
from avatar_gitops.assessment.document import (
    Block,
    Cell,
    Document,
    Heading,
    Inline,
    Paragraph,
    Table,
    code,
    strong,
)
from avatar_gitops.assessment.facts import AssessmentFacts
from avatar_gitops.assessment.phrases_pia import PIA_PHRASES
from avatar_gitops.assessment.pia_decision import annexes, decision
from avatar_gitops.assessment.pia_flow import flow, original_key
from avatar_gitops.assessment.pia_risks import events, matrix, risks
from avatar_gitops.assessment.risk import Assessment, worst_blocks
from avatar_gitops.assessment.sections import (
    cells,
    lines,
    metric_table,
    parameter_table,
    short_digest,
    table_overview,
    table_source,
    verdict,
    whole,
)
from avatar_gitops.assessment.voice import Voice

CHOICES = {
    "data_type": "type",
    "data_subject": "subject",
    "sensitivity_level": "sensitivity",
    "data_recipient": "recipient",
}
_CONTEXT_FIELDS = (
    "purpose",
    "owner",
    "controller",
    "processor",
    "data_type",
    "data_subject",
    "sensitivity_level",
    "data_recipient",
    "retention",
    "retention_originals",
)
_PRINCIPLES = {"lawfulness": "legal_basis", "purpose": "purpose"}
_PEOPLE = {"storage": "retention", "information": "information", "rights": "rights"}


def pia_document(facts: AssessmentFacts, assessment: Assessment) -> Document:
    """Every section of the assessment; each statement stands beside its source, what nobody stated is bold."""
    voice = Voice(facts.language, PIA_PHRASES)
    made = facts.provenance
    sentence, tone = verdict(voice, facts, assessment)
    spec = voice.cite("spec")
    blocks: list[Block] = [
        Paragraph(voice.say("status", status=strong(voice.word(status(facts)))), source=voice.cite("signatures")),
        Paragraph(sentence, tone, voice.cite("section4", "rule")),
        Paragraph(voice.say("not_anonymous"), source=voice.cite("gdpr26")),
        Paragraph(voice.say("unknown_statements", fields=lines(voice, unknown_names(voice, facts))), source=spec),
        *context(voice, facts),
        *principles(voice, facts),
        *technique(voice, facts),
        *risks(voice, facts, assessment),
        *events(voice, facts, assessment),
        *matrix(voice, assessment),
        *decision(voice, facts, assessment),
        *annexes(voice, facts),
    ]
    line = voice.say(
        "made_from",
        date=voice.stated(made.date),
        commit=voice.coded(made.commit and made.commit[:8]),
        spec=voice.coded(short_digest(made.spec_digest)),
        engine=voice.stated(made.engine),
    )
    return whole(voice, facts, line, blocks)


def status(facts: AssessmentFacts) -> str:
    """Phrase of where signing stands: refused, to be signed, to be signed again, or signed by every role that must."""
    signed = {item.role for item in facts.signatures if item.valid and item.decision == "approved"}
    if any(item.valid and item.decision == "refused" for item in facts.signatures):
        return "status.refused"
    if not set(required_roles(facts.signers)) - signed:
        return "status.signed"
    return "status.sign_again" if any(not item.valid for item in facts.signatures) else "status.to_sign"


def field_value(voice: Voice, facts: AssessmentFacts, name: str) -> Inline:
    """What was stated about one field of the context."""
    value = getattr(facts.context, name)
    return voice.choice(CHOICES[name], value) if name in CHOICES else voice.stated(value)


def unknown_names(voice: Voice, facts: AssessmentFacts) -> tuple[Inline, ...]:
    """The labels of the fields that nobody stated."""
    names = (*_CONTEXT_FIELDS, "legal_basis", "information", "rights", "dpo", "dpo_opinion", "review_trigger")
    known = {"dpo", "dpo_opinion"} if decision_of("dpo", facts.signatures) else set()
    missing = (
        name
        for name in names
        if name not in known and getattr(facts.context, name) in {None, "", "unknown", "Undefined"}
    )
    return tuple(strong(voice.word(field_key(facts, name))) for name in missing)


def field_key(facts: AssessmentFacts, name: str) -> str:
    """The phrase that names a field of the context in the assessment of this set."""
    return original_key(facts, f"field.{name}") if name == "retention_originals" else f"field.{name}"


def context(voice: Voice, facts: AssessmentFacts) -> list[Block]:
    """Section 1: the processing, the data, their flow."""
    rows = tuple(
        cells(voice.say(field_key(facts, name)), field_value(voice, facts, name), voice.source(facts, name))
        for name in _CONTEXT_FIELDS
    )
    header = voice.head("statement", "value", "source")
    return [
        Heading(1, voice.say("h.context")),
        Heading(2, voice.say("h.processing")),
        Table(voice.word("context.summary"), header, rows, (28, 42, 30)),
        Heading(2, voice.say("h.tables")),
        table_overview(voice, facts),
        Heading(2, voice.say("h.flow")),
        *flow(voice, facts),
    ]


def principles(voice: Voice, facts: AssessmentFacts) -> list[Block]:
    """Section 2: the principles that apply to the anonymization itself."""
    rows = [_principle(voice, facts, name, source) for name, source in _PRINCIPLES.items()]
    for table in facts.tables:
        columns = voice.say("principle.minimisation.value", columns=voice.names(table.dropped))
        label = voice.say("principle.minimisation", table=code(table.name))
        rows.append(cells(label, columns, table_source(facts, table)))
    rows += [_principle(voice, facts, name, source) for name, source in _PEOPLE.items()]
    blocks: list[Block] = [
        Heading(1, voice.say("h.principles")),
        Paragraph(voice.say("principles.intro"), source=voice.cite("wp29")),
        Table(voice.word("principles.summary"), voice.head("statement", "value", "source"), tuple(rows), (28, 42, 30)),
    ]
    for number, table in enumerate(facts.tables, start=1):
        useful = (metric for metric in table.metrics if metric.family is Family.UTILITY)
        utility = worst_blocks(useful, facts.context.data_recipient)
        label = voice.say("principle.accuracy", number=str(number), table=code(table.name))
        blocks.append(Heading(2, label))
        blocks.append(
            metric_table(voice, voice.word("criterion.utility"), utility, facts.context.data_recipient)
            if utility
            else Paragraph(strong(voice.word("finding.not_measured")), source=voice.cite("metrics"))
        )
    return blocks


def _principle(voice: Voice, facts: AssessmentFacts, name: str, source: str) -> tuple[Cell, ...]:
    return cells(voice.say(f"principle.{name}"), field_value(voice, facts, source), voice.source(facts, source))


def technique(voice: Voice, facts: AssessmentFacts) -> list[Block]:
    """Section 3: the method of each table with every parameter, exclusion and pseudonymization."""
    blocks: list[Block] = [Heading(1, voice.say("h.technique"))]
    methods = {table.method for table in facts.tables}
    if "avatar" in methods:
        blocks.append(Paragraph(voice.say("technique.avatar"), source=voice.cite("avatar")))
    if methods & {"open_dp", "fast_dp"}:
        blocks.append(Paragraph(voice.say("technique.dp"), source=voice.cite("dp")))
    if methods - {"avatar", "open_dp", "fast_dp"}:
        blocks.append(Paragraph(voice.say("technique.none", unknown=voice.unknown()), source=voice.cite("spec")))
    for number, table in enumerate(facts.tables, start=1):
        blocks.append(Heading(2, voice.say("h.technique.table", number=str(number), table=code(table.name))))
        blocks.append(parameter_table(voice, facts, table))
        if table.excluded:
            strategy = voice.coded(table.replacement_strategy)
            sentence = voice.say("technique.excluded", strategy=strategy, columns=voice.names(table.excluded))
            blocks.append(Paragraph(sentence, "very_high" if table.row_order else "none", table_source(facts, table)))
    return blocks
