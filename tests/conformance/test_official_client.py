"""The unmodified official client, in environments of its own, against the embedded platform with the real engine."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from avatar_gitops.server import start
from tests.support.official import clean_environment, environment

pytestmark = [pytest.mark.conformance, pytest.mark.timeout(900)]

VERSIONS = ("1.30.0", "1.22.0")
SCRIPT = Path(__file__).with_name("official_client_script.py")
TOO_LARGE_K = (
    "k is 100000 but must be smaller than the number of rows of the table (100-1k rows)."
    " Choose a smaller k or give more rows."
)


@pytest.fixture(scope="module", params=VERSIONS)
def seen(request: pytest.FixtureRequest, table: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """What one version of the client saw on a fresh platform."""
    version: str = request.param
    python = environment(version)
    folder = tmp_path_factory.mktemp(f"client-{version}")
    with start(tmp_path_factory.mktemp(f"state-{version}")) as server:
        arguments = [server.base_url, server.api_key, str(table), str(folder)]
        result = subprocess.run(
            [str(python), str(SCRIPT), *arguments], capture_output=True, text=True, env=clean_environment(), check=False
        )
    assert result.returncode == 0, result.stderr[-4000:]
    found = json.loads((folder / "seen.json").read_text(encoding="utf-8"))
    assert found["version"] == version
    yield found


def test_a_run_delivers_every_result(seen: Any) -> None:
    assert seen["health"] == {"message": "ok"}
    assert seen["shape"] == [569, 9]
    assert seen["columns"][-1] == "target"
    assert seen["same_rows"] and seen["shuffled_is_shuffled"]
    assert seen["projections"] == [[569, 4], [569, 4], ["Dim. 1", "Dim. 2", "Dim. 3", "Dim. 4"]]
    assert set(seen["statuses"].values()) == {"finished"}
    assert seen["all_results"] == ""


def test_metrics_have_the_scale_and_the_names_of_the_platform(seen: Any) -> None:
    [privacy], [signal] = seen["privacy"], seen["signal"]
    assert privacy["metadata"]["table_name"] == signal["metadata"]["table_name"] == "wbcd"
    assert privacy["metadata"]["computation_type"] == "standalone"
    assert 50 < privacy["hidden_rate"] <= 100
    assert privacy["local_cloaking"] > 0
    assert privacy["inference_accuracy_ratio"] >= 0
    assert 80 < signal["hellinger_mean"] <= 100
    assert 80 < signal["correlation_difference_ratio"] <= 100
    assert signal["targets"] == {"hellinger_mean": "> 90", "correlation_difference_ratio": "> 90"}
    assert privacy["targets"]["hidden_rate"] == ">= 90"


def test_every_kind_of_plot_is_a_page_of_its_own(seen: Any) -> None:
    assert all(is_page for _, is_page in seen["figures"].values())
    assert {kind: number for kind, (number, _) in seen["figures"].items()} == {
        "2d_projection": 1,
        "3d_projection": 1,
        "correlation": 1,
        "correlation_difference": 1,
        "contribution": 1,
        "aggregate_stats": 1,
        "distribution": 9,
        "metrics_summary": 1,
    }
    assert seen["render_plot"] == ""


def test_both_reports_are_real_documents(seen: Any) -> None:
    assert seen["report"] == "%PDF-"
    assert seen["pia"] == "PK"


def test_a_run_is_found_again_by_name_and_by_id(seen: Any) -> None:
    assert seen["by_name_equal"] and seen["by_name_metrics_equal"] and seen["by_id_equal"]


def test_a_rerun_with_the_same_seed_gives_the_same_table(seen: Any) -> None:
    assert seen["rerun_equal"]
    assert seen["rerun_metrics"] == 2
    assert seen["rerun_name"] == "conformance_wbcd-v1"
    assert seen["last_results"] == 10


def test_deleted_jobs_are_gone(seen: Any) -> None:
    assert seen["deleted"] == [5, 0]
    assert seen["found_after_delete"] == 0
    assert seen["delete_unknown"] == "ValueError: No jobs found for display name 'conformance_wbcd'"
    assert seen["second_delete"] == ""


def test_parameters_that_do_not_fit_are_the_exception_of_the_job(seen: Any) -> None:
    assert seen["bad_k"] == f"ValueError: Job standard failed with exception: {TOO_LARGE_K}"
    assert seen["bad_k_job"] == ["error", TOO_LARGE_K, True]
    needs = "The job 'standard' that this one needs failed"
    assert seen["bad_k_report"] == f"ValueError: Job report failed with exception: {needs}: {TOO_LARGE_K}"


def test_differential_privacy_needs_no_more_than_an_epsilon(seen: Any) -> None:
    assert seen["open_dp"] == [9, True], "nine columns, and a size that is noisy"


def test_a_wrong_key_and_a_wrong_name_are_refused(seen: Any) -> None:
    if seen["version"] == "1.30.0":
        assert seen["wrong_key"].startswith("ApiConnectionError: Failed to authenticate")
    else:
        assert seen["wrong_key"].endswith("get /jobs. Error status 401 - Invalid API key")
    assert "put /resources/not allowed!. Error status 422 - A set name has" in seen["bad_name"]


def test_tables_may_be_data_frames_and_avatars_may_be_supplied(seen: Any) -> None:
    assert seen["frame_columns"][-2:] == ["target", "grade"]
    assert seen["frame_grades"]
    hidden_rate, hellinger_mean = seen["metrics_only"]
    assert 0 <= hidden_rate <= 100
    assert 0 <= hellinger_mean <= 100


def test_advice_is_applied_by_the_client(seen: Any) -> None:
    assert seen["advice"] == [6, 5, False, None]
    assert seen["advice_summary"] == [9, True]
    assert seen["advice_shape"] == [569, 9]
    assert seen.get("advice_sets", 1) == 1
