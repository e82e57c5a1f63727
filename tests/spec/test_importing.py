"""The platform's documents to a spec and back: same documents, positions, notes for what a spec cannot say."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from avatar_gitops.client.compile import to_yaml
from avatar_gitops.plan.desired import DesiredSet, TableInput, desire, input_name
from avatar_gitops.spec.importing import Imported, from_platform
from avatar_gitops.spec.models import AvatarRun
from avatar_gitops.spec.nodes import read
from avatar_gitops.spec.schema import schema
from tests.support.from_schema import from_schema

Plain = dict[str, Any]
METHODS = ("k", "open_dp", "fast_dp")

WEB = """\
kind: AvatarSchema
metadata: {name: schema}
spec:
  tables:
    - name: iris
      data: {volume: input, file: iris.csv}
      links: [{field: id, to: {table: other, field: id}}]
---
kind: AvatarSchema
metadata: {name: schema_avatarized}
spec:
  tables: [{name: iris, avatars_data: {auto: true}}]
  schema_ref: schema
---
kind: AvatarParameters
metadata: {name: standard}
spec:
  schema: schema
  avatarization:
    iris:
      k: 30
      column_weights: {variety: 3}
      exclude_variables: {variable_names: [variety], replacement_strategy: null}
      imputation: {method: mean, k: null, training_fraction: null}
      wings: 2
  results: {volume: output, path: standard}
---
kind: AvatarPrivacyMetricsParameters
metadata: {name: privacy_metrics}
spec:
  schema: schema_avatarized
  avatarization_ref: standard
  privacy_metrics:
    iris: {imputation: {method: mean}, target: variety}
  results: {volume: output, path: privacy_metrics, format: parquet}
