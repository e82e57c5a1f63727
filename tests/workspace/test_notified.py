"""What was told to webhooks: once for each outcome, again after the set has changed, and whatever a crash leaves."""

from __future__ import annotations

from pathlib import Path

from avatar_gitops.workspace.notified import FILE, Notice, Notified


def notice(digest: str, outcome: str, name: str = "iris", hook: str = "env/HOOK json") -> Notice:
    return Notice(hook, name, digest, outcome)


def test_an_outcome_is_told_once_also_by_a_later_command(tmp_path: Path) -> None:
    record = Notified.read(tmp_path)
    assert not record.told(notice("a", "failed"))
    record.add(notice("a", "failed"))
    record.add(notice("a", "published"))
    again = Notified.read(tmp_path)
    assert again.told(notice("a", "failed"))
    assert again.told(notice("a", "published"))
    assert not again.told(notice("a", "gate_failed"))
    assert not again.told(notice("a", "failed", name="lab"))
    assert not again.told(notice("a", "failed", hook="env/OTHER json"))


def test_what_comes_back_is_told_again(tmp_path: Path) -> None:
    record = Notified.read(tmp_path)
    record.add(notice("a", "published"))
    record.add(notice("b", "published"))
    for known in (record, Notified.read(tmp_path)):
        assert known.told(notice("b", "published"))
        assert not known.told(notice("a", "published"))


def test_a_torn_line_costs_one_message_and_not_the_record(tmp_path: Path) -> None:
    record = Notified.read(tmp_path)
    record.add(notice("a", "published"))
    path = tmp_path / FILE
    path.write_bytes(path.read_bytes() + b'{"hook": "env/HOOK js')
    torn = Notified.read(tmp_path)
    assert torn.told(notice("a", "published"))
    torn.add(notice("a", "failed"))
    assert Notified.read(tmp_path).told(notice("a", "failed"))
    assert Notified.read(tmp_path).told(notice("a", "published"))
