"""Runs that are repeated: equal bytes in another clone, on one thread, on other kernels; and what is said elsewhere."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.flow import Cli

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example project, applied on the embedded platform and committed."""
    folder = tmp_path_factory.mktemp("examples") / "configs"
    shutil.copytree(ROOT / "configs", folder, ignore=shutil.ignore_patterns("*.lock.yaml", "out", ".avatar", "audit"))
    (folder / ".gitignore").write_text(".avatar/\nout/\n")
    applied = at(folder, "apply", "--yes")
    assert applied.returncode == 0, applied.stderr
    for call in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message", "Applied"]):
        who = ["-c", "user.name=Anna", "-c", "user.email=anna@example.org"]
        subprocess.run(["git", "-C", str(folder), *who, *call], check=True)
    return folder


def at(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    cli = Cli(folder, {})
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AVATAR_")}
    return subprocess.run(
        cli.command(*arguments),
        cwd=folder,
        env={**inherited, "NO_COLOR": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def results(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    assert done.returncode == 0, done.stdout + done.stderr
    return {run["set"]: run["result"] for run in json.loads(done.stdout)["runs"]}


@pytest.mark.timeout(240)
def test_every_example_replays_to_equal_bytes_in_a_second_clone(published: Path, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", str(published), str(clone)], check=True)
    assert not (clone / "out").exists()
    found = results(at(clone, "audit", "replay", "--format", "json"))
    assert found == dict.fromkeys(["breast-cancer", "iris", "wine-hardened"], "exact")
    said = json.loads((clone / "out" / "iris" / "replay.intoto.json").read_bytes())["predicate"]
    assert (said["environment_equal"], said["statement"]) == (False, None), "the clone does not know the environment"


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    "environment",
    [
        {"AVATAR_GITOPS_KERNELS": "portable"},
        {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "2"},
    ],
    ids=["portable kernels", "one thread"],
)
def test_kernels_and_threads_change_no_byte(published: Path, environment: dict[str, str]) -> None:
    found = results(at(published, "audit", "replay", "--format", "json", **environment))
    assert set(found.values()) == {"exact"}


@pytest.mark.timeout(300)
def test_another_blas_is_told_and_what_differs_is_within_the_band(published: Path, tmp_path: Path) -> None:
    """OpenBLAS with the kernels of another processor: sums in another order, so that ties may fall the other way.

    Equal bytes are not promised then: metrics stay within what another seed would do.
    """
    clone = tmp_path / "clone"
    shutil.copytree(published, clone, ignore=shutil.ignore_patterns(".avatar"))
    assert at(clone, "noise", "iris", "--seeds", "5").returncode == 0
    done = at(clone, "audit", "replay", "iris", "--format", "json", OPENBLAS_CORETYPE="Prescott")
    assert set(results(done).values()) <= {"exact", "within_band"}, done.stdout
    said = json.loads((clone / "out" / "iris" / "replay.intoto.json").read_bytes())["predicate"]
    told = any(text.startswith("blas ") for text in said["differs"])
    assert said["environment_equal"] is not told
    assert told or said["result"] == "exact"


def test_a_bundle_replays_where_the_data_are(published: Path, tmp_path: Path) -> None:
    assert at(published, "audit", "bundle", "iris", "--output", str(tmp_path / "iris.zip")).returncode == 0
    done = at(tmp_path, "audit", "replay", "iris.zip", "--data", str(published), "--format", "json")
    assert results(done) == {"iris": "exact"}
    assert (tmp_path / "replay" / "iris" / "replay.intoto.json").is_file()
    elsewhere = at(tmp_path, "audit", "replay", "iris.zip")
    assert elsewhere.returncode == 1
    assert "not repeated: the data of iris cannot be read: there is no such file" in elsewhere.stdout


def test_other_data_are_not_run(published: Path, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", str(published), str(clone)], check=True)
    with (clone / "data" / "iris.csv").open("a") as stream:
        stream.write("5.0,3.0,1.0,0.2,setosa\n")
    done = at(clone, "audit", "replay", "iris")
    assert done.returncode == 1
    assert "the data of iris are not those of the run: their digest is another one" in done.stdout
    assert not (clone / "out").exists()


def test_a_replay_is_part_of_the_next_bundle_and_checked(published: Path, tmp_path: Path) -> None:
    assert at(published, "audit", "replay", "iris").returncode == 0
    folder = tmp_path / "bundle"
    assert at(published, "audit", "bundle", "iris", "--output", str(folder)).returncode == 0
    place = folder / "project" / "out" / "iris" / "replay.intoto.json"
    assert json.loads(place.read_bytes())["predicate"]["result"] == "exact"
    place.write_text(place.read_text().replace('"exact"', '"different"'))
    found = at(tmp_path, "audit", "verify", "bundle")
    assert found.returncode == 1
    assert "project/out/iris/replay.intoto.json: its result is not what it compared" in found.stdout
