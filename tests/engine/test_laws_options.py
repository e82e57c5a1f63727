"""Laws that hold for any table and any options of an anonymization."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatar_gitops.engine.links.measure import measure_privacy_view, measure_signal_view
from avatar_gitops.engine.links.views import Computation, View, mean_views
from avatar_gitops.engine.pair import pair_up
from avatar_gitops.engine.params import (
    Augmentation,
    AvatarParams,
    ColumnSpec,
    Exclusion,
    Generation,
    PrivacyParams,
    Replacement,
    SignalParams,
    Space,
)
from avatar_gitops.engine.pseudonyms.kinds import (
    FakerPseudonym,
    HashPseudonym,
    IntegerPseudonym,
    PiiType,
    UuidPseudonym,
)
from avatar_gitops.engine.run import avatarize
from avatar_gitops.errors import EngineError
from tests.engine.conftest import synthetic
from tests.engine.test_laws import KINDS, odd_column

PSEUDONYMS = [None, FakerPseudonym(PiiType.LAST_NAME), HashPseudonym(), UuidPseudonym(), IntegerPseudonym(False)]


@settings(deadline=None, max_examples=15)
@given(
    kinds=st.lists(st.sampled_from(KINDS), min_size=3, max_size=6),
    rows=st.sampled_from([4, 12, 60]),
    seed=st.integers(0, 10_000),
    reduced=st.booleans(),
    scaled=st.booleans(),
    replacement=st.sampled_from([None, *Replacement]),
    factor=st.sampled_from([None, 1.0, 1.5, 3.0]),
    kept=st.booleans(),
    pseudonym=st.sampled_from(PSEUDONYMS),
    generation=st.sampled_from(Generation),
)
def test_any_table_takes_any_options(  # noqa: PLR0917
    kinds: list[str],
    rows: int,
    seed: int,
    reduced: bool,
    scaled: bool,
    replacement: Replacement | None,
    factor: float | None,
    kept: bool,
    pseudonym: UuidPseudonym | None,
    generation: Generation,
) -> None:
    random = np.random.default_rng(seed)
    columns = {f"c é{i}": odd_column(kind, rows, random) for i, kind in enumerate(kinds)}
    table = pa.table(
        {"x": np.arange(rows) % 4, **columns, "": pa.array(["", "a"] * (rows // 2)), "n": np.arange(rows) % 3}
    )
    exclude = Exclusion(("c é1", "c é2"), replacement) if replacement else None
    space = Space(use_categorical_reduction=reduced, transform_skewed=scaled, exclude=exclude)
    augmentation = Augmentation(factor, anonymize_originals=not (kept and factor > 1)) if factor else None
    params = AvatarParams(min(3, rows - 1), space, generation, augmentation)
    specs = [ColumnSpec("n", pseudonym=pseudonym)]
    made = avatarize(table, specs, params, seed)
    again = avatarize(table, specs, params, seed)
    assert made.shuffled.equals(again.shuffled)
    assert made.unshuffled.num_rows == (round(factor * rows) if factor else rows)
    assert made.unshuffled.column_names == table.column_names
    for name in table.column_names:
        if name == "n" and pseudonym is not None:
            continue
        assert made.unshuffled[name].type == table[name].type
        _inside(table[name], made.unshuffled[name])
    alone = View("t", Computation.STANDALONE, None, table, made.unshuffled, tuple(specs), origins=made.origins)
    for view in (alone, *mean_views(alone)):
        for name, value in measure_privacy_view(view, PrivacyParams(space, ("x",), "x"), seed).values.items():
            assert value is None or np.isfinite(value), name
    for name, value in measure_signal_view(alone, SignalParams(space), seed).values.items():
        assert value is None or np.isfinite(value), name


def _inside(originals: pa.ChunkedArray, avatars: pa.ChunkedArray) -> None:
    """Categories are those of originals, numbers and dates in their range, nothing where there was nothing."""
    real, made = ({value for value in side.to_pylist() if value not in (None, "")} for side in (originals, avatars))
    if (
        pa.types.is_string(originals.type)
        or pa.types.is_dictionary(originals.type)
        or pa.types.is_boolean(originals.type)
    ):
        assert made <= real
    elif made:
        assert min(real) <= min(made)
        assert max(made) <= max(real)
    if not real:
        assert not made


@pytest.mark.parametrize(
    "space",
    [Space(), Space(use_categorical_reduction=True), Space(transform_skewed=True), Space(column_weights={"site": 4.0})],
    ids=["plain", "reduced", "scaled", "weighted"],
)
def test_the_order_of_columns_says_nothing(space: Space) -> None:
    """Distances between people are the same, and so are barycentres; only draws of modalities go column by column."""
    table = synthetic(200)
    table = table.append_column("income", pa.array(np.exp(np.random.default_rng(1).normal(8, 1.5, 200)).round(2)))
    turned = table.select(table.column_names[::-1])
    first, second = (pair_up(side, side, [], space, 1).original_points for side in (table, turned))
    distances = [np.sqrt(((points[:, None] - points) ** 2).sum(axis=2)) for points in (first, second)]
    np.testing.assert_allclose(distances[0], distances[1], atol=1e-8)
    made = [avatarize(side, [], AvatarParams(10, space), 1).unshuffled for side in (table, turned)]
    for name in ("age", "weight", "income"):
        np.testing.assert_allclose(made[0][name].to_numpy(), made[1][name].to_numpy(), rtol=1e-6)


@pytest.mark.parametrize("rows", [0, 1])
@pytest.mark.parametrize(
    "params",
    [
        AvatarParams(1),
        AvatarParams(2, Space(use_categorical_reduction=True, transform_skewed=True)),
        AvatarParams(2, Space(exclude=Exclusion(("site",), Replacement.COORDINATE_SIMILARITY))),
        AvatarParams(2, augmentation=Augmentation(3.0)),
    ],
)
def test_one_row_is_nobody_to_hide_among(rows: int, params: AvatarParams) -> None:
    with pytest.raises(EngineError, match=r"k is|has no rows"):
        avatarize(synthetic(20).slice(0, rows), [], params, 1)


def test_ten_thousand_modalities_may_be_excluded_with_their_distribution() -> None:
    rows = 10_000
    table = synthetic(rows).append_column("label", pa.array([f"ü{i % 9_999}" for i in range(rows)]))
    space = Space(exclude=Exclusion(("label",), Replacement.COORDINATE_SIMILARITY))
    made = avatarize(table, [], AvatarParams(5, space), 1).unshuffled
    assert sorted(made["label"].to_pylist()) == sorted(table["label"].to_pylist())
    assert not any(a == b for a, b in zip(made["label"].to_pylist()[2:], table["label"].to_pylist()[2:], strict=True))
