"""Synthetic rows with SDV's GaussianCopula, from a CSV to a CSV. Usage: copula.py IN OUT.

It runs with the Python of an environment of its own and imports nothing of the product.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
import warnings

STARTED = time.perf_counter()
warnings.simplefilter("ignore")

pandas = importlib.import_module("pandas")
sdv = importlib.import_module("sdv")
single_table = importlib.import_module("sdv.single_table")
metadata = importlib.import_module("sdv.metadata")

SECONDS: dict[str, float] = {}


def mark(stage: str) -> None:
    """Seconds since the marks before."""
    SECONDS[stage] = round(time.perf_counter() - STARTED - sum(SECONDS.values()), 4)


def main() -> None:
    """Fit with the defaults and sample as many rows."""
    mark("import")
    people = pandas.read_csv(sys.argv[1])
    mark("read")
    description = metadata.Metadata.detect_from_dataframes({"table": people})
    for column in people.columns:
        kind = "numerical" if pandas.api.types.is_numeric_dtype(people[column]) else "categorical"
        description.update_column(table_name="table", column_name=column, sdtype=kind)
    synthesizer = single_table.GaussianCopulaSynthesizer(description)
    synthesizer.fit({"table": people})
    mark("fit")
    rows = synthesizer.sample(num_rows=len(people))
    mark("sample")
    (rows["table"] if isinstance(rows, dict) else rows).to_csv(sys.argv[2], index=False)
    mark("write")
    print(json.dumps({"stages": SECONDS, "rows": len(people), "sdv": sdv.__version__}))


if __name__ == "__main__":
    main()
