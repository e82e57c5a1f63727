"""The derivation of the risk: the published rules, and the laws that any such derivation must keep."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatar_gitops.assessment import (
    AssessmentFacts,
    Family,
    MetricValue,
    PiaContext,
    TableFacts,
    assess,
    metric_facts,
    parameter_facts,
)
from avatar_gitops.assessment.catalogue import CATALOGUE, CRITERIA, LINKED, canonical_name
from avatar_gitops.assessment.facts import Language, of_rows
from avatar_gitops.assessment.guarantee import Guarantee, certainty
from avatar_gitops.assessment.risk import (
    EXPOSURE,
    SEVERITY_BASE,
    Conclusion,
    CriterionRisk,
    Finding,
    Flag,
    Level,
    assess_criterion,
    check,
    conclusion,
    exposure,
    level,
    likelihood,
    severity,
)
from avatar_gitops.engine.unlinked import LINKED as ENGINE_LINKED
from avatar_gitops.errors import AvatarGitOpsError
from tests.assessment.contexts import FROM_LOW_TO_HIGH, FROM_NARROW_TO_WIDE, contexts

PRIVACY = sorted(name for name, info in CATALOGUE.items() if info.family in CRITERIA and info.target)

names = st.sampled_from(PRIVACY)
figures = st.floats(min_value=0, max_value=100, allow_nan=False)


@st.composite
def metrics(draw: st.DrawFn) -> tuple[MetricValue, ...]:
    made = []
    for name in draw(st.lists(names, unique=True, max_size=8)):
        value = draw(st.none() | figures)
        ends = sorted(draw(st.tuples(figures, figures))) if value is not None and draw(st.booleans()) else [None, None]
        made.append(MetricValue(name, value, ends[0], ends[1]))
    return tuple(made)


def facts_of(measured: tuple[MetricValue, ...], context: PiaContext) -> AssessmentFacts:
    return AssessmentFacts("s", (TableFacts("t", metrics=measured),), context)


def rank(measured: tuple[MetricValue, ...], context: PiaContext) -> int:
    return assess(facts_of(measured, context)).level.rank


@settings(max_examples=60)
@given(metrics(), contexts, st.data())
def test_a_worse_metric_never_lowers_the_level(
    measured: tuple[MetricValue, ...], context: PiaContext, data: st.DataObject
) -> None:
    known = [index for index, metric in enumerate(measured) if metric.value is not None]
    if not known:
        return
    index = data.draw(st.sampled_from(known))
    metric = measured[index]
    shift = data.draw(st.floats(min_value=0, max_value=100)) * (-1 if CATALOGUE[metric.name].higher_is_better else 1)
    value, low, high = (None if end is None else end + shift for end in (metric.value, metric.low, metric.high))
    worse = dataclasses.replace(metric, value=value, low=low, high=high)
    assert rank((*measured[:index], worse, *measured[index + 1 :]), context) >= rank(measured, context)


@settings(max_examples=60)
@given(metrics(), contexts)
def test_a_wider_recipient_never_lowers_the_level(measured: tuple[MetricValue, ...], context: PiaContext) -> None:
    ranks = [rank(measured, dataclasses.replace(context, data_recipient=name)) for name in FROM_NARROW_TO_WIDE]
    assert ranks == sorted(ranks)


@settings(max_examples=60)
@given(metrics(), contexts)
def test_more_sensitive_data_never_lower_the_level(measured: tuple[MetricValue, ...], context: PiaContext) -> None:
    ranks = [rank(measured, dataclasses.replace(context, sensitivity_level=name)) for name in FROM_LOW_TO_HIGH]
    assert ranks == sorted(ranks)


@settings(max_examples=60)
@given(metrics(), contexts, names)
def test_not_measured_is_never_better_than_measured_and_passing(
    measured: tuple[MetricValue, ...], context: PiaContext, name: str
) -> None:
    others = tuple(metric for metric in measured if metric.name != name)
    info = CATALOGUE[name]
    best = 1000.0 if info.higher_is_better else 0.0
    passing = MetricValue(name, best, best, best)
    assert rank((*others, MetricValue(name, None)), context) >= rank((*others, passing), context)
    assert rank(others, context) >= rank((*others, passing), context)


@settings(max_examples=60)
@given(metrics(), contexts)
def test_a_missing_interval_is_never_better_than_a_passing_one(
    measured: tuple[MetricValue, ...], context: PiaContext
) -> None:
    narrow = tuple(dataclasses.replace(metric, low=metric.value, high=metric.value) for metric in measured)
    without = tuple(dataclasses.replace(metric, low=None, high=None) for metric in measured)
    assert rank(without, context) >= rank(narrow, context)


@settings(max_examples=60)
@given(metrics(), contexts)
def test_anonymization_that_is_open_is_not_reported_as_better_than_none(
    measured: tuple[MetricValue, ...], context: PiaContext
) -> None:
    opened = TableFacts("t", metrics=measured, direct_identifiers=("name",))
    result = assess(AssessmentFacts("s", (opened,), context))
    assert result.level is result.level_before
    assert assess(facts_of(measured, context)).level.rank <= result.level.rank


@settings(max_examples=60)
@given(metrics(), contexts)
def test_the_set_has_the_worst_level_of_its_tables(measured: tuple[MetricValue, ...], context: PiaContext) -> None:
    tables = (TableFacts("a", metrics=measured), TableFacts("b"))
    result = assess(AssessmentFacts("s", tables, context))
    assert result.level.rank == max(table.level.rank for table in result.tables)
    assert all(item.level.rank <= table.level.rank for table in result.tables for item in table.criteria)


def test_the_levels_are_those_of_the_published_matrix() -> None:
    rows = {
        1: "low low moderate moderate",
        2: "low moderate moderate high",
        3: "moderate moderate high very_high",
        4: "moderate high very_high very_high",
    }
    for harm, line in rows.items():
        assert [str(level(harm, chance)) for chance in range(1, 5)] == line.split()


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        (PiaContext(), 4),
        (PiaContext(sensitivity_level="something new"), 4),
        (PiaContext(sensitivity_level="Negligible"), 1),
        (PiaContext(sensitivity_level="Negligible", data_type="health"), 3),
        (PiaContext(sensitivity_level="Negligible", data_type="finance"), 2),
        (PiaContext(sensitivity_level="Low", data_subject="clients"), 2),
        (PiaContext(sensitivity_level="Low", data_subject="employees"), 3),
        (PiaContext(sensitivity_level="Medium", data_subject="patients"), 3),
        (PiaContext(sensitivity_level="High", data_subject="patients"), 3),
        (PiaContext(sensitivity_level="Very High"), 4),
    ],
)
def test_severity(context: PiaContext, expected: int) -> None:
    assert severity(context).value == expected


def test_likelihood_is_clamped_and_an_open_table_is_at_least_possible_for_anybody() -> None:
    assert [likelihood(weakness, -1) for weakness in range(1, 5)] == [1, 1, 2, 3]
    assert [likelihood(weakness, 1) for weakness in range(1, 5)] == [2, 3, 4, 4]


def test_an_unknown_recipient_counts_as_the_public() -> None:
    assert exposure("somebody new") == exposure("opendata") == max(EXPOSURE.values())


def test_every_sensitivity_of_the_platform_is_listed() -> None:
    assert set(SEVERITY_BASE) == set(FROM_LOW_TO_HIGH)


@pytest.mark.parametrize(
    ("metric", "finding"),
    [
        (MetricValue("hidden_rate", 95.0, 91.0, 97.0, ">= 90"), Finding.MET),
        (MetricValue("hidden_rate", 95.0, 89.0, 97.0, ">= 90"), Finding.INTERVAL_MISSES),
        (MetricValue("hidden_rate", 95.0, target=">= 90"), Finding.INTERVAL_UNKNOWN),
        (MetricValue("column_direct_match_protection", 95.0, target=">= 90"), Finding.MET),
        (MetricValue("column_direct_match_protection", 95.0, 89.0, 97.0, ">= 90"), Finding.INTERVAL_MISSES),
        (MetricValue("hidden_rate", 81.0, target=">= 90"), Finding.SLIGHT),
        (MetricValue("hidden_rate", 80.9, target=">= 90"), Finding.SHORT),
        (MetricValue("hidden_rate", 45.0, target=">= 90"), Finding.SHORT),
        (MetricValue("hidden_rate", 44.9, target=">= 90"), Finding.FAR),
        (MetricValue("membership_auc", 0.54, 0.50, 0.56, "<= 0.55"), Finding.INTERVAL_MISSES),
        (MetricValue("membership_auc", 0.54, 0.40, 0.55, "<= 0.55"), Finding.MET),
        (MetricValue("membership_auc", 0.55, 0.50, 0.55, "< 0.55"), Finding.SLIGHT),
        (MetricValue("membership_tpr_at_1_fpr", 17.9, target="<= 3"), Finding.FAR),
        (MetricValue("hidden_rate", None, target=">= 90"), Finding.NOT_MEASURED),
        (MetricValue("membership_auc", 0.1, target="<= 0"), Finding.FAR),
    ],
)
def test_a_metric_against_its_target(metric: MetricValue, finding: Finding) -> None:
    judged = check(metric, "unknown")
    assert judged is not None
    assert judged.finding is finding


def test_a_run_without_targets_is_judged_by_the_defaults_of_its_recipient() -> None:
    metric = MetricValue("hidden_rate", 60.0)
    findings = {name: check(metric, name) for name in ("internal", "outside_eu")}
    assert [(item.target, item.is_default_target, item.finding) for item in findings.values() if item] == [
        (">= 30", True, Finding.INTERVAL_UNKNOWN),
        (">= 80", True, Finding.SHORT),
    ]


def test_a_target_that_the_run_names_is_default_where_it_is_the_usual_one() -> None:
    usual, own = MetricValue("hidden_rate", 95.0, target=">= 30"), MetricValue("hidden_rate", 95.0, target=">= 40")
    found = [check(metric, "internal") for metric in (usual, own)]
    assert [item.is_default_target for item in found if item] == [True, False]


def test_a_distance_without_a_target_of_its_run_only_informs() -> None:
    assert check(MetricValue("distance_to_closest", 0.0), "opendata") is None
    assert check(MetricValue("closest_distances_ratio", 0.1), "opendata") is None


def test_match_counts_alone_do_not_measure_singling_out() -> None:
    measured = (MetricValue("column_direct_match_protection", 99.0), MetricValue("row_direct_match_protection", 99.0))
    risk = assess(facts_of(measured, PiaContext())).tables[0].criteria[0]
    assert (risk.criterion, risk.measured, risk.vulnerability) == (Family.SINGLING_OUT, False, 3)


@pytest.mark.parametrize(
    ("table", "flag"),
    [
        (TableFacts("t", excluded=("site",), replacement_strategy="row_order"), Flag.ROW_ORDER),
        (
            TableFacts(
                "t",
                parameters=parameter_facts(
                    {"data_augmentation": {"augmentation_strategy": 2, "should_anonymize_original_table": False}}
                ),
            ),
            Flag.ORIGINALS_KEPT,
        ),
        (TableFacts("t", links={"u": "sensitive_original_order_assignment"}), Flag.ORIGINAL_ORDER),
        (TableFacts("t", direct_identifiers=("name",)), Flag.DIRECT_IDENTIFIER),
        (TableFacts("t", metrics=(MetricValue("column_direct_match_protection", 0.0),)), Flag.UNTOUCHED_COLUMN),
    ],
)
def test_a_flag_opens_every_criterion(table: TableFacts, flag: Flag) -> None:
    context = PiaContext(data_recipient="internal", sensitivity_level="Low")
    (risk,) = assess(AssessmentFacts("s", (table,), context)).tables
    assert all(item.flags == (flag,) and item.vulnerability == 4 and item.likelihood == 3 for item in risk.criteria)


def test_equal_rows_are_not_held_against_a_table_whose_rows_are_not_people() -> None:
    metrics = metric_facts(
        {"row_direct_match_protection": 2.0, "hidden_rate": 99.0, "local_cloaking": 30.0},
        targets={"row_direct_match_protection": ">= 90"},
    )
    rows, people = (
        assess_criterion(Family.SINGLING_OUT, TableFacts("t", metrics=figures), PiaContext())
        for figures in (of_rows(metrics), metrics)
    )
    assert "row_direct_match_protection" not in {item.metric.name for item in rows.checks}
    assert rows.vulnerability < people.vulnerability == 4


def test_row_order_without_excluded_columns_is_no_flag() -> None:
    (risk,) = assess(AssessmentFacts("s", (TableFacts("t", replacement_strategy="row_order"),))).tables
    assert risk.criteria[0].flags == ()


def test_the_conclusion_follows_the_level() -> None:
    assert [conclusion(item) for item in Level] == [
        Conclusion.COMPATIBLE,
        Conclusion.COMPATIBLE,
        Conclusion.WITH_MEASURES,
        Conclusion.NOT_COMPATIBLE,
    ]


def test_a_complete_set(facts: Callable[[Language], AssessmentFacts]) -> None:
    result = assess(facts("en"))
    (table,) = result.tables
    assert [(item.vulnerability, item.likelihood, str(item.level)) for item in table.criteria] == [
        (2, 3, "high"),
        (1, 2, "moderate"),
        (2, 3, "high"),
        (2, 3, "high"),
    ]
    assert (result.severity.value, result.exposure, result.conclusion) == (3, 1, Conclusion.WITH_MEASURES)


OWN = metric_facts(
    {"hidden_rate": 100.0, "local_cloaking": 198.0, "linkability_protection_rate": 99.9},
    intervals={
        "hidden_rate": (99.0, 100.0),
        "local_cloaking": (190.0, 210.0),
        "linkability_protection_rate": (99, 100),
    },
)


def criteria(method: str, metrics: tuple[MetricValue, ...]) -> dict[Family, CriterionRisk]:
    facts = AssessmentFacts("s", (TableFacts("t", method=method, metrics=metrics),), PiaContext("p", "internal"))
    return {item.criterion: item for item in assess(facts).tables[0].criteria}


def test_avatars_from_elsewhere_in_an_order_that_nobody_has_checked_do_not_count_as_resisting() -> None:
    ours, others = criteria("avatar", OWN), criteria("none", OWN)
    for family in (Family.SINGLING_OUT, Family.LINKABILITY):
        assert (ours[family].measured, ours[family].vulnerability) == (True, 1)
        assert (others[family].measured, others[family].vulnerability) == (False, 3)
    assert criteria("none", ())[Family.SINGLING_OUT].vulnerability == 3


def test_a_weakness_of_avatars_from_elsewhere_counts() -> None:
    found = criteria("none", metric_facts({"hidden_rate": 10.0, "local_cloaking": 198.0}))
    assert found[Family.SINGLING_OUT].vulnerability == 4


def test_the_metrics_that_need_a_link_are_those_of_the_engine() -> None:
    assert {canonical_name(name) for name in ENGINE_LINKED} & CATALOGUE.keys() == LINKED


DISTANCES = metric_facts({"closest_rate": 99.0, "distance_to_closest": 2.0}, intervals={"closest_rate": (98.0, 99.5)})


def membership(*metrics: MetricValue) -> CriterionRisk:
    (table,) = assess(AssessmentFacts("s", (TableFacts("t", metrics=metrics),), PiaContext("p", "internal"))).tables
    return next(item for item in table.criteria if item.criterion is Family.MEMBERSHIP)


def test_membership_without_a_control_is_not_measured_whatever_the_distances_say() -> None:
    found = membership(*DISTANCES)
    assert (found.measured, found.vulnerability) == (False, 3)


def test_membership_with_a_control_is_measured() -> None:
    attack = MetricValue("membership_auc", 0.51, 0.49, 0.54)
    found = membership(attack, MetricValue("closest_rate", 99.0, 98.0, 99.5))
    assert (found.measured, found.vulnerability) == (True, 1)


@pytest.mark.parametrize(
    ("epsilon", "expected"), [(0.1, 1), (1.0, 1), (1.01, 2), (5.0, 2), (5.5, 3), (10.0, 3), (10.5, 4), (80.0, 4)]
)
def test_a_promise_stands_in_place_of_what_was_measured(epsilon: float, expected: int) -> None:
    said = Guarantee(epsilon, epsilon, 1e-6, True, 1, (), (), "opendp")
    bad = metric_facts({"hidden_rate": 1.0, "membership_auc": 0.9})
    for metrics in ((), bad):
        table = TableFacts("t", method="open_dp", guarantee=said, metrics=metrics)
        (found,) = assess(AssessmentFacts("s", (table,), PiaContext("p", "opendata"))).tables
        assert {item.vulnerability for item in found.criteria} == {expected}


def test_no_promise_covers_real_values_that_are_put_back() -> None:
    said = Guarantee(0.5, 0.5, 0.0, True, 1, (), (), "opendp")
    table = TableFacts("t", method="open_dp", guarantee=said, excluded=("c",), replacement_strategy="row_order")
    (found,) = assess(AssessmentFacts("s", (table,), PiaContext("p", "internal"))).tables
    assert {item.vulnerability for item in found.criteria} == {4}


@pytest.mark.parametrize(
    ("epsilon", "delta", "share"), [(0.0, 0.0, 0.5), (1.0, 0.0, 0.7311), (5.0, 0.0, 0.9933), (1.0, 0.5, 0.8655)]
)
def test_a_promise_bounds_what_a_guess_can_know(epsilon: float, delta: float, share: float) -> None:
    assert certainty(Guarantee(epsilon, epsilon, delta, True, 1, (), (), "opendp")) == pytest.approx(share, abs=1e-4)


def test_nothing_stated_and_nothing_measured_is_not_compatible(bare_facts: AssessmentFacts) -> None:
    assert assess(bare_facts).conclusion is Conclusion.NOT_COMPATIBLE


def test_a_set_without_tables_cannot_be_assessed() -> None:
    with pytest.raises(AvatarGitOpsError, match="no table"):
        assess(AssessmentFacts("s", ()))
