"""What a deletion and a rename do to the files of a project, also when a crash came in between."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from avatar_gitops.app.loading import Loaded
from avatar_gitops.app.publishing import Publisher
from avatar_gitops.app.summaries import index
from avatar_gitops.plan.deletion import Deletion
from avatar_gitops.spec.project import Project
from avatar_gitops.workspace.locks import lock_path, write_lock
from tests.support.planning import a_lock, a_version, wish

LOCK = a_lock(wish("visits"), a_version(wish("visits")))
GONE = Deletion(
    set="visits",
    path="configs/visits.yaml",
    project="hospital",
    server="prod",
    reason="removed_from_git",
    at=datetime(2026, 11, 22, 10, 0, tzinfo=UTC),
    plan="sha256:" + "a" * 64,
    commit="4f2a91c",
    runs={"visits-v1": ["one", "two"]},
    published="visits-v1",
)


@pytest.fixture
def publisher(tmp_path: Path) -> Publisher:
    project = Project.model_validate(
        {"apiVersion": "avatar-gitops/v1", "kind": "Project", "metadata": {"name": "hospital"}}, strict=False
    )
    write_lock(tmp_path, LOCK)
    folder = tmp_path / "out" / "visits"
    (folder / "avatars").mkdir(parents=True)
    (folder / "metrics.json").write_text("{}")
    (folder / "avatars" / "patients.csv").write_text("age\n1\n")
    return Publisher(Loaded(tmp_path, project, (), {"visits": LOCK}, "", (), {}), ("zoe",))


def files(publisher: Publisher) -> set[str]:
    root = publisher.loaded.root
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


def receipt(publisher: Publisher) -> dict[str, object]:
    content: dict[str, object] = json.loads((publisher.loaded.out / "visits" / "deletion.json").read_bytes())
    return content


def test_a_deleted_set_leaves_a_receipt_and_nothing_else(
    publisher: Publisher, golden: Callable[[str, str], None]
) -> None:
    assert publisher.remove(GONE) == "out/visits/deletion.json"
    assert files(publisher) == {"out/visits/deletion.json"}
    told = receipt(publisher)
    assert told["deleted_at"] == "2026-11-22T10:00:00+00:00"
    assert told["approved_by"] == ["zoe"]
    golden("app/deletion.json", (publisher.loaded.out / "visits" / "deletion.json").read_text(encoding="utf-8"))
    golden("app/index-with-receipt.md", index([replace(LOCK, set="other")], publisher.loaded.out)["index.md"])


def test_a_crash_between_receipt_and_lock_loses_nothing_of_the_receipt(publisher: Publisher) -> None:
    publisher.remove(GONE)
    write_lock(publisher.loaded.root, LOCK)
    publisher.remove(replace(GONE, runs={}, at=datetime(2026, 11, 23, tzinfo=UTC)))
    assert files(publisher) == {"out/visits/deletion.json"}
    assert receipt(publisher)["runs"] == [{"id": "visits-v1", "jobs": ["one", "two"]}]


def test_a_later_deletion_of_the_same_name_gets_its_own_receipt(publisher: Publisher) -> None:
    publisher.remove(GONE)
    publisher.remove(replace(GONE, published="visits-v2", runs={"visits-v2": []}))
    assert receipt(publisher)["published_run"] == "visits-v2"


def test_the_lock_of_another_set_in_the_same_place_stays(publisher: Publisher) -> None:
    root = publisher.loaded.root
    write_lock(root, replace(LOCK, set="other"))
    publisher.remove(GONE)
    publisher.forget("visits", "configs/visits.yaml")
    assert lock_path(root, "configs/visits.yaml").is_file()


def test_a_damaged_lock_is_left_to_people(publisher: Publisher) -> None:
    path = lock_path(publisher.loaded.root, "configs/visits.yaml")
    path.write_text("set: [", encoding="utf-8")
    publisher.remove(GONE)
    assert path.is_file()


def test_artifacts_move_once(publisher: Publisher) -> None:
    publisher.move("visits", "visits-2026")
    moved = files(publisher)
    assert "out/visits-2026/avatars/patients.csv" in moved
    publisher.move("visits", "visits-2026")
    (publisher.loaded.out / "visits").mkdir()
    publisher.move("visits", "visits-2026")
    assert files(publisher) == moved
    publisher.forget("visits", "configs/visits.yaml")
    assert not (publisher.loaded.out / "visits").exists()
    assert not lock_path(publisher.loaded.root, "configs/visits.yaml").exists()


def test_artifacts_replace_the_receipt_of_an_older_set(publisher: Publisher) -> None:
    publisher.remove(replace(GONE, set="visits-2026", path=""))
    publisher.move("visits", "visits-2026")
    assert not (publisher.loaded.out / "visits-2026" / "deletion.json").exists()
    assert (publisher.loaded.out / "visits-2026" / "metrics.json").is_file()
