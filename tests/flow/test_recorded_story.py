"""The life of two sets on GitHub, from a pull request to drift and back, recorded: commands, requests, comments.

The command line, git and the platform are real; GitHub is a stand-in that checks each request against its rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.support.flow import Cli, Platform, people
from tests.support.github import Pull, fake_github
from tests.support.story import Story, pull_event, run_event

PROJECT = """\
apiVersion: avatar-gitops/v1
kind: Project
metadata: {name: hospital}
spec: {server: env, prune: owned}
"""
POLICY = """\
apiVersion: avatar-gitops/v1
kind: Policy
required_approvers: [dpo]
approvers: {dpo: [d.lead]}
"""
PATIENTS = """\
apiVersion: avatar-gitops/v1
kind: AvatarRun
metadata:
  name: patients
  owner: data@example.org
spec:
  seed: 7
  tables:
    patients:
      source: data/patients.csv
      avatarization:
        k: 20
  gates: {hidden_rate: ">= 30"}
  pia:
    purpose: Research on admissions
    data_recipient: unknown
    data_type: health
    data_subject: patients
    sensitivity_level: High
"""
VISITS = """\
apiVersion: avatar-gitops/v1
kind: AvatarRun
metadata:
  name: visits
  owner: data@example.org
spec:
  seed: 8
  jobs: [standard, privacy_metrics]
  tables:
    visits:
      source: data/visits.csv
      avatarization:
        k: 20
  gates: {hidden_rate: ">= 30"}
"""


@pytest.fixture
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A platform on which nobody else has sets."""
    from avatar_gitops.server.local import start

    state = tmp_path_factory.mktemp("alone") / "state"
    with start(state) as local:
        yield Platform(local.base_url, local.api_key, state)


