"""Runs inside an environment with the unmodified official client: every Python snippet of its user guide, in order.

Arguments: the guide, the file to write outcomes into. The working folder holds `fixtures`. Snippets share their names,
as the guide means them to; before some, this makes what the guide takes for granted, and after some it looks at what
they left. Nothing here may depend on this repository.
"""

# mypy: ignore-errors
import contextlib
import io
import json
import os
import re
import sys
import uuid
from pathlib import Path

import numpy as np
import pandas as pd
from avatars.constants import PlotKind
from avatars.manager import Manager
from avatars.models import JobKind

GUIDE, OUTCOMES = sys.argv[1:]
SNIPPET = re.compile(r"^ *```python\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
KNOWN = {"pd": pd, "PlotKind": PlotKind, "JobKind": JobKind}
FOUND = {}


def runner_of(name, table, k, jobs=None):
    """A runner whose jobs were launched, from a file of the guide."""
    KNOWN["manager"] = Manager(api_key=os.environ["AVATAR_API_KEY"])
    runner = KNOWN["manager"].create_runner(name)
    runner.add_table(table, f"fixtures/{table}.csv")
    runner.set_parameters(table, k=k)
    runner.run(**({} if jobs is None else {"jobs_to_run": jobs}))
    KNOWN["runner"] = runner
    return runner


def with_key():
    KNOWN["manager"] = Manager(api_key=os.environ["AVATAR_API_KEY"])


def failing_job():
    runner = runner_of("too_large_k", "iris", 500, [JobKind.standard])
    with contextlib.suppress(ValueError):
        runner.shuffled("iris")


def six_runs_of_one_name():
    for _ in range(6):
        runner = runner_of("runner_name", "wbcd", 15, [JobKind.standard, JobKind.privacy_metrics])
        runner.privacy_metrics("wbcd")
    FOUND["uuid"] = str(KNOWN["manager"].find_ids_by_name("runner_name")[0][0])


def patients():
    rows = np.random.default_rng(0)
    frame = pd.DataFrame({"age": rows.integers(18, 90, 80), "hospital_code": rows.choice(["A", "B", "C"], 80)})
    frame["free_text_comment"] = [f"comment {number}" for number in range(80)]
    frame.to_csv("fixtures/patients.csv", index=False)
    KNOWN["df"] = frame
    KNOWN["runner"] = KNOWN["manager"].create_runner("patients")


def private_runner():
    KNOWN["runner"] = KNOWN["manager"].create_runner("private")
    KNOWN["runner"].add_table("wbcd", "fixtures/wbcd.csv")


def people():
    frame = pd.DataFrame({"patient_id": [f"P{number}" for number in range(60)], "age": range(20, 80)})
    frame["email"] = [f"p{number}@example.org" for number in range(60)]
    frame["first_name"] = [f"Name {number}" for number in range(60)]
    KNOWN["df"] = frame


def technical_run():
    runner = KNOWN["runner"]
    runner.add_table("iris", "fixtures/iris.csv")
    runner.set_parameters("iris", k=10)
    runner.run()


BEFORE = {
    "create_api_key": with_key,
    "job=runner.get_job": failing_job,
    "job = runner.run(": lambda: runner_of("asynchronous", "wbcd", 15, [JobKind.standard]),
    'create_runner_from_name("runner_name")': six_runs_of_one_name,
    'create_runner_from_name("my_dataset")': lambda: runner_of("my_dataset", "wbcd", 15, [JobKind.standard]),
    "runner.delete()  # all jobs": lambda: runner_of("deleted", "wbcd", 15, [JobKind.standard]),
    "columns_to_drop": patients,
    'runner.set_parameters("wbcd", open_dp': private_runner,
    'render_plot("iris", PlotKind.PROJECTION_3D)\n': lambda: runner_of("plots", "iris", 10),
    'download_report("pia_report.docx"': technical_run,
    '"my_pseudonymized_job"': people,
}


def excluded_codes():
    codes = KNOWN["df"]["hospital_code"]
    runner = KNOWN["runner"]
    runner.run(jobs_to_run=[JobKind.standard], ignore_warnings=True)
    made = runner.sensitive_unshuffled("patients")
    return [sorted(made.columns), bool((made["hospital_code"] == codes).all())]


def excluded_in_metrics():
    runner = KNOWN["runner"]
    runner.run(jobs_to_run=[JobKind.standard, JobKind.privacy_metrics], ignore_warnings=True)
    return runner.privacy_metrics("patients")[0]["hidden_rate"] is not None


def private_rows():
    runner = KNOWN["runner"]
    runner.run(jobs_to_run=[JobKind.standard], ignore_warnings=True)
    return len(runner.shuffled("wbcd")) > 0


def ambiguous():
    """How many commands the client offers when several runs have the name."""
    try:
        KNOWN["manager"].delete_job("runner_name")
    except ValueError as error:
        return str(error).count("delete_job_by_id")


AFTER = {
    "create_api_key": lambda: KNOWN["api_key_response"]["api_key"]["plaintext"].startswith("octopize_apikey."),
    "secrets.token_hex(4)}": lambda: len(KNOWN["runner"].shuffled("wbcd")) == len(pd.read_csv("fixtures/wbcd.csv")),
    'create_runner_from_name("runner_name")': lambda: [len(KNOWN["df"]) > 0, len(KNOWN["metrics"])],
    "find_ids_by_name": lambda: len(KNOWN["results"]),
    "delete_job(": lambda: [KNOWN["manager"].find_ids_by_name("my_dataset"), ambiguous()],
    'exclude_variable_names=["hospital_code"],\n)': excluded_codes,
    "use_excluded_variables_in_metrics": excluded_in_metrics,
    "open_dp_epsilon": private_rows,
    "only_metrics": lambda: [
        len(KNOWN["runner"].privacy_metrics("iris")),
        len(KNOWN["runner"].signal_metrics("iris")),
    ],
    "open_in_browser=True": lambda: len(list(Path().glob("iris_3d_projection*.html"))),
    "pia_report.docx": lambda: Path("pia_report.docx").read_bytes()[:2].decode("ascii"),
    '"my_pseudonymized_job"': lambda: [
        uuid.UUID(KNOWN["result"]["patient_id"][0]).version,
        bool(set(KNOWN["result"]["email"]) & set(KNOWN["df"]["email"])),
    ],
}


def filled_in(snippet):
    """The snippet with what its reader has to fill in."""
    snippet = snippet.replace('"your-api-key"', 'os.environ["AVATAR_API_KEY"]').replace("Manager(...)", "Manager()")
    return re.sub(r'"[0-9a-f]{8}-[0-9a-f-]{27}"', lambda _: f'"{FOUND.get("uuid")}"', snippet)


def hooks(table, snippet):
    return [action for sign, action in table.items() if sign in snippet]


def tried(snippet):
    """What the snippet printed and left, or the error that it ended with."""
    printed = io.StringIO()
    key = os.environ["AVATAR_API_KEY"]
    if "manager.authenticate(" in snippet:  # `Manager()` would find the key
        del os.environ["AVATAR_API_KEY"]
    try:
        for prepare in hooks(BEFORE, snippet):
            prepare()
        with contextlib.redirect_stdout(printed):
            exec(compile(filled_in(snippet), "guide", "exec"), KNOWN)
        left = [look() for look in hooks(AFTER, snippet)]
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}
    finally:
        os.environ["AVATAR_API_KEY"] = key
    return {"printed": printed.getvalue(), "left": left}


def main():
    text = Path(GUIDE).read_text(encoding="utf-8")
    outcomes = {}
    for match in SNIPPET.finditer(text):
        lines = match[1].splitlines()
        indent = len(lines[0]) - len(lines[0].lstrip())
        snippet = "\n".join(line[indent:] for line in lines) + "\n"
        outcomes[text[: match.start(1)].count("\n") + 1] = tried(snippet)
        Path(OUTCOMES).write_text(json.dumps(outcomes, default=str), encoding="utf-8")


main()
