"""Measures tables with the packages `anonymeter` and `sdmetrics`; runs in an environment that has them."""

# mypy: ignore-errors
import json
import sys

import numpy as np
import pandas as pd
from anonymeter.evaluators import InferenceEvaluator, LinkabilityEvaluator, SinglingOutEvaluator
from sdmetrics.single_column import CategoryCoverage, KSComplement, RangeCoverage, TVComplement

ATTACKS = 600


def described(evaluator):
    found = evaluator.risk(confidence_level=0.95)
    rates = evaluator.results(confidence_level=0.95)
    return {
        "risk": found.value,
        "interval": list(found.ci),
        "main": [rates.attack_rate.value, rates.attack_rate.error],
        "control": [rates.control_rate.value, rates.control_rate.error],
    }


def main(folder, halves):
    used, unused, avatars = (pd.read_csv(f"{folder}/{name}.csv") for name in ("used", "unused", "avatars"))
    found = {}
    np.random.seed(1)
    for mode, several in (("univariate", 1), ("multivariate", 4)):
        one = SinglingOutEvaluator(
            ori=used, syn=avatars, control=unused, n_attacks=ATTACKS, n_cols=several, max_attempts=20_000, seed=1
        )
        one.evaluate(mode=mode)
        found[f"singling_out_{mode}_risk"] = described(one)
    for name, neighbours in (("linkability_risk", 1), ("linkability_risk_5", 5)):
        two = LinkabilityEvaluator(
            ori=used, syn=avatars, control=unused, n_attacks=ATTACKS, aux_cols=halves, n_neighbors=neighbours
        )
        two.evaluate(n_jobs=1)
        found[name] = described(two)
    for secret in ("group", "weight"):
        known = [column for column in used.columns if column != secret]
        three = InferenceEvaluator(
            ori=used,
            syn=avatars,
            control=unused,
            aux_cols=known,
            secret=secret,
            regression=secret == "weight",
            n_attacks=ATTACKS,
        )
        three.evaluate(n_jobs=1)
        found[f"inference_risk {secret}"] = described(three)
    for name, metric, columns in (
        ("kolmogorov_smirnov_mean", KSComplement, ("age", "weight", "dose")),
        ("total_variation_mean", TVComplement, ("group", "site")),
        ("range_coverage_mean", RangeCoverage, ("age", "weight", "dose")),
        ("category_coverage_mean", CategoryCoverage, ("group", "site")),
    ):
        values = [metric.compute(used[column], avatars[column]) for column in columns]
        found[name] = float(np.mean(values))
    sys.stdout.write(json.dumps(found) + "\n")


main(sys.argv[1], json.loads(sys.argv[2]))