@pytest.fixture
def story(cli: Cli, alone: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    cli.environment |= {"AVATAR_BASE_URL": alone.base_url, "AVATAR_API_KEY": alone.api_key}
    with fake_github() as github:
        made = Story(cli, github, tmp_path_factory.mktemp("runner"))
        files = {
            "avatar-gitops.yaml": PROJECT,
            "policies/policy.yaml": POLICY,
            "configs/patients.yaml": PATIENTS,
            "configs/visits.yaml": VISITS,
            "data/patients.csv": people(60, 1),
            "data/visits.csv": people(60, 2),
            ".gitignore": ".avatar/\nout/\navatar-ci/\napplied.json\n",
        }
        (made.root / "data/people.csv").unlink()
        for name, text in files.items():
            path = made.root / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        made.git("init", "-q", "-b", "main")
        assert cli("apply", "--yes", "-q").code == 0
        made.git("add", "-A")
        made.git("commit", "-q", "-m", "Two sets, applied")
        yield made


def planned(story: Story, pull: Pull, event: str, name: str, code: int = 0) -> str:
    """The two workflows of a plan; returns the comment."""
    story.workflow("avatar-plan", event, pull_event(pull), pull.head)
    story.step("ci", "plan", "--server", "env", "--reviews", "--dir", "avatar-ci", code=code)
    story.workflow("avatar-comment", "workflow_run", run_event(pull), story.git("rev-parse", "main"))
    story.step("ci", "comment", "--body", "avatar-ci/comment.md")
    return story.keep(name, story.github.comments[-1]["body"])


def applied(story: Story, pull: Pull, who: str, name: str, code: int = 0) -> str:
    """The workflow of an apply after the merge, then the commit of the lock files; returns the comment."""
    event = story.merge(pull, who)
    story.workflow("avatar-apply", "push", event, event["after"], who)
    approved = [f"--approved-by={login}" for login in story.step("ci", "approvals").out.split()]
    digest = story.step("ci", "reviewed", "--server", "env").out.strip()
    given = ("--progress", "groups", "--format", "json", *approved, f"--expect-digest={digest}")
    done = story.step("apply", "--server", "env", "--yes", *given, code=code)
    (story.root / "applied.json").write_text(done.out, encoding="utf-8")
    story.step("ci", "applied", "applied.json", *approved, "--dir", "avatar-ci")
    story.step("ci", "comment", "--body", "avatar-ci/comment.md")
    recorded(story)
    return story.keep(name, story.github.comments[-1]["body"])


def recorded(story: Story) -> None:
    """What the workflow commits after an apply: lock files and the record of applies."""
    story.git("add", "-A", who="github-actions[bot]")
    story.git("commit", "-q", "-m", "Record what was applied", who="github-actions[bot]")


def looked(story: Story, drifted: bool) -> None:
    """The workflow of drift."""
    story.workflow("avatar-drift", "schedule", {"schedule": "17 5 * * *"}, story.head())
    story.step("ci", "drift", "--server", "env", "--dir", "avatar-ci")
    assert story.outputs()["drifted"] == str(drifted).lower()
    story.step("ci", "issue", "--body", "avatar-ci/issue.md")


@pytest.mark.slow
def test_the_recorded_story(story: Story, alone: Platform, golden: Callable[[str, str], None]) -> None:
    weaker_privacy(story)
    a_set_goes(story, alone)
    drift_and_back(story, alone)
    gates_say_no(story)
    golden("story/transcript.txt", story.transcript())
    for name, text in story.comments.items():
        golden(f"story/{name}.md", story.clean(text))


def weaker_privacy(story: Story) -> None:
    """Weaker privacy is blocked, an approval by its author does not help, that of a second person does."""
    spec = story.root / "configs/patients.yaml"
    story.scene("== 1. Privacy gets weaker ==")
    spec.write_text(PATIENTS.replace("k: 20", "k: 10"), encoding="utf-8")
    pull = story.pull(7, "weaker", "Fewer neighbours for patients")
    assert "### ⛔" in planned(story, pull, "pull_request", "1-blocked", code=4)
    first = story.github.comments[-1]
    story.review(pull, pull.author)
    assert "### ⛔" in planned(story, pull, "pull_request_review", "1-still-blocked", code=4)
    story.review(pull, "d.lead")
    assert "### ⚠️ Avatar plan: 1 set gets weaker" in planned(story, pull, "pull_request_review", "1-ready")
    assert "### ✅ Avatar applied: 1 of 1" in applied(story, pull, "d.lead", "1-applied")
    assert story.github.comments == [first], "one comment, edited in place"


def a_set_goes(story: Story, alone: Platform) -> None:
    """A set that leaves git leaves the server, and a receipt stays."""
    story.scene("== 2. A set goes ==")
    for path in story.root.glob("configs/visits*"):
        path.unlink()
    pull = story.pull(8, "no-visits", "Remove visits")
    story.review(pull, "d.lead")
    assert "**delete**" in planned(story, pull, "pull_request", "2-delete")
    assert "deletion.json" in applied(story, pull, "d.lead", "2-deleted")
    assert alone.jobs("visits") == []
    assert (story.root / "out/visits/deletion.json").is_file()


def drift_and_back(story: Story, alone: Platform) -> None:
    """What somebody deletes behind our back is an issue until an apply has put it back."""
    story.scene("== 3. Drift ==")
    looked(story, drifted=False)
    assert story.github.issues == {}
    alone.delete("patients")
    story.scene("Somebody deletes the jobs of patients in the web application")
    looked(story, drifted=True)
    (issue,) = story.github.issues.values()
    assert issue["state"] == "open"
    story.keep("3-issue", issue["body"])
    story.workflow("avatar-apply", "workflow_dispatch", {}, story.head())
    story.step("apply", "--server", "env", "--yes", "--progress", "groups", "--format", "json")
    recorded(story)
    looked(story, drifted=False)
    assert issue["state"] == "closed"


def gates_say_no(story: Story) -> None:
    """What is not good enough is not published, and the comment says what to look at."""
    story.scene("== 4. The gates say no ==")
    lock = (story.root / "configs/patients.lock.yaml").read_bytes()
    spec = story.root / "configs/patients.yaml"
    text = spec.read_text(encoding="utf-8").replace("k: 10", "k: 12").replace('">= 30"', '">= 99"')
    spec.write_text(text, encoding="utf-8")
    pull = story.pull(9, "stricter", "Ask for more")
    assert "### ✅ Avatar plan: ready · 1 relaunch" in planned(story, pull, "pull_request", "4-ready")
    page = applied(story, pull, "d.lead", "4-not-published", code=4)
    assert "### ⚠️ Avatar applied: 0 of 1 · `patients` was not published" in page
    assert (story.root / "out/patients/rejected/summary.md").is_file()
    assert (story.root / "configs/patients.lock.yaml").read_bytes() == lock
