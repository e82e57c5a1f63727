"""`watch`: plan, or apply, and look for drift, again and again; one round at a time."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, NoReturn

from avatar_gitops.app.apply import Applied, How, apply
from avatar_gitops.app.drift import drift
from avatar_gitops.app.plan import Consent, Planned, plan
from avatar_gitops.app.policy import refuse
from avatar_gitops.app.telling import tell_drift, tell_error, tell_plan
from avatar_gitops.errors import AvatarGitOpsError, RemoteUnavailable, UsageError
from avatar_gitops.events import Stream
from avatar_gitops.plan.drift import Drift
from avatar_gitops.plan.model import Change, Plan
from avatar_gitops.plan.select import Selection
from avatar_gitops.ports import Clock

LONGEST_PAUSE: Final = 3600.0
UNAVAILABLE: Final = 9
DIFFERENT: Final = 2


@dataclass(frozen=True, slots=True)
class Watched:
    """What is watched; with `apply` the plan is applied with every guard rail, and nothing may pass one."""

    project: Path | None
    server: str | None
    selection: Selection = field(default_factory=Selection)
    apply: bool = False


@dataclass(frozen=True, slots=True)
class Round:
    """What one round found. `plan` and `drift` are None when an error came first.

    `held` are sets that are not applied again, because they ended badly and have not changed since.
    """

    plan: Plan | None = None
    drift: Drift | None = None
    applied: Applied | None = None
    held: tuple[str, ...] = ()
    error: AvatarGitOpsError | None = None

    @property
    def trouble(self) -> bool:
        """Whether the server could not be used."""
        return isinstance(self.error, RemoteUnavailable) or self.exit_code == UNAVAILABLE

    @property
    def exit_code(self) -> int:
        """Exit code of a command that does one round only."""
        if self.error is not None:
            return self.error.exit_code
        if self.applied is not None and self.applied.exit_code:
            return self.applied.exit_code
        waiting = self.applied is None and self.plan is not None and self.plan.effective
        return DIFFERENT if waiting or (self.drift and self.drift.findings) else 0


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Seconds between the end of a round and the next one, and how many more, at most, by chance."""

    interval: float
    jitter: float

    def pause(self, failures: int, chance: float) -> float:
        """Seconds to wait after so many rounds in a row without a server; `chance` is from 0 to 1."""
        longest = max(self.interval, LONGEST_PAUSE)
        return min(self.interval * 2.0 ** min(failures, 20), longest) + chance * self.jitter


class Watcher:
    """Does one round after the other; remembers what ended badly."""

    def __init__(self, watched: Watched, stream: Stream) -> None:
        self._watched = watched
        self._stream = stream
        self._bad: dict[str, object] = {}

    def __call__(self) -> Round:
        """Plan, apply if that is wanted, and look for drift; an error is a part of what is found."""
        watched, consent = self._watched, Consent()
        try:
            planned = plan(watched.project, watched.server, consent, watched.selection, self._stream)
            held = self._held(planned.plan)
            applied = self._apply(planned, consent, held) if watched.apply else None
            if applied is None:
                tell_plan(self._stream, planned)
            found = drift(watched.project, watched.server, self._stream, self._for_drift())
        except AvatarGitOpsError as error:
            tell_error(self._stream, error)
            return Round(error=error)
        tell_drift(self._stream, found)
        return Round(planned.plan, found, applied, held)

    def _apply(self, planned: Planned, consent: Consent, held: tuple[str, ...]) -> Applied | None:
        """Apply what differs and did not end badly before. Raises what `apply` raises."""
        wanted = [change for change in planned.plan.effective if change.set not in held]
        if not wanted:
            return None
        refuse(planned.policy)  # here, because apply would put the same refusal on record in every round
        watched = self._watched
        selection = replace(watched.selection, exclude=(*watched.selection.exclude, *held))
        how = How(selection=selection, command="watch")
        done = apply(watched.project, watched.server, consent, how, lambda planned: True, self._stream)
        if done.exit_code == 130:
            raise KeyboardInterrupt
        changes = {change.set: change for change in done.planned.plan.changes}
        for outcome in done.outcomes:
            if not outcome.ok and not outcome.unavailable:
                self._bad[outcome.set] = _wish(changes[outcome.set])
        return done

    def _held(self, made: Plan) -> tuple[str, ...]:
        """Sets that are as they were when they ended badly; those that changed since are forgotten."""
        now = {change.set: _wish(change) for change in made.effective}
        self._bad = {name: wish for name, wish in self._bad.items() if now.get(name) == wish}
        return tuple(sorted(self._bad))

    def _for_drift(self) -> Selection:
        """The selection as far as lock files know what it asks for: what git or a plan says is no matter of drift."""
        asked = self._watched.selection

        def known(text: str) -> bool:
            return text.partition(":")[0] not in {"git", "state", "weaker"} or ":" not in text

        return Selection(tuple(filter(known, asked.select)), tuple(filter(known, asked.exclude)))


def watch(look: Callable[[], Round], rhythm: Rhythm, tell: Callable[[Round], None], clock: Clock) -> NoReturn:
    """Rounds without end; only an interruption ends them. Between two there is always a pause.

    Raises UsageError when the first round shows that the command was called in a way that cannot work.
    """
    failures, first, chance = 0, True, random.SystemRandom()
    while True:
        found = look()
        if first and isinstance(found.error, UsageError):
            raise found.error
        first = False
        tell(found)
        failures = failures + 1 if found.trouble else 0
        clock.sleep(rhythm.pause(failures, chance.random()))


def _wish(change: Change) -> object:
    """What a set is to be; equal as long as neither its spec nor its data change."""
    return change.desired.digests if change.desired else change.action
