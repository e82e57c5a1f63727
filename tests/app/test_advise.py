"""Links from advice into spec files: once for all sets of a file, and never over those of another file."""

from __future__ import annotations

from pathlib import Path

import pytest

from avatar_gitops.app.advise import Advice, write
from avatar_gitops.errors import UsageError
from avatar_gitops.plan.advice import Proposal
from avatar_gitops.spec.fields import Privacy

TEXT = """\
apiVersion: avatar-gitops/v1
kind: AvatarRun
metadata: {name: a}
spec:
  matrix: {k: [5, 10]}  # two sets
  tables:
    p: {source: p.csv}
    c: {source: c.csv}
"""
LINK = {"field": "id", "to": {"table": "c", "field": "p_id"}, "method": "linear_sum_assignment"}


def a_link(place: int) -> Proposal:
    return Proposal("p", ("spec", "tables", "p", "links", place), None, LINK, "why", Privacy.UNKNOWN)


def test_the_sets_of_one_file_bring_a_link_once(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(TEXT, encoding="utf-8")
    sets = {name: (a_link(0),) for name in ("a-k5", "a-k10")}
    write(Advice(sets, {}, dict.fromkeys(sets, "a.yaml"), tmp_path), overwrite=False)
    text = (tmp_path / "a.yaml").read_text(encoding="utf-8")
    written = "{source: p.csv, links: [{field: id, to: {table: c, field: p_id}, method: linear_sum_assignment}]}"
    assert text == TEXT.replace("{source: p.csv}", written)


def test_a_list_of_another_file_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(TEXT, encoding="utf-8")
    with pytest.raises(UsageError, match="links from another file") as caught:
        write(Advice({"a": (a_link(2),)}, {}, {"a": "a.yaml"}, tmp_path), overwrite=False)
    assert "--origin" in str(caught.value.hint)
    assert (tmp_path / "a.yaml").read_text(encoding="utf-8") == TEXT
