"""The table of fields: every field of a run has a row, defaults are those of the models, no direction is too kind."""

from __future__ import annotations

import types
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from avatar_gitops.spec import fields
from avatar_gitops.spec.fields import Consequence, Privacy, consequence, direction, row
from avatar_gitops.spec.models import AvatarRun, DataRecipient, Job, Model
from tests.support.laws import law

Path = tuple[str, ...]
K = ("spec", "tables", "t", "avatarization", "k")
COLUMN = ("spec", "tables", "t", "columns", "c")
METHOD = ("spec", "tables", "t", "avatarization")
AROUND = ("spec", "tables", "t", "processors")
TESTS = ("spec", "tables", "t", "privacy_metrics")
W, S, N, U = Privacy.WEAKER, Privacy.STRONGER, Privacy.NEUTRAL, Privacy.UNKNOWN


def parts(kind: Any) -> Iterator[Any]:
    """The alternatives of an annotation, without its constraints."""
    origin = get_origin(kind)
    if origin is Annotated:
        yield from parts(get_args(kind)[0])
    elif origin in {Union, types.UnionType}:
        for argument in get_args(kind):
            yield from parts(argument)
    else:
        yield kind


def is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def walk(model: type[BaseModel], path: Path = ()) -> Iterator[tuple[Path, FieldInfo | None]]:
    """Every place of the resolved spec where a value can stand, with the model field behind it."""
    for name, info in model.model_fields.items():
        yield from places(info.annotation, (*path, name), info)


def places(kind: Any, path: Path, info: FieldInfo | None) -> Iterator[tuple[Path, FieldInfo | None]]:
    alternatives = [part for part in parts(kind) if part is not type(None)]
    models = [part for part in alternatives if is_model(part)]
    maps = [part for part in alternatives if get_origin(part) is dict and row_stops(path) is None]
    for part in models:
        yield from walk(part, path)
    for part in maps:
        yield from places(get_args(part)[1], (*path, "any"), None)
    if not models and not maps:
        yield path, info


def row_stops(path: Path) -> fields.Row | None:
    found = row(path)
    return None if found is None or found.whole else found


PLACES = dict(walk(AvatarRun))


@pytest.mark.parametrize("path", PLACES, ids=".".join)
def test_every_field_has_a_row(path: Path) -> None:
    found = row(path)
    assert found is not None, f"{'.'.join(path)} has no row in spec/fields.py"
    assert not found.whole
    assert found.label


@pytest.mark.parametrize("path", PLACES, ids=".".join)
def test_defaults_are_those_of_the_models(path: Path) -> None:
    found, info = row(path), PLACES[path]
    assert found is not None
    if info is not None and info.default is not PydanticUndefined:
        default = info.default
        plain = [item.value for item in default] if isinstance(default, list) else default
        assert found.default == (plain.value if isinstance(plain, StrEnum) else plain)


def test_every_row_is_about_a_field() -> None:
    known = set(PLACES)
    groups = {path[:length] for path in known for length in range(1, len(path))}
    for item in fields.rows():
        if item.pattern[0] != "inputs":
            path = tuple("any" if part == "*" else part for part in item.pattern)
            assert path in (groups if item.whole else known), f"{'.'.join(item.pattern)} is no field"


def test_no_field_has_two_rows() -> None:
    patterns = [item.pattern for item in fields.rows()]
    assert len(patterns) == len(set(patterns))


def test_the_walk_sees_the_models_and_not_nothing() -> None:
    assert ("spec", "tables", "any", "columns", "any", "pseudonymization", "kind") in PLACES
    assert ("spec", "tables", "any", "source", "uri") in PLACES
    assert len(PLACES) > 80
    assert get_origin(Literal["a"]) is Literal
    assert is_model(Model)


