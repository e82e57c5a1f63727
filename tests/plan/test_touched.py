"""Which sets changed files concern."""

from __future__ import annotations

from typing import Any

import pytest

from avatar_gitops.plan.touched import touched
from tests.support.planning import a_lock, a_version, wish

TABLES: dict[str, Any] = {
    "patients": {"source": "./data/../data/p.csv", "avatarization": {"k": 5}},
    "visits": {"source": {"uri": "data/v.csv"}, "avatars": "data/a.csv"},
    "labs": {"source": "s3://bucket/data/l.csv", "avatarization": {"k": 5}},
}


@pytest.mark.parametrize(
    ("file", "found"),
    [
        ("configs/one.yaml", {"one"}),
        ("configs/_defaults.yaml", {"one", "two"}),
        ("configs/deep/_defaults.yaml", set()),
        ("configs/one.lock.yaml", set()),
        ("data/p.csv", {"one"}),
        ("data/v.csv", {"one"}),
        ("data/a.csv", {"one"}),
        ("data/l.csv", set()),
        ("data/patients.csv", {"two"}),
        ("downloaded.yaml", {"two"}),
        ("configs/gone.yaml", {"gone"}),
    ],
)
def test_files_and_the_sets_that_are_made_from_them(file: str, found: set[str]) -> None:
    gone, two = wish("gone"), wish("two")
    locks = {item.name: a_lock(item, a_version(item)) for item in (gone, two)}
    assert touched([wish("one", tables=TABLES), two], locks, {file}, {"two": ["./downloaded.yaml"]}) == found
