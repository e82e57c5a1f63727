"""Runs inside an environment of its own with the unmodified official client; writes what it saw as JSON.

Arguments: base URL, API key, CSV file, working folder. Nothing here may depend on this repository.
"""

# mypy: ignore-errors
import json
import os
import sys
from pathlib import Path

import avatars
import pandas as pd
from avatar_yaml.models.parameters import ReportType
from avatar_yaml.models.schema import ColumnType
from avatars.constants import PlotKind, Results
from avatars.manager import Manager
from avatars.models import JobKind
from avatars.runner import Runner

BASE_URL, API_KEY, TABLE, FOLDER = sys.argv[1:5]
SEEN: dict = {"version": getattr(avatars, "__version__", "")}
os.chdir(FOLDER)


def outcome(action) -> str:
    """Class and text of the error that the action ends with, or nothing."""
    try:
        action()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


def plain(status) -> str:
    """A status as text: an enumeration in newer clients, a string in older ones."""
    return str(getattr(status, "value", status))


def new_runner(manager: Manager, name: str, **options) -> Runner:
    return manager.create_runner(name, **options)


def whole_run(manager: Manager) -> Runner:
    """Every job of a run, every result accessor."""
    runner = new_runner(manager, "conformance_wbcd", seed=7)
    runner.add_table("wbcd", TABLE)
    runner.set_parameters("wbcd", k=10, ncp=4, known_variables=["mean_radius", "mean_texture"], target="target")
    runner.run()
    shuffled, unshuffled = runner.shuffled("wbcd"), runner.sensitive_unshuffled("wbcd")
    original, avatar = runner.projections("wbcd")
    SEEN["shape"] = list(shuffled.shape)
    SEEN["columns"] = list(shuffled.columns)
    rows, aligned_rows = (sorted(map(str, frame.to_numpy().tolist())) for frame in (shuffled, unshuffled))
    SEEN["same_rows"] = rows == aligned_rows
    SEEN["shuffled_is_shuffled"] = not shuffled.equals(unshuffled)
    SEEN["projections"] = [list(original.shape), list(avatar.shape), list(original.columns)]
    SEEN["privacy"] = runner.privacy_metrics("wbcd")
    SEEN["signal"] = runner.signal_metrics("wbcd")
    runner.download_report("report.pdf")
    runner.download_report("pia.docx", report_type=ReportType.PIA)
    SEEN["report"] = Path("report.pdf").read_bytes()[:5].decode("latin-1")
    SEEN["pia"] = Path("pia.docx").read_bytes()[:2].decode("latin-1")
    figures = runner.get_specific_result("wbcd", JobKind.standard, Results.FIGURES)
    SEEN["figures"] = {
        plain(kind): [len(pages), "vegaEmbed" in str(getattr(pages[0], "data", pages[0]))]
        for kind, pages in figures.items()
    }
    SEEN["render_plot"] = outcome(lambda: runner.render_plot("wbcd", PlotKind.PROJECTION_3D))
    kinds = ("standard", "privacy_metrics", "signal_metrics", "report", "report_pia")
    SEEN["statuses"] = {kind: plain(runner.get_status(kind)) for kind in kinds}
    SEEN["all_results"] = outcome(runner.get_all_results)
    return runner


def reload_and_delete(manager: Manager, first: Runner) -> None:
    """The run again by name and by id, a rerun, deletion."""
    again = manager.create_runner_from_name("conformance_wbcd")
    SEEN["by_name_equal"] = again.shuffled("wbcd").equals(first.shuffled("wbcd"))
    SEEN["by_name_metrics_equal"] = again.privacy_metrics("wbcd") == first.privacy_metrics("wbcd")
    set_id = str(manager.find_ids_by_name("conformance_wbcd")[0][0])
    by_id = manager.create_runner_from_id(set_id)
    SEEN["by_id_equal"] = by_id.shuffled("wbcd").equals(first.shuffled("wbcd"))
    before = first.shuffled("wbcd")
    by_id.run(ignore_warnings=True)
    SEEN["rerun_equal"] = by_id.shuffled("wbcd").equals(before)
    SEEN["rerun_metrics"] = len(by_id.privacy_metrics("wbcd")) + len(by_id.signal_metrics("wbcd"))
    SEEN["rerun_name"] = by_id.display_name if hasattr(by_id, "display_name") else by_id.set_name
    by_id.download_report("again.pdf")
    SEEN["last_results"] = len(manager.get_last_results(10))
    deleted = manager.delete_job("conformance_wbcd")
    SEEN["deleted"] = [len(deleted.deleted_jobs), len(deleted.failed_jobs)]
    SEEN["found_after_delete"] = len(manager.find_ids_by_name("conformance_wbcd"))
    SEEN["delete_unknown"] = outcome(lambda: manager.delete_job("conformance_wbcd"))
    by_id.delete()
    SEEN["second_delete"] = outcome(by_id.delete)


