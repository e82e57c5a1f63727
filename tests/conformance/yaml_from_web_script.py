"""Runs inside an environment of its own: the unmodified official client starts a run from a YAML of the web pages.

Arguments: base URL, API key, YAML file, CSV file, table, working folder. Nothing here may depend on this repository.
"""

# mypy: ignore-errors
import json
import os
import sys
from pathlib import Path

from avatars.manager import Manager
from avatars.models import JobKind

BASE_URL, API_KEY, YAML, CSV, TABLE, FOLDER = sys.argv[1:7]
os.chdir(FOLDER)

runner = Manager(base_url=BASE_URL, api_key=API_KEY).create_runner("from_yaml")
runner.from_yaml(YAML)
parameters = runner.config.avatarization[TABLE]
runner.upload_file(TABLE, data=CSV)
runner.jobs.config = runner.config  # the client forgets this by itself, so that its own guide's example fails
runner.run(jobs_to_run=[JobKind.standard, JobKind.privacy_metrics, JobKind.signal_metrics])
seen = {
    "k": parameters.k,
    "ncp": parameters.ncp,
    "weights": parameters.column_weights,
    "rows": len(runner.shuffled(TABLE)),
    "shuffled": runner.shuffled(TABLE).to_csv(index=False),
    "hidden_rate": runner.privacy_metrics(TABLE)[0]["hidden_rate"],
    "hellinger_mean": runner.signal_metrics(TABLE)[0]["hellinger_mean"],
}
Path("seen.json").write_text(json.dumps(seen))
