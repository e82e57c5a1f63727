"""What people sign: every statement once, the same in every language and on every day, other when a fact is."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from avatar_gitops.assessment import AssessmentFacts, SignatureFacts
from avatar_gitops.assessment.approval import ApprovalFacts
from avatar_gitops.assessment.facts import Language, Provenance
from avatar_gitops.assessment.statements import (
    Changed,
    Statement,
    changes,
    digest,
    read_statements,
    statements,
    statements_json,
)

Make = Callable[[Language], AssessmentFacts]
SCHEMA = Path(__file__).parents[2] / "schemas" / "statements.v1.schema.json"


def test_every_statement_has_its_own_name(facts: Make) -> None:
    found = statements(facts("en"))
    assert len(found) > 60
    assert len({item.id for item in found}) == len(found)
    by_id = {item.id: item.text for item in found}
    assert by_id["Context / Processing / Retention of the avatars"] == "Value: until 2028-09-30"
    assert by_id["Risk analysis / Table patients / Linkability / Knowledge protection rate"].startswith("Value: 98.0%")


def test_language_day_commit_place_and_signatures_change_no_statement(facts: Make) -> None:
    made = facts("en")
    elsewhere = dataclasses.replace(
        facts("fr"),
        provenance=Provenance(
            engine=made.provenance.engine,
            input_digests=made.provenance.input_digests,
            seed_recorded=True,
            sources={"purpose": "pia.purpose, configs/patients.yaml:99"},
            commit="0" * 40,
            date="2030-01-01",
            job="job",
        ),
        signers=("dpo",),
        signatures=(SignatureFacts("p", "dpo", "2030-01-02", "approved", valid=True),),
    )
    assert statements_json(elsewhere) == statements_json(made)


def test_who_approved_a_plan_is_no_statement_but_what_is_waived_is(facts: Make) -> None:
    made = dataclasses.replace(facts("en"), approval=ApprovalFacts("1" * 64, ("a",)))
    other = dataclasses.replace(made, approval=ApprovalFacts("2" * 64, ("b",)))
    waived = dataclasses.replace(made, approval=ApprovalFacts("1" * 64, ("a",), ("P044 b until 2030-01-01",)))
    assert statements_json(other) == statements_json(made)
    assert statements_json(waived) != statements_json(made)


def test_no_statement_says_that_the_plan_is_unknown(facts: Make) -> None:
    made = dataclasses.replace(facts("en"), approval=ApprovalFacts("1" * 64, ("a",), (), ("k 20 -> 15",)))
    text = statements_json(made).decode()
    assert "Plan applied" not in text
    assert "Made weaker by this plan: k 20 → 15." in text


def test_one_more_action_changes_no_other_one(facts: Make) -> None:
    made = facts("en")
    table = made.tables[0]
    worse = dataclasses.replace(table, direct_identifiers=("name",))
    place = "Action plan, opinion and decision / Action plan / "
    before, after = (
        {item.id: item.text for item in statements(dataclasses.replace(made, tables=(one,))) if place in item.id}
        for one in (table, worse)
    )
    assert after.items() - before.items() == {
        (f"{place}direct_identifier, patients", "Table patients: drop or pseudonymize name")
    }
    assert before.items() <= after.items()
    assert f"{place}interval, patients" in before


@pytest.mark.parametrize(
    "change",
    [
        lambda made: dataclasses.replace(made, context=dataclasses.replace(made.context, purpose="Another")),
        lambda made: dataclasses.replace(made, context=dataclasses.replace(made.context, data_recipient="internal")),
        lambda made: dataclasses.replace(made, tables=(dataclasses.replace(made.tables[0], parameters={"k": 9}),)),
        lambda made: dataclasses.replace(made, tables=(dataclasses.replace(made.tables[0], rows="100-1k"),)),
        lambda made: dataclasses.replace(
            made, tables=(dataclasses.replace(made.tables[0], metrics=made.tables[0].metrics[1:]),)
        ),
        lambda made: dataclasses.replace(
            made,
            provenance=dataclasses.replace(made.provenance, input_digests={"patients": "sha256:" + "9" * 64}),
        ),
    ],
)
def test_another_fact_is_another_statement(facts: Make, change: Callable[[AssessmentFacts], AssessmentFacts]) -> None:
    made = facts("en")
    assert digest(statements_json(change(made))) != digest(statements_json(made))


def test_the_file_is_what_its_schema_says_and_is_read_again(facts: Make, bare_facts: AssessmentFacts) -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    for made in (facts("en"), bare_facts):
        content = statements_json(made)
        jsonschema.validate(json.loads(content), schema)
        assert read_statements(content) == statements(made)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"format": "avatar-gitops/pia", "version": "2.0"}'])
def test_what_is_no_list_of_statements_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read_statements(content)


def test_differences_are_told_with_both_texts() -> None:
    before = (Statement("a", "1"), Statement("b", "2"), Statement("c", "3"))
    after = (Statement("a", "1"), Statement("b", "4"), Statement("d", "5"))
    assert changes(before, after) == (Changed("b", "2", "4"), Changed("d", None, "5"), Changed("c", "3", None))


def test_a_purpose_is_one_changed_statement_beside_the_verdict(facts: Make) -> None:
    made = facts("en")
    other = dataclasses.replace(made, context=dataclasses.replace(made.context, purpose="Another"))
    found = [item.id for item in changes(statements(made), statements(other))]
    assert found == ["Summary", "Context / Processing / Purpose", "Fundamental principles / Purpose limitation"]
