"""Are our avatars those of the published engine? The same code measures its avatars and ours.

The avatars of the published engine are those of the repository of Guillaudeux et al. 2023 (npj Digital Medicine 6, 37),
row-aligned with their originals.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from avatar_gitops.engine.columns import Floats
from avatar_gitops.engine.distances import nearest_two, rank_own, ratio
from avatar_gitops.engine.pair import Pair, pair_up
from avatar_gitops.engine.params import (
    AvatarParams,
    ColumnSpec,
    ColumnType,
    Imputation,
    ImputationMethod,
    Space,
)
from avatar_gitops.engine.run import avatarize
from avatar_gitops.engine.signal import column_hellinger, correlation_difference
from avatar_gitops.engine.tables import read_table
from benchmarks.results import Unavailable, table, versions

SEEDS: Final = 20
_SPREADS: Final = 3.0
_SAIPH_SEEDS: Final = (0, 1, 2)

# Spread over 25 runs of the published engine, where it is known.
_PUBLISHED: Final[Mapping[str, Mapping[str, float]]] = {
    "AIDS": {"hidden rate %": 0.5, "hidden rate, strict %": 0.5, "local cloaking": 0.5, "local cloaking, no ties": 0.5},
    "WBCD": {
        "hidden rate %": 0.5,
        "hidden rate, strict %": 0.3,
        "local cloaking": 1.1,
        "local cloaking, no ties": 2.1,
        "Hellinger": 0.003,
        "correlation difference %": 0.4,
        "copied rows %": 0.8,
    },
}
# A median of counts cannot be known better than to one.
_RESOLUTION: Final = {"local cloaking": 1.0, "local cloaking, no ties": 1.0}

Values = dict[str, float]


@dataclass(slots=True, frozen=True)
class Case:
    """One data set of the paper with the avatars that its authors published."""

    name: str
    original: pa.Table
    published: pa.Table
    specs: tuple[ColumnSpec, ...]
    k: int
    space: Space


def section() -> str:
    """Measure both data sets and write the section."""
    folder = fixtures()
    parts = [_introduction()]
    for case in (_aids(folder), _wbcd(folder)):
        ours = [
            avatarize(case.original, case.specs, AvatarParams(case.k, case.space), seed).unshuffled
            for seed in range(1, SEEDS + 1)
        ]
        parts += [f"### {case.name}, k = {case.k}, ncp = {case.space.ncp}", _comparison(case, ours)]
        if case.name == "AIDS":
            parts.append(_spreads(case, ours))
        parts.append(_other_axes(case, ours))
    return "\n\n".join(parts)


def fixtures() -> Path:
    """The folder with the published tables: `AVATAR_FIXTURES`, or `../shared/fixtures` beside the repository."""
    beside = Path(__file__).parents[2] / "shared" / "fixtures"
    folder = Path(os.environ.get("AVATAR_FIXTURES", beside)) / "paper"
    if not (folder / "aids_original.csv").is_file():
        raise Unavailable(
            "The published tables are missing: set AVATAR_FIXTURES to a folder whose `paper` folder holds"
            " aids_original.csv, aids_avatars_k20_ncp5.csv, wbcd_original.csv and wbcd_avatars_k20_ncp2.csv"
            " (from the public repository octopize/avatar-paper)."
        )
    return folder


def _aids(folder: Path) -> Case:
    original = read_table(folder / "aids_original.csv").drop_columns(["pidnum"])
    few = [name for name in original.column_names if pc.count_distinct(original[name]).as_py() <= 10]
    specs = tuple(ColumnSpec(name, ColumnType.CATEGORY) for name in few)
    published = read_table(folder / "aids_avatars_k20_ncp5.csv")
    imputation = Imputation(ImputationMethod.KNN, k=5)
    return Case("AIDS", original, published, specs, 20, Space(ncp=5, imputation=imputation))


def _wbcd(folder: Path) -> Case:
    original = read_table(folder / "wbcd_original.csv").drop_columns(["Sample_code_number"])
    specs = tuple(ColumnSpec(name, ColumnType.CATEGORY) for name in original.column_names)
    return Case("WBCD", original, read_table(folder / "wbcd_avatars_k20_ncp2.csv"), specs, 20, Space(ncp=2))


def _introduction() -> str:
    return f"""## Fidelity: our avatars against the published engine's

