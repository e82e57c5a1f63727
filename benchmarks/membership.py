"""Can people be told to be in the data? The attack of the engine on avatars of the published engine, and on ours.

The splits are those of the repository of Guillaudeux et al. 2023: 70 % of the people were used, 30 % never were.
`MEMBERSHIP_SEEDS` says with how many seeds ours are drawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from avatar_gitops.engine.dcr_share import dcr_share
from avatar_gitops.engine.distances import rank_own
from avatar_gitops.engine.holdout import sides
from avatar_gitops.engine.membership import attack_membership
from avatar_gitops.engine.pair import pair_up
from avatar_gitops.engine.params import (
    AvatarParams,
    ColumnSpec,
    ColumnType,
    Generation,
    Imputation,
    ImputationMethod,
    PrivacyParams,
    Space,
)
from avatar_gitops.engine.privacy import measure_privacy
from avatar_gitops.engine.run import avatarize
from avatar_gitops.engine.signal import column_hellinger, correlation_difference
from avatar_gitops.engine.tables import read_table
from benchmarks import peers
from benchmarks.fidelity import fixtures
from benchmarks.results import Unavailable, table, versions

K: Final = 20
SPLITS: Final = (0, 1)
HEAD: Final = (
    "AUC",
    "TPR at 1 % FPR",
    "TPR at 10 % FPR",
    "AUC, 5 % most isolated",
    "DCR share",
    "hidden rate %",
    "local cloaking",
    "closest rate %",
    "Hellinger",
    "correlation difference %",
    "sd ratio",
)

Values = dict[str, float | None]

# Sections 3.4 and 1.18 of the notes on the method: means over 10 and over 3 splits.
_TOLD: Final[Mapping[str, Mapping[str, Mapping[str, str]]]] = {
    "AIDS": {
        "published engine, 10 splits": dict(zip(HEAD, (".635", "17.9", "30.7", ".679", ".621"), strict=False)),
        "Synthpop, 10 splits": dict(zip(HEAD, (".526", "2.6", "12.9", ".543", ".551"), strict=False)),
        "CT-GAN, 10 splits": dict(zip(HEAD, (".500", "1.0", "10.0", ".478", ".515"), strict=False)),
        "prototype, published weights, 3 splits": dict(
            zip(HEAD, (".633", "16.9", "", "", "", "91.6", "7", "75.2", ".056", "5.6", ".74"), strict=True)
        ),
        "prototype, local Gaussian, 3 splits": dict(
            zip(HEAD, (".533", "2.0", "", "", "", "94.2", "15", "97.8", ".033", "2.5", ".92"), strict=True)
        ),
    },
    "WBCD": {
        "published engine, 10 splits": dict(zip(HEAD, (".545", "", "", ".756", ".573"), strict=False)),
        "Synthpop, 10 splits": dict(zip(HEAD, (".538", "", "", ".676", ".569"), strict=False)),
        "CT-GAN, 10 splits": dict(zip(HEAD, (".509", "", "", ".549", ".512"), strict=False)),
    },
}


@dataclass(slots=True, frozen=True)
class Split:
    """People who were used, people who were not, and how the table is compared."""

    members: pa.Table
    others: pa.Table
    specs: tuple[ColumnSpec, ...]
    space: Space


def section() -> str:
    """Measure both data sets."""
    folder = fixtures()
    if not (folder / "aids_remaining_0.csv").is_file():
        raise Unavailable("The splits of the paper are missing: aids_remaining_0.csv and its neighbours.")
    seeds = peers.numbers("MEMBERSHIP_SEEDS", "5")[0]
    parts = [_introduction(seeds)]
    for name, ncp in (("AIDS", 5), ("WBCD", 2)):
        rows = [[who, *(told.get(column, "") for column in HEAD)] for who, told in _TOLD[name].items()]
        for who, runs in _measured(folder, name.lower(), ncp, seeds).items():
            rows.append([f"**{who}**", *(_cell([run[column] for run in runs]) for column in HEAD)])
        parts += [f"### {name}, k = {K}, ncp = {ncp}", table(["generator", *HEAD], rows)]
    return "\n\n".join(parts)


def _introduction(seeds: int) -> str:
    return f"""## Membership inference on the paper's own splits

Command: `AVATAR_FIXTURES=FOLDER python -m benchmarks membership`. {versions("numpy", "pyarrow", "scipy")}.

