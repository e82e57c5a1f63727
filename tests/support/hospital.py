"""The project of a hospital that the screens show: six sets, small generated tables, rules and a waiver."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

ROWS: Final = 200

PROJECT: Final = """\
apiVersion: avatar-gitops/v1
kind: Project
metadata:
  name: hospital-anonymization
spec:
  server: prod
  servers:
    prod: {base_url: env/HOSPITAL_URL, api_key: env/HOSPITAL_KEY}
  prune: owned
"""
IGNORED_DRIFT: Final = """\
  ignore_drift:
    - {set: claims-2025, kind: input_changed, reason: new export format, expires: "2099-10-01", ticket: OPS-91}
"""
POLICY: Final = """\
apiVersion: avatar-gitops/v1
kind: Policy
enabled: [baseline]
required_approvers: [dpo-team]
approvers: {dpo-team: [dpo-lead]}
"""
WAIVERS: Final = """\
apiVersion: avatar-gitops/v1
kind: Waivers
waivers:
  - rule: P044
    sets: [claims-2025]
    owner: dpo-lead
    reason: The contract is being signed
    ticket: DPO-311
    granted: "GRANTED"
    expires: "EXPIRES"
"""

PATIENTS: Final = """\
apiVersion: avatar-gitops/v1
kind: AvatarRun
metadata:
  name: patients-2026q3
  owner: health-data@example.org
  labels: {domain: health}
spec:
  seed: 20260917
  tables:
    patients:
      source: data/patients.csv
      columns:
        diagnosis: {type: category, tag: sensitive}
        sex: {type: category}
        zip: {type: category}
      avatarization:
        ncp: 5
        k: 20
      privacy_metrics:
        known_variables: [age]
        target: diagnosis
  gates:
    hidden_rate: ">= 80"
    local_cloaking: ">= 5"
    hellinger_mean: "<= 0.2"
  pia:
    purpose: Quality indicators for the regional board
    controller: Regional hospital
    legal_basis: Public interest
    retention: until 2028-09-30
    data_recipient: internal
    data_type: health
    data_subject: patients
    sensitivity_level: High
"""

SET: Final = """\
apiVersion: avatar-gitops/v1
kind: AvatarRun
metadata:
  name: {name}
  owner: {owner}
spec:
  seed: 7
  tables:
    {table}:
      source: data/{table}.csv
      avatarization: {{k: {k}}}
  gates:
    hidden_rate: ">= {floor}"
  pia:
    purpose: {purpose}
    data_recipient: {recipient}
    data_type: {about}
"""


def numbers(draw: random.Random) -> list[str]:
    age = draw.randint(18, 90)
    return [str(age), f"{150 + age / 5 + draw.gauss(0, 8):.1f}", f"{draw.expovariate(0.2):.1f}"]


def table(columns: str, seed: int, choices: dict[str, str], make: Callable[[random.Random], list[str]]) -> str:
    """A generated table: numbers first, then one category per entry of `choices`."""
    draw = random.Random(seed)
    lines = [",".join([columns, *choices])]
    lines += [",".join([*make(draw), *(draw.choice(said.split()) for said in choices.values())]) for _ in range(ROWS)]
    return "\n".join(lines) + "\n"


def tables() -> dict[str, str]:
    """The data of the hospital."""
    return {
        "patients": table(
            "age,height,stay",
            1,
            {"diagnosis": "asthma diabetes fracture none", "sex": "f m", "zip": "44 69 75"},
            numbers,
        ),
        "visits": table("age,weight,minutes", 2, {"ward": "a b c", "kind": "first again"}, numbers),
        "claims": table("age,amount,days", 3, {"kind": "care drug", "region": "n s w"}, numbers),
        "lab": table("age,glucose,sodium", 4, {"unit": "x y", "device": "p q r"}, numbers),
        "doctors": table("age,years,load", 5, {"field": "eye ear skin", "full_time": "yes no"}, numbers),
        "sensors": table("hour,pulse,noise", 6, {"room": "r1 r2 r3", "alarm": "yes no"}, numbers),
    }


def spec(name: str, of: str, *, k: int = 10, floor: int = 70, owner: str = "", **pia: str) -> str:
    """A run spec like those of the hospital."""
    said = {"purpose": "Planning", "recipient": "internal", "about": "health", **pia}
    return SET.format(name=name, table=of, k=k, floor=floor, owner=owner or f"{of}@example.org", **said)


SPECS: Final = {
    "configs/health/patients-2026q3.yaml": PATIENTS,
    "configs/health/visits-2024q4.yaml": spec("visits-2024q4", "visits"),
    "configs/health/lab-2026q2.yaml": spec("lab-2026q2", "lab"),
    "configs/health/doctors.yaml": spec("doctors", "doctors", about="hr") + "  lifecycle: {protect: true}\n",
    "configs/finance/claims-2025.yaml": spec(
        "claims-2025", "claims", recipient="contractual_thirdparty", about="insurance"
    ),
    "configs/health/sensors-weekly.yaml": spec("sensors-weekly", "sensors"),
}


def write(root: Path, files: dict[str, str]) -> None:
    """Write files below a folder."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def hospital(root: Path) -> None:
    """Write the whole project."""
    today = datetime.now(UTC).date()
    waivers = WAIVERS.replace("GRANTED", today.isoformat()).replace("EXPIRES", f"{today + timedelta(days=60)}")
    write(root, {f"data/{name}.csv": text for name, text in tables().items()})
    write(root, SPECS)
    write(
        root,
        {
            "avatar-gitops.yaml": PROJECT,
            "policies/policy.yaml": POLICY,
            "policies/waivers.yaml": waivers,
            ".gitignore": ".avatar/\nout/\navatar-ci/\n",
        },
    )