Command: `AVATAR_FIXTURES=FOLDER python -m benchmarks fidelity`. {versions("numpy", "pykdtree", "pyarrow", "saiph")}.

One published run is measured against {SEEDS} of our runs (seeds 1 to {SEEDS}) by the same code, in a space fitted on
the originals with exact axes, missing indicators included. Spread is the standard deviation of our runs or of the
published engine's 25 runs, whichever is larger. A row is *within noise* when the published run is no further from our
mean than {_SPREADS:g} spreads of a difference between one run and the mean of {SEEDS} (local cloaking, a median of
counts: at least 1).

Ties: `hidden rate` lets the first of equally near avatars win, as an argmin does, so that a person whose avatar ties
with an earlier one counts as hidden; this is how published figures count. `strict` says hidden only when another avatar
is strictly nearer. `local cloaking` counts avatars as near as the own one, `no ties` does not."""


def _comparison(case: Case, ours: list[pa.Table]) -> str:
    theirs = _measure(case, case.published)
    runs = [_measure(case, avatars) for avatars in ours]
    rows, outside = [], []
    for name, published in theirs.items():
        values = np.array([run[name] for run in runs])
        spread = max(float(values.std(ddof=1)), _PUBLISHED[case.name].get(name, 0.0))
        tolerance = max(_SPREADS * spread * np.sqrt(1 + 1 / len(runs)), _RESOLUTION.get(name, 0.0), 1e-9)
        within = abs(values.mean() - published) <= tolerance
        if not within:
            outside.append(name)
        rows.append(
            [
                name,
                _number(published),
                f"{_number(values.mean())} ± {_number(values.std(ddof=1))}",
                f"± {_number(tolerance)}",
                "within noise" if within else "outside",
            ]
        )
    verdict = "All rows are within sampling noise." if not outside else f"Outside: {', '.join(outside)}."
    return table(["metric", "published", "ours", "tolerance", "verdict"], rows) + f"\n\n{verdict}"


def _measure(case: Case, avatars: pa.Table) -> Values:
    pair = pair_up(case.original, avatars, case.specs, case.space, 1)
    plain = pair_up(case.original, avatars, (), case.space, 1)
    originals = {tuple(row.values()) for row in case.original.to_pylist()}
    copied = [tuple(row[name] for name in case.original.column_names) in originals for row in avatars.to_pylist()]
    # correlations are those of all columns that hold numbers when every column is a category (WBCD)
    numbers = plain if not pair.space.layout.numbers else pair
    correlation = correlation_difference(numbers.original.numbers, numbers.avatar.numbers)
    hellinger = list(column_hellinger(pair).values())
    return {
        **_distances(pair.original_points, pair.avatar_points),
        "Hellinger": float(np.mean(hellinger)),
        "correlation difference %": correlation if correlation is not None else 0.0,
        "copied rows %": 100 * float(np.mean(copied)),
    }


def _distances(originals: Floats, avatars: Floats) -> Values:
    rank = rank_own(originals, avatars)
    nearest, second = nearest_two(originals, avatars)
    ratios = ratio(nearest, second)
    return {
        "hidden rate %": 100 * float(((rank.closer > 0) | rank.earlier).mean()),
        "hidden rate, strict %": 100 * float((rank.closer > 0).mean()),
        "local cloaking": float(np.median(rank.closer + rank.tied)),
        "local cloaking, no ties": float(np.median(rank.closer)),
        "DCR median": float(np.median(nearest)),
        "DCR 5th percentile": float(np.percentile(nearest, 5)),
        "NNDR median": float(np.median(ratios)),
        "NNDR 5th percentile": float(np.percentile(ratios, 5)),
        "own distance median": float(np.median(np.sqrt(((originals - avatars) ** 2).sum(axis=1)))),
    }


def _spreads(case: Case, ours: list[pa.Table]) -> str:
    """Standard deviations of avatars over those of originals, for each number."""

    def ratios(avatars: pa.Table, name: str) -> float:
        return float(pc.stddev(avatars[name]).as_py() / pc.stddev(case.original[name]).as_py())

    categories = {spec.name for spec in case.specs}
    rows = []
    for name in case.original.column_names:
        if name in categories:
            continue
        published = ratios(case.published, name)
        values = np.array([ratios(avatars, name) for avatars in ours])
        verdict = "within 0.04" if abs(values.mean() - published) <= 0.04 else "outside"
        rows.append([name, f"{published:.3f}", f"{values.mean():.3f} ± {values.std(ddof=1):.3f}", verdict])
    head = ["standard deviation, avatars / originals", "published", "ours", "verdict"]
    return table(head, rows)


def _other_axes(case: Case, ours: list[pa.Table]) -> str:
    """The same comparison in the space that published figures were measured in."""
    names = ("hidden rate %", "hidden rate, strict %", "local cloaking", "DCR median", "NNDR median")
    pairs = [pair_up(case.original, avatars, case.specs, case.space, 1) for avatars in (case.published, *ours)]
    rows = []
    for label, project in [("exact", _exact)] + [(f"saiph, seed {s}", _saiph(s, case)) for s in _SAIPH_SEEDS]:
        points = project(pairs[0], case)
        values = [_distances(points[0], points[1](pair)) for pair in pairs]
        cells = []
        for name in names:
            runs = np.array([value[name] for value in values[1:]])
            cells.append(f"{_number(values[0][name])} / {_number(runs.mean())} ± {_number(runs.std(ddof=1))}")
        rows.append([label, *cells])
    return (
        "Absolute values depend on the axes, the agreement does not. saiph computes few axes by a randomised"
        f" iteration, so that the last of {case.space.ncp} axes depends on its seed; published figures were read there."
        " Published / ours:\n\n" + table(["axes", *names], rows)
    )


Projected = tuple[Floats, Callable[[Pair], Floats]]


def _exact(pair: Pair, _: Case) -> Projected:
    return pair.original_points, lambda other: other.avatar_points


def _saiph(seed: int, case: Case) -> Callable[[Pair, Case], Projected]:
    import pandas as pd
    import saiph

    def data(pair: Pair, which: str) -> pd.DataFrame:
        layout = pair.space.layout
        completed = pair.space.completed if which == "original" else pair.avatar_completed
        raw = pair.original if which == "original" else pair.avatar
        columns: dict[str, npt.NDArray[np.float64] | pd.Series[str]] = {
            column.name: completed.numbers[:, i] for i, column in enumerate(layout.numbers)
        }
        for i, category in enumerate(layout.categories):
            columns[category.name] = pd.Series(completed.codes[:, i].astype(str)).astype(object)
        for i, codes in enumerate(pair.space.indicator_codes(raw).T):
            columns[f"missing {i}"] = pd.Series(codes.astype(str)).astype(object)
        return pd.DataFrame(columns)

    def project(pair: Pair, case: Case) -> Projected:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = saiph.fit(data(pair, "original"), nf=case.space.ncp, seed=seed)

            def coordinates(other: Pair, which: str) -> Floats:
                return np.array(saiph.transform(data(other, which), model).to_numpy(), dtype=np.float64)

            return coordinates(pair, "original"), lambda other: coordinates(other, "avatar")

    return project


def _number(value: float) -> str:
    if value == 0:
        return "0"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}" if abs(value) >= 1 else f"{value:.3f}"