Bold rows are measured here by the engine's own attack, the others are what the notes on the method tell. Splits 0 and
1 of the paper's repository: 70 % of the people were used (the files `holdout`, as long as the avatars), 30 % were not
(`remaining`). The attacker scores a person by the distance to the nearest synthetic record in all dimensions. Ours are
drawn with seeds 1 to {seeds} for each split: mean ± standard deviation over splits and seeds; a published avatar
table is one for each split. TPR in percent. DCR share is the share of synthetic records that are nearer to used people
than to as many others (0.5 is chance), closest rate that of the engine (5 %), hidden rate strict. Hidden rate and local
cloaking are only told of avatars, which stand in the order of their originals, on the axes compared."""


def _measured(folder: Path, name: str, ncp: int, seeds: int) -> dict[str, list[Values]]:
    found: dict[str, list[Values]] = {}
    for number in SPLITS:
        split = _split(folder, name, ncp, number)
        for who, file in (("published engine", "avatar"), ("Synthpop", "synthpop"), ("CT-GAN", "ctgan")):
            path = folder / f"{name}_{file}_{number}.csv"
            if path.is_file():
                rows = _typed(read_table(path), split)
                found.setdefault(who, []).append(_judge(split, rows, aligned=file == "avatar"))
        for generation in Generation:
            for seed in range(1, seeds + 1):
                params = AvatarParams(K, split.space, generation)
                made = avatarize(split.members, split.specs, params, seed).unshuffled
                found.setdefault(f"ours, {generation}", []).append(_judge(split, made, aligned=True))
    return found


def _split(folder: Path, name: str, ncp: int, number: int) -> Split:
    members = read_table(folder / f"{name}_holdout_{number}.csv")
    few = [column for column in members.column_names if pc.count_distinct(members[column]).as_py() <= 10]
    specs = tuple(ColumnSpec(column, ColumnType.CATEGORY) for column in few)
    others = read_table(folder / f"{name}_remaining_{number}.csv").select(members.column_names)
    return Split(members, others, specs, Space(ncp=ncp, imputation=Imputation(ImputationMethod.KNN, k=5)))


def _typed(rows: pa.Table, split: Split) -> pa.Table:
    """Synthetic rows with the columns and types of the originals; other generators write numbers as text."""
    schema = split.members.schema
    columns = []
    for field in schema:
        column = rows[field.name]
        plain = column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
        columns.append(plain.cast(pa.float64()).cast(field.type, safe=False))
    return pa.table(columns, names=schema.names)


def _judge(split: Split, rows: pa.Table, *, aligned: bool) -> Values:
    pair = pair_up(split.members, rows, split.specs, split.space, 1)
    all_sides = sides(pair, split.others)
    attack = attack_membership(all_sides, 1)
    values: Values = {
        "AUC": attack.distance.auc,
        "TPR at 1 % FPR": attack.distance.at_1,
        "TPR at 10 % FPR": attack.distance.at_10,
        "AUC, 5 % most isolated": attack.isolated.auc if attack.isolated else None,
        "DCR share": dcr_share(all_sides, 1).percent / 100,
        "hidden rate %": None,
        "local cloaking": None,
        "closest rate %": measure_privacy(
            split.members, rows, split.specs, PrivacyParams(space=split.space), 1
        ).values.get("closest_rate"),
        "Hellinger": float(np.mean(list(column_hellinger(pair).values()))),
        **_numbers(split, rows),
    }
    if aligned:
        rank = rank_own(pair.original_points, pair.avatar_points)
        values["hidden rate %"] = 100 * float((rank.closer > 0).mean())
        values["local cloaking"] = float(np.median(rank.closer + rank.tied))
    return values


def _numbers(split: Split, rows: pa.Table) -> Values:
    """Correlations and spreads of the columns that hold numbers (of all when every column is a category)."""
    categories = {spec.name for spec in split.specs}
    names = [name for name in split.members.column_names if name not in categories] or split.members.column_names
    before, after = (
        np.column_stack([side[name].cast(pa.float64()).to_numpy(zero_copy_only=False) for name in names])
        for side in (split.members, rows)
    )
    ratios = np.nanstd(after, axis=0) / np.nanstd(before, axis=0)
    return {"correlation difference %": correlation_difference(before, after), "sd ratio": float(ratios.mean())}


def _cell(values: Sequence[float | None]) -> str:
    known = np.array([value for value in values if value is not None])
    if not len(known):
        return ""
    digits = 1 if abs(known.mean()) >= 1.5 else 3
    spread = f" ± {known.std(ddof=1):.{digits}f}" if len(known) > 2 else ""
    return f"{known.mean():.{digits}f}{spread}"
