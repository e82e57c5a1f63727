"""Which folder is a project and which of its files are specs."""

from __future__ import annotations

from pathlib import Path

import pytest

from avatar_gitops.errors import UsageError
from avatar_gitops.spec.project import Project, ProjectMetadata, ProjectSpec
from avatar_gitops.workspace.discover import find_root, shown, spec_files


def project(specs: str = "configs") -> Project:
    metadata, spec = ProjectMetadata(name="p"), ProjectSpec(specs=specs)
    return Project(apiVersion="avatar-gitops/v1", kind="Project", metadata=metadata, spec=spec)


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("")


def test_the_root_is_found_upwards_from_a_folder_or_a_file(tmp_path: Path) -> None:
    touch(tmp_path, "avatar-gitops.yaml", "configs/health/a.yaml")
    for start in (".", "configs/health", "configs/health/a.yaml", "avatar-gitops.yaml"):
        assert find_root(tmp_path / start) == tmp_path


def test_without_a_project_the_way_to_start_one_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no avatar-gitops\.yaml") as raised:
        find_root(tmp_path)
    assert raised.value.hint is not None
    assert "avatar-gitops init" in raised.value.hint
    with pytest.raises(UsageError, match="does not exist"):
        find_root(tmp_path / "nowhere")


def test_specs_are_the_yaml_files_of_their_folder(tmp_path: Path) -> None:
    touch(tmp_path, "configs/b.yaml", "configs/a/c.yml", "configs/avatar-gitops.yaml", "configs/README.md")
    touch(
        tmp_path,
        "configs/b.lock.yaml",
        "configs/b.noise.yaml",
        "configs/_defaults.yaml",
        "configs/.hidden.yaml",
        "configs/.git/x.yaml",
    )
    touch(tmp_path, "configs/_drafts/d.yaml", "other/e.yaml")
    assert [shown(tmp_path, path) for path in spec_files(tmp_path, project())] == ["configs/a/c.yml", "configs/b.yaml"]


def test_the_output_folder_holds_no_specs(tmp_path: Path) -> None:
    touch(tmp_path, "a.yaml", "out/a/evidence.yaml")
    assert [path.name for path in spec_files(tmp_path, project(specs="."))] == ["a.yaml"]


def test_a_missing_folder_holds_no_specs(tmp_path: Path) -> None:
    assert spec_files(tmp_path, project()) == ()


def test_the_spec_folder_stays_in_the_project(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="leaves the project"):
        spec_files(tmp_path, project(specs="../elsewhere"))


def test_linked_folders_are_not_followed(tmp_path: Path) -> None:
    touch(tmp_path, "elsewhere/a.yaml", "root/configs/b.yaml")
    (tmp_path / "root/configs/link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "root/configs/c.yaml").symlink_to(tmp_path / "elsewhere/a.yaml")
    assert [path.name for path in spec_files(tmp_path / "root", project())] == ["b.yaml"]
