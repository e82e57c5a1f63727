"""Files of signatures: added to without touching what people wrote, refused with the place when damaged."""

from __future__ import annotations

from pathlib import Path

import pytest

from avatar_gitops.diagnostics import SpecError
from avatar_gitops.errors import IntegrityError
from avatar_gitops.plan.signoff import Decision, SignOff
from avatar_gitops.workspace.signoffs import add_signoff, read_signoffs

FIRST = SignOff("a@example.org", "dpo", "2026-09-17", Decision.APPROVED, "sha256:" + "1" * 64, "run", "Fine: as it is")
SECOND = SignOff("b@example.org", "owner", "2026-09-18", Decision.REFUSED, "sha256:" + "2" * 64)
TEXT = """\
# yaml-language-server: $schema=../schemas/signoffs.v1.schema.json
# Who signed the assessment of this set; add to it with: avatar-gitops report sign
apiVersion: avatar-gitops/v1
kind: SignOffs
metadata:
  name: patients
signatures:
  - person: a@example.org
    role: dpo
    date: '2026-09-17'
    decision: approved
    statement: sha256:1111111111111111111111111111111111111111111111111111111111111111
    run: run
    note: 'Fine: as it is'
"""


def test_there_are_none_without_a_file(tmp_path: Path) -> None:
    assert read_signoffs(tmp_path, "patients") == ()


def test_the_first_signature_makes_the_file(tmp_path: Path) -> None:
    path = add_signoff(tmp_path, "patients", FIRST)
    assert path == tmp_path / "signoffs" / "patients.yaml"
    assert path.read_text(encoding="utf-8") == TEXT
    assert read_signoffs(tmp_path, "patients") == (FIRST,)


def test_what_people_wrote_stays(tmp_path: Path) -> None:
    path = add_signoff(tmp_path, "patients", FIRST)
    own = TEXT.replace("    role: dpo\n", "    role: dpo  # since March\n")
    path.write_text(own, encoding="utf-8")
    add_signoff(tmp_path, "patients", SECOND)
    assert path.read_text(encoding="utf-8").startswith(own)
    assert read_signoffs(tmp_path, "patients") == (FIRST, SECOND)


@pytest.mark.parametrize(
    ("before", "after"),
    [("role: dpo", "role: D P O"), ("approved", "perhaps"), ("sha256:11", "md5:11"), ("    run:", "    runs:")],
)
def test_a_damaged_file_is_refused_and_not_written_to(tmp_path: Path, before: str, after: str) -> None:
    path = add_signoff(tmp_path, "patients", FIRST)
    path.write_text(TEXT.replace(before, after), encoding="utf-8")
    with pytest.raises(SpecError) as caught:
        add_signoff(tmp_path, "patients", SECOND)
    assert {found.span.file for found in caught.value.diagnostics} == {"signoffs/patients.yaml"}
    assert path.read_text(encoding="utf-8") == TEXT.replace(before, after)


def test_a_file_about_another_set_is_refused(tmp_path: Path) -> None:
    add_signoff(tmp_path, "patients", FIRST).rename(tmp_path / "signoffs" / "visits.yaml")
    with pytest.raises(IntegrityError, match="is about the set patients, not visits"):
        read_signoffs(tmp_path, "visits")
