"""The work of report jobs: what the documents of a set say about its tables, and which metrics they show."""

from __future__ import annotations

import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest

from avatar_gitops.app.facts import assessment_facts
from avatar_gitops.assessment import AssessmentFacts, TableFacts
from avatar_gitops.assessment.risk import Flag, assess
from avatar_gitops.client.compile import to_yaml
from avatar_gitops.errors import AvatarGitOpsError
from avatar_gitops.plan.desired import FieldPath, desire
from avatar_gitops.plan.outcome import MetricBlock, RunResult
from avatar_gitops.server.assignment import Assignment, EarlierFile
from avatar_gitops.server.faults import JobFault
from avatar_gitops.server.sets import parsed_set
from avatar_gitops.server.work_report import report_facts, run_report
from avatar_gitops.wire.documents import Document, Name
from avatar_gitops.wire.models import JobKind
from tests.client.compiled import desired
from tests.server import api
from tests.server.api import documents
from tests.server.workshop import Plain, Workshop, edited, open_workshop, with_document

BASIC: Plain = {"report_type": "basic", "output_format": "docx"}


def words(content: bytes) -> str:
    """The text of a Word document; cells and paragraphs end with a bar."""
    with zipfile.ZipFile(io.BytesIO(content)) as document:
        xml = document.read("word/document.xml").decode()
    text = re.sub(r"<[^>]*>", "", xml.replace("</w:p>", "|"))
    return text.replace("&lt;", "<").replace("&gt;", ">")


def entry(table: str = "people", scope: str = "standalone", rows: str = "100-1k", **values: Any) -> Plain:
    """One metrics entry as the metrics jobs write it."""
    targets = values.pop("targets", {})
    about = {"table_name": table, "computation_type": scope, "reference": None, "rows": rows, "columns": 5}
    return {**values, "targets": targets, "metadata": about}


def assigned(folder: Path, text: str, privacy: list[Plain], signal: list[Plain]) -> Assignment:
    """A report job on a set with these entries."""
    earlier: dict[str, tuple[EarlierFile, ...]] = {}
    for kind, entries in ((JobKind.PRIVACY_METRICS, privacy), (JobKind.SIGNAL_METRICS, signal)):
        files = []
        for number, content in enumerate(entries):
            path = folder / f"{kind}-{number}.json"
            path.write_text(json.dumps(content))
            files.append(EarlierFile(kind, path.name, path))
        earlier[kind] = tuple(files)
    return Assignment(
        name="job",
        kind=JobKind.REPORT,
        set_id="set",
        user_id="user",
        display_name="my-set",
        created_at="2026-11-21T10:00:00.000000+00:00",
        documents=parsed_set(text),
        parameters=Document(kind="AvatarReportParameters", metadata=Name(name="report"), spec=BASIC),
        files={},
        earlier=earlier,
    )


def facts(folder: Path, text: str) -> AssessmentFacts:
    """What a report says about a set with simple metrics."""
    return report_facts(assigned(folder, text, [entry(hidden_rate=93.0)], [entry(hellinger_mean=95.0)]), "en")


def people(folder: Path, text: str) -> TableFacts:
    """What it says about its only table."""
    (table,) = facts(folder, text).tables
    return table


def with_table(**fields: Any) -> str:
    return edited(lambda specs: specs["schema"]["tables"][0].update(fields))


def test_reports_are_the_only_files_of_their_jobs(workshop: Workshop, default_run: dict[str, str]) -> None:
    for name, file, start in (("report", "report.pdf", b"%PDF-"), ("report_pia", "report.pia.docx", b"PK")):
        ((found, content),) = workshop.files(default_run[name]).items()
        assert (found, content[: len(start)]) == (file, start)


