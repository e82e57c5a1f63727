"""Avatars of linked tables: every reference holds, no key comes back, links follow their method, faults are told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatar_gitops.engine.links.assign import least_sum, nearest, places_of
from avatar_gitops.engine.links.model import Ids, Link, LinkedAvatars, LinkedTable, LinkMethod, build_graph
from avatar_gitops.engine.links.run import avatarize_linked
from avatar_gitops.engine.links.ties import tie
from avatar_gitops.engine.params import Augmentation, AvatarParams, ColumnSpec, Exclusion, Replacement, Space
from avatar_gitops.engine.processors.params import RangeDifference, RelativeDifference
from avatar_gitops.engine.pseudonyms.kinds import UuidPseudonym
from avatar_gitops.engine.streams import stream
from avatar_gitops.errors import EngineError
from tests.engine.hospital import DOCTOR_VISIT, LINKS, PATIENT_VISIT, WARD_PATIENT, hospital


@pytest.fixture(scope="module")
def avatars() -> dict[str, LinkedAvatars]:
    return avatarize_linked(hospital(), LINKS, 5)


def changed(name: str, column: str, values: Sequence[object]) -> list[LinkedTable]:
    """The hospital with other values in one column."""
    tables = {table.name: table for table in hospital()}
    rows = tables[name].rows
    at = rows.column_names.index(column)
    tables[name] = replace(tables[name], rows=rows.set_column(at, column, pa.array(values)))
    return list(tables.values())


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("form", ["shuffled", "unshuffled"])
def test_every_reference_holds(avatars: dict[str, LinkedAvatars], link: Link, form: str) -> None:
    keys = getattr(avatars[link.parent], form)[link.key]
    foreign = getattr(avatars[link.child], form)[link.foreign_key]
    assert keys.null_count == 0
    assert len(pc.unique(keys)) == len(keys)
    assert pc.all(pc.is_in(foreign.drop_null(), value_set=keys.combine_chunks())).as_py()


def test_columns_types_and_rows_are_those_of_the_originals(avatars: dict[str, LinkedAvatars]) -> None:
    for table in hospital():
        assert avatars[table.name].shuffled.schema.equals(table.rows.schema)
        assert avatars[table.name].shuffled.num_rows == table.rows.num_rows
    assert list(avatars) == ["doctor", "ward", "patient", "visit"]


def test_shuffled_and_unshuffled_hold_the_same_rows(avatars: dict[str, LinkedAvatars]) -> None:
    for made in avatars.values():
        first, second = (sorted(map(str, side.to_pylist())) for side in (made.shuffled, made.unshuffled))
        assert first == second
        assert not made.shuffled.equals(made.unshuffled)


def test_no_key_of_the_originals_comes_back(avatars: dict[str, LinkedAvatars]) -> None:
    ids = {table.name: table.rows for table in hospital()}["patient"]["id"].to_pylist()
    assert not set(ids) & set(avatars["patient"].shuffled["id"].to_pylist())
    assert not set(ids) & set(avatars["visit"].shuffled["patient_id"].to_pylist())
    assert avatars["patient"].shuffled["id"].to_pylist() == list(range(1, 61))


def test_children_without_a_parent_stay_possible(avatars: dict[str, LinkedAvatars]) -> None:
    rows = {table.name: table.rows for table in hospital()}["visit"]
    made = avatars["visit"]
    missing = made.unshuffled["doctor"].null_count / rows.num_rows
    assert missing == pytest.approx(rows["doctor"].null_count / rows.num_rows, abs=0.1)
    assert (made.parents[DOCTOR_VISIT] < 0).tolist() == pc.is_null(made.unshuffled["doctor"]).to_pylist()


def test_a_child_goes_to_a_parent_like_its_own() -> None:
    """Visits cost twice the age of their patient; the avatars of both must still know that."""
    made = avatarize_linked(hospital(150), LINKS, 5)
    ages = made["patient"].unshuffled["age"].to_numpy()[made["visit"].parents[PATIENT_VISIT]]
    assert np.corrcoef(ages, made["visit"].unshuffled["cost"].to_numpy())[0, 1] > 0.9


def test_the_seed_decides_and_the_order_of_tables_and_links_does_not(avatars: dict[str, LinkedAvatars]) -> None:
    again = avatarize_linked(hospital()[::-1], LINKS[::-1], 5)
    for name, made in avatars.items():
        assert (
            again[name]
            .shuffled.sort_by(made.shuffled.column_names[0])
            .equals(made.shuffled.sort_by(made.shuffled.column_names[0]))
        )
    other = avatarize_linked(hospital(), LINKS, 6)
    assert not other["visit"].shuffled.equals(avatars["visit"].shuffled)


def test_the_original_order_gives_each_child_the_avatar_of_its_own_parent() -> None:
    links = [replace(link, method=LinkMethod.SENSITIVE_ORIGINAL_ORDER_ASSIGNMENT) for link in LINKS]
    made = avatarize_linked(hospital(), links, 5)
    rows = {table.name: table.rows for table in hospital()}
    for link in links:
        assert (made[link.child].parents[link] == tie(link, rows[link.parent], rows[link.child])).all()
    assert made["visit"].facts.sensitive[-1].startswith("The link by 'doctor' keeps each row")


def test_attached_columns_come_back_beside_the_avatars() -> None:
    tables = {table.name: table for table in hospital()}
    score = pa.table({"score": np.arange(60.0)})
    tables["patient"] = replace(tables["patient"], attached=score)
    made = avatarize_linked(list(tables.values()), LINKS, 5)["patient"]
    assert made.attached is not None
    assert made.attached.num_rows == 60
    assert not made.attached.equals(score)
    assert "score" not in made.shuffled.column_names


def test_a_pseudonymized_key_of_a_parent_is_what_its_children_name() -> None:
    tables = {table.name: table for table in hospital()}
    key = ColumnSpec("id", primary_key=True, pseudonym=UuidPseudonym())
    tables["patient"] = replace(tables["patient"], columns=(key,))
    made = avatarize_linked(list(tables.values()), LINKS, 5)
    keys = made["patient"].shuffled["id"].to_pylist()
    assert all(len(str(text)) == 36 for text in keys)
    assert set(made["visit"].shuffled["patient_id"].to_pylist()) <= set(keys)


def test_excluded_columns_of_a_parent_are_not_what_children_are_compared_by() -> None:
    tables = {table.name: table for table in hospital()}
    params = AvatarParams(4, Space(exclude=Exclusion(("age",), Replacement.COORDINATE_SIMILARITY)))
    tables["patient"] = replace(tables["patient"], params=params)
    made = avatarize_linked(list(tables.values()), LINKS, 5)
    assert "patient_id.age" not in [fact.name for fact in made["visit"].facts.columns]
    assert "patient_id.sex" in [fact.name for fact in made["visit"].facts.columns]
    ages = tables["patient"].rows["age"].to_pylist()
    assert sorted(made["patient"].shuffled["age"].to_pylist()) == sorted(ages)


def test_augmentation_of_a_linked_table_is_refused() -> None:
    tables = hospital()
    grown = replace(tables[2], params=AvatarParams(3, augmentation=Augmentation(2.0)))
    with pytest.raises(EngineError, match="Table 'doctor': data augmentation is not possible for linked tables"):
        avatarize_linked([*tables[:2], grown, tables[3]], LINKS, 5)


def test_a_processor_that_follows_a_linked_key_is_refused_and_others_work() -> None:
    tables = hospital()
    follows = replace(tables[0], params=AvatarParams(4, processors=(RangeDifference("patient_id", "cost", "cost"),)))
    with pytest.raises(EngineError, match="Table 'visit': a processor follows the records of 'patient_id'"):
        avatarize_linked([follows, *tables[1:]], LINKS, 5)
    relative = replace(tables[1], params=AvatarParams(4, processors=(RelativeDifference("age", ("twin",)),)))
    rows = relative.rows.append_column("twin", relative.rows["age"])
    made = avatarize_linked([tables[0], replace(relative, rows=rows), *tables[2:]], LINKS, 5)
    assert made["patient"].shuffled["age"].equals(made["patient"].shuffled["twin"])


def test_keys_of_several_types_meet() -> None:
    """Foreign keys beside missing ones come as floats from data frames, as text from a column declared so."""
    parent = pa.table({"id": [1, 2, 3]})
    link = Link("p", "id", "c", "parent")
    for foreign in ([2.0, float("nan"), 1.0], ["2", "", "1"], [2, None, 1]):
        assert tie(link, parent, pa.table({"parent": foreign})).tolist() == [1, -1, 0]
    assert tie(link, parent, pa.table({"parent": pa.array(["2", None, "1"]).dictionary_encode()})).tolist() == [
        1,
        -1,
        0,
    ]
    assert tie(link, parent, pa.table({"parent": pa.nulls(2)})).tolist() == [-1, -1]


def test_a_table_of_links_only_and_a_link_that_nobody_uses() -> None:
    """A child without attributes of its own, and one whose foreign keys are all empty."""
    tables = {table.name: table for table in hospital()}
    rows = tables["visit"].rows.drop_columns(["cost", "visit"])
    rows = rows.set_column(1, "doctor", pa.nulls(rows.num_rows, pa.string()))
    tables["visit"] = LinkedTable("visit", rows, (), tables["visit"].params, individual_level=False)
    made = avatarize_linked(list(tables.values()), LINKS, 1)["visit"]
    assert made.shuffled.schema.equals(rows.schema)
    assert made.shuffled["doctor"].null_count == rows.num_rows
    assert made.shuffled["patient_id"].null_count == 0


def swapped(link: Link) -> Link:
    return Link(link.child, "patient_id", link.parent, "id")


WRONG_GRAPHS = [
    ([PATIENT_VISIT, DOCTOR_VISIT], "Table 'ward' is not linked"),
    ([*LINKS, Link("patient", "id", "visit", "cost")], "Tables 'patient' and 'visit' are linked twice"),
    ([*LINKS, Link("visit", "visit", "visit", "cost")], "Table 'visit' is linked to itself"),
    ([*LINKS, Link("nowhere", "id", "visit", "cost")], "the table 'nowhere'"),
    ([*LINKS, Link("ward", "nothing", "doctor", "years")], "the column 'nothing', which table 'ward' does not have"),
    ([*LINKS, Link("patient", "age", "doctor", "years")], "which is not its primary key"),
    ([*LINKS, Link("doctor", "code", "patient", "id")], "a primary key and a foreign key at once"),
    ([*LINKS, Link("visit", "visit", "ward", "beds")], "run in a circle"),
    ([WARD_PATIENT, Link("doctor", "code", "patient", "sex")], "Table 'visit' has no parent"),
]


@pytest.mark.parametrize(("links", "message"), WRONG_GRAPHS)
def test_links_that_do_not_hang_together_are_told(links: list[Link], message: str) -> None:
    with pytest.raises(EngineError) as refused:
        build_graph(hospital(), links)
    assert message in refused.value.message
    assert refused.value.hint or "names the" in refused.value.message


def test_a_key_that_is_dropped_is_told() -> None:
    tables = hospital()
    dropped = replace(tables[2], columns=(ColumnSpec("code", drop=True),))
    with pytest.raises(EngineError, match="Column 'code' of table 'doctor' is dropped, but it is the key of a link"):
        avatarize_linked([*tables[:2], dropped, tables[3]], LINKS, 5)


def test_keys_that_are_missing_repeated_or_orphaned_are_told_without_their_values() -> None:
    tables = {table.name: table.rows for table in hospital()}
    ids = tables["patient"]["id"].to_pylist()
    visits = tables["visit"].num_rows
    cases = [
        (changed("patient", "id", [None, *ids[1:]]), "its key 'id' is empty in some rows"),
        (changed("patient", "id", [ids[1], *ids[1:]]), "appear more than once"),
        (changed("visit", "patient_id", [77_777] * visits), "'patient_id' are no key of table 'patient'"),
    ]
    for wrong, message in cases:
        with pytest.raises(EngineError) as refused:
            avatarize_linked(wrong, LINKS, 5)
        assert message in refused.value.message
        assert "77777" not in str(refused.value)


def test_a_linked_table_without_a_method_and_faults_inside_a_table_name_it() -> None:
    tables = hospital()
    with pytest.raises(EngineError, match="Table 'ward' is linked but has no method"):
        avatarize_linked([*tables[:3], replace(tables[3], params=None)], LINKS, 5)
    unknown = replace(tables[2], columns=(ColumnSpec("nothing"),))
    with pytest.raises(EngineError, match="Table 'doctor': Column 'nothing'"):
        avatarize_linked([*tables[:2], unknown, tables[3]], LINKS, 5)


def test_least_sum_is_the_best_of_all_assignments() -> None:
    children, parents = np.array([[0.0], [1.0], [5.0], [6.0]]), np.array([[0.4], [5.4], [9.0]])
    places = np.array([2, 1, 1])
    found = least_sum(children, parents, places, stream(1, "", ""))
    seats = np.repeat([0, 1, 2], places)
    best = min(sum(abs(children[i, 0] - parents[p, 0]) for i, p in enumerate(s)) for s in permutations(seats))
    assert np.abs(children[:, 0] - parents[found, 0]).sum() == pytest.approx(best)
    assert np.bincount(found, minlength=3).tolist() == [2, 1, 1]


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 30), st.integers(1, 3000), st.integers(0, 9))
def test_each_parent_gets_exactly_its_places(parents: int, children: int, seed: int) -> None:
    random = stream(seed, "", "test")
    places = places_of(random.integers(0, 4, parents), children, random)
    assert places.sum() == children
    found = least_sum(random.normal(size=(children, 2)), random.normal(size=(parents, 2)), places, random)
    assert (np.bincount(found, minlength=parents) == places).all()


@given(st.lists(st.integers(0, 50), min_size=1, max_size=20), st.integers(0, 200))
def test_places_are_in_proportion(sizes: list[int], wanted: int) -> None:
    found = places_of(np.array(sizes), wanted, stream(0, "", ""))
    weights: Ids | np.ndarray = np.array(sizes) if sum(sizes) else np.ones(len(sizes))
    assert found.sum() == wanted
    assert (np.abs(found - weights * wanted / weights.sum()) < 1).all()


def test_nearest_takes_parents_in_the_same_place_by_chance() -> None:
    found = nearest(np.zeros((400, 1)), np.array([[0.1], [0.1], [3.0]]), stream(2, "", ""))
    assert 120 < (found == 0).sum() < 280
    assert (found != 2).all()


@pytest.mark.parametrize("top", [2**63, 2**64 - 3])
def test_keys_of_all_64_bits_meet(top: int) -> None:
    parent = pa.table({"id": pa.array([1, top, top + 1], pa.uint64())})
    child = pa.table({"of": pa.array([top + 1, None, 1], pa.uint64())})
    assert tie(Link("a", "id", "b", "of"), parent, child).tolist() == [2, -1, 0]
    few = pa.table({"of": pa.array([1, None], pa.int64())})
    assert tie(Link("a", "id", "b", "of"), parent, few).tolist() == [0, -1]


def test_nested_keys_are_told() -> None:
    nested = pa.table({"id": pa.array([[1], [2]])})
    with pytest.raises(EngineError, match="the values of 'id' and 'id' cannot be compared"):
        tie(Link("a", "id", "b", "id"), nested, nested)