---
kind: AvatarDatabase
metadata: {name: warehouse}
spec: {connection: x}
"""


def wish(plain: Plain) -> DesiredSet:
    run = AvatarRun.model_validate_json(json.dumps(plain))
    tables = plain["spec"]["tables"]
    roles = ("source", "avatars", "holdout")
    names = [input_name(name, role) for name, table in tables.items() for role in roles if table.get(role) is not None]
    inputs = [TableInput(name, "sha256:" + "ab" * 32, 10, (), "<100") for name in names]
    return desire(run, "configs/x.yaml", inputs)


def with_files(imported: Imported, original: Plain) -> Plain:
    """The imported spec with the sources that only the original knows."""
    for name, table in imported.data["spec"]["tables"].items():
        table |= {key: original["spec"]["tables"][name][key] for (of, key) in imported.files if of == name}
    return imported.data


def one_method(plain: Plain) -> Plain:
    """A run as the checks want it: a table has one method, or avatars that are given."""
    plain["metadata"]["name"] = plain["metadata"]["name"].strip(".") or "x"
    for table in plain["spec"]["tables"].values():
        method = table.get("avatarization")
        if method is None:
            continue
        chosen = [key for key in METHODS if method.get(key) is not None]
        for key in chosen[1:]:
            del method[key]
        if not chosen:
            method["k"] = 5
        if method.get("k") is None:
            method.pop("generation", None)
        if table.get("avatars") is not None:
            del table["avatarization"]
    return plain


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(plain=from_schema(schema("run"), schema("run")).map(one_method))
def test_what_a_spec_became_becomes_the_spec_again(plain: Plain) -> None:
    desired = wish(plain)
    documents = to_yaml(desired, {"avatar-gitops/project": "p"})
    imported = from_platform(documents, "documents.yaml")
    assert imported.findings == ()
    assert imported.name == desired.name
    again = wish(with_files(imported, plain))
    assert to_yaml(again, {"avatar-gitops/project": "p"}) == documents


def test_a_file_of_the_web_application_becomes_a_spec() -> None:
    imported = from_platform(WEB, "web.yaml")
    assert imported.ok and imported.name == ""
    assert imported.files == {("iris", "source"): "iris.csv"}
    assert (
        from_platform(b"\xef\xbb\xbf# from the web\n%YAML 1.2\n---\n" + WEB.encode(), "web.yaml").data == imported.data
    )
    assert imported.data["spec"] == {
        "tables": {
            "iris": {
                "avatarization": {
                    "k": 30,
                    "column_weights": {"variety": 3},
                    "exclude_variables": {"replacement_strategy": "row_order", "variable_names": ["variety"]},
                    "imputation": {"method": "mean"},
                    "wings": 2,
                },
                "privacy_metrics": {"target": "variety"},
                "links": [{"field": "id", "to": {"field": "id", "table": "other"}}],
            }
        },
        "results": {"format": "parquet"},
        "jobs": ["standard", "privacy_metrics"],
    }


def test_what_a_spec_cannot_say_is_noted_where_it_stands() -> None:
    notes = [(note.span.line, note.message) for note in from_platform(WEB, "web.yaml").notes]
    assert notes == [
        (
            23,
            "`spec.avatarization.iris.exclude_variables` of AvatarParameters `standard` names no replacement_strategy;"
            " the platform's default is row_order",
        ),
        (
            34,
            "privacy_metrics of table `iris` says nothing about column_weights, exclude_variables;"
            " in a spec it follows `avatarization`",
        ),
        (37, "documents of the kind AvatarDatabase cannot be said in a spec"),
    ]


def test_each_value_has_the_place_where_it_was_read() -> None:
    imported = from_platform(WEB, "web.yaml")
    at = ("spec", "tables", "iris", "avatarization", "k")
    assert (imported.locate(at).line, imported.locate(at).column) == (21, 10)
    assert imported.locate_key(at).column == 7
    assert imported.locate(("spec", "tables", "iris", "privacy_metrics", "target")).line == 34
    assert imported.locate(("spec", "tables", "iris", "source")).line == 6
    assert imported.locate(("metadata", "owner")).line == 1


def test_clients_leave_out_documents_of_jobs_that_run_all_the_same() -> None:
    everything = ("standard", "privacy_metrics", "signal_metrics", "report", "report_pia", "advice_parameters")
    assert "jobs" not in from_platform(WEB, "web.yaml", jobs=everything).data["spec"]


def test_a_name_may_be_given_and_a_name_that_cannot_be_used_is_noted() -> None:
    text = "kind: AvatarMetadata\nmetadata: {name: m}\nspec: {display_name: 'a b'}\n---\n" + WEB
    imported = from_platform(text, "web.yaml")
    assert imported.name == "" and "cannot be the name of a set" in imported.notes[0].message
    assert from_platform(text, "web.yaml", name="iris").data["metadata"] == {"name": "iris"}


def test_metrics_of_given_avatars_keep_their_settings() -> None:
    text = WEB.replace("avatars_data: {auto: true}", "avatars_data: {volume: input, file: a.csv}")
    imported = from_platform(text, "web.yaml")
    assert imported.files[("iris", "avatars")] == "a.csv"
    assert imported.data["spec"]["tables"]["iris"] == {
        "links": [{"field": "id", "to": {"table": "other", "field": "id"}}],
        "privacy_metrics": {"imputation": {"method": "mean"}, "target": "variety"},
    }
    assert any("never ran" in note.message for note in imported.notes)


def test_documents_that_contradict_each_other_are_noted() -> None:
    text = WEB.replace("path: standard}", "path: standard, format: csv}")
    imported = from_platform(text, "web.yaml")
    assert imported.data["spec"]["results"] == {"format": "csv"}
    assert any("says something else" in note.message and note.span.line == 35 for note in imported.notes)


def test_hostile_and_foreign_files_are_refused_with_a_place() -> None:
    bomb = "a: &a [1]\n" + "".join(
        f"b{n}: &b{n} [{', '.join(['*a' if n == 0 else f'*b{n - 1}'] * 9)}]\n" for n in range(9)
    )
    many = "---\n{kind: A, metadata: {name: a}, spec: {}}\n" * 200
    for text, code, line in (
        (bomb, "Y006", 1),
        (many, "Y006", 201),
        (b"\xff\xfe", "Y009", 1),
        (" " * (1 << 20) + "x", "Y008", 1),
        (WEB + "---\na: !!python/object:os.system x\n", "Y013", 41),
        (WEB + "---\na: [\n", "Y001", 41),
        ("a: 1\n", "S009", 1),
        ("", "S001", 1),
        ("[[[" * 50, "Y007", 1),
    ):
        imported = from_platform(text, "x.yaml")
        assert not imported.ok
        assert code in {finding.code for finding in imported.findings}, text[:40]
        assert any(finding.span.line >= line for finding in imported.findings)


def test_values_of_another_form_are_noted_not_dropped() -> None:
    text = WEB.replace("    iris: {imputation: {method: mean}, target: variety}", "    - iris")
    assert any("should be a mapping" in note.message for note in from_platform(text, "web.yaml").notes)
    text = WEB.replace("tables: [{name: iris, avatars_data: {auto: true}}]", "tables: {name: iris}")
    assert any("should be a list" in note.message for note in from_platform(text, "web.yaml").notes)


def test_numbers_that_are_names_stay_as_they_are_written() -> None:
    text = WEB.replace("links: [{field: id, to: {table: other, field: id}}]", "columns: [{field: 2.0, type: int}]")
    assert from_platform(text, "web.yaml").data["spec"]["tables"]["iris"]["columns"] == {"2.0": {"type": "int"}}


ODD = """\
{kind: AvatarMetadata, metadata: {name: m}, spec: {pia_metadata: {data_type: health, datasubject: unknown}},
 annotations: {client_type: python, avatar-gitops/set: x, team: blue}}