@pytest.mark.parametrize("form", ["pdf", "docx"])
def test_a_column_whose_name_has_control_characters_is_reported(tmp_path: Path, form: str) -> None:
    """What no picture and no Word file can hold must not end the worker that makes them."""
    spec = {"report_type": "basic", "output_format": form}
    with open_workshop(tmp_path) as workshop:
        workshop.upload("people.csv", api.people(120).replace(b"weight", b"we\x1b[31might\x07", 1))
        names = workshop.run_all(with_document("AvatarReportParameters", "report", spec), "odd")
        assert {workshop.job(name)["exception"] for name in names.values()} == {""}


def test_a_report_needs_both_metrics(workshop: Workshop) -> None:
    expected = "A report needs the results of the privacy_metrics job; run it first."
    assert workshop.error(documents(), "report") == expected


def test_a_report_has_the_format_and_language_of_its_document(workshop: Workshop, default_run: dict[str, str]) -> None:
    spec = {**BASIC, "language": "fr"}
    set_id = workshop.put_set(with_document("AvatarReportParameters", "rapport", spec))
    parents = [default_run["privacy_metrics"], default_run["signal_metrics"]]
    name = workshop.launch(set_id, "rapport", parents)
    workshop.work()
    text = words(workshop.files(name)["report.docx"])
    assert "confidentialité" in text
    assert "sha256:0123abcd" in text


def test_what_was_measured_is_shown_in_natural_units(tmp_path: Path) -> None:
    privacy = entry(hidden_rate=93.0, targets={"hidden_rate": ">= 90"})
    signal = entry(hellinger_mean=95.0, targets={"hellinger_mean": ">91"})
    signal["metadata"]["intervals"] = {"hellinger_mean": [94.0, 96.0]}
    assignment = assigned(tmp_path, documents(), [privacy], [signal])
    (file,) = run_report(assignment, tmp_path)
    text = words((tmp_path / file.filename).read_bytes())
    assert "Technical anonymization report: my-set" in text
    assert "|Hidden rate|93.0%|unknown|≥ 90% (default)|" in text
    assert "|Mean Hellinger distance|0.050|0.040 – 0.060|< 0.09|" in text
    assert "|people|100-1k|5|yes|" in text
    assert "|Spec digest|sha256:0123abcd|" in text


def test_every_computation_type_of_a_table_is_told(tmp_path: Path) -> None:
    privacy = [entry(hidden_rate=91.25), entry(scope="to_top_enriched", hidden_rate=81.75)]
    signal = [entry(hellinger_mean=95.0), entry(scope="to_bottom_information_propagated", hellinger_mean=85.0)]
    (table,) = report_facts(assigned(tmp_path, documents(), privacy, signal), "en").tables
    assert {(metric.name, metric.scope): metric.value for metric in table.metrics} == {
        ("hidden_rate", "standalone"): 91.25,
        ("hidden_rate", "to_top_enriched"): 81.75,
        ("hellinger_mean", "standalone"): pytest.approx(0.05),
        ("hellinger_mean", "to_bottom_information_propagated"): pytest.approx(0.15),
    }


def test_a_table_with_utility_metrics_only_is_told(tmp_path: Path) -> None:
    assignment = assigned(tmp_path, documents(), [entry(hidden_rate=93.0)], [entry("visits", hellinger_mean=95.0)])
    told = report_facts(assignment, "en")
    assert [table.name for table in told.tables] == ["people", "visits"]
    assert (told.tables[1].method, told.tables[1].columns) == ("none", 5)


@pytest.mark.parametrize(
    ("rows", "shown"), [("<100", "<100"), ("1M-10M", ">1M"), (">10M", ">1M"), ("unknown", "unknown")]
)
def test_sizes_are_those_of_the_documents(tmp_path: Path, rows: str, shown: str) -> None:
    assignment = assigned(tmp_path, documents(), [entry(rows=rows)], [entry(rows=rows)])
    assert [table.rows for table in report_facts(assignment, "en").tables] == [shown]


