"""What a preview compares, found out without running anything: which sets, on which input, against which spec."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from avatar_gitops.app.loading import load
from avatar_gitops.app.preview_cases import DATA_ONLY, Case, cases
from avatar_gitops.diagnostics import SpecError
from avatar_gitops.errors import UsageError
from avatar_gitops.plan.desired import DesiredSet
from avatar_gitops.plan.lock import Lock
from avatar_gitops.plan.model import Selection
from avatar_gitops.plan.prediction import Basis
from avatar_gitops.spec.models import Job
from avatar_gitops.workspace.locks import write_lock

PROJECT = "apiVersion: avatar-gitops/v1\nkind: Project\nmetadata: {name: demo}\nspec: {SPEC}\n"
SPEC = """\
apiVersion: avatar-gitops/v1
kind: AvatarRun
metadata: {name: NAME}
spec:
  seed: 7
  tables:
    people:
      source: data/people.csv
      avatarization: {k: K}
MORE"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "configs").mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "avatar-gitops.yaml").write_text(PROJECT.replace("SPEC", "{}").replace("{{}}", "{}"))
    (tmp_path / "data" / "people.csv").write_text("age,city\n" + "30,Lyon\n" * 40)
    (tmp_path / "data" / "sample.csv").write_text("age,city\n" + "31,Paris\n" * 20)
    return tmp_path


def spec(root: Path, name: str = "a", k: int = 5, more: str = "") -> None:
    text = SPEC.replace("NAME", name).replace("K}", f"{k}}}").replace("MORE", more)
    (root / "configs" / f"{name}.yaml").write_text(text)


def publish(root: Path) -> None:
    """Lock files as an apply of what is there now would write them."""
    for item in load(root).desired:
        write_lock(root, lock(item))


def lock(item: DesiredSet) -> Lock:
    stamp = "2026-01-01T00:00:00+00:00"
    jobs = {job.value: f"{item.name}-{job.value}" for job in Job}
    return Lock(
        item.name, item.path, item.digests, item.resolved, item.inputs, f"run-{item.name}", stamp, stamp, jobs, "engine"
    )


def found(root: Path, on: str = "auto", base: str = "", **selection: Any) -> dict[str, Case]:
    return {case.name: case for case in cases(root, Selection(**selection), on, base).cases}


SAMPLE = "      sample: data/sample.csv\n"


def test_only_sets_whose_runs_or_metrics_change_are_measured(root: Path) -> None:
    spec(root, "same")
    spec(root, "report")
    spec(root, "metric")
    spec(root, "both")
    publish(root)
    spec(root, "report", more="  pia: {language: fr}\n  gates: {hidden_rate: '>= 1'}\n")
    spec(root, "metric", more="      privacy_metrics: {known_variables: [age], target: city}\n")
    spec(root, "both", k=9)
    spec(root, "new")
    made = cases(root, Selection(), "auto")
    assert [(case.name, case.new, case.base is None) for case in made.cases] == [
        ("both", False, False),
        ("metric", False, False),
        ("new", True, True),
    ]
    assert made.unchanged == 2
    assert set(found(root, exclude=("n*",))) == {"both", "metric"}
    assert set(found(root, select=("state:new",))) == {"new"}


def test_base_and_head_read_the_same_input(root: Path) -> None:
    spec(root, k=9, more=SAMPLE)
    publish(root)
    spec(root, k=5, more=SAMPLE)
    (root / "data" / "people.csv").write_text("age,city\n" + "44,Nice\n" * 50)
    for on in ("data", "sample"):
        case = found(root, on)["a"]
        assert case.base is not None
        assert case.base.inputs == case.head.inputs
        assert case.base.run.spec.tables["people"].source == case.head.run.spec.tables["people"].source
        assert case.base.run.spec.tables["people"].avatarization != case.head.run.spec.tables["people"].avatarization
    digests = {on: found(root, on)["a"].head.inputs[0].digest for on in ("data", "sample")}
    assert digests["data"] != digests["sample"]


def test_other_data_alone_leave_the_head_without_base(root: Path) -> None:
    spec(root)
    publish(root)
    (root / "data" / "people.csv").write_text("age,city\n" + "44,Nice\n" * 50)
    case = found(root)["a"]
    assert (case.base, case.notes, case.new) == (None, (DATA_ONLY,), False)


