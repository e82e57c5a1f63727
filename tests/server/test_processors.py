"""Processors through the platform: documents in, avatars with the columns of the user out, metrics on those columns."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from avatar_gitops.server.processing import KINDS, read_processors
from tests.server.api import documents
from tests.server.workshop import Workshop, edited

Plain = dict[str, Any]
WHERE = "Table 'people', item 1 of avatarization_processors_parameters"


def visits(people: int = 30) -> bytes:
    """Visits of people, in no order, one after the other for each person."""
    random = np.random.default_rng(2)
    rows = []
    for person in range(people):
        day = int(random.integers(0, 200))
        for _ in range(int(random.integers(2, 6))):
            start = day + int(random.integers(1, 30))
            day = start + int(random.integers(1, 9))
            total = int(random.integers(10, 90))
            rows.append((person, start, day, total, total // 3, total - total // 3, int(random.integers(1, 4))))
    table = pd.DataFrame(rows, columns=["id", "start", "end", "total", "a", "b", "grade"])
    return table.sample(frac=1, random_state=1).to_csv(index=False).encode()


def read(content: bytes) -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(content))


def run(workshop: Workshop, processors: list[Plain]) -> tuple[Plain, dict[str, bytes]]:
    workshop.upload("visits.csv", visits())
    record = {"k": 5, "avatarization_processors_parameters": processors}
    set_id = workshop.put_set(
        documents("visits", "visits.csv", avatarization={"visits": record}, compute_figures=False)
    )
    standard = workshop.launch(set_id, "standard")
    measured = [workshop.launch(set_id, kind, [standard]) for kind in ("privacy_metrics", "signal_metrics")]
    workshop.work()
    for name in (standard, *measured):
        assert workshop.job(name)["exception"] == ""
    files = {key: content for name in (standard, *measured) for key, content in workshop.files(name).items()}
    return workshop.job(standard), files


def test_a_run_with_processors_of_both_sides(workshop: Workshop) -> None:
    _, files = run(
        workshop,
        [
            {"kind": "to_categorical", "to_categorical_threshold": 3},
            {"kind": "proportions", "variable_names": ["a", "b"], "reference": "total"},
            {"id_variable": "id", "target_start_variable": "start", "target_end_variable": "end"},
        ],
    )
    original, avatars = read(visits()), read(files["visits.shuffled-0.csv"])
    assert list(avatars.columns) == list(original.columns)
    assert avatars.dtypes.equals(original.dtypes)
    assert (avatars["a"] + avatars["b"] == avatars["total"]).all()
    assert set(avatars["grade"]) <= {1, 2, 3}
    ordered = avatars.sort_values(["id", "start", "end"])
    gaps = ordered["start"] - ordered.groupby("id")["end"].shift()
    assert (gaps.dropna() >= 0).all()
    assert sorted(avatars.groupby("id").size()) == sorted(original.groupby("id").size())


def test_metrics_see_what_a_processor_released(workshop: Workshop) -> None:
    """At level 0 the originals are released, and no metric may call that hidden."""
    levels = dict.fromkeys(["start", "end", "total", "a", "b", "grade", "id"], 0)
    _, files = run(workshop, [{"kind": "perturbation", "perturbation_level": levels}])
    assert b"privacy is weaker than k says" in files["run_metadata.avatarize.json"]
    (name,) = [name for name in files if name.startswith("visits_standalone.privacy")]
    assert json.loads(files[name])["hidden_rate"] == 0


def test_what_tells_people_apart_is_no_variable_of_the_metrics(workshop: Workshop) -> None:
    cumulated = {"kind": "inter_record_cumulated_difference", "id_variable": "id", "target_variable": "start"}
    _, files = run(workshop, [cumulated])
    original, avatars = read(visits()), read(files["visits.unshuffled-0.csv"])
    assert not original["id"].equals(avatars["id"])
    assert (original.groupby("id").ngroup().groupby(avatars["id"]).nunique() == 1).all()


@pytest.mark.parametrize(
    ("record", "exception"),
    [
        ({"target": "age"}, f"{WHERE}: references is missing."),
        ({"target": "age", "references": 3}, f"{WHERE}: references has a value of the wrong kind."),
        (
            {"references": ["age"]},
            f"{WHERE}: expected id_variable, target_start_variable and target_end_variable, or target and references.",
        ),
        ({"kind": "magic"}, f"{WHERE}: the kind of processor is not one of {', '.join(KINDS)}."),
        ({"kind": "perturbation", "perturbation_level": {"age": "half"}}, f"{WHERE}: perturbation_level has a value"),
        ({"target": "age", "references": ["nothing"]}, "A processor names 'nothing', which is not a column"),
        ({"kind": "group_modalities"}, "Grouping of modalities needs either variable_thresholds or both"),
    ],
)
def test_a_processor_that_cannot_be_run_is_refused(workshop: Workshop, record: Plain, exception: str) -> None:
    spec = documents(avatarization={"people": {"k": 5, "avatarization_processors_parameters": [record]}})
    assert workshop.error(spec).startswith(exception)


def test_keys_that_are_not_known_are_left_aside() -> None:
    said = {"target": "a", "references": ["b"], "scaling_unit": None, "new": 1}
    assert read_processors("t", [said]) == read_processors("t", [{"target": "a", "references": ["b"]}])


def test_metrics_of_avatars_from_elsewhere_need_no_processors(workshop: Workshop) -> None:
    text = edited(lambda specs: specs["schema_avatarized"]["tables"][0].update(avatars_data={"file": "people.csv"}))
    name = workshop.launch(workshop.put_set(text), "signal_metrics")
    workshop.work()
    assert workshop.job(name)["exception"] == ""
