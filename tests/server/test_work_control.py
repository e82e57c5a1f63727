"""Metrics jobs with people who were not anonymized: an uploaded holdout, a shadow run, and neither."""

from __future__ import annotations

import pytest

from tests.server.api import people
from tests.server.workshop import Plain, Workshop, edited, with_document

PRIVACY = "people_standalone.privacy.json"
SIGNAL = "people_standalone.signal.json"
SETTINGS: Plain = {"known_variables": ["age", "sector"], "target": "smoker"}


@pytest.fixture(scope="module")
def aligned(workshop: Workshop, default_run: dict[str, str]) -> None:
    """The row-aligned avatars of the default run as `avatars.csv`, and other people as `others.csv`."""
    workshop.upload("avatars.csv", workshop.files(default_run["standard"])["people.unshuffled-0.csv"])
    workshop.upload("others.csv", people(120, seed=5))
    workshop.upload("strangers.csv", b"age,height\n" + b"30,170\n" * 40)


def measuring(record: Plain, holdout: str | None = None, what: str = "Privacy", *, made_here: bool = True) -> str:
    """A set that measures, with a holdout if one is named; `made_here` = it says how avatars are made."""

    def change(specs: dict[str, Plain]) -> None:
        specs["schema_avatarized"]["tables"][0]["avatars_data"] = {"file": "avatars.csv"}
        if holdout is not None:
            specs["schema"]["tables"][0]["holdout_data"] = {"file": holdout}
        if not made_here:
            specs["standard"]["avatarization"] = {}

    records = {f"{what.lower()}_metrics": {"people": record}}
    spec = {"schema": "schema_avatarized", "seed": 11, "avatarization_ref": "standard", **records}
    return with_document(f"Avatar{what}MetricsParameters", "mine", spec, edited(change))


def entry(workshop: Workshop, text: str, file: str = PRIVACY) -> Plain:
    job = workshop.run(text, "mine")
    assert job["exception"] == ""
    found: Plain = workshop.json(job["name"], file)
    return found


def test_a_holdout_is_attacked_and_membership_has_a_target(workshop: Workshop, aligned: None) -> None:
    found = entry(workshop, measuring(SETTINGS, "others.csv"))
    for name in ("membership_auc", "membership_tpr_at_1_fpr", "linkability_risk", "inference_risk"):
        low, high = found["metadata"]["intervals"][name]
        assert low <= found[name] <= high
        assert name not in found["metadata"]["notes"] or "Guessing" in found["metadata"]["notes"][name]
    assert found["targets"]["membership_auc"] == "<= 0.55"
    assert found["metadata"]["population"]["membership_auc"] == 240


def test_a_shadow_run_stands_in_for_a_holdout(workshop: Workshop, aligned: None) -> None:
    found = entry(workshop, measuring({**SETTINGS, "shadow_run": True}))
    assert 0.3 < found["membership_auc"] < 1
    assert found["metadata"]["notes"]["membership_auc"].startswith("Shadow run")
    with_others = entry(workshop, measuring({**SETTINGS, "shadow_run": True}, "others.csv"))
    assert "membership_auc" not in with_others["metadata"]["notes"]


def test_without_either_membership_is_not_measured(workshop: Workshop, default_run: dict[str, str]) -> None:
    found = workshop.json(default_run["privacy_metrics"], PRIVACY)
    assert found["membership_auc"] is None
    assert found["metadata"]["notes"]["membership_auc"] == "Not measured: no holdout, no shadow run."
    assert found["dominated_avatars_rate"] is not None


def test_avatars_from_elsewhere_cannot_be_made_again(workshop: Workshop, aligned: None) -> None:
    text = measuring({"shadow_run": True}, made_here=False)
    assert workshop.error(text, "mine").startswith("Table 'people': a shadow run makes the avatars again")


def test_a_holdout_that_does_not_fit_is_told_in_words(workshop: Workshop, aligned: None) -> None:
    assert "The holdout does not have the column" in workshop.error(measuring({}, "strangers.csv"), "mine")
    missing = workshop.error(measuring({}, "nobody.csv"), "mine")
    assert missing == "Table 'people': the file 'nobody.csv' was not uploaded. Upload it and run again."


def test_a_model_is_judged_where_a_target_is_named(workshop: Workshop, aligned: None) -> None:
    found = entry(workshop, measuring({"target": "weight"}, what="Signal"), SIGNAL)
    assert found["utility_originals"] > 30
    assert found["utility_loss"] == pytest.approx(found["utility_originals"] - found["utility_avatars"])
    assert "'nowhere'" in workshop.error(measuring({"target": "nowhere"}, what="Signal"), "mine")


def test_rows_kept_apart_are_not_anonymized_and_are_the_control(workshop: Workshop, aligned: None) -> None:
    def change(specs: dict[str, Plain]) -> None:
        specs["standard"]["avatarization"]["people"]["holdout_share"] = 0.25

    spec = {"schema": "schema_avatarized", "avatarization_ref": "standard", "privacy_metrics": {"people": SETTINGS}}
    text = with_document("AvatarPrivacyMetricsParameters", "mine", {**spec, "seed": 11}, edited(change))
    made = workshop.put_set(text)
    standard = workshop.launch(made, "standard")
    privacy = workshop.launch(made, "mine", [standard])
    workshop.work()
    assert len(workshop.files(standard)["people.shuffled-0.csv"].splitlines()) == 1 + 90
    found = workshop.json(privacy, PRIVACY)
    assert found["metadata"]["population"]["membership_auc"] == 90 + 30
    assert found["metadata"]["population"]["hidden_rate"] == 90


def test_a_share_that_leaves_too_few_rows_is_refused(workshop: Workshop, aligned: None) -> None:
    def change(specs: dict[str, Plain]) -> None:
        specs["standard"]["avatarization"]["people"]["holdout_share"] = 0.1

    assert "holdout_share leaves fewer than 20 rows on one side" in workshop.error(edited(change))


@pytest.mark.parametrize("method", ["avatarization_open_dp", "avatarization_fast_dp"])
def test_a_share_does_not_go_with_differential_privacy(workshop: Workshop, aligned: None, method: str) -> None:
    def change(specs: dict[str, Plain]) -> None:
        del specs["standard"]["avatarization"]
        specs["standard"][method] = {"people": {"epsilon": 3.0, "holdout_share": 0.2}}

    assert "holdout_share goes with k, not with differential privacy" in workshop.error(edited(change))
