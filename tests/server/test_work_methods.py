"""What can be asked of one table, from the documents of a set to the files of its jobs."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

import pytest

from tests.server.api import documents, people
from tests.server.workshop import Plain, Workshop, edited, with_document

ROWS = 120
EXCLUDED = {"variable_names": ["sector", "smoker"], "replacement_strategy": "coordinate_similarity"}


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode())))


def made(workshop: Workshop, record: Plain) -> tuple[str, list[dict[str, str]], list[dict[str, str]], Any]:
    """Set, originals, unshuffled avatars and metadata of a run with that record."""
    set_id = workshop.put_set(documents(avatarization={"people": {"k": 5, **record}}, compute_figures=False))
    job = workshop.launch(set_id, "standard")
    workshop.work()
    assert workshop.job(job)["exception"] == ""
    metadata = workshop.json(job, "run_metadata.avatarize.json")
    return set_id, rows(people(ROWS)), rows(workshop.files(job)["people.unshuffled-0.csv"]), metadata


def test_excluded_columns_of_somebody_else_keep_their_distribution(workshop: Workshop) -> None:
    _, originals, avatars, metadata = made(workshop, {"exclude_variables": EXCLUDED})
    pairs = [sorted((row["sector"], row["smoker"]) for row in side) for side in (originals, avatars)]
    assert pairs[0] == pairs[1]
    assert metadata["tables"]["people"]["sensitive"] == []


def test_row_order_is_said_to_be_sensitive_wherever_it_is_read(workshop: Workshop) -> None:
    excluded = {**EXCLUDED, "replacement_strategy": "row_order"}
    _, originals, avatars, metadata = made(workshop, {"exclude_variables": excluded})
    assert [row["sector"] for row in originals] == [row["sector"] for row in avatars]
    assert re.search("row_order", metadata["tables"]["people"]["sensitive"][0])


@pytest.mark.parametrize("record", [{"use_categorical_reduction": True}, {"transform_skewed": True}])
def test_the_space_of_a_run_is_that_of_its_metrics(workshop: Workshop, record: Plain) -> None:
    set_id, originals, avatars, _ = made(workshop, record)
    assert len(avatars) == len(originals)
    job = workshop.launch(set_id, "signal_metrics")
    workshop.work()
    assert workshop.job(job)["exception"] == ""


@pytest.mark.parametrize(
    ("record", "exception"),
    [
        ({"exclude_variables": {"variable_names": ["age"]}}, "exclude_variables needs a replacement_strategy:"),
        (
            {"exclude_variables": {**EXCLUDED, "variable_names": ["nowhere"]}},
            "The excluded column 'nowhere' is not a column of the table.",
        ),
        (
            {"exclude_variables": {**EXCLUDED, "variable_names": ["age", "weight", "height", "sector", "smoker"]}},
            "The table has no column to model: all are dropped, keys, pseudonymized, excluded or empty.",
        ),
        ({"data_augmentation": {"augmentation_strategy": 0.5}}, "An augmentation factor is below 1"),
        ({"data_augmentation": {"augmentation_strategy": "majority"}}, "The augmentation strategy is neither a number"),
        ({"data_augmentation": {"augmentation_strategy": "minority"}}, "The augmentation raises classes but names no"),
        (
            {"data_augmentation": {"augmentation_strategy": "minority", "target_column": "age"}},
            "The target 'age' of the augmentation is not a modelled category.",
        ),
        (
            {"data_augmentation": {"augmentation_strategy": {"uphill": 2}, "target_column": "sector"}},
            "The augmentation names a class that column 'sector' does not have.",
        ),
        (
            {"data_augmentation": {"augmentation_strategy": 1, "should_anonymize_original_table": False}},
            "The augmentation keeps the originals and adds no avatar",
        ),
    ],
)
def test_what_cannot_be_done_is_told(workshop: Workshop, record: Plain, exception: str) -> None:
    assert workshop.error(documents(avatarization={"people": {"k": 5, **record}})).startswith(exception)


def columns(*said: Plain) -> str:
    return edited(lambda specs: specs["schema"]["tables"][0].update(columns=list(said)), compute_figures=False)


def test_every_kind_of_pseudonym_replaces_its_column(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AVATAR_PSEUDONYM_KEY_TESTS", "0123456789abcdef0123456789abcdef")
    kinds: list[Plain] = [
        {"kind": "SPECIFIC_ID", "pattern": "EMP-####"},
        {"kind": "UUID4"},
        {"kind": "FAKER", "pii_type": "EMAIL"},
        {"kind": "HASH_SHA256", "key": "env/AVATAR_PSEUDONYM_KEY_TESTS"},
    ]
    names = ["age", "weight", "height", "sector"]
    text = columns(*({"field": name, "pseudonymization": kind} for name, kind in zip(names, kinds, strict=True)))
    job = workshop.run(text)
    assert job["exception"] == ""
    forms = [r"EMP-\d{4}", r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f-]{17}[0-9a-f]{4}", r"[^@]+@[^@]+", r"[0-9a-f]{64}"]
    for row in rows(workshop.files(job["name"])["people.shuffled-0.csv"]):
        assert all(re.fullmatch(form, row[name]) for name, form in zip(names, forms, strict=True))


@pytest.mark.parametrize(
    ("said", "exception"),
    [
        ({"kind": "ROT13"}, "the kind of pseudonymization is not one of FAKER"),
        ({"kind": "FAKER", "pii_type": "IBAN"}, "pii_type of the pseudonymization is not one of EMAIL"),
        ({"kind": "CONSTANT"}, "value of the pseudonymization must be a text."),
        ({"kind": "HASH_SHA256", "key": "env/HOME"}, "the key of a hash must be named as env/AVATAR_PSEUDONYM_KEY_"),
        (
            {"kind": "HASH_SHA256", "key": "env/AVATAR_PSEUDONYM_KEY_NOWHERE"},
            "the platform has no variable AVATAR_PSEUDONYM_KEY_NOWHERE.",
        ),
    ],
)
def test_a_pseudonym_that_cannot_be_made_names_its_column(workshop: Workshop, said: Plain, exception: str) -> None:
    text = columns({"field": "sector", "pseudonymization": said})
    assert workshop.error(text).startswith(f"Table 'people', column 'sector': {exception}")


def test_metrics_leave_out_the_columns_that_they_are_told_to(workshop: Workshop) -> None:
    found = {}
    for name, record in (("all", {}), ("fewer", {"exclude_variables": {"variable_names": ["sector", "smoker"]}})):
        spec = {"schema": "schema_avatarized", "signal_metrics": {"people": record}}
        made_with = documents(avatarization={"people": {"k": 5, "exclude_variables": EXCLUDED}}, compute_figures=False)
        set_id = workshop.put_set(with_document("AvatarSignalMetricsParameters", "mine", spec, made_with))
        parent = workshop.launch(set_id, "standard")
        job = workshop.launch(set_id, "mine", [parent])
        workshop.work()
        assert workshop.job(job)["exception"] == ""
        found[name] = workshop.json(job, "people_standalone.signal.json")["total_variation_mean"]
    assert found["all"] is not None
    assert found["fewer"] is None


@pytest.mark.parametrize(
    ("strategy", "target", "size"), [(3, None, 3 * ROWS), (1.25, None, 150), ("not_majority", "smoker", None)]
)
def test_augmented_avatars_are_measured_one_by_one_and_by_their_means(
    workshop: Workshop, strategy: float | str, target: str | None, size: int | None
) -> None:
    record = {"data_augmentation": {"augmentation_strategy": strategy, "target_column": target}}
    set_id, _, avatars, metadata = made(workshop, record)
    assert size is None or len(avatars) == size
    assert any("mean" in warning for warning in metadata["tables"]["people"]["warnings"])
    privacy, signal = (workshop.launch(set_id, name) for name in ("privacy_metrics", "signal_metrics"))
    workshop.work()
    assert workshop.job(privacy)["exception"] == workshop.job(signal)["exception"] == ""
    urls = [url.rpartition("/")[2] for url in workshop.listing(privacy)["privacy_metrics"]]
    types = ["standalone", "barycentered", *(["class_balancing_barycenter"] if strategy != 3 else [])]
    assert urls == [f"people_{name}.privacy.json" for name in types]
    for name in types:
        entry = workshop.json(privacy, f"people_{name}.privacy.json")
        assert entry["metadata"]["computation_type"] == name
        assert entry["distance_to_closest"] is not None
        assert 0 <= entry["hidden_rate"] <= 100
    assert workshop.json(signal, "people_standalone.signal.json")["hellinger_mean"] > 0


def test_nobody_is_given_the_map_from_avatars_to_people(workshop: Workshop) -> None:
    text = documents(avatarization={"people": {"k": 5, "data_augmentation": {"augmentation_strategy": 2}}})
    job = workshop.run(text)
    assert job["exception"] == ""
    assert "origins" not in workshop.listing(job["name"])
    assert not any("origin" in header for header in rows(workshop.files(job["name"])["people.shuffled-0.csv"])[0])


def test_kept_originals_are_said_to_be_sensitive(workshop: Workshop) -> None:
    kept = {"augmentation_strategy": 2, "should_anonymize_original_table": False}
    _, originals, avatars, metadata = made(workshop, {"data_augmentation": kept})
    assert [(row["age"], row["sector"]) for row in avatars[:ROWS]] == [(row["age"], row["sector"]) for row in originals]
    assert metadata["tables"]["people"]["sensitive"] == ["The real rows are kept beside the avatars."]
