"""Avatars as one would first write them: pandas, saiph and scikit-learn. Usage: plain.py IN OUT K NCP.

FAMD with all components, neighbours in the first NCP of them, random weights, barycentres of all coordinates, inverse.
It stands alone: nothing of the product is imported.
"""

from __future__ import annotations

import json
import sys
import time
import warnings

STARTED = time.perf_counter()
warnings.simplefilter("ignore")

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import saiph  # noqa: E402
from sklearn.neighbors import NearestNeighbors  # noqa: E402

SECONDS: dict[str, float] = {}


def mark(stage: str) -> None:
    """Seconds since the marks before."""
    SECONDS[stage] = round(time.perf_counter() - STARTED - sum(SECONDS.values()), 4)


def main() -> None:
    """One avatar for each row."""
    mark("import")
    source, target, k, ncp = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    people = pd.read_csv(source)
    mark("read")
    model = saiph.fit(people, seed=1)
    coordinates = saiph.transform(people, model)
    mark("fit")
    compared = coordinates.iloc[:, :ncp].to_numpy()
    distances, neighbours = NearestNeighbors(n_neighbors=k + 1).fit(compared).kneighbors(compared)
    # each row without itself, which among equal rows is not always the first
    own = neighbours == np.arange(len(people))[:, None]
    own[~own.any(axis=1), k] = True
    distances, neighbours = distances[~own].reshape(-1, k), neighbours[~own].reshape(-1, k)
    mark("search")
    random = np.random.default_rng(1)
    halves = random.permuted(np.tile(0.5 ** np.arange(1, k + 1), (len(people), 1)), axis=1)
    weights = random.exponential(size=distances.shape) * halves / np.maximum(distances, 1e-8)
    weights /= weights.sum(axis=1, keepdims=True)
    cloud = coordinates.to_numpy()
    drawn = np.empty_like(cloud)
    for start in range(0, len(people), 10_000):
        part = slice(start, start + 10_000)
        drawn[part] = (weights[part, :, None] * cloud[neighbours[part]]).sum(axis=1)
    mark("draw")
    avatars = saiph.inverse_transform(pd.DataFrame(drawn, columns=coordinates.columns), model)
    mark("restore")
    avatars.sample(frac=1, random_state=1).to_csv(target, index=False)
    mark("write")
    print(json.dumps({"stages": SECONDS, "rows": len(avatars)}))


if __name__ == "__main__":
    main()