---
{kind: AvatarVolume, metadata: {name: input}, spec: {url: "s3://b/p"}}
---
{kind: AvatarAdviceParameters, metadata: {name: advice}, spec: {schema: schema}}
---
kind: AvatarSchema
metadata: {name: schema}
spec:
  tables:
    - {name: a, individual_level: true, columns: [{type: int}, {field: x, type: int}, {field: x, drop: true}]}
    - {name: a}
    - {individual_level: false}
    - {name: b, individual_level: false, columns: [{field: y, drop: false}]}
---
kind: AvatarParameters
metadata: {name: standard}
spec:
  schema: schema
  compute_figures: false
  avatarization:
    a: {k: 5, exclude_variables: {variable_names: []}, data_augmentation: {augmentation_strategy: 2,
        should_anonymize_original_table: true}}
    c: {k: 5}
  avatarization_open_dp: {a: {epsilon: 1}, b: {epsilon: 2, ncp: 3}}
---
kind: AvatarSignalMetricsParameters
metadata: {name: signal_metrics}
spec: {schema: schema_avatarized, signal_metrics: {c: {ncp: 2}, a: {exclude_variables: {}}}}
---
{kind: AvatarReportParameters, metadata: {name: report}, spec: {report_type: odd}}
---
{kind: AvatarReportParameters, metadata: {name: report_pia}, spec: {report_type: pia, output_format: pdf}}
"""


def test_odd_documents_say_what_of_them_was_left_out() -> None:
    imported = from_platform(ODD, "odd.yaml")
    assert imported.ok
    assert imported.data["spec"] == {
        "tables": {
            "a": {
                "columns": {"x": {"type": "int"}},
                "avatarization": {"k": 5, "data_augmentation": {"augmentation_strategy": 2}},
            },
            "b": {"individual_level": False, "avatarization": {"open_dp": {"epsilon": 2}, "ncp": 3}},
        },
        "pia": {"data_type": "health"},
        "results": {"compute_figures": False},
    }
    said = "\n".join(note.message for note in imported.notes)
    for part in (
        "`annotations.team` of AvatarMetadata",
        "names no column",
        "column `x` is described twice",
        "table `a` is described twice",
        "has no name",
        "`spec.avatarization.c` of AvatarParameters `standard` is about a table that the schema does not have",
        "second method for table `a`",
        "`spec.signal_metrics.c` of AvatarSignalMetricsParameters `signal_metrics` is about a table",
        "kind of report that is not known",
        "always DOCX",
    ):
        assert part in said, part


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(0, 9) | st.sampled_from(["", "a", "iris", "pia"]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["name", "iris", "k"]), inner, max_size=2)
    ),
    max_leaves=4,
)


PARTS = [
    document.data for part in (WEB + "---\n" + ODD).split("\n---\n") if (document := read(part, "")[0]) is not None
]


@settings(max_examples=60, deadline=None)
@given(choice=st.data())
def test_no_document_of_any_form_ends_in_an_error_of_ours(choice: st.DataObject) -> None:
    plain = copy.deepcopy(PARTS)
    for _ in range(choice.draw(st.integers(1, 3))):
        place: Any = choice.draw(st.sampled_from(plain))["spec"]
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not keys:
                break
            key = choice.draw(st.sampled_from(keys))
            if not isinstance(place[key], dict | list) or choice.draw(st.booleans()):
                place[key] = choice.draw(JUNK)
                break
            place = place[key]
    text = "\n---\n".join(json.dumps(document) for document in plain)
    imported = from_platform(text, "junk.yaml")
    assert imported.ok is bool(imported.data.get("spec", {}).get("tables"))


def test_series_are_imported_with_the_older_name_of_their_projection() -> None:
    text = WEB.replace(
        "  results: {volume: output, path: standard}\n",
        """\
  time_series:
    iris: {projection: {type: flatten, nf: null}, alignment: {nb_points: 9, method: specified}, unalignment: skip}
    other: {projection: {nf: 3}}
""",
        1,
    )
    imported = from_platform(text, "web.yaml")
    assert imported.data["spec"]["tables"]["iris"]["time_series"] == {
        "projection": {"projection_type": "flatten"},
        "alignment": {"nb_points": 9, "method": "specified"},
        "unalignment": "skip",
    }
    assert [note.message for note in imported.notes if "time_series" in note.message]
