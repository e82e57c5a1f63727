"""A table that the official clients anonymize, and the table of their tutorials at the end of the run."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

from tests.support.official import Outcomes

OUTCOMES = pytest.StashKey[Outcomes]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[OUTCOMES] = {}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """One line per tutorial, one column per client."""
    outcomes = config.stash[OUTCOMES]
    if not outcomes:
        return
    clients = sorted({client for _, client in outcomes})
    rows: dict[str, dict[str, str]] = defaultdict(dict)
    for (name, client), (ended, seconds) in outcomes.items():
        rows[name][client] = f"{'ok' if ended else 'failed'} {seconds:.0f} s"
    terminalreporter.section("tutorials of the official client")
    terminalreporter.write_line(f"{'tutorial':<12}" + "".join(f"{client:<14}" for client in clients))
    for name, cells in sorted(rows.items()):
        shown = "".join(f"{cells.get(client, ''):<14}" for client in clients)
        terminalreporter.write_line(f"{name:<12}{shown}".rstrip())


@pytest.fixture
def outcomes(request: pytest.FixtureRequest) -> Outcomes:
    """Where a test writes how a tutorial ended."""
    return request.config.stash[OUTCOMES]


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
