"""What is read of a promise of differential privacy, and what is not taken for one."""

from __future__ import annotations

import pytest

from avatar_gitops.assessment.guarantee import guarantee_facts, promise_numbers

SAID = {
    "epsilon": 2.9,
    "declared": 3.0,
    "delta": 1e-9,
    "rho": 0.1,
    "rows_per_person": 2,
    "public": ["names and types of the columns", "bounds of age", "ward has no missing values", "number of rows", 7],
    "learned": ["categories of ward", "something else"],
    "library": "opendp/0.16.0",
}


def test_a_promise_is_read_as_kinds_and_columns() -> None:
    found = guarantee_facts(SAID)
    assert found is not None
    assert (found.epsilon, found.declared, found.delta, found.pure, found.rows_per_person) == (2.9, 3.0, 1e-9, False, 2)
    assert found.public == (("schema", ""), ("bounds", "age"), ("complete", "ward"), ("rows", ""))
    assert found.learned == (("categories", "ward"),)


def test_the_numbers_of_a_promise_are_written_in_its_language() -> None:
    found = guarantee_facts(SAID | {"epsilon": 2.999997, "delta": 9.0909e-10})
    assert found is not None
    assert promise_numbers(found, "fr") == ("3", "9,09e-10")
    assert promise_numbers(found, "en") == ("3", "9.09e-10")


@pytest.mark.parametrize(
    "said", [None, "3", {}, SAID | {"epsilon": "3"}, SAID | {"delta": float("nan")}, SAID | {"rows_per_person": None}]
)
def test_what_is_no_promise_is_not_told_as_one(said: object) -> None:
    assert guarantee_facts(said) is None
