"""`noise`: how much the metrics of a set move by chance, measured with several seeds and kept beside its spec."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Protocol

from avatar_gitops.app.loading import Loaded, load
from avatar_gitops.app.servers import LOCAL, open_server
from avatar_gitops.app.trials import Bench, Trial, measure, measuring, preview_platform, trial
from avatar_gitops.client.gateway import Gateway, connect
from avatar_gitops.errors import UsageError
from avatar_gitops.plan.desired import DesiredSet
from avatar_gitops.plan.noise import NoiseBand, family
from avatar_gitops.plan.noise import measure as band_of
from avatar_gitops.plan.prediction import seeds
from avatar_gitops.ports import Clock
from avatar_gitops.workspace.discover import shown
from avatar_gitops.workspace.noise import write_noise

SIDE = "noise"


@dataclass(frozen=True, slots=True)
class Noise:
    """What was measured of one set: the band and its file, relative to the project; or why there is none."""

    set: str
    band: NoiseBand | None
    path: str
    error: str = ""


class Teller(Protocol):
    """Hears how far the runs are."""

    def trial(self, done: Trial, number: int, total: int) -> None:
        """A run ended."""
        ...


def noise(
    project: Path | None, names: Sequence[str], number: int, server: str, clock: Clock, teller: Teller
) -> tuple[Noise, ...]:
    """Run sets with several seeds each, write a noise file beside every spec, and delete the runs.

    Raises SpecError, UsageError, Locked, and RemoteUnavailable when the server gives no answer.
    """
    loaded = load(project)
    chosen = [_named(loaded, name) for name in dict.fromkeys(names)]
    trials = [trial((item.name, SIDE), item, seed) for item in chosen for seed in seeds(item.run.spec.seed, number)]
    with _gateway(loaded, server, clock) as gateway:
        parallelism = loaded.project.spec.parallelism if server != LOCAL else 2 * max(2, min(8, os.cpu_count() or 2))
        bench = Bench(gateway, clock, loaded.name, loaded.commit, parallelism=parallelism, tell=teller.trial)
        results = measure(trials, bench)
    made = []
    for item in chosen:
        found = results[item.name, SIDE]
        if found.error:
            made.append(Noise(item.name, None, "", found.error))
            continue
        band = band_of(item.name, family(item), found.engine, found.runs)
        path = write_noise(loaded.root, item.path, band, one_of_many=item.one_of_many)
        made.append(Noise(item.name, band, shown(loaded.root, path)))
    return tuple(made)


def _named(loaded: Loaded, name: str) -> DesiredSet:
    known = {item.name: item for item in loaded.desired}
    if name not in known:
        near = get_close_matches(name, known, n=1)
        hint = f"did you mean `{near[0]}`?" if near else f"sets: {', '.join(sorted(known)) or 'none'}"
        raise UsageError(f"there is no spec of a set `{name}`", hint=hint)
    if not measuring(known[name]):
        raise UsageError(f"the spec of `{name}` asks for no metrics", hint="add privacy_metrics to its `jobs`")
    return known[name]


@contextmanager
def _gateway(loaded: Loaded, server: str, clock: Clock) -> Iterator[Gateway]:
    """The embedded platform of previews, or a server of the project file."""
    if server == LOCAL:
        with preview_platform(loaded.root, loaded.name) as gateway:
            yield gateway
        return
    with open_server(loaded.root, loaded.project, server) as connection:
        verify = connection.verify_tls
        gateway = connect(connection.base_url, connection.api_key, root=loaded.root, clock=clock, verify=verify)
        with closing(gateway):
            yield gateway