def test_a_table_that_left_the_spec_leaves_the_head_without_base(root: Path) -> None:
    spec(root, more="    more: {source: data/people.csv, avatarization: {k: 5}}\n")
    publish(root)
    spec(root)
    case = found(root)["a"]
    assert case.base is None
    assert "more left the spec" in case.notes[0]


def test_samples_are_taken_where_the_data_are_not_here_and_then_data_count_as_unchanged(root: Path) -> None:
    spec(root, more=SAMPLE)
    spec(root, "b", more=SAMPLE)
    publish(root)
    spec(root, k=9, more=SAMPLE)
    assert found(root)["a"].basis is Basis.DATA
    (root / "data" / "people.csv").unlink()
    assert {name: case.basis for name, case in found(root).items()} == {"a": Basis.SAMPLE}
    with pytest.raises(SpecError) as raised:
        found(root, "data")
    assert [one.code for one in raised.value.diagnostics] == ["X024"]


def test_a_pointer_of_git_lfs_is_no_data(root: Path) -> None:
    spec(root, more=SAMPLE)
    (root / "data" / "people.csv").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:a\nsize 1\n")
    assert found(root)["a"].basis is Basis.SAMPLE


def test_keyed_digests_need_no_key_for_a_preview(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pull request from a fork has no secret; its data count as unchanged then."""
    (root / "avatar-gitops.yaml").write_text(PROJECT.replace("{SPEC}", "{digest_key: env/DIGEST_KEY}"))
    spec(root)
    spec(root, "b")
    monkeypatch.setenv("DIGEST_KEY", "a long secret for tests")
    publish(root)
    monkeypatch.delenv("DIGEST_KEY")
    spec(root, k=9)
    case = found(root)["a"]
    assert case.head.inputs[0].digest.startswith("sha256:")
    assert set(found(root)) == {"a"}


def test_a_renamed_set_is_compared_with_what_it_was(root: Path) -> None:
    spec(root, "old")
    publish(root)
    (root / "configs" / "old.yaml").unlink()
    moved = "{moved: [{from: old, to: now, date: '2026-01-01'}]}"
    (root / "avatar-gitops.yaml").write_text(PROJECT.replace("{SPEC}", moved))
    spec(root, "now", k=9)
    case = found(root)["now"]
    assert not case.new
    assert case.base is not None
    assert case.base.name == "old"


def test_the_base_may_be_a_commit(root: Path) -> None:
    def git(*arguments: str) -> None:
        who = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *who, *arguments], cwd=root, check=True, capture_output=True)

    spec(root)
    git("init", "-q")
    git("add", "-A")
    git("commit", "-qm", "before the first apply")
    publish(root)
    git("add", "-A")
    git("commit", "-qm", "published")
    spec(root, k=9)
    spec(root, "b")
    assert set(found(root, select=("git:HEAD",))) == {"a", "b"}
    (root / "configs" / "b.yaml").unlink()
    assert not found(root, base="HEAD")["a"].new
    assert found(root, base="HEAD~1")["a"].new
    with pytest.raises(UsageError, match="nowhere"):
        found(root, base="nowhere")


def test_a_spec_of_another_version_leaves_the_head_without_base(root: Path) -> None:
    spec(root)
    (item,) = load(root).desired
    strange = {**item.resolved, "spec": {**item.resolved["spec"], "unknown": 1}}
    old = lock(item)
    write_lock(root, Lock(**{**{name: getattr(old, name) for name in old.__slots__}, "spec": strange}))
    spec(root, k=9)
    case = found(root)["a"]
    assert case.base is None
    assert "not valid for this version" in case.notes[0]


def test_every_set_of_a_matrix_is_a_case_of_its_own(root: Path) -> None:
    spec(root, "m", more="  matrix: {k: [5, 9]}\n")
    made = found(root)
    assert [case.head.run.spec.tables["people"].avatarization for case in made.values()] != []
    assert len(made) == 2
    assert {case.path for case in made.values()} == {"configs/m.yaml"}
    assert len({case.head.digests.standard for case in made.values()}) == 2


def test_given_avatars_are_never_measured_against_a_sample(root: Path) -> None:
    spec(root, more=SAMPLE + "      avatars: data/sample.csv\n")
    path = root / "configs" / "a.yaml"
    path.write_text(path.read_text().replace("      avatarization: {k: 5}\n", ""))
    assert found(root)["a"].basis is Basis.DATA
    with pytest.raises(SpecError) as raised:
        found(root, "sample")
    assert "avatars are given" in raised.value.diagnostics[0].message