@pytest.mark.parametrize(
    ("spec", "method", "parameters"),
    [
        ({}, "avatar", {"k": 5}),
        (
            {"avatarization": {"people": {"k": 5, "generation": "local_gaussian"}}},
            "avatar",
            {"k": 5, "generation": "local_gaussian"},
        ),
        (
            {"avatarization": None, "avatarization_open_dp": {"people": {"epsilon": 2}}},
            "open_dp",
            {"epsilon": 2},
        ),
        (
            {"avatarization": None, "avatarization_fast_dp": {"people": {"epsilon": 2, "mechanism": "gmm"}}},
            "fast_dp",
            {"epsilon": 2, "mechanism": "gmm"},
        ),
        ({"avatarization": {}}, "none", {}),
    ],
)
def test_the_method_is_that_of_the_documents(tmp_path: Path, spec: Plain, method: str, parameters: Plain) -> None:
    table = people(tmp_path, documents(**spec))
    assert (table.method, table.parameters) == (method, parameters)


def test_a_set_that_only_measures_has_no_method_and_no_seed(tmp_path: Path) -> None:
    parts = with_table(columns=[{"field": "height", "drop": True}]).split("\n---\n")
    told = facts(tmp_path, "\n---\n".join(part for part in parts if '"AvatarParameters"' not in part))
    assert (told.tables[0].method, told.tables[0].dropped) == ("none", ("height",))
    assert told.provenance.seed_recorded is False


def test_parameters_and_schemas_may_have_any_name(tmp_path: Path) -> None:
    text = with_table(columns=[{"field": "height", "drop": True}])
    text = text.replace('"name": "standard"', '"name": "mine"').replace('"schema"', '"registry"')
    text = text.replace('"registry": "registry"', '"schema": "registry"')
    table = people(tmp_path, text)
    assert (table.method, table.dropped) == ("avatar", ("height",))


@pytest.mark.parametrize(
    ("strategy", "shown"),
    [
        (None, "row_order"),
        ("row_order", "row_order"),
        ("coordinate_similarity", "coordinate_similarity"),
        ("a value of the data", "set"),
    ],
)
def test_excluded_columns_and_how_they_come_back_are_told(tmp_path: Path, strategy: str | None, shown: str) -> None:
    excluded = {"variable_names": ["sector"], "replacement_strategy": strategy}
    table = people(tmp_path, documents(avatarization={"people": {"k": 5, "exclude_variables": excluded}}))
    assert (table.excluded, table.replacement_strategy) == (("sector",), shown)
    assert table.row_order is (shown == "row_order")


def test_columns_treated_apart_are_told(tmp_path: Path) -> None:
    columns = [
        {"field": "height", "drop": True},
        {"field": "sector", "pseudonymization": {"kind": "UUID4"}},
        {"field": "smoker", "pseudonymization": {"kind": "a value of the data"}},
    ]
    table = people(tmp_path, with_table(columns=columns))
    assert table.dropped == ("height",)
    assert table.pseudonymized == {"sector": "UUID4", "smoker": "set"}


@pytest.mark.parametrize(("said", "told"), [(None, True), (True, True), (False, False)])
def test_a_table_of_events_is_no_table_of_people(tmp_path: Path, said: bool | None, told: bool) -> None:
    assert people(tmp_path, with_table(individual_level=said)).individual_level is told


def test_what_an_attacker_knows_is_told(tmp_path: Path) -> None:
    record = {"known_variables": ["age"], "target": "smoker"}
    spec = {"schema": "schema_avatarized", "privacy_metrics": {"people": record}}
    table = people(tmp_path, with_document("AvatarPrivacyMetricsParameters", "privacy_metrics", spec))
    assert (table.known_variables, table.inference_target) == (("age",), "smoker")


def test_where_a_run_comes_from_is_told(tmp_path: Path) -> None:
    made = facts(tmp_path, documents()).provenance
    assert (made.spec_digest, made.seed_recorded, made.job) == ("sha256:0123abcd", True, "job")
    assert made.date == "2026-11-21 10:00 UTC"
    assert facts(tmp_path, documents(seed=None)).provenance.seed_recorded is False


