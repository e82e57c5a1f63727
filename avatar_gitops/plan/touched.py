"""Which sets are made from files that changed: spec, defaults of its folders, data; also sets whose spec is gone."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from posixpath import normpath
from typing import Final

from avatar_gitops.plan.desired import DesiredSet
from avatar_gitops.plan.lock import Lock
from avatar_gitops.spec.facts import scheme
from avatar_gitops.spec.models import Source

DEFAULTS: Final = ("_defaults.yaml", "_defaults.yml")


def touched(
    desired: Iterable[DesiredSet],
    locks: Mapping[str, Lock],
    changed: Collection[str],
    more: Mapping[str, Collection[str]] | None = None,
) -> frozenset[str]:
    """Names of the sets that changed files (relative to the project) concern; `more` are further files of a set."""
    wanted = {item.name: item for item in desired}
    found = {name for name, item in wanted.items() if any(file in changed for file in _files(item))}
    found |= {name for name, files in (more or {}).items() if any(normpath(file) in changed for file in files)}
    found |= {name for name, lock in locks.items() if name not in wanted and lock.path in changed}
    return frozenset(found)


def _files(item: DesiredSet) -> Iterator[str]:
    yield item.path
    for folder in PurePosixPath(item.path).parents:
        yield from ((folder / name).as_posix() for name in DEFAULTS)
    for table in item.run.spec.tables.values():
        for source in (table.source, table.avatars, table.holdout):
            uri = source.uri if isinstance(source, Source) else source
            if uri and scheme(uri) is None:
                yield normpath(uri)
