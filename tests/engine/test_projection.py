"""The projection: equality with saiph at weight 1, meaning of weights, rare shapes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import saiph
from scipy.spatial.distance import pdist

from avatar_gitops.engine import projection as module
from avatar_gitops.engine.projection import Projection, fit_projection, project

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int32]


def sample(rows: int = 200) -> tuple[Floats, Codes]:
    random = np.random.default_rng(3)
    numbers = random.normal(size=(rows, 3)) @ random.normal(size=(3, 3)) + 5
    rare = random.choice(4, rows, p=[0.5, 0.3, 0.15, 0.05])
    codes = np.stack([random.integers(0, 2, rows), rare, (rare + random.integers(0, 3, rows)) // 2], axis=1)
    codes[:, 0] |= numbers[:, 0] > 5
    return numbers, codes.astype(np.int32)


def fit(numbers: Floats, codes: Codes, ncp: int, weights: Floats | None = None) -> Projection:
    sizes = tuple(int(column.max()) + 1 for column in codes.T)
    count = numbers.shape[1] + codes.shape[1]
    return fit_projection(numbers, codes, sizes, np.ones(count) if weights is None else weights, ncp)


@pytest.mark.parametrize("kind", ["pca", "mca", "famd"])
@pytest.mark.filterwarnings("ignore")
def test_coordinates_are_those_of_saiph_up_to_sign(kind: str) -> None:
    numbers, codes = sample()
    numbers = numbers[:, : 0 if kind == "mca" else 3]
    codes = codes[:, : 0 if kind == "pca" else 3]
    frame = pd.DataFrame({f"n{i}": column for i, column in enumerate(numbers.T)})
    for i, column in enumerate(codes.T):
        frame[f"c{i}"] = pd.Series(column).astype(str).astype(object)
    model = saiph.fit(frame)
    ncp = 3
    theirs = saiph.transform(frame, model).to_numpy()[:, :ncp]
    ours = project(fit(numbers, codes, ncp), numbers, codes)
    theirs = theirs - theirs.mean(axis=0)
    np.testing.assert_allclose(np.abs(theirs), np.abs(ours), atol=1e-8)


def test_explained_variance_is_relative_to_the_total_inertia() -> None:
    numbers, codes = sample()
    full, part = fit(numbers, codes, 99), fit(numbers, codes, 2)
    assert full.explained.sum() == pytest.approx(1.0)
    np.testing.assert_allclose(part.explained, full.explained[:2])
    np.testing.assert_allclose(full.contributions.sum(axis=0), 100.0)


@pytest.mark.parametrize("column", [0, 3, 4])
def test_a_larger_weight_makes_distances_follow_the_column(column: int) -> None:
    numbers, codes = sample()
    if column < 3:
        own = pdist(numbers[:, column : column + 1]) ** 2
    else:
        own = (pdist(codes[:, column - 3 : column - 2].astype(float)) > 0).astype(float)
    correlations = []
    for weight in (0.25, 1.0, 3.0, 9.0):
        weights = np.ones(6)
        weights[column] = weight
        coordinates = project(fit(numbers, codes, 99, weights), numbers, codes)
        correlations.append(np.corrcoef(pdist(coordinates) ** 2, own)[0, 1])
    assert correlations == sorted(correlations)
    assert correlations[-1] > correlations[0] + 0.2


def test_full_rank_distances_are_those_of_the_scaled_columns() -> None:
    numbers, codes = sample(60)
    z = (numbers - numbers.mean(axis=0)) / numbers.std(axis=0)
    hot = [(column[:, None] == np.arange(column.max() + 1)) for column in codes.T]
    scaled = np.hstack([z, *[one / np.sqrt(one.mean(axis=0)) for one in hot]])
    coordinates = project(fit(numbers, codes, 99), numbers, codes)
    np.testing.assert_allclose(pdist(coordinates), pdist(scaled), rtol=1e-9)


def test_many_modalities_use_the_iterative_solver_with_the_same_result(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers, codes = sample()
    exact = project(fit(numbers, codes, 3), numbers, codes)
    monkeypatch.setattr(module, "DENSE_DIMENSIONS", 1)
    np.testing.assert_allclose(project(fit(numbers, codes, 3), numbers, codes), exact, atol=1e-6)


def test_a_constant_column_adds_nothing() -> None:
    numbers, codes = sample()
    wider = np.hstack([numbers, np.full((len(numbers), 1), 0.1 + 0.2)])
    one = project(fit(numbers, codes, 3), numbers, codes)
    two = project(fit(wider, codes, 3), wider, codes)
    np.testing.assert_allclose(two, one, atol=1e-9)


def test_equal_rows_have_equal_coordinates_bit_for_bit() -> None:
    numbers, codes = sample(50)
    numbers, codes = np.vstack([numbers, numbers[::-1]]), np.vstack([codes, codes[::-1]])
    coordinates = project(fit(numbers, codes, 5), numbers, codes)
    assert (coordinates[:50] == coordinates[:49:-1]).all()


def test_a_modality_never_seen_is_none_of_the_known_ones() -> None:
    numbers, codes = sample()
    fitted = fit(numbers, codes, 3)
    unseen = codes.copy()
    unseen[:, 1] = 4
    difference = project(fitted, numbers, codes) - project(fitted, numbers, unseen)
    np.testing.assert_allclose(difference, (fitted.tables[1][:-1] - fitted.tables[1][-1])[codes[:, 1]])
