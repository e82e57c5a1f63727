"""What versions say about themselves is asked for once in their life, and a memory that was tampered with is empty."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx
import pytest

from avatar_gitops.client.gateway import Reader
from avatar_gitops.plan.annotations import marks
from avatar_gitops.plan.observed import Observed
from tests.client.test_gateway import Platform, gateway
from tests.support.http import KEY, transport
from tests.support.planning import wish


@dataclass
class Box:
    """A shelf in memory that counts what is written."""

    kept: dict[str, bytes] = field(default_factory=dict)
    written: int = 0

    def read(self, name: str) -> bytes | None:
        return self.kept.get(name)

    def write(self, name: str, content: bytes) -> None:
        self.kept[name] = content
        self.written += 1


def filled(versions: int) -> Platform:
    platform = Platform()
    for number in range(versions):
        item = wish(f"set-{number}")
        platform.add(gateway(platform).create(item, marks(item, "hospital", "c0ffee", "0.1.0")), "standard")
    return platform


def observed(platform: Platform, box: Box) -> tuple[Observed, int]:
    """What a new process observes, and how many documents it asked for."""
    platform.asked.clear()
    client = Reader(transport(platform))
    client.remember(box)
    found = client.observe("hospital")
    return found, sum(asked.startswith("GET /resources") for asked in platform.asked)


def test_a_version_is_asked_for_once_in_its_life() -> None:
    platform, box = filled(5), Box()
    cold, asked = observed(platform, box)
    assert asked == 5
    warm, asked = observed(platform, box)
    assert (warm, asked, box.written) == (cold, 0, 1)
    assert sorted(platform.asked) == ["GET /capabilities", "GET /jobs"]
    item = wish("set-new")
    platform.add(gateway(platform).create(item, marks(item, "hospital", "c0ffee", "0.1.0")), "standard")
    new, asked = observed(platform, box)
    assert (len(new.sets), asked, box.written) == (6, 1, 2)


def test_versions_that_are_gone_are_forgotten() -> None:
    platform, box = filled(3), Box()
    observed(platform, box)
    del platform.jobs["job-1"]
    observed(platform, box)
    (content,) = box.kept.values()
    assert len(json.loads(content[65:])) == 2


def test_a_version_that_vanished_is_asked_for_again_and_not_remembered_as_nobodys(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    platform, box = filled(1), Box()
    (gone,) = platform.documents
    text = platform.documents.pop(gone)
    platform.capabilities = {}
    original = platform.reply

    def reply(request: httpx.Request, path: str) -> httpx.Response:
        return original(request, path if gone in platform.documents or "resources" not in path else "/none")

    monkeypatch.setattr(platform, "reply", reply)
    found, _ = observed(platform, box)
    assert found.sets[0].project is None
    platform.documents[gone] = text
    found, asked = observed(platform, box)
    assert (found.sets[0].project, asked) == ("hospital", 1)


def forged(content: bytes) -> bytes:
    return content[:65] + content[65:].replace(b"hospital", b"stranger")


@pytest.mark.parametrize(
    "damage",
    [
        forged,
        lambda content: b"",
        lambda content: content[:40],
        lambda content: content[65:],
        lambda content: content + b" ",
        lambda content: b"\xff" * 200,
    ],
)
def test_a_memory_that_was_changed_is_empty(damage: Callable[[bytes], bytes]) -> None:
    platform, box = filled(2), Box()
    cold, _ = observed(platform, box)
    box.kept = {name: damage(content) for name, content in box.kept.items()}
    again, asked = observed(platform, box)
    assert (again, asked) == (cold, 2)


def test_the_memory_holds_marks_and_neither_documents_nor_the_key() -> None:
    platform, box = filled(1), Box()
    observed(platform, box)
    (content,) = box.kept.values()
    assert KEY.encode() not in content
    assert b"avatarization" not in content
    (known,) = json.loads(content[65:]).values()
    assert all(name.startswith("avatar-gitops/") for name in known)
