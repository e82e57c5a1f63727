"""Processors around the model: what the user gets, where metrics look, and that results stay deterministic."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from avatar_gitops.engine.params import (
    Augmentation,
    AvatarParams,
    ColumnSpec,
    Exclusion,
    PrivacyParams,
    Replacement,
    Space,
)
from avatar_gitops.engine.privacy import measure_privacy
from avatar_gitops.engine.processors.params import (
    BoundedCumulatedDifference,
    ExpectedMean,
    GroupModalities,
    Perturbation,
    Processor,
    Proportions,
    RangeDifference,
    RelativeDifference,
    ToCategorical,
)
from avatar_gitops.engine.run import avatarize
from avatar_gitops.errors import EngineError

START = dt.datetime.fromisoformat("2020-01-01T08:00")


@pytest.fixture
def stays() -> pa.Table:
    """Stays of 40 people in hospital, one to five each, in no order; a stay ends before the next begins."""
    random = np.random.default_rng(3)
    rows: list[dict[str, object]] = []
    for person in range(40):
        clock = START + dt.timedelta(days=int(random.integers(0, 300)))
        for _ in range(int(random.integers(1, 6))):
            clock += dt.timedelta(days=int(random.integers(1, 60)))
            begin, clock = clock, clock + dt.timedelta(days=int(random.integers(1, 20)))
            cost = int(random.integers(100, 900))
            share = int(cost * random.random())
            rows.append(
                {
                    "who": f"person {person}",
                    "begin": begin,
                    "end": clock,
                    "ward": str(random.choice(["a", "b", "c"])),
                    "level": int(random.integers(1, 4)),
                    "cost": cost,
                    "paid": share,
                    "open": cost - share,
                }
            )
    return pa.Table.from_pylist([rows[i] for i in random.permutation(len(rows))])


ALL: tuple[Processor, ...] = (
    ToCategorical(3, keep_continuous=True),
    GroupModalities(min_unique=2, global_threshold=3),
    Proportions(("paid", "open"), "cost"),
    BoundedCumulatedDifference("who", "cost"),
    RangeDifference("who", "begin", "end"),
)


def test_avatars_have_the_columns_order_and_types_of_the_originals(stays: pa.Table) -> None:
    avatars = avatarize(stays, [], AvatarParams(k=5, processors=ALL), 1)
    assert avatars.unshuffled.schema.equals(stays.schema)
    assert avatars.shuffled.schema.equals(stays.schema)
    assert avatars.shuffled.num_rows == stays.num_rows


def test_what_processors_promise_holds_in_avatars(stays: pa.Table) -> None:
    avatars = avatarize(stays, [], AvatarParams(k=5, processors=ALL), 1).unshuffled
    assert pc.all(pc.equal(pc.add(avatars["paid"], avatars["open"]), avatars["cost"])).as_py()
    by_person: dict[str, list[tuple[dt.datetime, dt.datetime]]] = {}
    for row in avatars.to_pylist():
        by_person.setdefault(row["who"], []).append((row["begin"], row["end"]))
    sizes = sorted(len(spans) for spans in by_person.values())
    assert sizes == sorted(n["counts"] for n in stays["who"].value_counts().to_pylist())
    for spans in by_person.values():
        spans.sort()
        assert all(begin <= end for begin, end in spans)
        assert all(before[1] <= after[0] for before, after in pairwise(spans))
    assert set(avatars["who"].to_pylist()).isdisjoint(stays["who"].to_pylist())


def test_processors_keep_determinism(stays: pa.Table) -> None:
    params = AvatarParams(k=5, processors=(*ALL, Perturbation({"ward": 0.5, "level": 0.5})))
    one, two = (avatarize(stays, [], params, 4, "stays") for _ in range(2))
    assert one.shuffled.equals(two.shuffled)
    assert one.avatar_projection.equals(two.avatar_projection)
    assert not one.shuffled.equals(avatarize(stays, [], params, 5, "stays").shuffled)


def test_a_sum_survives_that_is_lost_without_its_processor(stays: pa.Table) -> None:
    columns = [ColumnSpec("who", identifier=True)]
    relative = RelativeDifference("cost", ("paid", "open"))
    plain, told = (
        avatarize(stays, columns, AvatarParams(k=5, processors=processors), 1).unshuffled
        for processors in ((), (relative,))
    )
    lost, kept = (pc.subtract(rows["cost"], pc.add(rows["paid"], rows["open"])) for rows in (plain, told))
    assert set(kept.to_pylist()) == {0}
    assert set(lost.to_pylist()) != {0}


def test_further_avatars_of_a_person_are_told_apart(stays: pa.Table) -> None:
    params = AvatarParams(k=5, processors=ALL, augmentation=Augmentation(2.5))
    avatars = avatarize(stays, [], params, 1)
    assert avatars.unshuffled.schema.equals(stays.schema)
    assert avatars.unshuffled.num_rows == round(2.5 * stays.num_rows)
    spans: dict[str, list[tuple[dt.datetime, dt.datetime]]] = {}
    for row in avatars.unshuffled.to_pylist():
        spans.setdefault(row["who"], []).append((row["begin"], row["end"]))
    assert len(spans) > 2 * 40
    assert all(before[1] <= after[0] for own in spans.values() for before, after in pairwise(sorted(own)))


def test_originals_that_are_kept_come_back_as_they_are(stays: pa.Table) -> None:
    kept = Augmentation(2.0, anonymize_originals=False)
    chain = (RelativeDifference("cost", ("paid", "open")), RangeDifference("who", "begin", "end"))
    made = avatarize(stays, [], AvatarParams(k=5, processors=chain, augmentation=kept), 1).unshuffled
    columns = [name for name in stays.column_names if name != "who"]
    assert made.slice(0, stays.num_rows).select(columns).equals(stays.select(columns))
    mean = ExpectedMean(("cost",))
    with pytest.raises(EngineError, match="shift them to the expected mean"):
        avatarize(stays, [], AvatarParams(k=5, processors=(mean,), augmentation=kept), 1)


def test_excluded_columns_are_not_touched_by_processors(stays: pa.Table) -> None:
    space = Space(exclude=Exclusion(("ward", "who"), Replacement.COORDINATE_SIMILARITY))
    avatars = avatarize(stays, [], AvatarParams(k=5, space=space, processors=ALL), 1)
    assert set(avatars.unshuffled["ward"].to_pylist()) <= set(stays["ward"].to_pylist())
    assert set(avatars.unshuffled["who"].to_pylist()) <= set(stays["who"].to_pylist())
    with pytest.raises(EngineError, match="excluded or a key"):
        avatarize(stays, [], AvatarParams(k=5, space=space, processors=(Perturbation({"ward": 0.5}),)), 1)


def test_a_pull_is_measured_projected_and_said(table: pa.Table) -> None:
    levels = dict.fromkeys(("age", "weight"), 0.1)
    free = avatarize(table, [], AvatarParams(k=5), 1)
    pulled = avatarize(table, [], AvatarParams(k=5, processors=(Perturbation(levels),)), 1)
    rates = [
        measure_privacy(table, avatars.unshuffled, [], PrivacyParams(), 1).values["hidden_rate"] or 0
        for avatars in (free, pulled)
    ]
    assert rates[1] < rates[0]
    gaps = [
        float(np.abs(_points(avatars.avatar_projection) - _points(avatars.original_projection)).mean())
        for avatars in (free, pulled)
    ]
    assert gaps[1] < gaps[0]
    assert sum("privacy is weaker" in text for text in pulled.facts.warnings) == 2
    assert not any("privacy is weaker" in text for text in free.facts.warnings)


def test_perturbation_at_level_zero_gives_the_table_back(table: pa.Table) -> None:
    nothing = Perturbation(dict.fromkeys(table.column_names, 0.0))
    assert avatarize(table, [], AvatarParams(k=5, processors=(nothing,)), 1).unshuffled.equals(table)


def _points(table: pa.Table) -> np.ndarray:
    return np.column_stack([column.to_numpy() for column in table.columns])
