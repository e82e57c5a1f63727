"""Which way a change of processors moves privacy: what is pulled back to the originals, and what is made coarser."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from avatar_gitops.spec.directions import Privacy

Plain = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Pull:
    """What a list of processors does to privacy, as far as it can be ordered.

    `kept` is the share of the distance to the original that each column keeps (1 when it is not perturbed), `means` the
    columns whose mean or spread is that of the originals, `grouped` how many rows a modality must exceed to survive.
    `manners` say how a column is treated where both sides treat it; everything else is in `rest`.
    """

    kept: Mapping[str, float]
    means: frozenset[tuple[str, str]]
    grouped: Mapping[str, int]
    manners: Mapping[tuple[str, str], Any]
    rest: tuple[Any, ...]


def pull(processors: Sequence[Plain] | None) -> Pull:
    """Read a list of processors as plain data."""
    kept: dict[str, float] = {}
    means: set[tuple[str, str]] = set()
    grouped: dict[str, int] = {}
    manners: dict[tuple[str, str], Any] = {}
    rest: list[Any] = []
    for one in processors or ():
        match one.get("kind"):
            case "perturbation":
                for name, level in one["perturbation_level"].items():
                    kept[name] = kept.get(name, 1.0) * level
            case "expected_mean":
                targets = one["target_variables"]
                means |= {("mean", name) for name in targets}
                means |= {("spread", name) for name in targets if one.get("same_std")}
                manners |= {("groups", name): tuple(one.get("groupby_variables") or ()) for name in targets}
            case "group_modalities" if one.get("variable_thresholds"):
                for name, threshold in one["variable_thresholds"].items():
                    grouped[name] = max(grouped.get(name, 0), threshold)
                    manners["label", name] = one.get("new_category", "other")
            case _:
                rest.append(one)
    return Pull(kept, frozenset(means), grouped, manners, tuple(rest))


def processors(before: Sequence[Plain] | None, after: Sequence[Plain] | None) -> Privacy:
    """Weaker when anything is pulled nearer to the originals or grouped less, stronger if only the reverse happens."""
    if (before or []) == (after or []):
        return Privacy.NEUTRAL
    found = set(_changes(pull(before), pull(after)))
    for privacy in (Privacy.WEAKER, Privacy.UNKNOWN, Privacy.STRONGER):
        if privacy in found:
            return privacy
    return Privacy.UNKNOWN


def _changes(old: Pull, new: Pull) -> Iterator[Privacy]:
    for name in old.kept.keys() | new.kept.keys():
        yield _more_is_stronger(old.kept.get(name, 1.0), new.kept.get(name, 1.0))
    for name in old.grouped.keys() | new.grouped.keys():
        yield _more_is_stronger(old.grouped.get(name, 0), new.grouped.get(name, 0))
    if new.means - old.means:
        yield Privacy.WEAKER
    if old.means - new.means:
        yield Privacy.STRONGER
    both = old.manners.keys() & new.manners.keys()
    if old.rest != new.rest or any(old.manners[item] != new.manners[item] for item in both):
        yield Privacy.UNKNOWN


def _more_is_stronger(before: float, after: float) -> Privacy:
    if before == after:
        return Privacy.NEUTRAL
    return Privacy.STRONGER if after > before else Privacy.WEAKER
