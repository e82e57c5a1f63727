"""Runs inside an environment of its own with the unmodified official client: several tables with links.

Arguments: base URL, API key, folder of patient.csv, doctor.csv and visit.csv, working folder. Nothing here may depend
on this repository.
"""

# mypy: ignore-errors
import json
import os
import sys
from pathlib import Path

import avatars
import pandas as pd
from avatar_yaml.models.parameters import ReportType
from avatar_yaml.models.schema import LinkMethod
from avatars.manager import Manager
from avatars.models import JobKind

BASE_URL, API_KEY, TABLES, FOLDER = sys.argv[1:5]
SEEN: dict = {"version": getattr(avatars, "__version__", "")}
os.chdir(FOLDER)
FRAMES = {name: pd.read_csv(f"{TABLES}/{name}.csv") for name in ("patient", "doctor", "visit")}


def outcome(action) -> str:
    """Class and text of the error that the action ends with, or nothing."""
    try:
        action()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


def with_tables(manager: Manager, name: str, as_files: bool = False):
    """A runner that knows the three tables and their keys."""
    runner = manager.create_runner(name, seed=7)
    data = {key: f"{TABLES}/{key}.csv" if as_files else frame for key, frame in FRAMES.items()}
    runner.add_table("patient", data["patient"], primary_key="p_id", individual_level=True)
    runner.add_table("doctor", data["doctor"], primary_key="d_id", individual_level=True)
    keys = ["patient_id", "doctor_id"]
    runner.add_table("visit", data["visit"], primary_key="visit_id", foreign_keys=keys, individual_level=False)
    return runner


def set_all(runner) -> None:
    runner.set_parameters("patient", k=15, known_variables=["gender", "age"], target="weight")
    runner.set_parameters("doctor", k=5, known_variables=["age"], target="job")
    runner.set_parameters("visit", k=30)


def whole_run(manager: Manager) -> None:
    """Every job of a run with two links, every accessor for every table."""
    runner = with_tables(manager, "conformance_multi")
    runner.add_link("patient", "p_id", "visit", "patient_id", method=LinkMethod.LINEAR_SUM_ASSIGNMENT)
    runner.add_link("doctor", "d_id", "visit", "doctor_id", method=LinkMethod.MINIMUM_DISTANCE_ASSIGNMENT)
    set_all(runner)
    runner.run()
    made = {name: runner.shuffled(name) for name in FRAMES}
    SEEN["shapes"] = {name: list(frame.shape) for name, frame in made.items()}
    SEEN["columns_kept"] = all(list(made[name].columns) == list(frame.columns) for name, frame in FRAMES.items())
    for form in ("shuffled", "sensitive_unshuffled"):
        tables = {name: getattr(runner, form)(name) for name in FRAMES}
        patients, doctors, visits = tables["patient"], tables["doctor"], tables["visit"]
        SEEN[f"integrity_{form}"] = [
            bool(visits["patient_id"].isin(patients["p_id"]).all()),
            bool(visits["doctor_id"].isin(doctors["d_id"]).all()),
            bool(patients["p_id"].is_unique and doctors["d_id"].is_unique and visits["visit_id"].is_unique),
        ]
    SEEN["privacy"] = {name: runner.privacy_metrics(name) for name in FRAMES}
    SEEN["signal"] = {name: runner.signal_metrics(name) for name in FRAMES}
    summary = runner.metrics_summary()
    SEEN["summary_rows"] = sorted(map(str, summary.index))
    SEEN["summary_columns"] = sorted("/".join(map(str, column)) for column in summary.columns)
    SEEN["projections"] = {name: [list(part.shape) for part in runner.projections(name)] for name in FRAMES}
    SEEN["figures"] = outcome(runner.get_all_results)
    runner.download_report("report.pdf")
    runner.download_report("pia.docx", report_type=ReportType.PIA)
    SEEN["reports"] = [
        Path("report.pdf").read_bytes()[:5].decode("latin-1"),
        Path("pia.docx").read_bytes()[:2].decode(),
    ]
    again = manager.create_runner_from_name("conformance_multi")
    SEEN["again"] = all(again.shuffled(name).equals(made[name]) for name in FRAMES)


def from_files(manager: Manager) -> None:
    """The same tables as files, which say no types, and the link that gives people away."""
    runner = with_tables(manager, "conformance_multi_files", as_files=True)
    runner.add_link("patient", "p_id", "visit", "patient_id", method=LinkMethod.SENSITIVE_ORIGINAL_ORDER_ASSIGNMENT)
    runner.add_link("doctor", "d_id", "visit", "doctor_id")
    set_all(runner)
    runner.run(jobs_to_run=[JobKind.standard])
    patients, visits = runner.sensitive_unshuffled("patient"), runner.sensitive_unshuffled("visit")
    place = {key: row for row, key in enumerate(patients["p_id"])}
    own = {key: row for row, key in enumerate(FRAMES["patient"]["p_id"])}
    SEEN["original_order"] = [place[key] for key in visits["patient_id"]] == [
        own[key] for key in FRAMES["visit"]["patient_id"]
    ]


def orphans(manager: Manager) -> None:
    """A foreign key without a parent is the exception of the job."""
    runner = with_tables(manager, "conformance_multi_orphans")
    broken = FRAMES["visit"].assign(patient_id=-1)
    keys = ["patient_id", "doctor_id"]
    runner.add_table("visit", broken, primary_key="visit_id", foreign_keys=keys, individual_level=False)
    runner.add_link("patient", "p_id", "visit", "patient_id")
    runner.add_link("doctor", "d_id", "visit", "doctor_id")
    set_all(runner)
    runner.run()
    SEEN["orphans"] = outcome(lambda: runner.shuffled("visit"))


def advised(manager: Manager) -> None:
    """Links by the names of keys, applied by the client."""
    runner = with_tables(manager, "conformance_multi_advice")
    if hasattr(runner, "advise_links"):
        advice = runner.advise_links()
        SEEN["advice"] = sorted(
            [link.parent_table, link.parent_field, link.child_table, link.child_field, str(link.confidence)]
            for link in advice.links
        )
        set_all(runner)
        runner.run(jobs_to_run=[JobKind.standard])
        SEEN["advice_run"] = list(runner.shuffled("visit").shape)


def main() -> None:
    manager = Manager(base_url=BASE_URL, api_key=API_KEY)
    whole_run(manager)
    from_files(manager)
    orphans(manager)
    advised(manager)
    Path("seen.json").write_text(json.dumps(SEEN, default=str))


main()
