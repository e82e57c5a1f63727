"""Runs inside an environment of its own with the unmodified official client: the guide's sensors as time series.

Arguments: base URL, API key, folder with the tables, working folder. Nothing here may depend on this repository.
"""

# mypy: ignore-errors
import json
import os
import sys
from pathlib import Path

import pandas as pd
from avatar_yaml.models.parameters import AlignmentMethod
from avatar_yaml.models.schema import LinkMethod
from avatars.manager import Manager
from avatars.models import JobKind

BASE_URL, API_KEY, TABLES, FOLDER = sys.argv[1:5]
os.chdir(FOLDER)


def main() -> None:
    manager = Manager(base_url=BASE_URL, api_key=API_KEY)
    runner = manager.create_runner("conformance_series", seed=9)
    vanilla = pd.read_csv(Path(TABLES) / "sensors_vanilla.csv")
    runner.add_table("vanilla", vanilla, primary_key="id", individual_level=True)
    sensors = str(Path(TABLES) / "sensors_timeseries1.csv")
    runner.add_table(
        "sensor1", sensors, primary_key="primary_key", foreign_keys=["id"], time_series_time="t", individual_level=False
    )
    runner.add_link("vanilla", "id", "sensor1", "id", LinkMethod.TIME_SERIES)
    runner.set_parameters("vanilla", k=5)
    runner.set_parameters(
        "sensor1", time_series_nf=10, time_series_nb_points=20, time_series_method=AlignmentMethod.MEAN
    )
    runner.run(jobs_to_run=[JobKind.standard, JobKind.privacy_metrics, JobKind.signal_metrics])
    people, series = runner.shuffled("vanilla"), runner.shuffled("sensor1")
    seen = {
        "shapes": [list(people.shape), list(series.shape)],
        "keys": set(people["id"]) == set(series["id"]),
        "privacy": {name: runner.privacy_metrics(name) for name in ("vanilla", "sensor1")},
        "signal": {name: runner.signal_metrics(name) for name in ("vanilla", "sensor1")},
        "summary": list(runner.render_signal_metrics_summary() or {}),
    }
    Path("seen.json").write_text(json.dumps(seen, default=str))


main()
