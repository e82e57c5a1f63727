"""The statements of an assessment as data: what people sign, and what has changed between two assessments.

A statement is a paragraph, an item of a list or a row of a table of sections 1 to 5 and 7, always in English, so that
the language of a document changes none. Left out are what only repeats them (the matrix), the annexes, signatures, and
where the run is recorded: dates, commits, line numbers, who approved which plan.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from avatar_gitops.assessment.document import Bullets, Heading, Paragraph, Table, text_of
from avatar_gitops.assessment.facts import AssessmentFacts, Provenance
from avatar_gitops.assessment.phrases_pia import PIA_PHRASES
from avatar_gitops.assessment.pia import pia_document
from avatar_gitops.assessment.pia_decision import Action, actions
from avatar_gitops.assessment.risk import Assessment, assess
from avatar_gitops.assessment.voice import Voice

FORMAT: Final = "avatar-gitops/pia"
VERSION: Final = "1.0"
FILE: Final = "pia.json"
_NUMBER: Final = re.compile(r"^[0-9][0-9.]* ")
_SKIPPED: Final = frozenset(
    _NUMBER.sub("", PIA_PHRASES[key].in_("en")) for key in ("h.matrix", "h.signatures", "h.annex")
)
_ACTION: Final = PIA_PHRASES["head.action"].in_("en")
_SOURCES: Final = frozenset(PIA_PHRASES[key].in_("en") for key in ("head.source",))


@dataclass(slots=True, frozen=True)
class Statement:
    """One statement: `id` is where it stands (headings and label), `text` what it says."""

    id: str
    text: str


@dataclass(slots=True, frozen=True)
class Changed:
    """A statement that differs; `before` None is a new one, `after` None one that is gone."""

    id: str
    before: str | None
    after: str | None


def statements(facts: AssessmentFacts) -> tuple[Statement, ...]:
    """What the assessment states, in its order; every id once."""
    made = _neutral(facts)
    return _listed(made, assess(made))


def statements_json(facts: AssessmentFacts) -> bytes:
    """`pia.json`: the statements with the level and the conclusion; its SHA-256 is what a signature is bound to."""
    made = _neutral(facts)
    assessment = assess(made)
    content = {
        "format": FORMAT,
        "version": VERSION,
        "set": facts.set_name,
        "level": assessment.level.value,
        "conclusion": assessment.conclusion.value,
        "statements": [{"id": item.id, "text": item.text} for item in _listed(made, assessment)],
    }
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()


def digest(content: bytes) -> str:
    """The digest of a `pia.json`, which signatures name."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def read_statements(content: bytes) -> tuple[Statement, ...]:
    """The statements of a `pia.json`.

    Raises:
        ValueError: it is none, or of a version that is not known here.
    """
    found: Any = json.loads(content)
    if not isinstance(found, Mapping) or found.get("format") != FORMAT or found.get("version") != VERSION:
        raise ValueError(f"not {FORMAT} of version {VERSION}")
    try:
        return tuple(Statement(str(item["id"]), str(item["text"])) for item in found["statements"])
    except (KeyError, TypeError):
        raise ValueError("a statement is not complete") from None


def changes(before: tuple[Statement, ...], after: tuple[Statement, ...]) -> tuple[Changed, ...]:
    """The statements that differ, in the order of the later assessment, then those that are gone."""
    old, new = ({item.id: item.text for item in side} for side in (before, after))
    found = [Changed(name, old.get(name), text) for name, text in new.items() if old.get(name) != text]
    return (*found, *(Changed(name, text, None) for name, text in old.items() if name not in new))


def _neutral(facts: AssessmentFacts) -> AssessmentFacts:
    """The facts without what is no statement."""
    made = facts.provenance
    said = facts.approval
    return replace(
        facts,
        language="en",
        tables=tuple(replace(table, figures=()) for table in facts.tables),
        provenance=Provenance(made.engine, made.seed_recorded, input_digests=made.input_digests),
        approval=None if said is None else replace(said, plan_digest=None, approved_by=()),
        signers=(),
        signatures=(),
        statements=None,
    )


def _listed(facts: AssessmentFacts, assessment: Assessment) -> tuple[Statement, ...]:
    found: dict[str, Statement] = {}
    for name, text in _walk(facts, assessment):
        unique, number = name, 1
        while unique in found:
            number += 1
            unique = f"{name} ({number})"
        found[unique] = Statement(unique, text)
    return tuple(found.values())


def _walk(facts: AssessmentFacts, assessment: Assessment) -> Iterator[tuple[str, str]]:
    headings: list[str] = []
    for block in pia_document(facts, assessment).blocks[1:]:  # the first one says who has signed
        if isinstance(block, Heading):
            headings = [*headings[: block.level - 1], _NUMBER.sub("", text_of(block.content))]
        elif _SKIPPED & set(headings):
            continue
        elif isinstance(block, Paragraph):
            yield " / ".join(headings) or "Summary", text_of(block.content)
        elif isinstance(block, Bullets):
            yield from ((" / ".join(headings), text_of(item)) for item in block.items)
        elif isinstance(block, Table) and _ACTION in map(text_of, block.header):
            yield from _actions(headings, actions(Voice("en", PIA_PHRASES), facts, assessment))
        elif isinstance(block, Table):
            yield from _rows(headings, block)


def _actions(headings: list[str], planned: list[Action]) -> Iterator[tuple[str, str]]:
    """One statement for each action, under its key, so that one more action leaves the others where they are."""
    return ((" / ".join([*headings, item.key]), text_of(item.text)) for item in planned)


def _rows(headings: list[str], table: Table) -> Iterator[tuple[str, str]]:
    """One statement for each row: its first cell names it, the others are told with their heads."""
    heads = [text_of(head) for head in table.header]
    for row in table.rows:
        first, *rest = (text_of(cell.content) for cell in row)
        told = [f"{head}: {text}" for head, text in zip(heads[1:], rest, strict=True) if head not in _SOURCES]
        yield " / ".join([*headings, first]), "; ".join(told)
