"""Write a made-up table in the shape of the Adult census data: 6 numbers and 8 categories, 94 dimensions.

Usage: python -m benchmarks.drivers.adult ROWS FILE [SEED]. No value is of a real person. Six hidden traits of each row
move all columns, so that they are correlated as in the real table; nearly all rows are distinct.
"""

from __future__ import annotations

import json
import sys
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from avatar_gitops.engine.buffers import to_arrow
from avatar_gitops.engine.tables import write_table

Floats = npt.NDArray[np.float64]

TRAITS: Final = 6
CATEGORIES: Final = {
    "workclass": 9,
    "marital-status": 7,
    "occupation": 15,
    "relationship": 6,
    "race": 5,
    "gender": 2,
    "native-country": 42,
    "income": 2,
}
# How unequal the shares of a column's categories are: in 1/rank ** exponent.
_EXPONENTS: Final = {"workclass": 1.8, "race": 2.5, "native-country": 2.2, "occupation": 0.4, "income": 1.5}


def make(rows: int, seed: int) -> pa.Table:
    """The table; the same rows and seed give the same values."""
    random = np.random.default_rng(seed)
    traits = random.standard_normal((rows, TRAITS))
    numbers = _numbers(traits, random)
    categories = {name: _category(name, size, traits, random) for name, size in CATEGORIES.items()}
    return pa.table(numbers | categories)


def _numbers(traits: Floats, random: np.random.Generator) -> dict[str, pa.Array]:
    rows = len(traits)

    def score(*loadings: float) -> Floats:
        used = np.array([*loadings, *[0.0] * (TRAITS - len(loadings))])
        rest = np.sqrt(max(0.0, 1 - float(used @ used)))
        return np.asarray(traits @ used + rest * random.standard_normal(rows))

    age = np.clip(np.rint(17 + 11 * np.exp(0.35 * score(0.7, 0.2) + 0.6)), 17, 90)
    weight = np.rint(178_000 * np.exp(0.5 * score(0.0, 0.1, 0.1)))
    education = np.clip(np.rint(10 + 2.5 * score(0.1, 0.8)), 1, 16)
    gain = np.where(score(0.2, 0.4, 0.3) > 1.4, np.exp(8 + 1.2 * score(0.2, 0.3)), 0.0)
    loss = np.where(score(0.1, 0.3, 0.0, 0.3) > 1.65, np.exp(7.5 + 0.2 * score()), 0.0)
    hours = np.where(random.random(rows) < 0.45, 40.0, 40 + 12 * score(0.2, 0.2, 0.6))
    return {
        "age": to_arrow(age.astype(np.int64)),
        "fnlwgt": to_arrow(weight.astype(np.int64)),
        "educational-num": to_arrow(education.astype(np.int64)),
        "capital-gain": to_arrow(gain.round(2)),
        "capital-loss": to_arrow(loss.round(2)),
        "hours-per-week": to_arrow(np.clip(hours + random.normal(0, 1.5, rows), 1, 99).round(1)),
    }


def _category(name: str, size: int, traits: Floats, random: np.random.Generator) -> pa.Array:
    """The category with the highest score of shares, traits and chance (Gumbel noise: a multinomial logit)."""
    pull = random.normal(0, 1.1, (TRAITS, size))
    best = np.full(len(traits), -np.inf)
    codes = np.zeros(len(traits), dtype=np.int32)
    for code in range(size):
        share = -_EXPONENTS.get(name, 0.8) * np.log(code + 1)
        score = share + traits @ pull[:, code] + random.gumbel(size=len(traits))
        better = score > best
        best[better], codes[better] = score[better], code
    labels = pa.array([f"{name[:6]}-{code:02d}" for code in range(size)])
    return pa.DictionaryArray.from_arrays(to_arrow(codes), labels)


def _distinct(table: pa.Table) -> int:
    return int(table.group_by(table.column_names).aggregate([]).num_rows)


def main() -> None:
    """Write the table and print how many rows are distinct."""
    rows, path, seed = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 20261128
    table = make(rows, seed)
    write_table(table, path)
    print(json.dumps({"rows": rows, "distinct": _distinct(table)}))


if __name__ == "__main__":
    main()
