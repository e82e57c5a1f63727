"""Section 1.3 of the impact assessment: the way of the data, as the method of each table makes it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from avatar_gitops.assessment.document import Block, Inline, Paragraph, code, joined
from avatar_gitops.assessment.facts import AssessmentFacts, TableFacts
from avatar_gitops.assessment.text import bare, percent
from avatar_gitops.assessment.voice import Voice

AUGMENTATION: Final = "data_augmentation."
APART: Final = "holdout_share"


def flow(voice: Voice, facts: AssessmentFacts) -> list[Block]:
    """One paragraph for each way that tables of the set take, in the order of the tables."""
    ways: dict[tuple[Inline, Inline], list[str]] = {}
    for table in facts.tables:
        ways.setdefault(_way(voice, facts, table), []).append(table.name)
    named = len(ways) > 1
    return [
        Paragraph(joined((*(_named(voice, name) for name in names if named), text), " "), source=source)
        for (text, source), names in ways.items()
    ]


def _named(voice: Voice, table: str) -> Inline:
    return voice.say("flow.table", table=code(table))


def _way(voice: Voice, facts: AssessmentFacts, table: TableFacts) -> tuple[Inline, Inline]:
    """What happens to a table, and what says so."""
    engine = voice.stated(facts.provenance.engine)
    if table.method == "avatar":
        said = (voice.say("flow.avatar", engine=engine), *_avatars(voice, table))
        return joined(said, " "), voice.cite("run", "spec", "avatar")
    if table.method in {"open_dp", "fast_dp"}:
        return voice.say("flow.dp", engine=engine), voice.cite("run", "dp")
    return voice.say("flow.none", engine=engine, unknown=voice.unknown()), voice.cite("run", "spec")


def _avatars(voice: Voice, table: TableFacts) -> Iterator[Inline]:
    """Who has how many avatars."""
    share = table.parameters.get(APART)
    if isinstance(share, float):
        yield voice.say("flow.apart", share=percent(bare(100 * share, voice.language), voice.language))
    if table.originals_kept:
        yield voice.say("flow.kept")
    elif any(name.startswith(AUGMENTATION) for name in table.parameters):
        yield voice.say("flow.augmented")
    else:
        yield voice.say("flow.each")


def original_key(facts: AssessmentFacts, key: str) -> str:
    """The phrase about the originals and the unshuffled table; without the latter where no table has one."""
    return key if any(table.method == "avatar" for table in facts.tables) else f"{key}.alone"
