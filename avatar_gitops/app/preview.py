"""`preview`: what a change would do to the metrics, measured on the embedded engine before anything is applied."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Protocol

from avatar_gitops.app import promotion
from avatar_gitops.app.plan import EVERYTHING
from avatar_gitops.app.preview_cases import AUTO, Case, Cases, cases
from avatar_gitops.app.servers import server_name
from avatar_gitops.app.trials import Bench, Measured, Trial, measure, measuring, preview_platform, trial
from avatar_gitops.client.gateway import Gateway
from avatar_gitops.plan.lock import Metrics
from avatar_gitops.plan.model import Selection
from avatar_gitops.plan.prediction import PredictedGate, Preview, SetPreview, means, predict, seeds
from avatar_gitops.policy.gates import evaluate
from avatar_gitops.ports import Clock

HEAD: Final = "head"
BASE: Final = "base"
UNMEASURED: Final = "the spec asks for no metrics, so there is nothing to predict"


@dataclass(frozen=True, slots=True)
class Ask:
    """What to preview and how: `on` is data, sample or auto, `base` a git revision whose lock files are the base.

    `promote` keeps a full run on the server of the project, under `label`, for the apply after the merge.
    """

    selection: Selection = EVERYTHING
    base: str = ""
    seeds: int = 5
    on: str = AUTO
    server: str | None = None
    keep: bool = False
    promote: bool = False
    label: str = ""
    parallelism: int | None = None


class Teller(Protocol):
    """Hears how far a preview is."""

    def trial(self, done: Trial, number: int, total: int) -> None:
        """A trial ended."""
        ...

    def promoting(self, name: str) -> None:
        """The full run of a set begins."""
        ...


def preview(project: Path | None, ask: Ask, clock: Clock, teller: Teller) -> Preview:
    """Measure base and head of every set that would run again. Publishes nothing and changes no version of a set.

    Raises SpecError, UsageError, Locked, and RemoteUnavailable when a server gives no answer.
    """
    promotion.check_label(ask.label)
    ready = cases(project, ask.selection, ask.on, ask.base)
    loaded = ready.loaded
    server = server_name(loaded.project, ask.server, os.environ)
    made = Preview(loaded.name, server, "", (), ready.unchanged, ask.base, loaded.commit)
    if not ready.cases:
        return made
    with promotion.target(loaded.root, loaded.project, ask.server, ask.promote, clock) as target:
        with preview_platform(loaded.root, made.project) as gateway:
            engine, sets = _measured(ready, ask, _bench(gateway, made, ask, clock, teller))
        made = replace(made, engine=engine, sets=sets)
        return promotion.promote(made, target, ask.label, teller.promoting) if target else made


def _bench(gateway: Gateway, made: Preview, ask: Ask, clock: Clock, teller: Teller) -> Bench:
    parallelism = ask.parallelism or 2 * max(2, min(8, os.cpu_count() or 2))
    return Bench(gateway, clock, made.project, made.commit, ask.keep, parallelism, teller.trial)


def _measured(ready: Cases, ask: Ask, bench: Bench) -> tuple[str, tuple[SetPreview, ...]]:
    """The engine and the prediction of each set."""
    trials = [item for case in ready.cases for item in _trials(case, ask.seeds)]
    results = measure(trials, bench)
    engine = next((one.engine for one in results.values() if one.engine), "")
    return engine, tuple(_predicted(case, results, ask.seeds) for case in ready.cases)


def _trials(case: Case, number: int) -> Iterator[Trial]:
    """Base and head of a set with the same seeds, side by side, so that a failure shows early."""
    if not measuring(case.head):
        return
    for seed in seeds(case.head.run.spec.seed, number):
        yield trial((case.name, HEAD), case.head, seed)
        if case.base is not None and measuring(case.base):
            yield trial((case.name, BASE), case.base, seed)


def _predicted(case: Case, results: Mapping[tuple[str, str], Measured], number: int) -> SetPreview:
    head = results.get((case.name, HEAD), Measured())
    base = results.get((case.name, BASE), Measured())
    notes = list(case.notes)
    if base.error and not head.error:
        notes.append(f"the published spec could not run here, so the head alone is measured: {base.error}")
    if not measuring(case.head):
        notes.append(UNMEASURED)
    comparable = {} if base.error else base.runs
    return SetPreview(
        set=case.name,
        path=case.path,
        basis=case.basis,
        new=case.new,
        inputs=case.head.inputs,
        fields=case.fields,
        seeds=seeds(case.head.run.spec.seed, number),
        metrics=() if head.error else predict(comparable, head.runs),
        gates=() if head.error else tuple(_gates(case.head.run.spec.gates, head.runs)),
        notes=tuple(notes),
        error=head.error,
    )


def _gates(gates: Mapping[str, str], runs: Mapping[int, Metrics]) -> Iterator[PredictedGate]:
    """Each gate on the means, and how many single runs would pass it."""
    if not runs:
        return
    single: Sequence[Mapping[str, bool]] = [
        {gate.metric: gate.passed for gate in evaluate(gates, metrics)} for metrics in runs.values()
    ]
    for gate in evaluate(gates, means(runs)):
        passed = sum(one[gate.metric] for one in single)
        yield PredictedGate(gate.metric, gate.condition, gate.value, gate.passed, passed, len(runs))
