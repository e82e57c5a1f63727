"""Proposals from advice: only where something would change, with the direction of privacy, from names and numbers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from avatar_gitops.plan.advice import Advised, AdvisedColumn, Proposal, proposals
from avatar_gitops.plan.desired import desire
from avatar_gitops.spec.fields import Privacy
from avatar_gitops.spec.models import AvatarRun
from tests.support.planning import a_run, plain, wish

COLUMNS = (
    AdvisedColumn("patient_id", "int", 500, 1.0),
    AdvisedColumn("note", "category", 480, 0.96, identifying=True),
    AdvisedColumn("birthDate", "datetime", 300, 0.6),
    AdvisedColumn("visits", "int", 7, 0.014),
    AdvisedColumn("blood", "float", 400, 0.8),
    AdvisedColumn("diagnosis", "category", 4, 0.008),
)


def found(advised: Advised, **table: Any) -> Mapping[tuple[Any, ...], Proposal]:
    made = proposals(wish(table=table), {"patients": advised})
    assert all(one.path[:3] == ("spec", "tables", "patients") for one in made)
    return {one.path[3:]: one for one in made}


def test_parameters_are_proposed_only_where_they_differ() -> None:
    advised = Advised(k=10, ncp=5, imputation={"method": "knn", "k": 5}, reasons={"k": "small table"})
    made = found(advised)
    assert made[("avatarization", "k")].privacy is Privacy.WEAKER
    assert (made[("avatarization", "k")].now, made[("avatarization", "k")].why) == (20, "small table")
    assert made[("avatarization", "ncp")].why == "advised by the platform"
    assert not made[("avatarization", "ncp")].written
    assert made[("avatarization", "imputation")].proposed == {"method": "knn", "k": 5}
    same = {"k": 10, "ncp": 5, "imputation": {"method": "mean"}}
    assert found(advised, avatarization=same) == {}


def test_other_methods_keep_their_strength() -> None:
    made = found(Advised(k=10, ncp=4), avatarization={"open_dp": {"epsilon": 1.0}})
    assert set(made) == {("avatarization", "ncp")}


def test_avatars_that_are_given_get_no_parameters_but_attacks() -> None:
    table = {"avatarization": None, "avatars": "data/avatars.csv"}
    made = found(Advised(k=10, ncp=4, columns=(AdvisedColumn("age", "float", 50, 0.5),)), **table)
    assert set(made) == {("columns", "age", "tag"), ("privacy_metrics", "known_variables")}


def test_reduction_is_proposed_but_never_taken_away() -> None:
    key = ("avatarization", "use_categorical_reduction")
    assert found(Advised(use_categorical_reduction=True))[key].proposed is True
    assert key not in found(Advised(), avatarization={"k": 20, "use_categorical_reduction": True})


def test_columns_are_proposed_from_names_and_numbers() -> None:
    made = {path: one.proposed for path, one in found(Advised(columns=COLUMNS)).items()}
    assert made == {
        ("columns", "patient_id", "tag"): "identifier",
        ("columns", "patient_id", "drop"): True,
        ("columns", "note", "tag"): "identifier",
        ("columns", "note", "drop"): True,
        ("columns", "birthDate", "tag"): "quasi_identifier",
        ("columns", "visits", "type"): "category",
        ("privacy_metrics", "target"): "diagnosis",
        ("privacy_metrics", "known_variables"): ["birthDate"],
    }


def test_what_somebody_said_is_not_proposed_again() -> None:
    columns = {
        "patient_id": {"primary_key": True},
        "note": {"tag": "free_text"},
        "birthDate": {"tag": "sensitive"},
        "visits": {"type": "int"},
    }
    made = found(Advised(columns=COLUMNS), columns=columns, privacy_metrics={"known_variables": ["blood"]})
    assert {path: one.proposed for path, one in made.items()} == {("privacy_metrics", "target"): "birthDate"}


@settings(max_examples=60, deadline=None)
@given(
    names=st.lists(st.sampled_from(["age", "id", "zip", "x", "target", "class", "SEX"]), unique=True, max_size=6),
    unique=st.integers(0, 100),
    share=st.floats(0, 1),
    kind=st.sampled_from(["int", "category", "float", "bool"]),
    k=st.none() | st.integers(2, 40),
)
def test_a_spec_with_all_proposals_is_valid_and_asks_for_nothing_more(
    names: list[str], unique: int, share: float, kind: str, k: int | None
) -> None:
    advice = {"patients": Advised(k, 5, columns=tuple(AdvisedColumn(n, kind, unique, share) for n in names))}
    spec = plain()
    for one in proposals(desire(a_run(), "x", ()), advice):
        group: Any = spec
        for part in one.path[:-1]:
            group = group.setdefault(part, {})
        group[one.path[-1]] = one.proposed
    run = AvatarRun.model_validate_json(json.dumps(spec))
    assert proposals(desire(run, "x", ()), advice) == ()
