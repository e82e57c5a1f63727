"""Tables above the memory of a run: anonymized from file to file, measured on a sample that is told, or refused."""

from __future__ import annotations

import csv
import errno
import hashlib
import io
import re
from collections.abc import Iterator

import pytest

from avatar_gitops.engine.large import sample
from avatar_gitops.engine.large.scratch import Shelf
from avatar_gitops.server import work_large
from avatar_gitops.server.limits import MEMORY
from tests.engine.hospital import hospital
from tests.server.api import documents, people
from tests.server.test_work_linked import content, hospital_set
from tests.server.workshop import Plain, Workshop, edited, with_document

ROWS = 6_000
FILE = "many.csv"


@pytest.fixture(scope="module")
def cramped() -> Iterator[None]:
    """One MiB for a run, so that 6,000 rows do not fit, and small samples."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(MEMORY, "1")
        patch.setattr(sample, "FEWEST", 1_000)
        patch.setattr(work_large, "FIGURE_ROWS", 500)
        yield


@pytest.fixture(scope="module")
def large_run(workshop: Workshop, cramped: None) -> dict[str, str]:
    """The jobs of a run of a large table, without its reports, by parameters name."""
    workshop.upload(FILE, people(ROWS))
    set_id = workshop.put_set(documents(file=FILE), "large-run")
    names = {"standard": workshop.launch(set_id, "standard")}
    for metrics in ("signal_metrics", "privacy_metrics"):
        names[metrics] = workshop.launch(set_id, metrics, [names["standard"]])
    workshop.work()
    for name in names.values():
        assert workshop.job(name)["exception"] == ""
    return names


def table(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode())))


def test_a_large_table_gives_the_files_of_any_table(workshop: Workshop, large_run: dict[str, str]) -> None:
    files = workshop.files(large_run["standard"])
    shuffled, unshuffled = (table(files[f"people.{name}-0.csv"]) for name in ("shuffled", "unshuffled"))
    assert len(shuffled) == ROWS + 1
    assert shuffled[0] == table(people(1))[0]
    assert sorted(shuffled) == sorted(unshuffled)
    assert shuffled != unshuffled
    for side in ("original", "avatars"):
        assert len(table(files[f"people.projections.{side}-0.csv"])) == ROWS + 1
    facts = workshop.json(large_run["standard"], "run_metadata.avatarize.json")["tables"]["people"]
    assert any("random batches" in warning for warning in facts["warnings"])
    assert "figures_metadata.json" in files


def test_metrics_of_a_large_table_tell_the_size_of_their_sample(workshop: Workshop, large_run: dict[str, str]) -> None:
    for what in ("privacy", "signal"):
        entry = workshop.json(large_run[f"{what}_metrics"], f"people_standalone.{what}.json")
        about = entry["metadata"]
        assert about["sample"] == {"rows": 1_000, "of": "1k-10k"}
        assert about["rows"] == "1k-10k"
    assert entry["hellinger_mean"] > 90
    privacy = workshop.json(large_run["privacy_metrics"], "people_standalone.privacy.json")
    notes = privacy["metadata"]["notes"]
    assert notes["hidden_rate"] == "Of 1,000 random people, each looked for among all rows."
    assert notes["row_direct_match_protection"].endswith("this reads safer than it is.")
    assert notes["linkability_protection_rate"].endswith("this reads less safe than it is.")
    assert "rare there" in notes["rare_modalities_rate"]
    assert "hellinger_mean" not in notes
    assert privacy["metadata"]["population"]["hidden_rate"] == 1_000


def test_people_of_a_sample_are_looked_for_among_all_rows(
    workshop: Workshop, large_run: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The figures of the sample are estimates of those of the table, not of a smaller table."""
    sampled = workshop.json(large_run["privacy_metrics"], "people_standalone.privacy.json")
    files = workshop.files(large_run["standard"])
    workshop.upload("many-avatars.csv", files["people.unshuffled-0.csv"])
    monkeypatch.delenv(MEMORY)

    def supplied(specs: dict[str, Plain]) -> None:
        specs["schema_avatarized"]["tables"][0]["avatars_data"] = {"file": "many-avatars.csv"}

    job = workshop.run(edited(supplied, file=FILE), "privacy_metrics")
    whole = workshop.json(job["name"], "people_standalone.privacy.json")
    assert "sample" not in whole["metadata"]
    for name in ("hidden_rate", "local_cloaking", "closest_distances_ratio"):
        low, high = sampled["metadata"]["intervals"][name]
        assert low <= whole[name] <= high, name
    # of these people; among a sixth of the rows it would be half as far again
    assert sampled["distance_to_closest"] == pytest.approx(whole["distance_to_closest"], rel=0.15)


def test_advice_on_a_large_table_tells_its_sample(workshop: Workshop, large_run: dict[str, str]) -> None:
    spec = {"schema": "schema", "advice": {"advisor_type": ["parameters"]}}
    job = workshop.run(with_document("AvatarAdviceParameters", "advice", spec, documents(file=FILE)), "advice")
    assert job["exception"] == ""
    [said] = workshop.json(job["name"], "people.advice.json")
    assert said["advice"]["reasons"]["sample"] == "The table is large: all figures are of 1,000 random rows."


