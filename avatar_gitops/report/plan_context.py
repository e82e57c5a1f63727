"""Words for what surrounds a plan: offline or not, data that were not compared, credits, time, commits of removals."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Final

from avatar_gitops.plan.context import NotCompared, Why
from avatar_gitops.plan.estimate import estimate
from avatar_gitops.plan.model import Change, Plan
from avatar_gitops.report.values import safe

MOST_NAMED: Final = 4
SHORT_COMMIT: Final = 7
REASONS: Final = {
    Why.NOT_HERE: "data not here, not compared",
    Why.NO_KEY: "data compared by size and columns only, the digest key is not set",
}


def offline(plan: Plan) -> str:
    """One sentence that says what an offline plan was compared with; empty for any other plan."""
    base = plan.context.offline
    if base is None:
        return ""
    found = f" ({safe(base.ref)})" if base.ref else ""
    where = f"at {safe(base.commit[:SHORT_COMMIT])}{found}" if base.commit else "on disk"
    return f"Offline: compared with the lock files {where}, no server was asked; apply plans again."


def not_compared(plan: Plan) -> Iterator[str]:
    """One line for each reason why data were taken to be as they were published."""
    items = sorted(plan.context.not_compared, key=lambda item: (item.why, item.set, item.table))
    shown = {change.set for change in plan.changes}
    for why, group in groupby((item for item in items if item.set in shown), key=lambda item: item.why):
        found = list(group)
        names = ", ".join(_input(item) for item in found[:MOST_NAMED])
        more = f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
        yield f"{REASONS[why][0].upper()}{REASONS[why][1:]}: {names}{more}."


def _input(item: NotCompared) -> str:
    return f"{safe(item.table)} of {item.set}"


def credits_left(plan: Plan) -> str:
    """What is left on the server; empty where it counts nothing."""
    left = plan.context.credits
    return "" if left is None else f"credits {left} left"


def removed_in(change: Change, plan: Plan) -> str:
    """The commit in which a spec left git; empty when git does not know."""
    return safe(plan.context.removed_in.get(change.set, "")[:SHORT_COMMIT])


def time(change: Change) -> str:
    """How long a change takes, as the last run tells; empty when it tells nothing."""
    found = estimate(change)
    if found is None:
        return ""
    return f"{'about' if found.whole else 'at most'} {duration(found.seconds)}"


def duration(seconds: float) -> str:
    """A length of time for people: 12 s, 6 min, 1 h 20 min."""
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if rest else f"{hours} h"