def test_a_field_that_nobody_knows_is_taken_seriously() -> None:
    path = ("spec", "tables", "t", "teleport")
    assert row(path) is None
    assert consequence(path, 1, 2) is Consequence.RERUN_ALL
    assert direction(path, 1, 2) is U
    assert fields.words(path, W) == "weaker"


@pytest.mark.parametrize(
    ("path", "before", "after", "expected"),
    [
        (K, 20, 15, W), (K, 15, 20, S), (K, 20, None, U), (K, None, 20, U), (K, 20, 20, N),
        ((*METHOD, "open_dp", "epsilon"), 1.0, 3.0, W), ((*METHOD, "fast_dp", "epsilon"), 3.0, 1.0, S),
        ((*METHOD, "fast_dp", "epsilon"), None, 1.0, U),
        ((*METHOD, "open_dp", "delta"), 1e-9, 1e-6, W), ((*METHOD, "fast_dp", "delta"), 1e-6, 1e-9, S),
        ((*METHOD, "open_dp", "delta"), None, 1e-9, U),
        ((*METHOD, "open_dp", "unit", "max_rows"), 5, 3, W), ((*METHOD, "open_dp", "unit", "max_rows"), 3, 5, S),
        ((*METHOD, "ncp"), 5, 10, U),
        ((*METHOD, "generation"), "local_gaussian", "barycentre", W),
        ((*METHOD, "generation"), "barycentre", "local_gaussian", S),
        ((*METHOD, "generation"), None, "local_gaussian", S),
        ((*METHOD, "exclude_variables"), None, {"variable_names": ["a"]}, W),
        ((*METHOD, "exclude_variables"), {"variable_names": ["a"]}, None, S),
        ((*METHOD, "exclude_variables", "variable_names"), ["a"], ["a", "b"], W),
        ((*METHOD, "exclude_variables", "variable_names"), ["a", "b"], ["a"], S),
        ((*METHOD, "exclude_variables", "variable_names"), ["a", "b"], ["a", "c"], W),
        ((*METHOD, "exclude_variables", "variable_names"), ["a", "b"], ["b", "a"], N),
        ((*METHOD, "exclude_variables", "replacement_strategy"), "coordinate_similarity", "row_order", W),
        ((*METHOD, "exclude_variables", "replacement_strategy"), "row_order", "coordinate_similarity", S),
        ((*METHOD, "exclude_variables", "replacement_strategy"), None, "coordinate_similarity", U),
        ((*METHOD, "imputation", "return_data_imputed"), False, True, U),
        (AROUND, None, [{"kind": "perturbation", "perturbation_level": {"a": 0.9}}], W),
        (AROUND, [{"kind": "perturbation", "perturbation_level": {"a": 0.9}}], None, S),
        (AROUND, [{"kind": "perturbation", "perturbation_level": {"a": 0.9}}],
         [{"kind": "perturbation", "perturbation_level": {"a": 0.8, "b": 1}}], W),
        (AROUND, [{"kind": "perturbation", "perturbation_level": {"a": 0.5, "b": 0.5}}],
         [{"kind": "perturbation", "perturbation_level": {"a": 0.6, "b": 0.4}}], W),
        (AROUND, None, [{"kind": "expected_mean", "target_variables": ["a"], "same_std": False}], W),
        (AROUND, [{"kind": "expected_mean", "target_variables": ["a"], "same_std": False}],
         [{"kind": "expected_mean", "target_variables": ["a"], "same_std": True}], W),
        (AROUND, [{"kind": "expected_mean", "target_variables": ["a"]}],
         [{"kind": "expected_mean", "target_variables": ["a"], "groupby_variables": ["b"]}], U),
        (AROUND, [{"kind": "expected_mean", "target_variables": ["a", "b"]}],
         [{"kind": "expected_mean", "target_variables": ["a"]}], S),
        (AROUND, [{"kind": "group_modalities", "variable_thresholds": {"a": 9}}],
         [{"kind": "group_modalities", "variable_thresholds": {"a": 3}}], W),
        (AROUND, [{"kind": "group_modalities", "variable_thresholds": {"a": 3}}],
         [{"kind": "group_modalities", "variable_thresholds": {"a": 3}, "new_category": "x"}], U),
        (AROUND, None, [{"kind": "datetime"}], U), (AROUND, None, [], N),
        ((*METHOD, "data_augmentation"), None, {"should_anonymize_original_table": False}, W),
        ((*METHOD, "data_augmentation"), {"should_anonymize_original_table": False}, None, S),
        ((*METHOD, "data_augmentation"), None, {"should_anonymize_original_table": True}, U),
        ((*METHOD, "data_augmentation", "should_anonymize_original_table"), True, False, W),
        ((*COLUMN, "drop"), True, False, W), ((*COLUMN, "drop"), False, True, S),
        ((*COLUMN, "pseudonymization"), {"kind": "UUID4"}, None, W),
        ((*COLUMN, "pseudonymization"), None, {"kind": "UUID4"}, S),
        ((*COLUMN, "pseudonymization", "kind"), "UUID4", "HASH_SHA256", W),
        ((*COLUMN, "pseudonymization", "kind"), "HASH_SHA256", "CONSTANT", S),
        ((*COLUMN, "pseudonymization", "kind"), "UUID4", "FAKER", U),
        ((*COLUMN, "tag"), "sensitive", None, W), ((*COLUMN, "tag"), None, "sensitive", S),
        ((*COLUMN, "tag"), "sensitive", "identifier", U), ((*COLUMN, "type"), "int", "category", U),
        ((*TESTS, "known_variables"), ["a"], ["a", "b"], S), ((*TESTS, "known_variables"), ["a", "b"], ["a"], W),
        ((*TESTS, "known_variables"), ["a", "b"], ["a", "c"], W), ((*TESTS, "known_variables"), None, ["a"], S),
        ((*TESTS, "target"), "a", None, W), ((*TESTS, "target"), None, "a", S), ((*TESTS, "target"), "a", "b", U),
        ((*TESTS, "ncp"), 2, 5, U), (("spec", "tables", "t", "signal_metrics", "ncp"), 2, 5, N),
        (("spec", "tables", "t"), None, {"source": {}}, W), (("spec", "tables", "t"), {"source": {}}, None, S),
        (("spec", "tables", "t", "source", "uri"), "a.csv", "b.csv", U),
        (("spec", "seed"), 1, 2, U),
        (("spec", "gates", "hidden_rate"), ">= 90", None, W), (("spec", "gates", "hidden_rate"), None, ">= 90", S),
        (("spec", "gates", "hidden_rate"), ">= 90", ">= 85", W),
        (("spec", "gates", "hidden_rate"), ">= 90", ">= 95", S),
        (("spec", "gates", "hellinger_mean"), "<= 0.1", "<= 0.2", W), (("spec", "gates", "x"), "<= 0.2", "< 0.1", S),
        (("spec", "gates", "x"), "> 1", ">= 1", W), (("spec", "gates", "x"), "<=1", "< 1", S),
        (("spec", "gates", "x"), ">= 1", "<= 1", U), (("spec", "gates", "x"), ">= 1", ">=1.0", N),
        (("spec", "pia", "data_recipient"), "internal", "opendata", W),
        (("spec", "pia", "data_recipient"), "opendata", "unknown", W),
        (("spec", "pia", "data_recipient"), None, "internal", S),
        (("spec", "pia", "sensitivity_level"), "High", "Low", W),
        (("spec", "pia", "sensitivity_level"), "Low", "High", S),
        (("spec", "pia", "sensitivity_level"), "Undefined", "High", U),
        (("spec", "pia", "language"), "en", "fr", N), (("metadata", "owner"), "a", "b", N),
        (("spec", "lifecycle", "protect"), True, False, N), (("spec", "pia", "retention"), "1 y", "9 y", U),
        (("spec", "jobs"), None, ["standard"], W), (("spec", "jobs"), ["standard"], ["standard", "privacy_metrics"], S),
        (("spec", "jobs"), ["standard", "report"], ["standard"], N),
        (("inputs", "t", "columns"), ["a"], ["a", "b"], W), (("inputs", "t", "columns"), ["a", "b"], ["a"], S),
        (("inputs", "t", "digest"), "x", "y", U),
    ],
)  # fmt: skip
def test_direction(path: Path, before: Any, after: Any, expected: Privacy) -> None:
    assert direction(path, before, after) is expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (K, Consequence.RERUN_ALL), (("spec", "seed"), Consequence.RERUN_ALL),
        ((*COLUMN, "tag"), Consequence.METADATA), ((*TESTS, "known_variables"), Consequence.RERUN_METRICS),
        ((*TESTS, "ncp"), Consequence.RERUN_METRICS), (("spec", "pia", "data_recipient"), Consequence.RERUN_METRICS),
        (("spec", "pia", "data_type"), Consequence.RERUN_REPORTS), (("spec", "pia", "purpose"), Consequence.METADATA),
        (("spec", "results", "report_format"), Consequence.RERUN_REPORTS),
        (("spec", "gates", "x"), Consequence.METADATA),
        (("spec", "results", "format"), Consequence.RERUN_ALL),
        (("spec", "lifecycle", "protect"), Consequence.METADATA),
    ],
)  # fmt: skip
def test_consequence(path: Path, expected: Consequence) -> None:
    assert consequence(path, None, "x") is expected


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (["standard"], ["standard", "report"], Consequence.RERUN_REPORTS),
        (["standard"], ["standard", "report", "privacy_metrics"], Consequence.RERUN_METRICS),
        (["report"], ["standard", "report"], Consequence.RERUN_ALL),
        (["standard", "report"], ["standard"], Consequence.METADATA),
    ],
)
def test_a_job_that_is_added_counts_as_its_stage(before: list[str], after: list[str], expected: Consequence) -> None:
    assert consequence(("spec", "jobs"), before, after) is expected


