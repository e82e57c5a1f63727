"""Whether a run that was repeated came out as it did before: equal bytes, metrics within a band, or something else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from avatar_gitops import __version__
from avatar_gitops.audit.statement import REPLAY, statement

Band = Callable[[str, str], float | None]
"""Table and metric to the most that chance explains; None when nobody measured that."""

Values = Mapping[tuple[str, str, str], float]
"""Metrics by table, family (with what they refer to) and name, in natural units."""

NUMERICAL: Final = 1e-6
"""Relative difference that other versions of the numerics explain; sums in another order differ by less."""

DECISIVE: Final = ("engine", "platform", "libraries", "blas")
"""Parts of an environment that decide bytes. Interpreter, compiled kernels and threads are held not to by tests."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two runs: digests of its files, its metrics, its engine, and what that says it computed with."""

    files: Mapping[str, str]
    metrics: Values
    engine: str
    environment: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MetricDifference:
    """A metric that is not the same: by how much it may differ, and who says so."""

    table: str
    family: str
    metric: str
    expected: float | None
    found: float | None
    band: float
    source: Literal["noise file", "numerical"]

    @property
    def within(self) -> bool:
        """Whether the difference is explained."""
        if self.expected is None or self.found is None:
            return False
        return abs(self.expected - self.found) <= self.band


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was compared. `differs` are parts of the environment that are not the same, in words; `known` = both told.

    `files` maps each file to both digests, `compared` counts metrics.
    """

    files: Mapping[str, tuple[str, str]]
    metrics: tuple[MetricDifference, ...]
    compared: int
    differs: tuple[str, ...]
    known: bool

    @property
    def exact(self) -> bool:
        """Whether every file has the same bytes."""
        return all(expected == found for expected, found in self.files.values())

    @property
    def same_environment(self) -> bool:
        """Whether equal bytes had to be expected."""
        return self.known and not any(text.partition(" ")[0].partition(".")[0] in DECISIVE for text in self.differs)

    @property
    def result(self) -> Literal["exact", "within_band", "different"]:
        """The verdict. Where nothing that decides bytes differs, other bytes are a difference, whatever the metrics."""
        if self.exact:
            return "exact"
        if self.same_environment or not self.compared or not all(one.within for one in self.metrics):
            return "different"
        return "within_band"


def compare(recorded: Side, repeated: Side, band: Band) -> Comparison:
    """Files by digest, metrics by value; a metric that only one side has is a difference."""
    names = sorted(recorded.files.keys() | repeated.files.keys())
    differences = []
    for key in sorted(recorded.metrics.keys() | repeated.metrics.keys()):
        expected, found = recorded.metrics.get(key), repeated.metrics.get(key)
        if expected != found:
            differences.append(_difference(key, expected, found, band))
    told = bool(recorded.environment) and bool(repeated.environment)
    return Comparison(
        files={name: (recorded.files.get(name, ""), repeated.files.get(name, "")) for name in names},
        metrics=tuple(differences),
        compared=len(recorded.metrics),
        differs=tuple(_differences(recorded, repeated)),
        known=told,
    )


def _difference(key: tuple[str, str, str], expected: float | None, found: float | None, band: Band) -> MetricDifference:
    table, family, metric = key
    chance = band(table, metric)
    numerical = NUMERICAL * max(1.0, abs(expected or 0.0))
    if chance is not None and chance > numerical:
        return MetricDifference(table, family, metric, expected, found, chance, "noise file")
    return MetricDifference(table, family, metric, expected, found, numerical, "numerical")


def _differences(recorded: Side, repeated: Side) -> Iterator[str]:
    if recorded.engine != repeated.engine:
        yield f"engine {recorded.engine} -> {repeated.engine}"
    before, after = _flat(recorded.environment), _flat(repeated.environment)
    if not before or not after:
        return
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) != after.get(name):
            yield f"{name} {before.get(name, 'none')} -> {after.get(name, 'none')}"


def _flat(environment: Mapping[str, Any]) -> dict[str, str]:
    """Each part of an environment as one word, by its path."""
    found: dict[str, str] = {}
    for name, value in environment.items():
        if isinstance(value, Mapping):
            found |= {f"{name}.{part}": str(text) for part, text in value.items() if text}
        elif isinstance(value, list):
            found[name] = ", ".join(_word(item) for item in value) or "none"
        else:
            found[name] = str(value)
    return found


def _word(item: Any) -> str:
    return " ".join(map(str, item.values())) if isinstance(item, Mapping) else str(item)


@dataclass(frozen=True, slots=True)
class Original:
    """The run that was repeated; `statement` is the digest of the statement about it, empty when it is not here."""

    set: str
    run: str
    spec_digest: str
    input_digest: str
    seed: int | None
    statement: str = ""


def replay_statement(original: Original, repeated: Side, found: Comparison) -> dict[str, Any]:
    """The statement about a replay; its subjects are the files of the original run that were compared."""
    expected = {name: digests[0] for name, digests in found.files.items() if digests[0]}
    predicate = {
        "set": original.set,
        "run": original.run,
        "statement": original.statement or None,
        "spec_digest": original.spec_digest,
        "input_digest": original.input_digest,
        "seed": original.seed,
        "engine": {
            "name": repeated.engine,
            "seed": original.seed,
            "environment": dict(repeated.environment) or None,
        },
        "environment_equal": found.same_environment,
        "differs": list(found.differs),
        "files": [
            {"name": name, "expected": before or EMPTY, "found": after or EMPTY, "equal": before == after}
            for name, (before, after) in sorted(found.files.items())
        ],
        "metrics": [
            {
                "table": one.table,
                "family": one.family,
                "metric": one.metric,
                "expected": one.expected,
                "found": one.found,
                "band": one.band,
                "source": one.source,
                "within": one.within,
            }
            for one in found.metrics
        ],
        "metrics_compared": found.compared,
        "result": found.result,
        "tool": f"avatar-gitops {__version__}",
    }
    return statement(REPLAY, expected, predicate)


EMPTY: Final = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
"""Digest of no bytes, for a file that only one side has."""
