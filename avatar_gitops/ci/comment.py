"""The one comment of a project on a pull request: found by its marker and its author, made once, edited in place."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from avatar_gitops.ci.conversation import LostAnswer
from avatar_gitops.ci.forge import Forge, Note, Target
from avatar_gitops.errors import RemoteRefused, UsageError

MARK: Final = "<!-- avatar-gitops:"
DATA: Final = "<!-- avatar-gitops:data:v1 "
END: Final = " -->"
MAX_CHARACTERS: Final = 65_536
NO_CHANGES: Final = "no_changes"
AFTER_MERGE: Final = frozenset({"applied", "partial"})


class Result(StrEnum):
    """What publishing did."""

    CREATED = "created"
    EDITED = "edited"
    UNCHANGED = "unchanged"
    NOT_NEEDED = "not_needed"  # nothing changes and nothing was ever said
    OUTDATED = "outdated"  # the branch has moved on, or the pull request is over


@dataclass(frozen=True, slots=True)
class Body:
    """A comment in the form that this product writes: `mark` is its first line, the data stand in its second."""

    text: str
    mark: str
    head: str
    state: str
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Published:
    """What publishing did, and where the comment is; the URL is empty when there is none."""

    result: Result
    url: str = ""


def read_body(text: str) -> Body:
    """A comment that is about to be published. Raises UsageError when it is not one of ours or is too long."""
    mark, data = _hidden(text)
    if data is None:
        raise UsageError(
            "this file is not a comment of avatar-gitops: it must open with its two hidden lines",
            hint="write one with avatar-gitops ci plan",
        )
    if len(text) > MAX_CHARACTERS:
        raise UsageError(f"the comment has more than {MAX_CHARACTERS} characters, which GitHub refuses")
    return Body(text, mark, *(str(data.get(key, "")) for key in ("head", "state", "digest")))


def _hidden(text: str) -> tuple[str, Mapping[str, Any] | None]:
    first, _, rest = text.replace("\r\n", "\n").partition("\n")
    second = rest.partition("\n")[0]
    if not (first.startswith(MARK) and " project=" in first and first.endswith(END)):
        return "", None
    if not (second.startswith(DATA) and second.endswith(END)):
        return "", None
    try:
        data = json.loads(second[len(DATA) : -len(END)])
    except ValueError:
        return "", None
    return first, data if isinstance(data, dict) else None


def publish(forge: Forge, target: Target, body: Body, author: str | None = None) -> Published:
    """Make the comment or edit the one that is there; nothing is ever deleted. `author` is whose comment is edited."""
    author = author or forge.robot
    found = find(forge, target.number, body.mark, author)
    if body.state not in AFTER_MERGE and (not target.open or (body.head and body.head != target.head)):
        return Published(Result.OUTDATED, found.url if found else "")
    if found is None:
        if body.state == NO_CHANGES:
            return Published(Result.NOT_NEEDED)
        return _create(forge, target.number, body, author)
    return _edit(forge, target.number, found, body)


def _create(forge: Forge, number: int, body: Body, author: str) -> Published:
    try:
        return Published(Result.CREATED, forge.create(number, body.text).url)
    except LostAnswer:
        found = find(forge, number, body.mark, author)
        return Published(Result.CREATED, (found or forge.create(number, body.text)).url)


def _edit(forge: Forge, number: int, found: Note, body: Body) -> Published:
    if found.text.replace("\r\n", "\n").strip() == body.text.strip():
        return Published(Result.UNCHANGED, found.url)
    try:
        return Published(Result.EDITED, forge.edit(number, found, body.text).url)
    except RemoteRefused as error:
        if error.status != 404:  # somebody deleted it in the meantime
            raise
        return Published(Result.CREATED, forge.create(number, body.text).url)


def find(forge: Forge, number: int, mark: str, author: str) -> Note | None:
    """The oldest comment with this first line by this author; anybody can copy a marker."""
    for note in forge.notes(number):
        same = note.author.lower() == author.lower()
        if same and note.text.replace("\r\n", "\n").partition("\n")[0] == mark:
            return note
    return None