def test_every_job_has_a_stage() -> None:
    assert set(fields.STAGE) == set(Job)


OPPOSITE = {W: S, S: W, N: N, U: U}
ORDERED = st.sampled_from(
    [
        (K, st.integers(2, 100)),
        ((*METHOD, "open_dp", "epsilon"), st.floats(0.01, 100)),
        (("spec", "pia", "data_recipient"), st.sampled_from([item.value for item in DataRecipient])),
        (("spec", "gates", "m"), st.integers(-99, 99).map(">= {}".format)),
        (("spec", "gates", "m"), st.integers(-99, 99).map("<= {}".format)),
        ((*COLUMN, "drop"), st.booleans()),
    ]
)


@law(7, examples=100)
@given(ORDERED.flatmap(lambda item: st.tuples(st.just(item[0]), item[1], item[1])))
def test_the_way_back_has_the_opposite_direction(change: tuple[Path, Any, Any]) -> None:
    path, before, after = change
    assert direction(path, before, after) is OPPOSITE[direction(path, after, before)]
    assert (direction(path, before, after) is N) == (before == after)


@law(7, examples=100)
@given(ORDERED.flatmap(lambda item: st.tuples(st.just(item[0]), item[1], item[1], item[1])))
def test_two_weaker_steps_are_weaker(change: tuple[Path, Any, Any, Any]) -> None:
    path, first, second, third = change
    if direction(path, first, second) is W and direction(path, second, third) is W:
        assert direction(path, first, third) is W


@law(7, examples=100)
@given(st.sets(st.sampled_from("abcde")), st.sets(st.sampled_from("abcde")))
def test_a_column_that_enters_is_weaker_whatever_leaves(before: set[str], after: set[str]) -> None:
    expected = W if after - before else S if before - after else N
    assert direction(("inputs", "t", "columns"), sorted(before), sorted(after)) is expected
