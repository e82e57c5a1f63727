"""Every screen and comment that users see, as golden files made by one real run of one project.

The sections are those of the description of target outputs that the screens were designed from. What a target shows and
ours does not, and why:

- 6.1, 6.2, 7.1: credits per set; the API only says what is left, so there are times of the last run instead.
- 6.1, 7.1: how many result files a delete loses, and a bundle before it; the receipt says what was there.
- 6.4: a second PUT that publishes; nothing changes a set after its creation, so what is published is in git.
- 8.3: a file with the log of a job; the API has no log of a job, only the error.
- 9: columns RESULTS and PIA of the status; nobody signs documents in this program, and the API tells no expiry.
- 10.3: evidence bundles and replay come later.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest

from avatar_gitops.server.local import start
from tests.conftest import GOLDEN
from tests.support import hospital_story as story
from tests.support.flow import Platform
from tests.support.github import fake_github
from tests.support.screens import Album

pytestmark = pytest.mark.slow

SCREENS: Final = {
    "4 first run": ("init.txt", "first-plan.txt", "first-apply.txt", "first-plan-again.txt", "doctor.txt"),
    "5 default": ("validate.txt",),
    "5 YAML that cannot be read": ("validate-key-twice.txt", "validate-at-sign.txt"),
    "5 secret": ("validate-secret.txt",),
    "5 short": ("validate-short.txt",),
    "5 GitHub": ("validate-github.txt",),
    "5 JSON": ("validate-json.txt",),
    "5 explain": ("explain.txt", "explain-refusal.txt"),
    "6.1 default": ("plan.txt",),
    "6.2 summary": ("plan-summary.txt",),
    "6.3 no changes": ("plan-no-changes.txt",),
    "6.4 explain": ("plan-explain.txt",),
    "6.5 why": ("plan-why.txt",),
    "6.6 too many deletes": ("refused-too-many.txt",),
    "6.7 not ours": ("refused-not-ours.txt", "refused-two-owners.txt", "plan-same-name.txt"),
    "6.8 stale": ("plan-stale.txt",),
    "7.1 blocked": ("comment-blocked.md",),
    "7.2 ready": ("comment-ready.md",),
    "7.3 no changes": ("comment-no-changes.md",),
    "7.4 invalid": ("comment-invalid.md",),
    "7.5 applied": ("comment-applied.md",),
    "7.6 in part": ("comment-partial.md",),
    "8.1 terminal": ("apply-terminal.txt",),
    "8.2 CI": ("apply-ci.txt",),
    "8.3 failure": ("apply-failed.txt", "retry.txt", "apply-gate-failed.txt"),
    "8.4 interrupted": ("apply-interrupted.txt",),
    "8.5 locked": ("locked.txt", "unlock.txt"),
    "8.6 server trouble": ("unavailable.txt",),
    "9 status": ("status.txt",),
    "9 drift": ("drift.txt",),
    "9 diff": ("diff.txt",),
    "10.1 summary": ("summary.md",),
    "10.2 PIA": ("pia.md",),
}
NAMES: Final = [name for names in SCREENS.values() for name in names]


@pytest.fixture(scope="module")
def album(tmp_path_factory: pytest.TempPathFactory) -> Album:
    """The whole story, told once."""
    root = tmp_path_factory.mktemp("screens")
    made = Album(named={str(root / "hospital-anonymization"): "<project>", str(root): "<folder>"})
    story.first_minutes(root, made)
    story.validation(root / "validation", made)
    with start(root / "platform") as local, fake_github() as fake:
        platform = Platform(local.base_url, local.api_key, root / "platform")
        scene = story.opened(root / "hospital-anonymization", made, platform, fake)
        for chapter in story.CHAPTERS:
            chapter(scene)
        assert fake.broken_rules == []
    return made


def test_each_screen_is_made_and_belongs_to_a_section(album: Album) -> None:
    assert sorted(album.shots) == sorted(NAMES)


def test_no_screen_is_left_over() -> None:
    assert sorted(path.name for path in (GOLDEN / "screens").iterdir()) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_screen_is_the_reviewed_one(name: str, album: Album, golden: Callable[[str, str], None]) -> None:
    golden(f"screens/{name}", album.shots[name])
