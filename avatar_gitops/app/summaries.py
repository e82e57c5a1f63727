"""From specs, results and locks to the views that `summary.md` and `index.md` are rendered from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from avatar_gitops.app.clock import minute
from avatar_gitops.app.facts import assessment_facts
from avatar_gitops.assessment import AssessmentFacts, assess
from avatar_gitops.plan.deletion import FILE as RECEIPT
from avatar_gitops.plan.desired import DesiredSet
from avatar_gitops.plan.lock import Applied, GateResult, Lock
from avatar_gitops.plan.outcome import RunResult
from avatar_gitops.report.index import METRICS as SHOWN
from avatar_gitops.report.index import IndexRow, index_markdown
from avatar_gitops.report.summary import GateView, Language, MadeFrom, State, SummaryView, TableView, summary_markdown
from avatar_gitops.report.words import WORDS
from avatar_gitops.spec.gates import METRICS, Direction

FIELDS_SHOWN: Final = 3


def summary(
    desired: DesiredSet,
    result: RunResult,
    gates: Sequence[GateResult],
    *,
    published: bool,
    applied: Applied | None = None,
) -> str:
    """`summary.md` of one run."""
    facts = assessment_facts(desired, result)
    assessment = assess(facts)
    return summary_markdown(
        SummaryView(
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
            notes=(*_promises(facts), *(_notes(applied, facts.language) if applied else ())),
            level=assessment.level.value,
            conclusion=assessment.conclusion.value,
            documents={"PIA": "pia.md", "Metrics": "metrics.json"} if published else {"Metrics": "metrics.json"},
            check="sha256sum --check SHA256SUMS" if published else None,
            next_step=None if published else f"avatar-gitops show {desired.name}",
            language=desired.run.spec.pia.language.value,
        )
    )


def _promises(facts: AssessmentFacts) -> Iterator[str]:
    """What differential privacy promises for each table that has it."""
    for table in facts.tables:
        if (said := table.guarantee) is not None:
            words = {"table": table.name, "epsilon": f"{said.epsilon:.6g}", "delta": f"{said.delta:.3g}"}
            yield WORDS["promise"].in_(facts.language).format(**words, rows=said.rows_per_person)


def _notes(applied: Applied, language: Language) -> Iterator[str]:
    """What made privacy weaker and who approved it, and for which findings somebody answers."""
    if applied.weaker:
        shown = ", ".join(applied.weaker[:FIELDS_SHOWN]) + (" …" if len(applied.weaker) > FIELDS_SHOWN else "")
        text = WORDS["weaker_than_before"].in_(language).format(fields=shown.replace(" -> ", " → "))
        names = ", ".join(applied.approved_by)
        yield text + (WORDS["approved_by"].in_(language).format(names=names) if names else "")
    if applied.waivers:
        yield WORDS["waived_rules"].in_(language).format(rules=", ".join(applied.waivers))


def index(locks: Iterable[Lock], out: Path) -> str:
    """`out/index.md`: every published set of the project, and those whose deletion left a receipt."""
    published = tuple(locks)
    names = {lock.set for lock in published}
    receipts = sorted(out.glob(f"*/{RECEIPT}"))
    gone = [path.parent.name for path in receipts if path.parent.name not in names]
    deleted = (IndexRow(name, State.DELETED, receipt=f"{name}/{RECEIPT}") for name in gone)
    return index_markdown([*(_row(lock, out) for lock in published), *deleted])


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
