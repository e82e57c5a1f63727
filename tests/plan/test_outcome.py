"""What gates read of a run with several blocks for a table."""

from __future__ import annotations

from avatar_gitops.plan.outcome import MetricBlock, RunResult


def block(scope: str, intervals: dict[str, tuple[float, float]] | None = None, **values: float) -> MetricBlock:
    reference = None if scope == "standalone" else "visit"
    return MetricBlock("patient", "privacy", scope, reference, values, intervals or {}, {}, {})


def result(*blocks: MetricBlock) -> RunResult:
    return RunResult("id", {}, {}, blocks, (), "engine", "", "")


def test_the_worst_block_speaks_for_each_metric() -> None:
    found = result(
        block("to_top_enriched", hidden_rate=80.0, hellinger_mean=0.02, local_cloaking=9.0),
        block("standalone", hidden_rate=95.0, hellinger_mean=0.01, local_cloaking=5.0),
    ).metrics
    assert found == {"patient": {"hidden_rate": 80.0, "hellinger_mean": 0.02, "local_cloaking": 5.0}}


def test_a_metric_without_a_known_direction_is_that_of_the_table_alone() -> None:
    found = result(block("to_top_enriched", wings=1.0, legs=4.0), block("standalone", wings=2.0)).metrics
    assert found == {"patient": {"wings": 2.0}}


def test_the_noise_is_that_of_the_block_that_speaks() -> None:
    found = result(
        block("standalone", {"hidden_rate": (90.0, 99.0)}, hidden_rate=95.0),
        block("to_top_enriched", {"hidden_rate": (78.0, 82.0)}, hidden_rate=80.0),
    ).noise
    assert found == {"patient": {"hidden_rate": 2.0}}