def failures(manager: Manager) -> None:
    """Documented errors: parameters that do not fit the data, what differential privacy gives, a wrong key."""
    runner = new_runner(manager, "conformance_bad_k")
    runner.add_table("wbcd", TABLE)
    runner.set_parameters("wbcd", k=100_000)
    runner.run()
    SEEN["bad_k"] = outcome(lambda: runner.shuffled("wbcd"))
    job = runner.get_job(JobKind.standard)
    SEEN["bad_k_job"] = [plain(job.status), job.exception, job.done]
    SEEN["bad_k_report"] = outcome(lambda: runner.download_report("bad.pdf"))
    dp = new_runner(manager, "conformance_dp")
    dp.add_table("wbcd", TABLE)
    dp.set_parameters("wbcd", open_dp_epsilon=10)
    dp.run(jobs_to_run=[JobKind.standard])
    private = dp.shuffled("wbcd")
    SEEN["open_dp"] = [len(private.columns), 500 < len(private) < 640]
    wrong = API_KEY[:-1] + ("A" if API_KEY[-1] != "A" else "B")

    def with_wrong_key() -> None:
        stranger = Manager(base_url=BASE_URL, api_key=wrong)
        stranger.get_last_jobs(1)

    SEEN["wrong_key"] = outcome(with_wrong_key)
    SEEN["bad_name"] = outcome(lambda: bad_name(manager))


def bad_name(manager: Manager) -> None:
    runner = new_runner(manager, "not allowed!")
    runner.add_table("wbcd", TABLE)
    runner.set_parameters("wbcd", k=5)
    runner.run()


def data_frames(manager: Manager) -> None:
    """Tables given as DataFrames, with types; metrics of an existing pair of tables."""
    frame = pd.read_csv(TABLE)
    frame["grade"] = (frame["mean_radius"] // 5).astype(int)
    frame["target"] = frame["target"].astype("string")
    runner = new_runner(manager, "conformance_frame", seed=3)
    runner.add_table("frame", frame, types={"grade": ColumnType.CATEGORY})
    runner.set_parameters("frame", k=8, column_weights={"target": 3})
    runner.run(jobs_to_run=[JobKind.standard])
    avatars_frame = runner.sensitive_unshuffled("frame")
    SEEN["frame_columns"] = list(avatars_frame.columns)
    SEEN["frame_grades"] = set(avatars_frame["grade"].astype(int)) <= set(frame["grade"])
    only = new_runner(manager, "conformance_metrics_only")
    only.add_table("frame", frame, avatar_data=avatars_frame)
    only.set_parameters("frame", k=8)
    only.run(jobs_to_run=[JobKind.privacy_metrics, JobKind.signal_metrics])
    SEEN["metrics_only"] = [
        only.privacy_metrics("frame")[0]["hidden_rate"],
        only.signal_metrics("frame")[0]["hellinger_mean"],
    ]


def advised(manager: Manager) -> None:
    """Advice asked for and applied by the client, then the run with it, found by its name."""
    runner = new_runner(manager, "conformance_advice", seed=5)
    runner.add_table("wbcd", TABLE)
    runner.advise_parameters()
    parameters = runner.config.avatarization["wbcd"]
    SEEN["advice"] = [parameters.k, parameters.ncp, parameters.use_categorical_reduction, parameters.imputation]
    summary = runner.table_summary("wbcd")
    SEEN["advice_summary"] = [len(summary), "missing_number" in summary.columns]
    runner.run(jobs_to_run=[JobKind.standard])
    SEEN["advice_shape"] = list(runner.shuffled("wbcd").shape)
    if hasattr(manager, "find_ids_by_name"):
        SEEN["advice_sets"] = len(manager.find_ids_by_name("conformance_advice"))


def main() -> None:
    manager = Manager(base_url=BASE_URL, api_key=API_KEY)
    SEEN["health"] = manager.get_health()
    first = whole_run(manager)
    reload_and_delete(manager, first)
    failures(manager)
    data_frames(manager)
    advised(manager)
    Path("seen.json").write_text(json.dumps(SEEN, default=str))


main()
