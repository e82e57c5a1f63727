"""Metrics of linked tables beside those that the vendor's own server printed for the tables of its guide.

The print-outs are of 2024 (patient k 15, doctor k 5, visit k 30; gender and age known for the weight of patients, age
for the job of doctors). They come from one draw, so each figure is compared with several draws of ours: it has to lie
within what the draws differ by and a stated gap, which is where our method is not, or is not known to be, theirs.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pytest

from avatar_gitops.engine.links.measure import measure_privacy_view
from avatar_gitops.engine.links.model import Link, LinkedTable
from avatar_gitops.engine.links.run import avatarize_linked
from avatar_gitops.engine.links.views import Computation, View, pair_tables, privacy_views
from avatar_gitops.engine.params import AvatarParams, ColumnSpec, PrivacyParams
from avatar_gitops.engine.tables import read_table

FIXTURES = os.environ.get("AVATAR_FIXTURES", "")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not FIXTURES, reason="AVATAR_FIXTURES names no folder with the tables of the guide"),
]

Figures = dict[str, float]
Block = tuple[str, str, str | None]

LINKS = [Link("patient", "p_id", "visit", "patient_id"), Link("doctor", "d_id", "visit", "doctor_id")]
KNOWN = {
    "patient": PrivacyParams(known_variables=("gender", "age"), target="weight"),
    "doctor": PrivacyParams(known_variables=("age",), target="job"),
}
DRAWS = 6
PRINTED: dict[Block, Figures] = {
    ("doctor", "standalone", None): {"hidden_rate": 82.0, "local_cloaking": 2, "column_direct_match_protection": 96.0},
    ("patient", "standalone", None): {
        "hidden_rate": 95.38,
        "local_cloaking": 5,
        "distance_to_closest": 0.2221,
        "closest_distances_ratio": 0.7723,
        "column_direct_match_protection": 98.46,
        "inference_continuous": 21.15,
    },
    ("visit", "to_bottom_id_propagated", "doctor"): {"hidden_rate": 100, "distance_to_closest": 0},
    ("visit", "to_bottom_id_propagated", "patient"): {"hidden_rate": 100, "distance_to_closest": 0},
    ("doctor", "to_top_enriched", "visit"): {"hidden_rate": 94.0, "distance_to_closest": 1.038},
    ("patient", "to_top_enriched", "visit"): {"hidden_rate": 97.69, "local_cloaking": 26},
    ("visit", "full_enriched", "doctor"): {"hidden_rate": 97.33, "local_cloaking": 20},
    ("visit", "full_enriched", "patient"): {"hidden_rate": 98.67, "local_cloaking": 31},
}
GAPS: Mapping[str, float] = {
    "hidden_rate": 8.0,  # rates of 50 to 300 rows: one row is up to 2 points
    "local_cloaking": 9.0,
    "distance_to_closest": 0.2,
    "closest_distances_ratio": 0.05,
    "column_direct_match_protection": 0.1,
    "inference_continuous": 6.0,
}


def tables() -> list[LinkedTable]:
    rows = {name: read_table(Path(FIXTURES) / f"{name}.csv") for name in ("patient", "doctor", "visit")}
    keys = {name: (ColumnSpec(rows[name].column_names[0], primary_key=True),) for name in rows}
    neighbours = {"patient": 15, "doctor": 5, "visit": 30}
    return [
        LinkedTable(name, rows[name], keys[name], AvatarParams(neighbours[name]), individual_level=name != "visit")
        for name in rows
    ]


@pytest.fixture(scope="module")
def drawn() -> dict[Block, list[Mapping[str, float | None]]]:
    """The figures of each block in several draws."""
    given = tables()
    found: dict[Block, list[Mapping[str, float | None]]] = defaultdict(list)
    for seed in range(DRAWS):
        avatars = {name: made.unshuffled for name, made in avatarize_linked(given, LINKS, seed).items()}
        alone = [
            View(table.name, Computation.STANDALONE, None, table.rows, avatars[table.name], table.columns)
            for table in given
            if table.individual_level
        ]
        for view in (*alone, *privacy_views(pair_tables(given, avatars, LINKS))):
            measured = measure_privacy_view(view, KNOWN.get(view.table, PrivacyParams()), seed)
            found[view.table, view.computation.value, view.reference].append(measured.values)
    return found


@pytest.mark.parametrize("block", PRINTED, ids=lambda block: "-".join(filter(None, block)))
def test_figures_are_near_the_printed_ones(block: Block, drawn: dict[Block, list[Mapping[str, float | None]]]) -> None:
    for name, printed in PRINTED[block].items():
        values = [value for draw in drawn[block] if (value := draw[name]) is not None]
        assert len(values) == DRAWS
        assert float(np.mean(values)) == pytest.approx(printed, abs=GAPS[name] + float(np.std(values))), name


def test_every_reference_holds_and_every_patient_keeps_visits() -> None:
    """As printed for the assignment with original numbers of visits: all 130 patients still have some."""
    made = avatarize_linked(tables(), LINKS, 1)
    visits = made["visit"].shuffled
    for link in LINKS:
        keys = made[link.parent].shuffled[link.key].combine_chunks()
        assert pc.all(pc.is_in(visits[link.foreign_key], value_set=keys)).as_py()
        assert visits[link.foreign_key].null_count == 0
    assert len(pc.unique(visits["patient_id"])) == 130
