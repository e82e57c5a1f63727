"""Sets of documents: stored word for word, refused when they cannot work, never dangerous to read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from avatar_gitops.server.faults import ApiFault
from avatar_gitops.server.sets import SetDocuments, read_set
from avatar_gitops.server.yaml_reading import MAXIMUM_BYTES, read_documents
from tests.server.api import Api, documents, join

COMMENTED = """\
kind: AvatarSchema  # a comment
metadata: {name: schema}
spec:
  tables:
  - name: wbcd
    data: {volume: input, file: wbcd.csv}
    columns:
    - field: '2'
      pseudonymization: {kind: FAKER, pii_type: EMAIL, consistent: true, high_variability: false}

---
kind: SomethingNewer
metadata: {name: kept}
spec: {}
"""


def test_documents_come_back_byte_for_byte(admin: Api) -> None:
    set_id = admin.put_set(COMMENTED)
    response = admin.http.get(f"/resources/{set_id}")
    assert response.headers["content-type"].startswith("application/yaml")
    assert response.text == COMMENTED


def test_an_old_client_gets_no_key_that_it_cannot_read(admin: Api) -> None:
    set_id = admin.put_set(COMMENTED)
    text = admin.http.get(f"/resources/{set_id}", headers={"User-Agent": "avatar-python/1.22.0"}).text
    assert "high_variability" not in text
    assert read_documents(text.encode())[0]["spec"]["tables"][0]["columns"][0]["pseudonymization"] == {
        "kind": "FAKER",
        "pii_type": "EMAIL",
        "consistent": True,
    }


def test_every_put_makes_a_new_set_and_sets_are_private(admin: Api, other: Api) -> None:
    first, second = admin.put_set(documents(), "twice"), admin.put_set(documents(), "twice")
    assert first != second
    assert other.http.get(f"/resources/{first}").status_code == 404
    assert other.http.post(f"/resources/{first}", content=documents()).status_code == 404
    body = {"set_name": first, "parameters_name": "standard"}
    assert other.http.post("/jobs", json=body).status_code == 404
    assert admin.http.get("/resources/not-a-uuid").status_code == 404


def test_documents_can_be_added_to_a_set(admin: Api) -> None:
    set_id = admin.put_set(documents())
    report = {"kind": "AvatarReportParameters", "metadata": {"name": "report"}, "spec": {"report_type": "basic"}}
    added = admin.http.post(f"/resources/{set_id}", content=join([report]))
    assert added.json() == {"set_name": set_id, "display_name": "x"}
    kinds = [item["kind"] for item in read_documents(admin.http.get(f"/resources/{set_id}").content)]
    assert kinds[-1] == "AvatarReportParameters"
    assert admin.http.post(f"/resources/{set_id}", content=join([report])).status_code == 422


@pytest.mark.parametrize("name", ["with space", "a%3Fb", "%2e%2e", "x" * 201, "caf%C3%A9"])
def test_names_that_cannot_be_paths_are_refused(admin: Api, name: str) -> None:
    response = admin.http.put(f"/resources/{name}", content=documents())
    assert response.status_code in {404, 422}


def schema(*tables: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"kind": "AvatarSchema", "metadata": {"name": "schema"}, "spec": {"tables": list(tables), **fields}}


def parameters(**spec: Any) -> dict[str, Any]:
    return {"kind": "AvatarParameters", "metadata": {"name": "standard"}, "spec": {"schema": "schema", **spec}}


@pytest.mark.parametrize(
    ("faulty", "says"),
    [
        ([], "no documents"),
        (["text"], "Document 1"),
        ([{"kind": "AvatarSchema", "spec": {}}], "metadata"),
        ([schema({"name": "t", "individual_level": False})], "does not have any individual_level table defined"),
        ([schema()], "does not have any individual_level table defined"),
        ([schema({"name": "a#b"})], "'a#b'"),
        ([schema({"name": "a%20b"})], "'a%20b'"),
        ([schema({"name": "x" * 201})], "at most 200 bytes"),
        ([schema({"name": "t"}, {"name": "t"})], "two tables called 't'"),
        ([schema({"name": "t"}, schema_ref="nowhere")], "'nowhere'"),
        ([schema({"name": "t"}), schema({"name": "t"})], "two documents 'schema'"),
        ([parameters(avatarization={"t": {"k": 5}})], "schema 'schema', which is not in the set"),
        ([schema({"name": "t"}), parameters(avatarization={"u": {"k": 5}})], "table 'u'"),
        ([schema({"name": "t"}), parameters(avatarization={"t": {"k": "many"}})], "spec.avatarization.t.k"),
        (
            [
                schema({"name": "t"}),
                parameters(avatarization={"t": {"k": 5}}, avatarization_open_dp={"t": {"epsilon": 1}}),
            ],
            "more than one method",
        ),
        ([{"kind": "AvatarDatabase", "metadata": {"name": "d"}, "spec": {}}], "AvatarDatabase"),
        (
            [{"kind": "AvatarVolume", "metadata": {"name": "input"}, "spec": {"url": "s3://someone-else/30d"}}],
            "outside your storage",
        ),
    ],
)
def test_structural_faults_are_refused_with_their_place(admin: Api, faulty: list[Any], says: str) -> None:
    response = admin.http.put("/resources/faulty", content=join(faulty))
    assert response.status_code == 422
    assert says in response.json()["detail"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: [", "not valid YAML: line 1"),
        ("a: 1\na: 2", "A key appears twice in one mapping: line 2"),
        ("a: &x [*x]", "nested too deeply or refers to itself"),
        ("a: !!python/object/apply:os.system ['true']", "only plain values"),
        ("a: !custom 1", "only plain values"),
        ("[" * 100 + "]" * 100, "nested too deeply"),
        ("? [a, b]\n: 1", "as a key"),
        (r'a: "\ud83d"', "half of a character: line 1"),
        (r'{"\ude00\ud83d": 1}', "half of a character: line 1"),
    ],
)
def test_only_plain_yaml_is_read(text: str, says: str) -> None:
    with pytest.raises(ApiFault) as fault:
        read_documents(text.encode())
    assert fault.value.status == 422
    assert says in str(fault.value.detail)


def test_aliases_cannot_expand_without_end() -> None:
    lines = [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]" for level in range(1, 9)]
    with pytest.raises(ApiFault, match="expands to more than"):
        read_documents("\n".join(["a0: &a0 [x]", *lines]).encode())


def test_no_value_of_the_data_is_repeated_in_a_refusal() -> None:
    augmentation = {"augmentation_strategy": {"a-modality": "not a number"}, "target_column": "c"}
    faulty = [schema({"name": "t"}), parameters(avatarization={"t": {"k": 5, "data_augmentation": augmentation}})]
    with pytest.raises(ApiFault) as fault:
        read_set(join(faulty), bucket="b")
    assert "augmentation_strategy" in str(fault.value.detail)
    assert "a-modality" not in str(fault.value.detail)
    assert "not a number" not in str(fault.value.detail)


def test_a_large_body_is_refused_before_it_is_parsed(admin: Api) -> None:
    response = admin.http.put("/resources/large", content=b"a: " + b"x" * MAXIMUM_BYTES)
    assert response.status_code == 413


def test_names_and_keys_stay_text() -> None:
    [found] = read_documents(b"field: 2\ncolumn_weights: {1e3: 2, on: 1.5, ~: 1}\nknown_variables: [1, 2.50]\nk: 20\n")
    assert found == {
        "field": "2",
        "column_weights": {"1e3": 2, "on": 1.5, "~": 1},
        "known_variables": ["1", "2.50"],
        "k": 20,
    }


def test_json_with_escaped_characters_is_read_as_json() -> None:
    plain = {"😀": ["é", "a😀b", {"name": "𝄞"}], "field": "😀"}
    escaped = json.dumps(plain, ensure_ascii=True)
    assert escaped.isascii()
    assert read_documents(escaped.encode()) == [plain]


def test_aliases_and_merge_keys_mean_what_they_say() -> None:
    [found] = read_documents(b"base: &b {k: 5, ncp: 2}\nother: {<<: *b, k: 7}\nsame: *b\n")
    assert found == {"base": {"k": 5, "ncp": 2}, "other": {"k": 7, "ncp": 2}, "same": {"k": 5, "ncp": 2}}


def test_documents_that_clients_leave_out_are_made_up() -> None:
    found = read_set(documents(), bucket="b")
    metrics, pia = found.parameters("privacy_metrics"), found.parameters("report_pia")
    assert metrics is not None and pia is not None
    assert metrics.spec == {"schema": "schema_avatarized", "avatarization_ref": "standard", "seed": 11}
    assert pia.spec == {"report_type": "pia", "output_format": "docx"}
    assert found.parameters("anything") is None


def test_unknown_risk_is_the_strictest() -> None:
    assert SetDocuments(()).pia().datarecipient == "unknown"
    metadata = {"kind": "AvatarMetadata", "metadata": {"name": "m"}, "spec": {"pia_metadata": {"data_type": "health"}}}
    assert read_set(json.dumps(metadata), bucket="b").pia().data_type == "health"
