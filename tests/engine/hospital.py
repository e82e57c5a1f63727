"""Linked tables for tests: wards, patients of wards, doctors, visits of patients to doctors."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from avatar_gitops.engine.links.model import Link, LinkedTable, LinkMethod
from avatar_gitops.engine.params import AvatarParams, ColumnSpec

PATIENT_VISIT = Link("patient", "id", "visit", "patient_id")
DOCTOR_VISIT = Link("doctor", "code", "visit", "doctor", LinkMethod.MINIMUM_DISTANCE_ASSIGNMENT)
WARD_PATIENT = Link("ward", "ward", "patient", "ward")
LINKS = (PATIENT_VISIT, DOCTOR_VISIT, WARD_PATIENT)


def hospital(patients: int = 60, seed: int = 3) -> list[LinkedTable]:
    """Four tables, children first; some visits have no doctor, some patients no visit."""
    random = np.random.default_rng(seed)
    age = random.integers(20, 90, patients)
    beds = random.integers(5, 50, 12)
    ward_of = random.integers(0, 12, patients)
    visits = np.repeat(np.arange(patients), random.integers(0, 6, patients))
    doctor_of = random.integers(0, 15, len(visits))
    ward = pa.table({"ward": [f"ward {i}" for i in range(12)], "beds": beds})
    patient = pa.table(
        {
            "id": pa.array(1000 + random.permutation(patients)),
            "ward": [f"ward {i}" for i in ward_of],
            "age": age,
            "sex": random.choice(["f", "m"], patients),
        }
    )
    doctor = pa.table({"code": [f"D{i:02d}" for i in range(15)], "years": random.integers(0, 40, 15)})
    visit = pa.table(
        {
            "visit": pa.array(np.arange(len(visits))),
            "patient_id": patient["id"].combine_chunks().take(pa.array(visits)),
            "doctor": pa.array([f"D{i:02d}" for i in doctor_of], mask=random.random(len(visits)) < 0.2),
            "cost": np.round(age[visits] * 2 + random.normal(0, 5, len(visits)), 1),
        }
    )
    return [
        LinkedTable("visit", visit, (ColumnSpec("visit", primary_key=True),), AvatarParams(4), individual_level=False),
        LinkedTable("patient", patient, (ColumnSpec("id", primary_key=True),), AvatarParams(4)),
        LinkedTable("doctor", doctor, (), AvatarParams(3)),
        LinkedTable("ward", ward, (), AvatarParams(3)),
    ]
