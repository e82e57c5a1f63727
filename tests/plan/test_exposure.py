"""What enters and leaves a release: laws, and the cases that a reader must not be misled about."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatar_gitops.plan.desired import DesiredSet, TableInput
from avatar_gitops.plan.exposure import EMPTY, Exposure, Form, Move, Released, Side, as_data, exposure, exposure_of
from avatar_gitops.plan.observed import Observed
from avatar_gitops.plan.planner import Options, plan
from avatar_gitops.spec.facts import UNKNOWN_ROWS
from avatar_gitops.spec.project import Prune
from tests.support.planning import PROJECT, a_lock, a_version, an_input, wish

COLUMNS = ("age", "sex", "city", "note")
UNREAD = TableInput("patients", "unknown", 0, (), UNKNOWN_ROWS)


def side(item: DesiredSet) -> Side:
    return Side(item.resolved, item.inputs)


def between(before: DesiredSet, after: DesiredSet) -> Exposure:
    return exposure(side(before), side(after))


def moves(found: Exposure) -> dict[str, str]:
    return {move.column: move.move.value for move in found.columns}


def declared(data: TableInput | None = None, **columns: Any) -> DesiredSet:
    return wish(data=data or an_input(columns=COLUMNS), table={"columns": columns})


column = st.fixed_dictionaries(
    {},
    optional={
        "tag": st.sampled_from(["identifier", "sensitive", "quasi_identifier", "free_text"]),
        "drop": st.booleans(),
        "pseudonymization": st.just({"kind": "UUID4"}),
        "identifier": st.booleans(),
    },
)
sides = st.builds(
    lambda columns, names: side(declared(an_input(columns=sorted(names)), **columns)),
    st.dictionaries(st.sampled_from(COLUMNS), column),
    st.sets(st.sampled_from(COLUMNS), min_size=1),
)


@settings(max_examples=100, deadline=None)
@given(sides, sides)
def test_there_and_back_is_the_mirror_image(one: Side, other: Side) -> None:
    there, back = exposure(one, other), exposure(other, one)
    assert [(m.table, m.column, m.before, m.after) for m in there.columns] == [
        (m.table, m.column, m.after, m.before) for m in back.columns
    ]
    assert (there.tables_in, there.tables_out) == (back.tables_out, back.tables_in)
    assert not exposure(one, one).moves


@settings(max_examples=100, deadline=None)
@given(sides)
def test_a_first_release_is_every_column_that_is_not_dropped(one: Side) -> None:
    found = exposure(EMPTY, one, whole=True)
    said = one.spec["spec"]["tables"]["patients"]["columns"]
    kept = [name for name in one.inputs[0].columns if not said.get(name, {}).get("drop")]
    assert [move.column for move in found.columns] == sorted(kept)
    assert {move.move for move in found.columns} <= {Move.ENTERS}
    assert found.dropped == len(one.inputs[0].columns) - len(kept)
    assert json.loads(json.dumps(as_data(found))) == as_data(found)


@pytest.mark.parametrize(
    ("said", "form"),
    [
        ({}, Form.AVATAR),
        ({"pseudonymization": {"kind": "UUID4"}}, Form.SUBSTITUTE),
        ({"primary_key": True}, Form.NEW_KEY),
        ({"identifier": True}, Form.NEW_KEY),
    ],
)
def test_what_is_released_of_a_column(said: dict[str, Any], form: Form) -> None:
    found = exposure(EMPTY, side(declared(age=said)), whole=True)
    assert {m.column: m.after for m in found.columns}["age"] == Released("", form)


def test_an_excluded_column_comes_back_with_real_values() -> None:
    method = {"k": 9, "exclude_variables": {"variable_names": ["age"], "replacement_strategy": "row_order"}}
    after = wish(table={"avatarization": method})
    (move,) = between(wish(), after).columns
    assert (move.move, move.before, move.after) == (
        Move.CHANGES,
        Released("", Form.AVATAR),
        Released("", Form.ORIGINAL),
    )


def test_dropping_and_losing_a_column_are_told_apart() -> None:
    dropped = between(declared(), declared(age={"drop": True}))
    assert [(m.move, m.dropped) for m in dropped.columns] == [(Move.LEAVES, True)]
    lost = between(declared(), declared(an_input(columns=COLUMNS[1:])))
    assert [(m.move, m.dropped) for m in lost.columns] == [(Move.LEAVES, False)]


def test_data_that_nobody_read_neither_enter_nor_leave() -> None:
    found = between(
        declared(age={"tag": "sensitive"}), declared(UNREAD, age={"tag": "sensitive"}, sex={"tag": "sensitive"})
    )
    assert moves(found) == {"sex": "changes"}
    assert (found.unknown, found.rows) == (("patients",), ())
    first = exposure(EMPTY, side(declared(UNREAD)), whole=True)
    assert first.moves, "that it is not known is worth saying"


def test_a_run_that_only_measures_releases_nothing() -> None:
    measured = wish(table={"avatarization": None, "avatars": "a.csv"})
    assert not exposure(EMPTY, side(measured), whole=True).moves
    assert between(wish(), measured).tables_out == ("patients",)


def test_sets_that_go_or_stay_expose_nothing_new() -> None:
    gone, same = wish("gone"), wish("same")
    versions = [a_version(gone), a_version(same)]
    locks = {"gone": a_lock(gone, versions[0]), "same": a_lock(same, versions[1])}
    made = plan([same, wish("new")], Observed("prod", tuple(versions)), locks, Options(prune=Prune.OWNED), PROJECT)
    found = {change.set: exposure_of(change) for change in made.changes}
    assert found["gone"] is None
    assert found["same"] is None
    assert found["new"] is not None
    assert found["new"].whole
