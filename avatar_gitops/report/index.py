"""The index of all sets as one Markdown table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from avatar_gitops.assessment.catalogue import written_value
from avatar_gitops.report import pareto
from avatar_gitops.report.jinja import render
from avatar_gitops.report.pareto import Siblings
from avatar_gitops.report.summary import State
from avatar_gitops.report.words import WORDS, Language

METRICS = ("hidden_rate", "local_cloaking", "hellinger_mean")


@dataclass(slots=True, frozen=True)
class IndexRow:
    """One set: its state, gates, the worst value over its tables of each shown metric, and paths beside the index.

    `bounds` maps a metric to its gate ("op value"), so that rounding never shows a missed gate as met.
    """

    set_name: str
    state: State
    gates_passed: int = 0
    gates_total: int = 0
    hidden_rate: float | None = None
    local_cloaking: float | None = None
    hellinger_mean: float | None = None
    summary: str | None = None
    pia: str | None = None
    receipt: str | None = None
    bounds: Mapping[str, str] = field(default_factory=dict)


def index_markdown(
    rows: Iterable[IndexRow],
    language: Language = "en",
    overrides: Path | None = None,
    siblings: Iterable[Siblings] = (),
) -> str:
    """The index, sets in the order of their names, then the sets of each spec that makes several.

    `overrides` may hold an own `index.md.j2`.
    """
    ordered = sorted(rows, key=lambda row: row.set_name)
    text = render(
        "index.md.j2",
        overrides,
        rows=[(row, _state(row.state, language), _gates(row), _values(row, language)) for row in ordered],
        sentence=_sentence(ordered, language),
        metrics=METRICS,
        siblings=[(family, pareto.rows(family, language), pareto.described(family, language)) for family in siblings],
        word=lambda key: WORDS[key].in_(language),
    )
    return text.strip() + "\n"


def _state(state: State, language: Language) -> str:
    return WORDS[state].in_(language)


def _gates(row: IndexRow) -> str:
    return written_gates(row.gates_passed, row.gates_total)


def written_gates(passed: int, total: int) -> str:
    """How many gates passed, with a sign; a dash when there is none."""
    return f"{'✔' if passed == total else '✘'} {passed}/{total}" if total else "–"


def _values(row: IndexRow, language: Language) -> tuple[str, ...]:
    values = ((name, getattr(row, name)) for name in METRICS)
    return tuple(
        "–" if value is None else written_value(name, value, language, row.bounds.get(name)) for name, value in values
    )


def _sentence(rows: list[IndexRow], language: Language) -> str:
    if not rows:
        return WORDS["index.empty"].in_(language)
    count = WORDS["count.one" if len(rows) == 1 else "count.many"].in_(language).format(count=len(rows))
    states = Counter(row.state for row in rows)
    parts = [
        WORDS["count.state"].in_(language).format(state=_state(state, language).lower(), count=states[state])
        for state in State
        if states[state]
    ]
    return f"{count} · " + " · ".join(parts)
