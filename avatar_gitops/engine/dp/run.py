"""A differentially private release of one table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from avatar_gitops.engine.dp import latent_models, marginals
from avatar_gitops.engine.dp.accountant import Accountant
from avatar_gitops.engine.dp.cells import cut, draw_values, place
from avatar_gitops.engine.dp.domains import CategoryDomain, Domain, NumberDomain, Rows, declare, read_rows
from avatar_gitops.engine.dp.learning import learn
from avatar_gitops.engine.dp.params import DEFAULT_DELTA, DpModel, DpParams, Guarantee, Release
from avatar_gitops.engine.keys import numbered_keys
from avatar_gitops.engine.params import ColumnSpec
from avatar_gitops.engine.streams import stream
from avatar_gitops.engine.threads import single_threaded_algebra
from avatar_gitops.errors import EngineError

Open = Callable[..., Accountant[Rows]]

_LARGEST_EPSILON: Final = 100.0


@single_threaded_algebra
def release(
    table: pa.Table,
    columns: Sequence[ColumnSpec],
    params: DpParams,
    seed: int,
    label: str = "",
    accountant: Open = Accountant,
) -> Release:
    """Synthetic rows with a differential privacy promise; the number of rows is noisy unless it is public.

    `seed` fixes only what is drawn from the noisy model, never the noise. Raises EngineError when a declaration does
    not fit the schema, when the column that names people is missing, and when the budget is too small for what nobody
    declared.
    """
    _check(params)
    domains = declare(table, _without_person(columns, params), params.public)
    pure = params.model is DpModel.MARGINALS and params.delta is None
    unknown = [domain for domain in domains if not domain.known]
    lists = any(isinstance(domain, CategoryDomain) for domain in unknown)
    delta = params.delta if params.delta is not None else DEFAULT_DELTA if lists or not pure else 0.0
    learning = 0.0 if not lists else delta if pure else delta / 2
    rows = read_rows(_truncate(table, params), domains)
    account = accountant(rows, params.epsilon, delta, learning, params.unit.max_rows, pure=pure)
    before = params.preprocess_ratio * account.budget if unknown else 0.0
    percentile = None if params.model is DpModel.MARGINALS else params.bounds_percentile
    learned = learn(account, domains, before, percentile)
    share = account.left
    total = float(params.rows) if params.rows is not None else _count(account, share * marginals.ROWS_SHARE)
    share *= 1.0 if params.rows is not None else 1 - marginals.ROWS_SHARE
    draws = stream(seed, label, "differential privacy")
    made = _draw(account, rows, (learned, params), (share, total), draws)
    return Release(_assemble(table, columns, params, made), _promise(account, params, domains, total))


def _check(params: DpParams) -> None:
    if not 0 < params.epsilon <= _LARGEST_EPSILON:
        raise EngineError(
            f"epsilon must be above 0 and at most {_LARGEST_EPSILON:g}; above 10 it promises next to nothing."
        )
    if params.delta is not None and not 0 < params.delta <= 1e-3:
        raise EngineError("delta must be above 0 and at most 0.001.", hint="At most 1 / rows², for example 1e-9.")
    if not 0 < params.preprocess_ratio < 1:
        raise EngineError("preprocess_budget_ratio must be between 0 and 1.")
    if params.unit.max_rows < 1 or (params.unit.max_rows > 1 and params.unit.column is None):
        raise EngineError("Several rows per person need the column that names the person.")
    if not 0 <= params.bounds_percentile < 50:
        raise EngineError("bounds_percentile must be at least 0 and below 50.")


def _without_person(columns: Sequence[ColumnSpec], params: DpParams) -> list[ColumnSpec]:
    """The column that names people is never modelled."""
    person = params.unit.column
    kept = [spec for spec in columns if spec.name != person]
    return kept if person is None else [*kept, ColumnSpec(person, identifier=True)]


def _truncate(table: pa.Table, params: DpParams) -> pa.Table:
    """At most `max_rows` rows for each person, the first of each; rows that name nobody count as one person."""
    if params.unit.column is None:
        return table
    if params.unit.column not in table.column_names:
        raise EngineError(f"The table does not have the column {params.unit.column!r} that names the person.")
    person = table[params.unit.column].combine_chunks()
    codes = np.asarray(pc.fill_null(person.dictionary_encode().indices, -1).to_numpy(zero_copy_only=False))
    order = np.argsort(codes, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(codes[order]) != 0]) if len(order) else np.empty(0, dtype=np.int64)
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order)) - np.repeat(starts, np.diff(np.r_[starts, len(order)]))
    return table.filter(pa.array(rank < params.unit.max_rows))


def _count(account: Accountant[Rows], share: float) -> float:
    counted = account.counts("number of rows", lambda rows: np.array([rows.size]), 1, share)
    return float(max(2, int(counted[0])))


def _draw(
    account: Accountant[Rows],
    rows: Rows,
    what: tuple[Sequence[Domain], DpParams],
    size: tuple[float, float],
    draws: np.random.Generator,
) -> dict[str, pa.Array]:
    (domains, params), (share, total) = what, size
    if params.model is not DpModel.MARGINALS:
        return latent_models.synthesize(account, rows, what, size, draws)
    cuts = [cut(domain, params.bins) for domain in domains]
    rows.codes = place(cuts, rows)
    columns = [item.size for item in cuts], [item.missing for item in cuts], [item.domain.name for item in cuts]
    tree = marginals.measure_tree(account, columns, share, total)
    cells = marginals.draw_cells(tree, round(total), draws)
    return {item.domain.name: draw_values(item, cells[:, i], draws) for i, item in enumerate(cuts)}


def _assemble(table: pa.Table, columns: Sequence[ColumnSpec], params: DpParams, made: dict[str, pa.Array]) -> pa.Table:
    """Columns in the order of the original table; keys number the rows, because rows belong to nobody."""
    specs = {spec.name: spec for spec in columns}
    n = len(next(iter(made.values())))
    shown: dict[str, pa.Array] = {}
    for name in table.column_names:
        spec = specs.get(name, ColumnSpec(name))
        if name in made:
            shown[name] = made[name]
        elif not spec.drop:
            shown[name] = numbered_keys(name, n, table[name].type)
    return pa.table(shown)


def _promise(account: Accountant[Rows], params: DpParams, domains: Sequence[Domain], total: float) -> Guarantee:
    public = ["names and types of the columns"]
    learned: list[str] = []
    for domain in domains:
        what = "bounds" if isinstance(domain, NumberDomain) else "categories"
        (public if domain.known else learned).append(f"{what} of {domain.name}")
        if domain.complete:
            public.append(f"{domain.name} has no missing values")
    if params.rows is not None:
        public.append("number of rows")
    warnings = []
    if account.spent_delta > 1 / max(2.0, total) ** 2:
        warnings.append(
            "delta is larger than 1 / rows²: one person in the table could be exposed. Choose a smaller delta."
        )
    if params.epsilon > 10:
        warnings.append("epsilon above 10 promises next to nothing.")
    if total < 2000:
        warnings.append("Below a few thousand rows, differential privacy costs most of what columns say together.")
    return Guarantee(
        measure="pure differential privacy" if account.pure else "zero-concentrated differential privacy",
        declared=params.epsilon,
        epsilon=account.epsilon,
        delta=account.spent_delta,
        rho=account.rho,
        rows_per_person=params.unit.max_rows,
        stages=tuple(account.stages),
        public=tuple(public),
        learned=tuple(learned),
        library=account.library,
        warnings=tuple(warnings),
    )