def test_the_documents_of_a_server_and_of_the_reconciler_state_the_same(tmp_path: Path) -> None:
    columns = {"email": {"tag": "identifier"}, "name": {"tag": "identifier", "drop": True}}
    table = {"source": "people.csv", "columns": columns, "avatarization": {"k": 5}}
    pia = {"purpose": 'The "heart" study: "2026"', "controller": "Hospital", "legal_basis": "Consent", "retention": "1"}
    spec = desired("heart", {"people": table}, pia={**pia, "data_recipient": "internal"}, seed=1)
    lines: dict[FieldPath, int] = {("spec", "pia", "purpose"): 31, ("spec", "tables", "people"): 7}
    owned = spec.run.metadata.model_copy(update={"owner": "data@example.org"})
    run = spec.run.model_copy(update={"metadata": owned})
    item = desire(run, spec.path, spec.inputs, lines)
    digests = {"avatar-gitops/spec-digest": item.digests.spec}
    theirs = facts(tmp_path, to_yaml(item, digests))
    values = {"hidden_rate": 93.0, "hellinger_mean": 0.05}
    block = MetricBlock("people", "privacy", "standalone", None, values, {}, {}, {})
    ours = assessment_facts(item, RunResult("id", {}, {}, (block,), (), "engine", "", "2026-11-21T10:00:00+00:00", 1))
    assert theirs.tables[0].direct_identifiers == ours.tables[0].direct_identifiers == ("email",)
    assert theirs.context == ours.context
    assert theirs.context.purpose == pia["purpose"]
    for name in ("spec_digest", "input_digests", "sources", "seed_recorded", "date"):
        assert getattr(theirs.provenance, name) == getattr(ours.provenance, name)
    levels = [[item.level for item in assess(told).tables[0].criteria] for told in (theirs, ours)]
    assert levels[0] == levels[1]
    assert all(Flag.DIRECT_IDENTIFIER in item.flags for item in assess(theirs).tables[0].criteria)


def test_a_set_without_a_statement_is_told_as_before(tmp_path: Path) -> None:
    told = facts(tmp_path, documents())
    assert (told.context.purpose, told.context.owner, told.tables[0].direct_identifiers) == (None, None, ())


def test_annotations_that_are_no_digests_are_not_shown(tmp_path: Path) -> None:
    text = documents().replace("sha256:0123abcd", "a value of the data")
    assert facts(tmp_path, text).provenance.spec_digest is None


def test_the_distance_of_each_column_is_that_of_the_table_alone(tmp_path: Path) -> None:
    alone, linked = entry(hellinger_mean=95.0), entry(scope="to_top_enriched", hellinger_mean=90.0)
    alone["metadata"]["column_hellinger"] = {"age": 0.04, "sector": 0.06, "height": None, "weight": 7}
    linked["metadata"]["column_hellinger"] = {"age": 0.5}
    (table,) = report_facts(assigned(tmp_path, documents(), [entry(hidden_rate=93.0)], [linked, alone]), "en").tables
    assert table.column_hellinger == {"age": 0.04, "sector": 0.06}
    assert people(tmp_path, documents()).column_hellinger == {}


def test_results_that_somebody_broke_are_refused_in_words(tmp_path: Path) -> None:
    broken = entry(hidden_rate=93.0, targets={"hidden_rate": "as high as can be"})
    with pytest.raises(AvatarGitOpsError, match="cannot be read"):
        report_facts(assigned(tmp_path, documents(), [broken], [entry()]), "en")


def test_a_report_without_utility_metrics_asks_for_them(tmp_path: Path) -> None:
    with pytest.raises(JobFault, match="signal_metrics job; run it first"):
        report_facts(assigned(tmp_path, documents(), [entry(hidden_rate=93.0)], []), "en")
