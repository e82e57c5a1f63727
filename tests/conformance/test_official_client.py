"""The unmodified official client, in environments of its own, against the embedded platform with the real engine."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from avatar_gitops.server import start

pytestmark = [pytest.mark.conformance, pytest.mark.timeout(900)]

VERSIONS = ("1.30.0", "1.22.0")
SCRIPT = Path(__file__).with_name("official_client_script.py")
ENVIRONMENTS = Path(__file__).parents[2] / ".conformance"
TOO_LARGE_K = (
    "k is 100000 but must be smaller than the number of rows of the table (100-1k rows)."
    " Choose a smaller k or give more rows."
)


def find_python() -> str | None:
    """A Python 3.12, which the official client needs."""
    named = os.environ.get("PYTHON312")
    on_path = shutil.which("python3.12")
    managed = sorted(Path.home().glob(".pyenv/versions/3.12*/bin/python"))
    for candidate in (named, *map(str, managed), on_path):
        if candidate and _is_312(candidate):
            return candidate
    return None


def _is_312(python: str) -> bool:
    code = "import sys; print(sys.version_info[:2] == (3, 12))"
    try:
        answer = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    except OSError:
        return False
    return answer.stdout.strip() == "True"


def unavailable(reason: str) -> None:
    """Skip on a developer's machine, fail where the check is the point."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def environment(version: str) -> Path:
    """Python of an environment that holds exactly that version of the official client, made on first use."""
    folder = ENVIRONMENTS / version
    python, ready = folder / "bin" / "python", folder / ".ready"
    if ready.is_file():
        return python
    base = find_python()
    if base is None:
        unavailable("The official client needs Python 3.12; set PYTHON312 to one.")
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([str(base), "-m", "venv", str(folder)], check=True, capture_output=True)
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    result = subprocess.run([*install, f"octopize-avatar=={version}"], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        unavailable(f"octopize-avatar {version} could not be installed:\n{result.stderr[-2000:]}")
    ready.touch()
    return python


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Breast cancer data that ship with scikit-learn, with a categorical diagnosis."""
    from sklearn.datasets import load_breast_cancer

    frame = load_breast_cancer(as_frame=True).frame.iloc[:, [0, 1, 2, 3, 4, 5, 6, 7, -1]].copy()
    frame["target"] = frame["target"].map({0: "malignant", 1: "benign"})
    frame.columns = [name.replace(" ", "_") for name in frame.columns]
    path = tmp_path_factory.mktemp("data") / "wbcd.csv"
    frame.to_csv(path, index=False)
    return path


@pytest.fixture(scope="module", params=VERSIONS)
def seen(request: pytest.FixtureRequest, table: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """What one version of the client saw on a fresh platform."""
    version: str = request.param
    python = environment(version)
    folder = tmp_path_factory.mktemp(f"client-{version}")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AVATAR", "AWS", "STORAGE"))}
    with start(tmp_path_factory.mktemp(f"state-{version}")) as server:
        arguments = [server.base_url, server.api_key, str(table), str(folder)]
        result = subprocess.run(
            [str(python), str(SCRIPT), *arguments], capture_output=True, text=True, env=clean, check=False
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


def test_what_is_not_offered_is_said_in_plain_words(seen: Any) -> None:
    assert seen["not_offered"] == (
        "ValueError: Job standard failed with exception:"
        " Table 'wbcd': this version of the platform does not offer differential privacy (open_dp)."
    )


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
