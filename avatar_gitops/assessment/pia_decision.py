"""Sections 7 and 8 of the impact assessment: action plan, opinion and decision, annexes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from avatar_gitops.assessment.approval import GateFacts, SignatureFacts, decision_of, required_roles
from avatar_gitops.assessment.catalogue import written_target, written_value
from avatar_gitops.assessment.document import (
    Block,
    Bullets,
    Cell,
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
from avatar_gitops.assessment.facts import AssessmentFacts, TableFacts
from avatar_gitops.assessment.risk import Assessment, Check, CriterionRisk, Finding, TableRisk, unchecked
from avatar_gitops.assessment.sections import cells, definition_table, limits, provenance_table, rules, short_digest
from avatar_gitops.assessment.voice import SPEC_FIELDS, Voice

REFERENCES: Final = ("wp29", "gdpr", "cnil", "avatar", "membership", "promise")

_MISSED = {Finding.SLIGHT, Finding.SHORT, Finding.FAR}
_UNSURE = {Finding.INTERVAL_MISSES, Finding.INTERVAL_UNKNOWN}


@dataclass(slots=True, frozen=True)
class Action:
    """Something that has to be done, and the cause of it; `key` is its kind with the table and the metric."""

    key: str
    text: Inline
    cause: Inline


def actions(voice: Voice, facts: AssessmentFacts, assessment: Assessment) -> list[Action]:
    """What has to be done, each action beside its cause; there is no action without one."""
    found: list[Action] = []
    missing = tuple(
        field
        for name, field in SPEC_FIELDS.items()
        if getattr(facts.context, name) in {None, "", "unknown", "Undefined"}
    )
    if missing:
        fields = voice.names(missing)
        found.append(Action("state", voice.say("action.state", fields=fields), voice.unknown()))
    for table, risk in zip(facts.tables, assessment.tables, strict=True):
        found += _table_actions(voice, table, risk)
    return found


def _table_actions(voice: Voice, table: TableFacts, risk: TableRisk) -> list[Action]:
    name = code(table.name)
    found = [
        Action(
            f"{flag}, {table.name}",
            voice.say(f"action.{flag}", table=name, **_columns(voice, table, flag)),
            voice.say(f"flag.{flag}"),
        )
        for flag in risk.criteria[0].flags
    ]
    for item in risk.criteria:
        if item.guarantee is not None:
            continue
        if not item.measured and not _only_unchecked(table, item):
            text = voice.say(f"action.measure.{item.criterion}", table=name)
            found.append(Action(f"measure {item.criterion}, {table.name}", text, voice.say("finding.not_measured")))
        found += [
            Action(
                f"improve, {table.name}, {check.metric.name}",
                voice.say("action.improve", table=name, metric=code(check.metric.name)),
                voice.say("action.cause", value=voice.value(check.metric, check.target), target=voice.target(check)),
            )
            for check in _worst(item)
            if check.finding in _MISSED
        ]
    if doubtful := [item.criterion for item in risk.criteria if _only_unchecked(table, item)]:
        criteria = joined(tuple(plain(voice.word(f"criterion.{name}")) for name in doubtful))
        text = voice.say("action.link", table=name, criteria=criteria)
        found.append(Action(f"link, {table.name}", text, voice.say("action.link.cause")))
    judged = (item for item in risk.criteria if item.guarantee is None)
    unsure = [check.metric.name for item in judged for check in item.checks if check.finding in _UNSURE]
    if unsure:
        causes = voice.names(tuple(dict.fromkeys(unsure)))
        found.append(Action(f"interval, {table.name}", voice.say("action.interval", table=name), causes))
    return found


def _only_unchecked(table: TableFacts, item: CriterionRisk) -> bool:
    """Whether a criterion would be measured if the order of the rows were checked."""
    return not item.measured and any(check.metric.name in unchecked(table) for check in item.checks)


def _worst(item: CriterionRisk) -> tuple[Check, ...]:
    """The check of each metric that misses by most, so that a metric asks for one action."""
    found: dict[str, Check] = {}
    for judged in item.checks:
        other = found.get(judged.metric.name)
        if other is None or judged.shortfall > other.shortfall:
            found[judged.metric.name] = judged
    return tuple(found.values())


def _columns(voice: Voice, table: TableFacts, flag: str) -> dict[str, Inline]:
    return {"columns": voice.names(table.direct_identifiers)} if flag == "direct_identifier" else {}


def decision(voice: Voice, facts: AssessmentFacts, assessment: Assessment) -> list[Block]:
    """Section 7: gates and approvals, action plan, opinion of the officer, decision, review, signatures."""
    planned = actions(voice, facts, assessment)
    rows = tuple(cells(item.text, item.cause, voice.unknown(), voice.unknown()) for item in planned)
    header = voice.head("action", "reason", "responsible", "due")
    plan: Block = (
        Table(voice.word("actions.summary"), header, rows, (44, 28, 15, 13), voice.cite("metrics", "spec", "rule"))
        if planned
        else Paragraph(voice.say("actions.none"), source=voice.cite("metrics", "spec", "rule"))
    )
    said = facts.context
    opinion = (
        _decided(voice, facts, "dpo_opinion", said.dpo_opinion, "dpo"),
        _decided(voice, facts, "decision", None, "controller"),
        cells(
            voice.say("field.review_trigger"), voice.stated(said.review_trigger), voice.source(facts, "review_trigger")
        ),
    )
    return [
        Heading(1, voice.say("h.decision")),
        *gates(voice, facts),
        Heading(2, voice.say("h.actions")),
        plan,
        Heading(2, voice.say("h.opinion")),
        Table(voice.word("opinion.summary"), voice.head("statement", "value", "source"), opinion, (34, 40, 26)),
        Paragraph(voice.say("review.default"), source=voice.cite("wp29")),
        *signatures(voice, facts),
    ]


def _decided(voice: Voice, facts: AssessmentFacts, name: str, stated: str | None, role: str) -> tuple[Cell, ...]:
    """What a role says: as it was stated, else as the role has signed."""
    given = decision_of(role, facts.signatures)
    if stated or given is None:
        return cells(voice.say(f"field.{name}"), voice.stated(stated), voice.source(facts, name))
    text = voice.say("signed.by", decision=_signature(voice, given), person=given.person, date=given.date)
    return cells(voice.say(f"field.{name}"), text, voice.cite("signatures"))


def gates(voice: Voice, facts: AssessmentFacts) -> list[Block]:
    """What the spec asked of the run, and who let the run be published."""
    blocks: list[Block] = [Heading(2, voice.say("h.gates"))]
    if facts.gates is None:
        blocks.append(Paragraph(voice.say("gates.unknown", unknown=voice.unknown()), source=voice.cite("run")))
    elif facts.gates:
        blocks.append(_gate_table(voice, facts.gates))
    else:
        blocks.append(Paragraph(voice.say("gates.none"), source=voice.cite("spec")))
    if facts.approval is not None:
        said = facts.approval
        people = plain(", ".join(said.approved_by)) if said.approved_by else strong(voice.word("nobody"))
        sentence = voice.say(
            "approval",
            plan=voice.coded(said.plan_digest and short_digest(said.plan_digest)),
            people=people,
        )
        if said.plan_digest is not None or said.approved_by:
            blocks.append(Paragraph(sentence, source=voice.cite("run")))
        standing = voice.say(
            "approval.standing",
            waivers=plain("; ".join(said.waivers) or voice.word("none.feminine")),
            weaker=plain(", ".join(said.weaker).replace(" -> ", " → ") or voice.word("none")),
        )
        blocks.append(Paragraph(standing, source=voice.cite("run")))
    return blocks


def _gate_table(voice: Voice, found: tuple[GateFacts, ...]) -> Table:
    def value(gate: GateFacts) -> Inline:
        if gate.value is None:
            return strong(voice.word("finding.not_measured"))
        return plain(written_value(gate.metric, gate.value, voice.language, gate.condition))

    rows = tuple(
        cells(
            code(gate.metric),
            plain(written_target(gate.metric, gate.condition, voice.language)),
            value(gate),
            plain(voice.word("gate.passed")) if gate.passed else strong(voice.word("gate.failed")),
            code(gate.source or f"gates.{gate.metric}"),
        )
        for gate in found
    )
    header = voice.head("gate", "wanted", "worst", "verdict", "source")
    return Table(voice.word("gates.summary"), header, rows, (28, 16, 16, 14, 26))


def signatures(voice: Voice, facts: AssessmentFacts) -> list[Block]:
    """Who has to sign and who has signed; a line without a signature is left free for one by hand."""
    said, blank = facts.context, plain("")
    named = {"owner": said.owner, "controller": said.controller, "dpo": said.dpo}
    rows = [
        cells(_role(voice, item.role), plain(item.person), plain(item.date), _signature(voice, item))
        for item in facts.signatures
    ]
    done = {item.role for item in facts.signatures if item.valid}
    open_roles = [role for role in required_roles(facts.signers) if role not in done]
    rows += [cells(_role(voice, role), voice.stated(named.get(role)), blank, blank) for role in open_roles]
    header = voice.head("role", "name", "date", "signature")
    bound = voice.say("signatures.bound", digest=voice.coded(facts.statements))
    return [
        Heading(2, voice.say("h.signatures")),
        Paragraph(bound, source=voice.cite("rule")),
        Table(voice.word("signature.summary"), header, tuple(rows), (26, 26, 18, 30), voice.cite("person")),
    ]


def _role(voice: Voice, role: str) -> Inline:
    return voice.say(f"role.{role}") if f"role.{role}" in voice.phrases else plain(role)


def _signature(voice: Voice, item: SignatureFacts) -> Inline:
    decided = voice.word(f"signed.{item.decision}")
    told = plain(decided) if item.valid else strong(text_of(voice.say("signed.outdated", decision=decided)))
    return voice.say("signed.note", decision=told, note=item.note) if item.note else told


def annexes(voice: Voice, facts: AssessmentFacts) -> list[Block]:
    """Section 8: definitions, limits, rules, provenance, references."""
    return [
        Heading(1, voice.say("h.annex")),
        Heading(2, voice.say("h.annex.metrics")),
        definition_table(voice, facts),
        Heading(2, voice.say("h.annex.limits")),
        limits(voice, facts),
        Heading(2, voice.say("h.annex.rules")),
        rules(voice),
        Heading(2, voice.say("h.annex.provenance")),
        provenance_table(voice, facts),
        Heading(2, voice.say("h.annex.references")),
        Bullets(tuple(voice.say(f"reference.{name}") for name in REFERENCES), voice.cite("reference")),
    ]
