"""The life of a job over HTTP with the real engine: results, failures, dependencies, lists, deletion."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from typing import Any

import pytest

from tests.server.api import COLUMNS, Api, documents, join, people

NOT_OFFERED = "this version of the platform does not offer"


@pytest.fixture(scope="module")
def finished(admin: Api) -> tuple[str, dict[str, str]]:
    """A set whose five jobs have finished."""
    admin.upload("people.csv", people(120))
    set_id = admin.put_set(documents(), "finished")
    names = admin.launch_all(set_id)
    for name in names.values():
        job = admin.wait(name)
        assert (job["status"], job["exception"]) == ("finished", "")
    return set_id, names


def rows(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode())))


def test_a_job_says_everything_that_clients_require(admin: Api, finished: tuple[str, dict[str, str]]) -> None:
    set_id, names = finished
    job = admin.get(f"/jobs/{names['standard']}")
    created = job.pop("created_at")
    assert created.endswith("+00:00")
    assert job == {
        "name": names["standard"],
        "set_name": set_id,
        "parameters_name": "standard",
        "display_name": "finished",
        "kind": "standard",
        "status": "finished",
        "exception": "",
        "done": True,
        "progress": 1.0,
        "phase": "",
        "phase_done": 0,
        "phase_total": 0,
        "deleted_at": None,
    }


def test_avatars_have_the_shape_of_the_originals(admin: Api, finished: tuple[str, dict[str, str]]) -> None:
    files = admin.files(finished[1]["standard"])
    assert all(b"vegaEmbed" in page for name, page in files.items() if name.endswith(".html"))
    assert {name for name in files if not name.endswith(".html")} == {
        "figures_metadata.json",
        "people.shuffled-0.csv",
        "people.unshuffled-0.csv",
        "people.projections.original-0.csv",
        "people.projections.avatars-0.csv",
        "run_metadata.avatarize.json",
    }
    header, *shuffled = rows(files["people.shuffled-0.csv"])
    aligned = rows(files["people.unshuffled-0.csv"])[1:]
    assert tuple(header) == COLUMNS
    assert len(shuffled) == 120
    assert sorted(shuffled) == sorted(aligned)
    assert shuffled != aligned
    assert rows(files["people.projections.avatars-0.csv"])[0][0] == "Dim. 1"
    about = json.loads(files["run_metadata.avatarize.json"])
    assert about["created_at"] <= about["finished_at"]
    assert about["parameters"]["avatarization"] == {"people": {"k": 5}}


def test_metrics_are_scores_with_targets_on_the_same_scale(admin: Api, finished: tuple[str, dict[str, str]]) -> None:
    signal = admin.files(finished[1]["signal_metrics"])
    entry = json.loads(signal["people_standalone.signal.json"])
    assert 50 < entry["hellinger_mean"] <= 100
    assert entry["targets"] == {"hellinger_mean": "> 90", "correlation_difference_ratio": "> 90"}
    assert entry["metadata"]["rows"] == "100-1k"
    assert list(json.loads(signal["signal_metrics_summary.json"])) == ["people"]
    privacy = admin.files(finished[1]["privacy_metrics"])
    entry = json.loads(privacy["people_standalone.privacy.json"])
    assert 0 <= entry["hidden_rate"] <= 100
    assert entry["metadata"]["computation_type"] == "standalone"
    assert entry["metadata"]["reference"] is None
    low, high = entry["metadata"]["intervals"]["hidden_rate"]
    assert low <= entry["hidden_rate"] <= high


def test_reports_are_documents(admin: Api, finished: tuple[str, dict[str, str]]) -> None:
    [(name, content)] = admin.files(finished[1]["report"]).items()
    assert (name, content[:5]) == ("report.pdf", b"%PDF-")
    [(name, content)] = admin.files(finished[1]["report_pia"]).items()
    assert (name, content[:2]) == ("report.pia.docx", b"PK")


def test_a_report_has_the_format_and_language_that_its_document_says(
    admin: Api, finished: tuple[str, dict[str, str]]
) -> None:
    spec = {"report_type": "basic", "output_format": "docx", "language": "fr"}
    report = {"kind": "AvatarReportParameters", "metadata": {"name": "rapport"}, "spec": spec}
    assert admin.http.post(f"/resources/{finished[0]}", content=join([report])).status_code == 200
    job = admin.wait(admin.launch(finished[0], "rapport"))  # its inputs are the latest metrics of the set
    assert (job["kind"], job["exception"]) == ("report", "")
    [(name, content)] = admin.files(job["name"]).items()
    assert (name, content[:2]) == ("report.docx", b"PK")
    with zipfile.ZipFile(io.BytesIO(content)) as document:
        text = document.read("word/document.xml").decode()
    assert "confidentialit" in text
    assert "sha256:0123abcd" in text, "the digest that the reconciler wrote beside the documents is shown"
    admin.http.delete(f"/jobs/{job['name']}")


def test_results_are_lists_of_envelopes(admin: Api, finished: tuple[str, dict[str, str]]) -> None:
    set_id, names = finished
    listing = admin.get(f"/results/{names['standard']}")
    folder = f"{admin.area}/results/{set_id}/{names['standard']}"
    assert listing["shuffled"] == [f"{admin.base_url}/api/access?url=s3://{folder}/people.shuffled-0.csv"]
    proxied = admin.http.get(
        f"/results/{names['standard']}",
        headers={"X-Forwarded-Proto": "https", "X-Forwarded-Host": "avatar.example.org"},
    ).json()
    assert proxied["shuffled"][0].startswith("https://avatar.example.org/api/access?url=s3://")


def test_table_names_are_escaped_in_file_names(admin: Api) -> None:
    name = "iris_$*'@!?:;=[]()-_/.&+ é"
    admin.upload("odd.csv", people(40))
    job = admin.launch(admin.put_set(documents(name, "odd.csv", avatarization={name: {"k": 3}})), "standard")
    assert admin.wait(job)["exception"] == ""
    assert "iris_$*'@!?:;=[]()-__slash__dot__ampersand__plus_ é.shuffled-0.csv" in admin.files(job)


@pytest.mark.parametrize(
    ("spec", "exception"),
    [
        ({"avatarization": {"people": {"k": 120}}}, "k is 120 but must be smaller than the number of rows"),
        ({"avatarization": {}}, "Set k for at least one table"),
        ({"avatarization": {"people": {"k": None}}}, "expected k to be set"),
        ({"avatarization": None, "avatarization_open_dp": {"people": {"epsilon": 0}}}, "epsilon must be above 0"),
        (
            {
                "avatarization": None,
                "avatarization_fast_dp": {"people": {"epsilon": 1, "imputation": {"method": "knn"}}},
            },
            "no guarantee of differential privacy, because filling missing values",
        ),
        ({"time_series": {"people": {}}}, "Table 'people' has settings of time series (time_series) but is not linked"),
        (
            {"avatarization": {"people": {"k": 5, "exclude_variables": {"variable_names": ["age"]}}}},
            "exclude_variables needs a replacement_strategy",
        ),
        (
            {"avatarization": {"people": {"k": 5, "data_augmentation": {"augmentation_strategy": 0.5}}}},
            "augmentation factor is below 1",
        ),
        ({"avatarization": {"people": {"k": 5, "imputation": {"method": "magic"}}}}, "imputation method"),
        ({"avatarization": {"people": {"k": 5, "column_weights": {"nowhere": 2}}}}, "nowhere"),
        ({"results": {"format": "xlsx"}}, "csv or parquet"),
    ],
)
def test_what_cannot_run_ends_in_an_error_that_says_why(
    admin: Api, finished: tuple[str, dict[str, str]], spec: dict[str, Any], exception: str
) -> None:
    job = admin.wait(admin.launch(admin.put_set(documents(**spec)), "standard"))
    assert (job["status"], job["done"]) == ("error", True)
    assert exception in job["exception"]
    assert admin.get(f"/results/{job['name']}") == {}


def test_a_missing_input_and_a_failed_parent_are_explained(admin: Api) -> None:
    names = admin.launch_all(admin.put_set(documents(file="never-uploaded.csv")))
    reason = "Table 'people': the file 'never-uploaded.csv' was not uploaded. Upload it and run again."
    assert admin.wait(names["standard"])["exception"] == reason
    report = admin.wait(names["report"])
    assert (report["status"], report["done"]) == ("parent_error", True)
    assert report["exception"] == f"The job 'standard' that this one needs failed: {reason}"


def test_an_unknown_kind_of_pseudonym_is_named(admin: Api) -> None:
    made = [json.loads(part) for part in documents().split("\n---\n")]
    made[1]["spec"]["tables"][0]["columns"] = [{"field": "age", "pseudonymization": {"kind": "ROT13"}}]
    job = admin.wait(admin.launch(admin.put_set(join(made)), "standard"))
    assert job["exception"].startswith("Table 'people', column 'age': the kind of pseudonymization is not one of FAKER")


def test_advice_on_links_of_a_table_alone_finds_none(admin: Api) -> None:
    spec = {"schema": "schema", "advice": {"advisor_type": ["tables_links"]}}
    advice = {"kind": "AvatarAdviceParameters", "metadata": {"name": "advice_parameters"}, "spec": spec}
    set_id = admin.put_set(documents() + "\n---\n" + join([advice]))
    job = admin.wait(admin.launch(set_id, "advice_parameters"))
    assert (job["kind"], job["status"]) == ("advice", "finished")
    content = json.loads(admin.files(job["name"])["people.advice.json"])
    assert content == [{"table_name": "people", "advice": {"links": [], "unlinked_foreign_keys": []}}]


def test_a_later_upload_does_not_change_a_queued_run(admin: Api, finished: tuple[str, dict[str, str]]) -> None:
    expected = admin.files(finished[1]["standard"])["people.shuffled-0.csv"]
    set_id = admin.put_set(documents())
    standard = admin.launch(set_id, "standard")
    admin.upload("people.csv", b"age\n1\n2\n")
    metrics = admin.launch(set_id, "privacy_metrics", [standard])
    assert admin.wait(metrics)["status"] == "finished"
    assert admin.files(standard)["people.shuffled-0.csv"] == expected
    admin.upload("people.csv", people(120))


def test_metrics_of_supplied_avatars_need_no_standard_job(admin: Api, finished: tuple[str, dict[str, str]]) -> None:
    aligned = admin.files(finished[1]["standard"])["people.unshuffled-0.csv"]
    admin.upload("people_avatars.csv", aligned)
    made = [json.loads(part) for part in documents().split("\n---\n")]
    made[2]["spec"]["tables"][0]["avatars_data"] = {"volume": "input", "file": "people_avatars.csv"}
    job = admin.wait(admin.launch(admin.put_set(join(made)), "privacy_metrics"))
    assert job["exception"] == ""
    same = admin.files(finished[1]["privacy_metrics"])["people_standalone.privacy.json"]
    assert admin.files(job["name"])["people_standalone.privacy.json"] == same


def test_parquet_is_written_on_request_and_csv_for_clients_that_cannot_read_it(
    admin: Api, finished: tuple[str, dict[str, str]]
) -> None:
    job = admin.launch(admin.put_set(documents(results={"format": "parquet"})), "standard")
    assert admin.wait(job)["status"] == "finished"
    assert admin.files(job)["people.shuffled-0.parquet"][:4] == b"PAR1"
    with Api(admin.base_url, admin.key, "avatar-python/1.24.0") as old:
        files = old.files(job)
    expected = admin.files(finished[1]["standard"])["people.shuffled-0.csv"]
    assert rows(files["people.shuffled-0.csv"])[0] == list(COLUMNS)
    assert len(rows(files["people.shuffled-0.csv"])) == len(rows(expected))


def test_lists_are_filtered_and_newest_first(admin: Api, finished: tuple[str, dict[str, str]]) -> None:
    set_id, names = finished
    found = admin.get("/jobs", set_name=set_id)["jobs"]
    assert [job["name"] for job in found] == list(names.values())[::-1]
    assert [job["kind"] for job in admin.get("/jobs", set_name=set_id, kind=["report"])["jobs"]] == ["report"] * 2
    assert len(admin.get("/jobs", display_name="finished", limit=2)["jobs"]) == 2
    assert admin.get("/jobs", display_name="Finished")["jobs"] == []
    chosen = [names["report"], "unknown"]
    assert [job["name"] for job in admin.get("/jobs", names=chosen)["jobs"]] == [names["report"]]
    assert admin.http.get("/jobs", params={"names": [str(n) for n in range(101)]}).status_code == 400
    headers = {"User-Agent": "avatar-python/1.22.0"}
    oldest_first = admin.http.get("/jobs", params={"set_name": set_id}, headers=headers).json()["jobs"]
    assert oldest_first == found[::-1]


def test_a_flow_launches_what_the_set_holds(admin: Api, finished: tuple[str, dict[str, str]]) -> None:
    report = {"kind": "AvatarReportParameters", "metadata": {"name": "report"}, "spec": {}}
    set_id = admin.put_set(documents() + "\n---\n" + join([report]))
    created = admin.http.post("/jobs/flow", json={"set_name": set_id}).json()["jobs"]
    assert [admin.wait(job["name"])["status"] for job in created] == ["finished"] * 4
    assert [job["parameters_name"] for job in admin.get("/jobs/last_set")["jobs"]] == [
        "report",
        "privacy_metrics",
        "signal_metrics",
        "standard",
    ]


def test_unknown_names_are_not_found(admin: Api, other: Api, finished: tuple[str, dict[str, str]]) -> None:
    set_id, names = finished
    for path in (f"/jobs/{names['standard']}", f"/results/{names['standard']}"):
        assert other.http.get(path).status_code == 404
    assert other.get("/jobs")["jobs"] == []
    body: dict[str, Any] = {"set_name": set_id, "parameters_name": "nothing"}
    response = admin.http.post("/jobs", json=body)
    assert (response.status_code, "'nothing'" in response.json()["detail"]) == (404, True)
    body = {"set_name": set_id, "parameters_name": "standard", "depends_on": ["/jobs/unknown"]}
    assert admin.http.post("/jobs", json=body).status_code == 404


def test_deleted_jobs_and_their_files_are_gone(admin: Api, finished: tuple[str, dict[str, str]]) -> None:
    set_id = admin.put_set(documents(), "short-lived")
    name = admin.launch(set_id, "standard")
    admin.wait(name)
    keys = [url.partition(f"{admin.bucket}/")[2] for urls in admin.get(f"/results/{name}").values() for url in urls]
    answer = admin.http.post("/jobs/bulk-delete", json={"job_names": [name, "unknown"]}).json()
    assert [job["name"] for job in answer["deleted_jobs"]] == [name]
    assert answer["failed_jobs"] == ["unknown"]
    again = admin.http.post("/jobs/bulk-delete", json={"job_names": [name]}).json()
    assert again == {"deleted_jobs": [], "failed_jobs": [name]}
    assert admin.get("/jobs", set_name=set_id)["jobs"] == []
    assert admin.get("/jobs", set_name=set_id, include_deleted=True)["jobs"][0]["deleted_at"] is not None
    assert admin.get(f"/jobs/{name}")["deleted_at"] is not None
    gone = admin.http.get(f"/results/{name}")
    assert (gone.status_code, "Results file for job" in gone.json()["detail"]) == (404, True)
    for key in keys:
        with pytest.raises(FileNotFoundError):
            admin.store().get(key)
    too_many = {"job_names": [str(number) for number in range(101)]}
    assert admin.http.post("/jobs/bulk-delete", json=too_many).status_code == 422


def test_a_running_job_is_cancelled_with_those_that_wait_for_it(admin: Api) -> None:
    admin.upload("many.csv", people(40_000))
    set_id = admin.put_set(documents(file="many.csv"))
    running = admin.launch(set_id, "standard")
    waiting = admin.launch(set_id, "signal_metrics", [running])
    assert admin.http.post(f"/jobs/{running}/cancel").status_code == 200
    assert (admin.wait(running)["status"], admin.wait(waiting)["status"]) == ("cancelled", "cancelled")
    assert admin.http.post(f"/jobs/{running}/cancel").status_code == 409
    old = admin.http.get(f"/jobs/{running}", headers={"User-Agent": "avatar-python/1.29.0"}).json()
    assert (old["status"], old["exception"]) == ("error", "cancelled by user")
    admin.upload("many.csv", people(40))
    after = admin.launch(admin.put_set(documents(file="many.csv")), "standard")
    assert admin.wait(after)["status"] == "finished"
