"""Temporary filling of missing values."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.impute import KNNImputer

from avatar_gitops.engine import imputation as module
from avatar_gitops.engine.frame import Frame
from avatar_gitops.engine.imputation import fill, fit_imputer
from avatar_gitops.engine.params import Imputation, ImputationMethod
from avatar_gitops.errors import EngineError


def frame(rows: int = 120) -> Frame:
    random = np.random.default_rng(5)
    numbers = random.normal(size=(rows, 3)) @ random.normal(size=(3, 3))
    codes = np.stack([(numbers[:, 0] > 0), random.integers(0, 3, rows)], axis=1).astype(np.int32)
    numbers[random.random(numbers.shape) < 0.15] = np.nan
    codes[random.random(codes.shape) < 0.1] = -1
    return Frame(np.asfortranarray(numbers), np.asfortranarray(codes))


SIZES = (2, 3)


@pytest.mark.parametrize("method", list(ImputationMethod))
def test_every_method_fills_everything_and_touches_nothing_else(method: ImputationMethod) -> None:
    before = frame()
    after = fill(fit_imputer(before, SIZES, Imputation(method), 1, ""), before)
    assert not after.missing.any()
    known = ~np.isnan(before.numbers)
    assert (after.numbers[known] == before.numbers[known]).all()
    assert (after.codes[before.codes >= 0] == before.codes[before.codes >= 0]).all()
    assert np.isnan(before.numbers).any()


def test_constants_are_mean_median_and_mode() -> None:
    values = Frame(np.array([[1.0], [1.0], [7.0], [np.nan]]), np.array([[0], [1], [1], [-1]], dtype=np.int32))
    expected = {ImputationMethod.MEAN: 3.0, ImputationMethod.MEDIAN: 1.0, ImputationMethod.MODE: 1.0}
    for method, constant in expected.items():
        filled = fill(fit_imputer(values, (2,), Imputation(method), 1, ""), values)
        assert filled.numbers[3, 0] == constant
        assert filled.codes[3, 0] == 1


def test_nearest_donors_are_those_of_scikit_learn_on_numbers() -> None:
    numbers = frame().numbers
    numbers = numbers[~np.isnan(numbers).all(axis=1)]
    only = Frame(numbers, np.empty((len(numbers), 0), dtype=np.int32))
    centre, scale = np.nanmean(numbers, axis=0), np.nanstd(numbers, axis=0)
    theirs = KNNImputer(n_neighbors=4).fit_transform((numbers - centre) / scale) * scale + centre
    ours = fill(fit_imputer(only, (), Imputation(ImputationMethod.KNN, k=4), 1, ""), only)
    np.testing.assert_allclose(ours.numbers, theirs, rtol=1e-5)


def test_a_category_follows_its_neighbours() -> None:
    numbers = np.repeat([[0.0], [10.0]], 20, axis=0)
    codes = np.repeat([[0], [1]], 20, axis=0).astype(np.int32)
    codes[0, 0] = codes[39, 0] = -1
    values = Frame(numbers, codes)
    filled = fit_imputer(values, (2,), Imputation(ImputationMethod.KNN), 1, "")
    assert fill(filled, values).codes[[0, 39], 0].tolist() == [0, 1]


def test_a_training_fraction_takes_that_share_of_donors_by_seed() -> None:
    values = frame()
    options = Imputation(ImputationMethod.KNN, training_fraction=0.5)
    donors = [fit_imputer(values, SIZES, options, seed, "").donors for seed in (1, 1, 2)]
    assert all(donor is not None and donor.rows == 60 for donor in donors)
    assert donors[0] is not None
    assert donors[1] is not None
    assert donors[2] is not None
    np.testing.assert_array_equal(donors[0].numbers, donors[1].numbers)
    assert not np.array_equal(donors[0].numbers, donors[2].numbers, equal_nan=True)


def test_the_fast_method_limits_donors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FAST_DONORS", 30)
    donors = fit_imputer(frame(), SIZES, None, 1, "").donors
    assert donors is not None
    assert donors.rows == 30


def test_a_row_with_nothing_known_gets_constants() -> None:
    values = Frame(np.array([[1.0], [3.0], [np.nan]]), np.array([[0], [0], [-1]], dtype=np.int32))
    filled = fill(fit_imputer(values, (1,), Imputation(ImputationMethod.KNN, k=2), 1, ""), values)
    assert (filled.numbers[2, 0], filled.codes[2, 0]) == (2.0, 0)


@pytest.mark.parametrize("options", [Imputation(k=0), Imputation(training_fraction=0), Imputation(training_fraction=2)])
def test_impossible_options_are_refused(options: Imputation) -> None:
    with pytest.raises(EngineError):
        fit_imputer(frame(), SIZES, options, 1, "")
