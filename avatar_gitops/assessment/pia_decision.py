"""Sections 7 and 8 of the impact assessment: action plan, opinion and decision, annexes."""

from __future__ import annotations

from avatar_gitops.assessment.document import Block, Bullets, Heading, Inline, Paragraph, Table, code, plain
from avatar_gitops.assessment.facts import AssessmentFacts, TableFacts
from avatar_gitops.assessment.risk import Assessment, Finding, TableRisk
from avatar_gitops.assessment.sections import cells, definition_table, limits, provenance_table
from avatar_gitops.assessment.voice import SPEC_FIELDS, Voice

_MISSED = {Finding.SLIGHT, Finding.SHORT, Finding.FAR}
_UNSURE = {Finding.INTERVAL_MISSES, Finding.INTERVAL_UNKNOWN}


def actions(voice: Voice, facts: AssessmentFacts, assessment: Assessment) -> list[tuple[Inline, Inline]]:
    """What has to be done, each action beside its cause; there is no action without one."""
    found: list[tuple[Inline, Inline]] = []
    missing = tuple(
        field
        for name, field in SPEC_FIELDS.items()
        if getattr(facts.context, name) in {None, "", "unknown", "Undefined"}
    )
    if missing:
        fields = voice.names(missing)
        found.append((voice.say("action.state", fields=fields), voice.unknown()))
    for table, risk in zip(facts.tables, assessment.tables, strict=True):
        found += _table_actions(voice, table, risk)
    return found


def _table_actions(voice: Voice, table: TableFacts, risk: TableRisk) -> list[tuple[Inline, Inline]]:
    name = code(table.name)
    found = [
        (
            voice.say(f"action.{flag}", table=name, **_columns(voice, table, flag)),
            voice.say(f"flag.{flag}"),
        )
        for flag in risk.criteria[0].flags
    ]
    for item in risk.criteria:
        if not item.measured:
            found.append((voice.say(f"action.measure.{item.criterion}", table=name), voice.say("finding.not_measured")))
        found += [
            (
                voice.say("action.improve", table=name, metric=code(check.metric.name)),
                voice.say("action.cause", value=voice.value(check.metric, check.target), target=voice.target(check)),
            )
            for check in item.checks
            if check.finding in _MISSED
        ]
    unsure = [check.metric.name for item in risk.criteria for check in item.checks if check.finding in _UNSURE]
    if unsure:
        found.append((voice.say("action.interval", table=name), voice.names(tuple(dict.fromkeys(unsure)))))
    return found


def _columns(voice: Voice, table: TableFacts, flag: str) -> dict[str, Inline]:
    return {"columns": voice.names(table.direct_identifiers)} if flag == "direct_identifier" else {}


def decision(voice: Voice, facts: AssessmentFacts, assessment: Assessment) -> list[Block]:
    """Section 7: action plan, opinion of the officer, decision, review, signatures."""
    planned = actions(voice, facts, assessment)
    blank = plain("")
    rows = tuple(cells(action, cause, voice.unknown(), voice.unknown()) for action, cause in planned)
    header = voice.head("action", "reason", "responsible", "due")
    plan: Block = (
        Table(voice.word("actions.summary"), header, rows, (44, 28, 15, 13))
        if planned
        else Paragraph(voice.say("actions.none"))
    )
    said = facts.context
    opinion = tuple(
        cells(voice.say(f"field.{name}"), voice.stated(value), voice.source(facts, name))
        for name, value in (
            ("dpo_opinion", said.dpo_opinion),
            ("decision", None),
            ("review_trigger", said.review_trigger),
        )
    )
    people = (("field.owner", said.owner), ("field.controller", said.controller), ("field.dpo", said.dpo))
    signatures = tuple(cells(voice.say(key), voice.stated(name), blank, blank) for key, name in people)
    return [
        Heading(1, voice.say("h.decision")),
        Heading(2, voice.say("h.actions")),
        plan,
        Heading(2, voice.say("h.opinion")),
        Table(voice.word("opinion.summary"), voice.head("statement", "value", "source"), opinion, (34, 40, 26)),
        Paragraph(voice.say("review.default")),
        Table(
            voice.word("signature.summary"),
            voice.head("role", "name", "date", "signature"),
            signatures,
            (26, 26, 18, 30),
        ),
    ]


def annexes(voice: Voice, facts: AssessmentFacts) -> list[Block]:
    """Section 8: definitions, limits, provenance, references."""
    return [
        Heading(1, voice.say("h.annex")),
        Heading(2, voice.say("h.annex.metrics")),
        definition_table(voice, facts),
        Heading(2, voice.say("h.annex.limits")),
        limits(voice),
        Heading(2, voice.say("h.annex.provenance")),
        provenance_table(voice, facts),
        Heading(2, voice.say("h.annex.references")),
        Bullets(tuple(voice.say(f"reference.{name}") for name in ("wp29", "gdpr", "cnil"))),
    ]