def test_the_same_set_gives_the_same_bytes(workshop: Workshop, large_run: dict[str, str]) -> None:
    again = workshop.run(documents(file=FILE))["name"]
    one, two = (workshop.files(name)["people.shuffled-0.csv"] for name in (large_run["standard"], again))
    assert one == two


def test_excluded_columns_keep_the_row_of_their_person(workshop: Workshop, large_run: dict[str, str]) -> None:
    record: Plain = {"k": 5, "exclude_variables": {"variable_names": ["age"], "replacement_strategy": "row_order"}}
    job = workshop.run(documents(file=FILE, avatarization={"people": record}))
    assert job["exception"] == ""
    files = workshop.files(job["name"])
    at = table(people(1))[0].index("age")
    before, after = table(people(ROWS)), table(files["people.unshuffled-0.csv"])
    assert [row[at] for row in after] == [row[at] for row in before]
    assert sorted(table(files["people.shuffled-0.csv"])) == sorted(after)
    facts = workshop.json(job["name"], "run_metadata.avatarize.json")["tables"]["people"]
    assert any("row_order" in reason for reason in facts["sensitive"])


def test_pseudonyms_of_a_large_table_are_those_of_any_table(workshop: Workshop, large_run: dict[str, str]) -> None:
    header, *rows = people(ROWS).decode().splitlines()
    lines = [f"{header},card,clerk", *(f"{row},card-{at},clerk-{at % 9}" for at, row in enumerate(rows))]
    workshop.upload("cards.csv", ("\n".join(lines) + "\n").encode())
    columns = [
        {"field": "card", "pseudonymization": {"kind": "SPECIFIC_ID", "pattern": "AB-####"}, "primary_key": True},
        {"field": "clerk", "pseudonymization": {"kind": "HASH_SHA256"}},
    ]
    job = workshop.run(edited(lambda specs: specs["schema"]["tables"][0].update(columns=columns), file="cards.csv"))
    assert job["exception"] == ""
    files = workshop.files(job["name"])
    head, *avatars = table(files["people.unshuffled-0.csv"])
    card, clerk = head.index("card"), head.index("clerk")
    assert len({row[card] for row in avatars}) == ROWS
    assert all(re.fullmatch(r"AB-\d{4}", row[card]) for row in avatars)
    expected = [hashlib.sha256(f"clerk-{at % 9}".encode()).hexdigest() for at in range(ROWS)]
    assert [row[clerk] for row in avatars] == expected
    assert sorted(table(files["people.shuffled-0.csv"])) == sorted([head, *avatars])
    facts = workshop.json(job["name"], "run_metadata.avatarize.json")["tables"]["people"]
    assert any("random batches" in warning for warning in facts["warnings"])


NOT_AT_ONCE = "The table does not fit into the memory of a run, and all its rows are needed at once for"


@pytest.mark.parametrize(
    ("record", "what"),
    [
        ({"data_augmentation": {"augmentation_strategy": 2}}, "data augmentation"),
        ({"holdout_share": 0.2}, "holdout_share"),
        (
            {"exclude_variables": {"variable_names": ["age"], "replacement_strategy": "coordinate_similarity"}},
            "excluded variables that come from similar rows (coordinate_similarity)",
        ),
    ],
)
def test_what_needs_all_rows_is_refused_with_the_way_out(
    workshop: Workshop, large_run: dict[str, str], record: Plain, what: str
) -> None:
    error = workshop.error(documents(file=FILE, avatarization={"people": {"k": 5, **record}}))
    assert f"{NOT_AT_ONCE} {what}." in error
    assert "fewer rows" in error or "holdout file" in error


def test_private_releases_and_links_are_refused_before_anything_runs(
    workshop: Workshop, large_run: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    private: Plain = {"avatarization": None, "avatarization_open_dp": {"people": {"epsilon": 5}}}
    assert f"Table 'people': {NOT_AT_ONCE} a private release" in workshop.error(documents(file=FILE, **private))
    for linked in hospital():
        workshop.upload(f"{linked.name}.csv", content(linked.rows))
    monkeypatch.setattr("avatar_gitops.engine.batches._FIXED_BYTES", (1 << 16, 0, 0))
    assert f"{NOT_AT_ONCE} links between tables." in workshop.error(hospital_set())


def test_a_full_disk_is_told_and_leaves_nothing(
    workshop: Workshop, large_run: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Shelf, "append", full)
    assert "no space is left on this platform" in workshop.error(documents(file=FILE))


def test_avatars_of_another_number_are_not_sampled_beside(workshop: Workshop, large_run: dict[str, str]) -> None:
    workshop.upload("fewer.csv", people(ROWS - 1, 3))

    def change(specs: dict[str, Plain]) -> None:
        specs["schema_avatarized"]["tables"][0]["avatars_data"] = {"file": "fewer.csv"}

    error = workshop.error(edited(change, file=FILE), "privacy_metrics")
    assert "different numbers of rows" in error
