"""Every statement of an assessment names what it rests on, and the decisions that a reader may contest are in words."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

import pytest

from avatar_gitops.assessment import (
    AssessmentFacts,
    GateFacts,
    SignatureFacts,
    assess,
    pia_markdown,
    render,
    report_view,
)
from avatar_gitops.assessment.approval import ApprovalFacts
from avatar_gitops.assessment.document import Block, Bullets, Document, Paragraph, Table, text_of
from avatar_gitops.assessment.facts import Language, TableFacts, metric_facts, of_promise
from avatar_gitops.assessment.guarantee import Guarantee
from avatar_gitops.assessment.phrases_pia import PIA_PHRASES
from avatar_gitops.assessment.pia import pia_document

Make = Callable[[Language], AssessmentFacts]
LANGUAGES: tuple[Language, ...] = ("en", "fr")
both = pytest.mark.parametrize("language", LANGUAGES)
PROMISE = Guarantee(2.5, 2.5, 1e-6, False, 1, (("schema", ""),), (), "opendp")


def unsourced(document: Document) -> Iterator[Block]:
    """Blocks that state something and name nothing it rests on."""
    columns = {PIA_PHRASES["head.source"].in_(document.language), PIA_PHRASES["head.reason"].in_(document.language)}
    for block in document.blocks:
        match block:
            case Paragraph() | Bullets() if not text_of(block.source):
                yield block
            case Table() if not text_of(block.source) and not columns & {text_of(head) for head in block.header}:
                yield block
            case _:
                pass


def with_everything(facts: AssessmentFacts) -> AssessmentFacts:
    table = TableFacts("noisy", method="open_dp", guarantee=PROMISE, excluded=("day",))
    return dataclasses.replace(
        facts,
        tables=(*facts.tables, table),
        gates=(GateFacts("hidden_rate", ">= 90", 91.44, True), GateFacts("local_cloaking", ">= 5", None, False)),
        approval=ApprovalFacts(
            "sha256:" + "7" * 64, ("a.martin",), ("P044 dpo-lead until 2026-12-31",), ("k 20 -> 15",)
        ),
        signatures=(SignatureFacts("a.martin", "dpo", "2026-09-17", "approved", valid=False),),
    )


def promised(facts: AssessmentFacts, said: Guarantee) -> AssessmentFacts:
    return dataclasses.replace(facts, tables=(TableFacts("noisy", method="open_dp", guarantee=said),))


@both
def test_every_statement_names_its_source(facts: Make, bare_facts: AssessmentFacts, language: Language) -> None:
    bare = dataclasses.replace(bare_facts, language=language)
    for made in (facts(language), with_everything(facts(language)), bare):
        assert list(unsourced(pia_document(made, assess(made)))) == []


def test_gates_and_approvals_are_told(facts: Make) -> None:
    text = pia_markdown(with_everything(facts("en")))
    assert "| `hidden_rate` | ≥ 90% | 91.4% | passed | `gates.hidden_rate` |" in text
    assert "| `local_cloaking` | ≥ 5 | **not measured** | **not passed** | `gates.local_cloaking` |" in text
    assert "Plan applied: `77777777`. Approved by: a.martin." in text
    assert "Waivers in force: P044 dpo-lead until 2026-12-31. Made weaker by this plan: k 20 → 15." in text


def test_a_signature_under_other_statements_has_to_be_given_again(facts: Make) -> None:
    made = with_everything(facts("en"))
    text = pia_markdown(made)
    assert "Status: **to be signed again**" in text
    assert "| a.martin | 2026-09-17 | **approved, but other statements: to sign again** |" in text
    signed = dataclasses.replace(made, signatures=(dataclasses.replace(made.signatures[0], valid=True),))
    assert "Status: **to be signed**" in pia_markdown(signed)
    assert "Status: **signed**" in pia_markdown(dataclasses.replace(signed, signers=("dpo",)))
    assert "Status: **to be signed**" in pia_markdown(dataclasses.replace(signed, signers=("dpo", "controller")))


def test_a_role_that_nobody_asked_for_signs_for_no_other(facts: Make) -> None:
    def text(*roles: str, signers: tuple[str, ...] = ()) -> str:
        given = tuple(SignatureFacts("p", role, "2026-09-17", "approved", valid=True) for role in roles)
        return pia_markdown(dataclasses.replace(facts("en"), signers=signers, signatures=given))

    assert "Status: **to be signed**" in text("intern")
    assert "Status: **signed**" in text("owner", "controller", "dpo")
    asked = text("dpo", signers=("dpo",))
    assert "Status: **signed**" in asked
    assert "| Controller | Example Hospital |  |  |" not in asked
    assert "| Controller | Example Hospital |  |  |" in text("intern")


def test_what_an_officer_signed_is_the_opinion_and_nothing_that_nobody_stated(facts: Make) -> None:
    def told(*, valid: bool) -> str:
        given = SignatureFacts("a.martin", "dpo", "2026-09-17", "approved", valid=valid, note="For one year")
        return pia_markdown(dataclasses.replace(facts("en"), signatures=(given,)))

    opinion = "Opinion of the data protection officer"
    text = told(valid=True)
    row = f"| {opinion} | approved: For one year (a.martin, 2026-09-17) | recorded signatures (section 7) |"
    assert row in text
    assert "| Data protection officer | a.martin | 2026-09-17 | approved: For one year |" in text
    unknown = next(line for line in text.splitlines() if line.startswith("Unknown statements:"))
    assert "officer" not in unknown
    assert "| Decision of the controller | **unknown** |" in text
    assert f"| {opinion} | **unknown** |" in told(valid=False)


def test_a_promise_is_told_as_a_bound_and_never_as_no_risk(facts: Make) -> None:
    text = pia_markdown(with_everything(facts("en")))
    assert "epsilon 2.5, delta 1e-06" in text
    assert "right in at most 92.5% of even cases. That is a bound, not the absence of risk." in text
    assert "(promised by differential privacy, epsilon 2.5)" in text
    assert "Ponomareva et al., How to DP-fy ML" in text


def test_metrics_that_rest_on_an_unchecked_order_of_rows_are_told_as_such(facts: Make) -> None:
    made = facts("en")
    elsewhere = dataclasses.replace(made, tables=(dataclasses.replace(made.tables[0], method="none"),))
    text = pia_markdown(elsewhere)
    assert "`hidden_rate`, `hidden_rate_strict`, `local_cloaking`, `column_direct_match_protection`: these hold" in text
    assert text.count("which nobody has checked. They can show a weakness") == 2
    assert "No attack of this criterion was measured for certain: its vulnerability is at least 3." in text
    assert "or assess Singling out, Linkability by other means | order of the rows not checked |" in text
    assert "which nobody has checked" in render(report_view("technical", elsewhere), "markdown").decode()
    assert "They can show a weakness" not in pia_markdown(made)


@pytest.mark.parametrize(
    ("context", "said"),
    [
        ({"data_type": "hr", "data_subject": "employees", "sensitivity_level": "Low"}, "+1 for people who are vulner"),
        ({"data_subject": "patients"}, "+0 although people are vulnerable here (patients), as only a severity of 2"),
        ({"data_subject": "unknown"}, "+0 for people (**unknown**): nobody stated who they are"),
        ({"data_subject": "clients"}, "+0 as people are not among those counted as vulnerable (clients)"),
    ],
)
def test_the_reason_why_people_raise_the_severity_or_not_is_told(
    facts: Make, context: dict[str, str], said: str
) -> None:
    made = facts("en")
    assert said in pia_markdown(dataclasses.replace(made, context=dataclasses.replace(made.context, **context)))


def test_what_an_attacker_knows_is_told_only_of_attacks_that_rest_on_it(facts: Make) -> None:
    made, knows = facts("en"), "The measured attacker knows: `age`, `sex`"
    text = pia_markdown(made)
    assert text.count(f"{knows}.") == text.count(f"{knows}; target: `Class`.") == 1
    blind = dataclasses.replace(made.tables[0], known_variables=(), inference_target=None)
    assert "measured attacker knows" not in pia_markdown(dataclasses.replace(made, tables=(blind,)))


def test_what_was_not_measured_is_no_other_vulnerability_than_the_one_that_follows(bare_facts: AssessmentFacts) -> None:
    opened = dataclasses.replace(bare_facts.tables[0], direct_identifiers=("name",))
    text = pia_markdown(dataclasses.replace(bare_facts, tables=(opened,)))
    assert "Vulnerability **4** (the output holds columns that identify people directly)" in text
    assert "its vulnerability is at least 3." in text
    assert "counts as vulnerability 3" not in text


@pytest.mark.parametrize(
    ("epsilon", "told"),
    [
        (1.0, "is right in at most 73.2% of even cases"),
        (8.0, "is right in at most 99.97% of even cases"),
        (20.0, "may be right in more than 99.9999% of even cases"),
    ],
)
def test_a_bound_is_never_rounded_below_itself_nor_to_certainty(facts: Make, epsilon: float, told: str) -> None:
    assert told in pia_markdown(promised(facts("en"), dataclasses.replace(PROMISE, epsilon=epsilon, delta=0.0)))


def test_one_promise_has_one_epsilon_and_the_limits_of_its_method(facts: Make) -> None:
    text = pia_markdown(promised(facts("fr"), dataclasses.replace(PROMISE, epsilon=2.999997)))
    assert "2,999997" not in text
    assert "une personne avec au plus `1` ligne\u202f;" in text
    assert "La graine et la table non mélangée sont des secrets" not in text
    assert "Le bruit pèse surtout sur les petits groupes" in text
    assert "Le bruit pèse" not in pia_markdown(facts("fr"))
    assert "La graine et la table non mélangée sont des secrets" in pia_markdown(facts("fr"))
    both_kinds = pia_markdown(with_everything(facts("fr")))
    assert "Le bruit pèse" in both_kinds
    assert "La graine et la table non mélangée sont des secrets" in both_kinds


def test_metrics_of_privacy_only_inform_beside_a_promise() -> None:
    metrics = of_promise(metric_facts({"membership_auc": 0.7, "hellinger_mean": 0.2}, targets={"membership_auc": 0.55}))
    table = TableFacts("t", method="open_dp", guarantee=PROMISE, metrics=metrics)
    text = pia_markdown(AssessmentFacts("s", (table,)))
    assert "| Membership attack, area under the curve | 0.700 | – | – | for information |" in text
    assert "| Mean Hellinger distance | 0.200 | exact | < 0.1 (default) |" in text.replace("\\<", "<")


def test_membership_without_a_control_is_shown_as_not_measured(bare_facts: AssessmentFacts) -> None:
    text = pia_markdown(bare_facts)
    assert "membership counts as not measured by attack, vulnerability at least 3" in text
    assert "Vulnerability **3** (not measured by attack)" in text
