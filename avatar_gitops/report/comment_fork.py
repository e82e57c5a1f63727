"""The comment about a pull request from a fork, made from its plan as JSON, which nobody has vouched for.

Whoever opens such a pull request also decides what its workflow run writes. So no text of it is taken over: only names
of sets and words of closed lists, each checked, in a table of our own. There is no digest, so that nothing can be
applied on the strength of this comment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from avatar_gitops.plan.model import Action, Privacy, Reason
from avatar_gitops.report.budget import Block, fit
from avatar_gitops.report.comment import Origin, Verdict, opening, signature
from avatar_gitops.report.values import count
from avatar_gitops.spec.columns import SET_NAME_PATTERN

MOST: Final = 500
IDLE: Final = frozenset({Action.UNCHANGED, Action.KEEP})
WARNING: Final = (
    "Made by the fork's own run, from lock files, without a server and without secrets; nobody has checked it. "
    "Read the changed specs. The plan is made again, by the repository's own workflow, before anything is applied."
)


def fork_comment(content: Any, origin: Origin) -> str:
    """What a plan document of a fork claims. Whatever does not have the form of a plan is left out and counted."""
    project = content.get("project") if isinstance(content, Mapping) else None
    listed = content.get("changes") if isinstance(content, Mapping) else None
    changes = listed[:MOST] if isinstance(listed, Sequence) and not isinstance(listed, str) else []
    rows = tuple(_rows(changes))
    lines = opening(project if isinstance(project, str) else "", "", origin.head, Verdict.UNVERIFIED)
    title = f"### ℹ️ Avatar plan of a fork: not verified · {count(len(rows), 'change')}"
    blocks = [Block((*lines, title)), Block((WARNING,))]
    if rows:
        blocks.append(Block(("| | Set | What | Why |", "|---|---|---|---|"), rows, more="changes"))
    return fit([*blocks, Block((signature(origin),))])


def _rows(changes: Sequence[Any]) -> Iterator[str]:
    for item in changes:
        try:
            name, action, reason = str(item["set"]), Action(item["action"]), Reason(item["reason"])
            weaker = Privacy(item["privacy"]) is Privacy.WEAKER
        except (KeyError, TypeError, ValueError):
            continue
        if action not in IDLE and re.fullmatch(SET_NAME_PATTERN, name):
            words = reason.value.replace("_", " ")
            yield f"| {'▼ weaker' if weaker else ''} | `{name}` | {action.value} | {words} |"
