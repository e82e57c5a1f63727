"""From specs, results and locks to the views that `summary.md` and `index.md` are rendered from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from avatar_gitops.app.clock import minute
from avatar_gitops.app.facts import assessment_facts
from avatar_gitops.app.reports import PICTURES
from avatar_gitops.assessment import AssessmentFacts, assess
from avatar_gitops.assessment.guarantee import promise_numbers
from avatar_gitops.assessment.risk import unchecked
from avatar_gitops.plan.deletion import FILE as RECEIPT
from avatar_gitops.plan.desired import DesiredSet
from avatar_gitops.plan.lock import Applied, GateResult, Lock
from avatar_gitops.plan.outcome import RunResult
from avatar_gitops.report.index import METRICS as SHOWN
from avatar_gitops.report.index import IndexRow, index_markdown, written_gates
from avatar_gitops.report.pareto import FEWEST, PRIVACY, UTILITY, Candidate, Siblings, plot
from avatar_gitops.report.summary import (
    GateView,
    MadeFrom,
    State,
    SummaryView,
    TableView,
    plots,
    summary_markdown,
)
from avatar_gitops.report.words import WORDS, Language
from avatar_gitops.spec.gates import METRICS, Direction

FIELDS_SHOWN: Final = 3


def summary(
    desired: DesiredSet,
    result: RunResult,
    gates: Sequence[GateResult],
    *,
    published: bool,
    applied: Applied | None = None,
    templates: Path | None = None,
) -> dict[str, bytes]:
    """`summary.md` of one run with the plots that it shows, by path; `templates` may hold an own `summary.md.j2`.

    Raises TemplateProblem when that is wrong.
    """
    facts = assessment_facts(desired, result)
    assessment = assess(facts)
    view = SummaryView(
        set_name=desired.name,
        state=State.PUBLISHED if published else State.NOT_PUBLISHED,
        gates=tuple(GateView(gate.metric, gate.condition, gate.value) for gate in gates),
        tables=tuple(TableView(table.name, table.metrics) for table in facts.tables),
        made_from=MadeFrom(
            spec_digest=desired.digests.spec,
            input_digests={item.table: item.digest for item in desired.inputs},
            is_keyed=any(item.digest.startswith("hmac-") for item in desired.inputs),
            engine=result.engine or None,
            seed=desired.run.spec.seed,
        ),
        when=minute(result.finished),
        notes=(*_promises(facts), *_unchecked(facts), *(_notes(applied, facts.language) if applied else ())),
        level=assessment.level.value,
        conclusion=assessment.conclusion.value,
        documents=dict(_documents(published, facts.language)),
        check="sha256sum --check SHA256SUMS" if published else None,
        next_step=None if published else f"avatar-gitops show {desired.name}",
        folder=PICTURES,
        recipient=facts.context.data_recipient,
        language=desired.run.spec.pia.language.value,
    )
    pictures = {f"{PICTURES}/{name}": svg.encode() for name, svg in plots(view).items()}
    return {"summary.md": summary_markdown(view, templates).encode(), **pictures}


def _documents(published: bool, language: Language) -> Iterator[tuple[str, str]]:
    if published:
        yield WORDS["document.pia"].in_(language), "pia.md"
    yield WORDS["document.metrics"].in_(language), "metrics.json"


def _promises(facts: AssessmentFacts) -> Iterator[str]:
    """What differential privacy promises for each table that has it."""
    for table in facts.tables:
        if (said := table.guarantee) is not None:
            epsilon, delta = promise_numbers(said, facts.language)
            words = {"table": table.name, "epsilon": epsilon, "delta": delta}
            yield WORDS["promise"].in_(facts.language).format(**words, rows=said.rows_per_person)


def _unchecked(facts: AssessmentFacts) -> Iterator[str]:
    """Which metrics of avatars from elsewhere rest on an order of rows that nobody has checked."""
    for table in facts.tables:
        if names := unchecked(table):
            yield WORDS["unchecked"].in_(facts.language).format(table=table.name, metrics=_first(names))


def _notes(applied: Applied, language: Language) -> Iterator[str]:
    """What made privacy weaker and who approved it, and for which findings somebody answers."""
    if applied.weaker:
        shown = _first(applied.weaker).replace(" -> ", " → ")
        text = WORDS["weaker_than_before"].in_(language).format(fields=shown)
        names = ", ".join(applied.approved_by)
        yield text + (WORDS["approved_by"].in_(language).format(names=names) if names else "")
    if applied.waivers:
        yield WORDS["waived_rules"].in_(language).format(rules=", ".join(applied.waivers))


def _first(names: Sequence[str]) -> str:
    """As many of several names as a line has room for."""
    return ", ".join(names[:FIELDS_SHOWN]) + (" …" if len(names) > FIELDS_SHOWN else "")


def index(locks: Iterable[Lock], out: Path, templates: Path | None = None) -> dict[str, str]:
    """`index.md` with the plots that it shows, by name beside it.

    It has every published set of the project, those whose deletion left a receipt, and the sets of each spec that makes
    several, compared.
    """
    published = tuple(locks)
    names = {lock.set for lock in published}
    receipts = sorted(out.glob(f"*/{RECEIPT}"))
    gone = [path.parent.name for path in receipts if path.parent.name not in names]
    deleted = (IndexRow(name, State.DELETED, receipt=f"{name}/{RECEIPT}") for name in gone)
    families = tuple(_families(published))
    rows = [*(_row(lock, out) for lock in published), *deleted]
    plotted = {family.picture: svg for family in families if family.picture and (svg := plot(family, "en"))}
    return {"index.md": index_markdown(rows, "en", templates, families), **plotted}


def _families(locks: Iterable[Lock]) -> Iterator[Siblings]:
    """The sets that stand in one spec, in the order of their names; only where there are several."""
    by_path: dict[str, list[Lock]] = {}
    for lock in sorted(locks, key=lambda lock: lock.set):
        by_path.setdefault(lock.path, []).append(lock)
    for path, found in sorted(by_path.items()):
        if len(found) < FEWEST:
            continue
        settings = _settings(found)
        family = Siblings(path, tuple(_candidate(lock, settings[lock.set]) for lock in found))
        name = f"index-{re.sub(r'[^A-Za-z0-9]+', '-', path.rpartition('.')[0])}.svg"
        yield replace(family, picture=name if plot(family, "en") else "")


def _settings(locks: Sequence[Lock]) -> dict[str, dict[str, str]]:
    """What differs between specs, by set: the name of a field where that is enough to tell it, and its value."""
    said = {lock.set: dict(_leaves(lock.spec.get("spec", {}))) for lock in locks}
    paths = sorted({path for fields in said.values() for path in fields})
    differ = [path for path in paths if len({repr(fields.get(path)) for fields in said.values()}) > 1]
    short = [path[-1] for path in differ]
    names = {path: path[-1] if short.count(path[-1]) == 1 else ".".join(path) for path in differ}
    return {
        name: {names[path]: str(fields.get(path, "–")) for path in differ if path[0] != "lifecycle"}
        for name, fields in said.items()
    }


def _leaves(content: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key, value in content.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, (*path, str(key)))
        else:
            yield (*path, str(key)), value


def _candidate(lock: Lock, settings: Mapping[str, str]) -> Candidate:
    values = dict(_worst(lock.metrics))
    return Candidate(
        lock.set,
        settings,
        values.get(PRIVACY),
        values.get(UTILITY),
        written_gates(sum(gate.passed for gate in lock.gates), len(lock.gates)),
        {gate.metric: gate.condition for gate in lock.gates},
    )


def _row(lock: Lock, out: Path) -> IndexRow:
    values = dict(_worst(lock.metrics))
    return IndexRow(
        set_name=lock.set,
        state=State.PUBLISHED,
        gates_passed=sum(gate.passed for gate in lock.gates),
        gates_total=len(lock.gates),
        hidden_rate=values.get("hidden_rate"),
        local_cloaking=values.get("local_cloaking"),
        hellinger_mean=values.get("hellinger_mean"),
        bounds={gate.metric: gate.condition for gate in lock.gates},
        summary=_link(out, lock.set, "summary.md"),
        pia=_link(out, lock.set, "pia.docx") or _link(out, lock.set, "pia.md"),
    )


def _worst(metrics: Mapping[str, Mapping[str, float]]) -> Iterator[tuple[str, float]]:
    for name in SHOWN:
        values = [table[name] for table in metrics.values() if name in table]
        if values:
            yield name, min(values) if METRICS[name].direction is Direction.HIGHER else max(values)


def _link(out: Path, name: str, file: str) -> str | None:
    return f"{name}/{file}" if (out / name / file).is_file() else None
