"""The story of the hospital's sets, told in chapters by the real command line; each leaves screens in an album."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import shutil
import signal
import socket
import subprocess
import time
from contextlib import closing
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Final

import pytest

from avatar_gitops.app.clock import SystemClock
from avatar_gitops.app.leasing import holder_of
from avatar_gitops.app.servers import STATE_FOLDER
from avatar_gitops.client.gateway import connect
from avatar_gitops.reconcile.lease import Terms, leased
from avatar_gitops.server.local import start
from tests.support import hospital
from tests.support.flow import Cli, Platform, journal_lines
from tests.support.github import REPOSITORY, TOKEN, FakeGitHub, Pull
from tests.support.processes import workers_held
from tests.support.screens import Album, Studio, environment

IRIS: Final = files("avatar_gitops.app").joinpath("scaffold")
LONGEST: Final = 60.0
HEAD, MERGE = "a" * 40, "c" * 40
PATIENTS: Final = "configs/health/patients-2026q3.yaml"
CLAIMS: Final = "configs/finance/claims-2025.yaml"
SENSORS: Final = "configs/health/sensors-weekly.yaml"
LAB: Final = "configs/health/lab-2026q2.yaml"
APPROVED: Final = ("--approved-by", "dpo-lead")
FOREIGN: Final = """\
kind: AvatarMetadata
metadata: {{name: avatar-metadata-{name}}}
spec: {{display_name: {name}}}
annotations: {annotations}
---
kind: AvatarSchema
metadata: {{name: schema}}
spec: {{tables: [{{name: people, data: {{volume: input, file: people.csv}}}}]}}
---
kind: AvatarParameters
metadata: {{name: standard}}
spec: {{schema: schema, avatarization: {{people: {{k: 5}}}}, results: {{volume: results, path: standard}}}}
"""


def first_minutes(root: Path, album: Album) -> None:
    """Section 4: a new project on this machine, from nothing to no changes."""
    Studio(root, environment({}), album).shoot("init", "init", "demo")
    studio = Studio(root / "demo", environment({}), album)
    with start(studio.root / STATE_FOLDER):
        studio.shoot("first-plan", "plan")
        studio.shoot("first-apply", "apply", "--yes")
        studio.shoot("first-plan-again", "plan")
        studio.shoot("explain-refusal", "explain", "R005")


def validation(root: Path, album: Album) -> None:
    """Section 5: five mistakes in two files, YAML that cannot be read, a secret."""
    hospital.hospital(root)
    studio = Studio(root, environment({}), album)
    wrong = hospital.PATIENTS.replace("k: 20", "k: 0").replace("ncp: 5", "use_categorical_reducton: true")
    wrong = wrong.replace("[age]", "[age, zip_code]").replace("sensitivity_level: High", "sensitivity_level: Hihg")
    again = hospital.SPECS[CLAIMS]
    hospital.write(root, {PATIENTS: wrong, "configs/health/claims.yaml": again})
    studio.shoot("validate", "validate", code=3)
    studio.shoot("validate-short", "validate", "--format", "short", code=3)
    studio.shoot("validate-github", "validate", "--format", "github", code=3)
    studio.shoot("validate-json", "validate", "--format", "json", code=3)
    studio.shoot("explain", "explain", "S004")
    studio.run("ci", "plan")
    album.keep("comment-invalid.md", (root / "avatar-ci/comment.md").read_text(encoding="utf-8"))

    demo = IRIS.joinpath("iris-demo.yaml").read_text(encoding="utf-8")
    twice = demo.replace("avatarization: {k: 20}", "avatarization:\n        k: 20\n        ncp: 3\n        k: 5")
    hospital.write(
        root, {"iris-demo.yaml": twice, "data/iris.csv": IRIS.joinpath("iris.csv").read_text(encoding="utf-8")}
    )
    studio.shoot("validate-key-twice", "validate", "iris-demo.yaml", code=3)
    hospital.write(root, {"iris-demo.yaml": demo.replace("you@example.org", "@anna")})
    studio.shoot("validate-at-sign", "validate", "iris-demo.yaml", code=3)
    hospital.write(root, {"avatar-gitops.yaml": hospital.PROJECT.replace("env/HOSPITAL_KEY", "hunter2hunter2")})
    studio.shoot("validate-secret", "validate", "avatar-gitops.yaml", code=3)


@dataclass(frozen=True)
class Hospital:
    """The project against a running platform: by hand, and as a step of a workflow run for pull request 7."""

    studio: Studio
    runner: Studio
    platform: Platform
    fake: FakeGitHub

    @property
    def root(self) -> Path:
        return self.studio.root

    def edit(self, path: str, **replaced: str) -> None:
        """Replace texts in a file; a name stands for what is replaced, see `EDITS`."""
        text = (self.root / path).read_text(encoding="utf-8")
        for name, new in replaced.items():
            old = EDITS[name]
            assert re.search(old, text), (path, name)
            text = re.sub(old, new, text)
        (self.root / path).write_text(text, encoding="utf-8")

    def comment(self) -> str:
        return (self.root / "avatar-ci/comment.md").read_text(encoding="utf-8")


EDITS: Final = {
    "k": r"k: \d+",
    "known": r"known_variables: \[.*\]",
    "owner": r"owner: \S+",
    "hidden": r'hidden_rate: ".*"',
    "room": r"\n      columns: \{room: \{type: int\}\}",
    "cloaking": r'local_cloaking: ".*"',
}


def opened(root: Path, album: Album, platform: Platform, fake: FakeGitHub) -> Hospital:
    """The project as it is before anything was applied, and who looks at it."""
    hospital.hospital(root)
    mine = environment({"HOSPITAL_URL": platform.base_url, "HOSPITAL_KEY": platform.api_key})
    work = root.parent / "runner"
    work.mkdir()
    fake.pulls[7] = Pull(7, HEAD)
    payload = {"pull_request": fake.pulls[7].document()}
    (work / "event.json").write_text(json.dumps(payload), encoding="utf-8")
    theirs = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_API_URL": fake.url,
        "GITHUB_EVENT_NAME": "pull_request",
        "GITHUB_EVENT_PATH": str(work / "event.json"),
        "GITHUB_OUTPUT": str(work / "output"),
        "GITHUB_REPOSITORY": REPOSITORY,
        "GITHUB_RUN_ID": "118",
        "GITHUB_STEP_SUMMARY": str(work / "summary.md"),
        "GITHUB_TOKEN": TOKEN,
        "GITHUB_WORKSPACE": str(root),
    }
    return Hospital(Studio(root, mine, album), Studio(root, {**mine, **theirs}, album), platform, fake)


def foreign(name: str, annotations: str = "{client_type: web}") -> str:
    """Documents of a set as somebody else makes them."""
    return FOREIGN.format(name=name, annotations=annotations)


def six_sets(scene: Hospital) -> None:
    """Section 8.3, 8.4 and 9: a set that fails, one that is interrupted, and the table of all of them."""
    studio = scene.studio
    scene.platform.put("scratch-anna", foreign("scratch-anna"))
    studio.git("The first sets")
    hospital.write(
        scene.root,
        {SENSORS: hospital.SPECS[SENSORS].replace("sensors.csv", "sensors.csv\n      columns: {room: {type: int}}")},
    )
    interrupted(scene)
    studio.shoot("apply-failed", "apply", "--yes", "-q", "--exclude", "lab-2026q2", code=7)
    studio.shoot("status", "status", table=True)
    scene.edit(SENSORS, room="")
    studio.shoot("retry", "retry", "--yes", "-q")
    studio.git("Results")


def interrupted(scene: Hospital) -> None:
    """Ctrl-C after the jobs of a set were launched; they go on at the server."""
    call = ("apply", "--yes", "--select", "lab-2026q2")
    here = Cli(scene.root, {})
    before = journal_lines(here)
    assert scene.platform.state is not None
    with workers_held(scene.platform.state):
        process = subprocess.Popen(
            Cli(scene.root, {}).command(*call),
            cwd=scene.root,
            env=scene.studio.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        end, lines = time.monotonic() + LONGEST, before
        while lines < before + 7 or lines < journal_lines(here):  # until all is launched and nothing can go on
            assert time.monotonic() < end
            lines = journal_lines(here)
            time.sleep(1.0)
        process.send_signal(signal.SIGINT)
        shown, _ = process.communicate(timeout=LONGEST)
    assert process.returncode == 130, shown
    scene.studio.keep("apply-interrupted", call, shown, 130)
    scene.platform.wait("lab-2026q2")


def changed(scene: Hospital) -> None:
    """Five changes to be reviewed: weaker, deleted, updated, new, collected."""
    scene.edit(PATIENTS, k="k: 15", known="known_variables: [age, sex]")
    (scene.root / "configs/health/visits-2024q4.yaml").unlink()
    scene.edit(CLAIMS, owner="owner: health-data@example.org")
    hospital.write(
        scene.root,
        {
            "data/iris.csv": IRIS.joinpath("iris.csv").read_text(encoding="utf-8"),
            "configs/iris-demo.yaml": IRIS.joinpath("iris-demo.yaml").read_text(encoding="utf-8"),
        },
    )
    scene.studio.git("Third quarter: fewer neighbours")


def plans(scene: Hospital) -> None:
    """Section 6: the plan, its zooms, and what is refused."""
    studio = scene.studio
    studio.shoot("plan", "plan")
    studio.shoot("plan-summary", "plan", "--summary")
    studio.shoot("plan-explain", "plan", "--explain", "--select", "patients-2026q3")
    studio.shoot("plan-why", "plan", "--why", "claims-2025")
    studio.shoot("doctor", "doctor", "--server", "prod")
    comments(scene)
    assert studio.run("plan", "--out", "json:plan.json").code == 0
    assert studio.run("apply", "--yes", "-q", "--select", "lab-2026q2").code == 0
    studio.shoot("plan-stale", "apply", "plan.json", "--yes", code=6)


def comments(scene: Hospital) -> None:
    """Section 7.1 and 7.2: the plan in a pull request, before and after the approval."""
    scene.runner.run("ci", "plan")
    assert scene.runner.run("ci", "comment", "--body", "avatar-ci/comment.md").code == 0
    scene.studio.album.keep("comment-blocked.md", scene.fake.comments[0]["body"])
    review = {"user": {"login": "dpo-lead"}, "state": "APPROVED", "commit_id": HEAD, "author_association": "MEMBER"}
    scene.fake.pulls[7].reviews.append(review)
    assert scene.runner.run("ci", "plan", "--reviews").code == 0
    assert scene.runner.run("ci", "comment", "--body", "avatar-ci/comment.md").code == 0
    scene.studio.album.keep("comment-ready.md", scene.fake.comments[0]["body"])


def merged(scene: Hospital) -> None:
    """Section 7.5, 8.2 and 10: the apply after the merge, its log, its comment, the documents."""
    scene.fake.pulls[7] = Pull(7, HEAD, state="closed", merge_commit=MERGE)
    runner = replace(
        scene.runner, environment={**scene.runner.environment, "GITHUB_EVENT_NAME": "push", "GITHUB_SHA": MERGE}
    )
    (scene.root.parent / "runner/event.json").write_text("{}", encoding="utf-8")
    call = ("apply", "--yes", *APPROVED, "--parallelism", "1", "--format", "json", "--progress", "groups")
    done = runner.run(*call)
    assert done.code == 0, done.text
    runner.keep("apply-ci", call, done.err[done.err.index("::group::") :])
    published(scene, runner, done.out, "comment-applied.md")
    out = scene.root / "out/patients-2026q3"
    scene.studio.album.keep("summary.md", (out / "summary.md").read_text(encoding="utf-8"))
    first_page = (out / "pia.md").read_text(encoding="utf-8").partition("\n### 1.3")[0] + "\n"
    scene.studio.album.keep("pia.md", first_page)
    scene.studio.shoot("plan-no-changes", "plan")
    runner.run("ci", "plan")
    scene.studio.album.keep("comment-no-changes.md", scene.comment())
    scene.studio.git("Results of the third quarter")
    scene.studio.shoot("diff", "diff", "patients-2026q3@HEAD~1", "patients-2026q3@HEAD")


def published(scene: Hospital, runner: Studio, result: str, name: str) -> None:
    """Say in the pull request what an apply did."""
    (scene.root / "applied.json").write_text(result, encoding="utf-8")
    assert runner.run("ci", "applied", "applied.json", *APPROVED).code == 0
    scene.studio.album.keep(name, scene.comment())
    (scene.root / "applied.json").unlink()


def partly(scene: Hospital) -> None:
    """Section 7.6: one gate fails, and the old results stay."""
    scene.edit(PATIENTS, k="k: 6", hidden='hidden_rate: ">= 95"')
    scene.edit(CLAIMS, owner="owner: claims@example.org")
    result = scene.studio.run("apply", "--yes", *APPROVED, "--format", "json")
    assert result.code == 4, result.text
    published(scene, scene.runner, result.out, "comment-partial.md")
    scene.studio.shoot("apply-gate-failed", "apply", "--yes", "-q", *APPROVED, code=4)


def at_a_terminal(scene: Hospital) -> None:
    """Section 8.1 and 11: the question, the block that is redrawn, the ending."""
    scene.edit(PATIENTS, k="k: 12", hidden='hidden_rate: ">= 80"')
    (scene.root / LAB).unlink()
    call = ("apply", *APPROVED)
    shown, code = typed(Cli(scene.root, scene.studio.environment), call, "2\n")
    assert code == 0, shown
    question = shown[shown.index("1 set gets weaker privacy and") :].split("\n")[0]
    row = next(line for line in shown.split("\n") if "◐ patients-2026q3" in line)
    tally = next(line for line in shown.split("\n") if " of 2 done" in line)
    frame = re.sub(r"(q3   )\S.* \d+:\d\d$", r"\1<what runs>   <time>", row)
    frame += "\n\n" + re.sub(r"\d+:\d\d$", "<time>", tally)
    ending = shown[shown.index("Applied: ") :]
    scene.studio.keep("apply-terminal", call, f"{question}\n\n{frame}\n\n{ending}")
    scene.studio.git("Twelve neighbours, no laboratory")


def typed(cli: Cli, call: tuple[str, ...], answer: str) -> tuple[str, int]:
    """What a call shows on a terminal where somebody answers its question; without the codes that move the cursor."""
    screen, other = pty.openpty()
    process = subprocess.Popen(
        cli.command(*call), cwd=cli.root, env=cli.environment, stdin=other, stdout=other, stderr=other, close_fds=True
    )
    os.close(other)
    shown, end, answered = b"", time.monotonic() + LONGEST, False
    while time.monotonic() < end:
        if select.select([screen], [], [], 0.2)[0]:
            try:
                part = os.read(screen, 65536)
            except OSError:
                break
            if not part:
                break
            shown += part
            if not answered and b"to go on: " in shown:
                answered = True
                os.write(screen, answer.encode())
        elif process.poll() is not None:
            break
    code = process.wait(LONGEST)
    os.close(screen)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode("utf-8", "replace"))
    return text.replace("\r\n", "\n").replace("\r", "\n"), code


def refusals(scene: Hospital) -> None:
    """Section 6.6, 6.7, 8.5 and 8.6: too much, not ours, locked, no server."""
    studio, root = scene.studio, scene.root
    taken = hospital.spec("scratch-anna", "visits")
    hospital.write(root, {"configs/health/scratch-anna.yaml": taken})
    studio.shoot("refused-not-ours", "plan", code=5)
    (root / "configs/health/scratch-anna.yaml").unlink()

    marks = "{avatar-gitops/project: ward-7, avatar-gitops/set: registry-2026}"
    scene.platform.put("registry-2026", foreign("registry-2026", marks))
    studio.shoot("refused-two-owners", "adopt", "registry-2026", code=5)
    scene.platform.delete("registry-2026")

    scene.platform.put("patients-2026q3", foreign("patients-2026q3"))
    studio.shoot("plan-same-name", "plan")
    locked(scene)
    too_many(scene)
    with pytest.MonkeyPatch.context() as patch, socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        patch.setattr(SystemClock, "sleep", lambda self, seconds: None)
        away = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        Studio(root, {**studio.environment, "HOSPITAL_URL": away}, studio.album).shoot("unavailable", "plan", code=9)


def locked(scene: Hospital) -> None:
    """A workflow run holds the lease; somebody here has to wait, or ends it."""
    clock = SystemClock()
    gateway = connect(scene.platform.base_url, scene.platform.api_key, root=scene.root, clock=clock)
    terms = Terms("hospital-anonymization", scene.root.parent / "elsewhere")
    board, holder = gateway.board(terms.project), holder_of(scene.runner.environment)
    with closing(gateway), leased(board, holder, terms, clock):
        scene.studio.shoot("locked", "apply", "--yes", code=8)
        scene.studio.shoot("unlock", "unlock", "--id", "118", "--yes")


def too_many(scene: Hospital) -> None:
    """A folder is renamed, and with it the names of its sets."""
    kept = {path: path.read_text(encoding="utf-8") for path in (scene.root / "configs").rglob("*.yaml")}
    project = scene.root / "avatar-gitops.yaml"
    project.write_text(hospital.PROJECT + "  thresholds: {min_sets: 4}\n", encoding="utf-8")
    for path in (SENSORS, CLAIMS, "configs/iris-demo.yaml"):
        file = scene.root / path
        name = file.stem
        text = file.read_text(encoding="utf-8").replace(f"name: {name}", f"name: clinic-b-{name}")
        hospital.write(scene.root, {f"configs/clinic-b/{file.name}": text})
        file.unlink()
    scene.studio.shoot("refused-too-many", "apply", "--yes", code=5)
    shutil.rmtree(scene.root / "configs/clinic-b")
    for spec, text in kept.items():
        spec.write_text(text, encoding="utf-8")
    project.write_text(hospital.PROJECT, encoding="utf-8")


def drifted(scene: Hospital) -> None:
    """Section 9: what differs from what was applied, with one difference that everybody knows of."""
    (scene.root / "avatar-gitops.yaml").write_text(hospital.PROJECT + hospital.IGNORED_DRIFT, encoding="utf-8")
    scene.platform.delete("doctors")
    scene.platform.delete("patients-2026q3")
    data = scene.root / "data/claims.csv"
    data.write_text(data.read_text(encoding="utf-8") + "41,9.9,3.0,care,n\n", encoding="utf-8")
    scene.studio.shoot("drift", "drift", code=2)


CHAPTERS: Final = (six_sets, changed, plans, merged, partly, at_a_terminal, refusals, drifted)
