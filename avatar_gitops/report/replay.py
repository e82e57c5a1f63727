"""What replays found, as text and JSON: what was compared, and what was not."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Protocol

from avatar_gitops.report.values import Style, count, plain, safe, short_digest, to_ascii

MOST_SHOWN: Final = 5
RESULTS: Final = {
    "exact": ("exact: every compared file has the same bytes", "ok"),
    "within_band": ("within the band: other bytes, metrics as close as the environments let expect", "warn"),
    "different": ("different", "error"),
}


class Difference(Protocol):
    """A metric that is not the same."""

    @property
    def table(self) -> str: ...
    @property
    def family(self) -> str: ...
    @property
    def metric(self) -> str: ...
    @property
    def expected(self) -> float | None: ...
    @property
    def found(self) -> float | None: ...
    @property
    def band(self) -> float: ...
    @property
    def source(self) -> str: ...
    @property
    def within(self) -> bool: ...


class Comparison(Protocol):
    """What was compared."""

    @property
    def files(self) -> Mapping[str, tuple[str, str]]: ...
    @property
    def metrics(self) -> Sequence[Difference]: ...
    @property
    def compared(self) -> int: ...
    @property
    def differs(self) -> Sequence[str]: ...
    @property
    def known(self) -> bool: ...
    @property
    def result(self) -> str: ...


class Original(Protocol):
    """The run that was repeated."""

    @property
    def spec_digest(self) -> str: ...
    @property
    def seed(self) -> int | None: ...


class Replayed(Protocol):
    """One run."""

    @property
    def set(self) -> str: ...
    @property
    def comparison(self) -> Comparison | None: ...
    @property
    def original(self) -> Original | None: ...
    @property
    def engine(self) -> str: ...
    @property
    def problem(self) -> str: ...
    @property
    def keyed(self) -> bool: ...
    @property
    def unchecked(self) -> Sequence[str]: ...
    @property
    def statement(self) -> str: ...
    @property
    def signed(self) -> bool: ...


def render(runs: Sequence[Replayed], *, style: Style = plain, ascii_only: bool = False) -> str:
    """Each run with what was compared; then how many came out the same."""
    lines = [line for run in runs for line in (*_run(run, style), "")]
    exact = sum(run.comparison is not None and run.comparison.result == "exact" for run in runs)
    done = sum(run.comparison is not None for run in runs)
    lines.append(f"{done} of {count(len(runs), 'run')} repeated, {exact} with equal bytes.")
    lines.append("Not compared: reports and documents, which carry the time and the ids of their run.")
    text = "\n".join(lines) + "\n"
    return to_ascii(text) if ascii_only else text


def to_json(runs: Sequence[Replayed]) -> str:
    """The same as one JSON document; what was compared is in the statements."""
    content: dict[str, Any] = {
        "format": "avatar-gitops/replay",
        "version": "1.0",
        "runs": [
            {
                "set": run.set,
                "result": run.comparison.result if run.comparison else "not_repeated",
                "problem": run.problem or None,
                "files": {
                    name: before == after
                    for name, (before, after) in sorted((run.comparison.files if run.comparison else {}).items())
                },
                "differs": list(run.comparison.differs) if run.comparison else [],
                "statement": run.statement or None,
                "signed": run.signed,
            }
            for run in runs
        ],
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _run(run: Replayed, style: Style) -> Iterator[str]:
    yield style(safe(run.set), "bold")
    good, bad, attention = style("✔", "ok"), style("✘", "fail"), style("!", "warn")
    found, original = run.comparison, run.original
    if found is None or original is None:
        yield f"  {bad} not repeated: {safe(run.problem)}"
        return
    keyed = " (keyed)" if run.keyed else ""
    if run.unchecked:
        yield f"  {attention} data of {safe(', '.join(run.unchecked))}: only their address is known here"
    else:
        yield f"  {good} data: digests{keyed} are those of the run"
    yield f"  {good} spec {short_digest(original.spec_digest)}, seed {original.seed}, engine {safe(run.engine)}"
    yield from _environment(found, good, attention)
    for name, (before, after) in sorted(found.files.items()):
        yield f"  {good if before == after else bad} {safe(name)}: {'equal' if before == after else 'other'} digest"
    if found.metrics:
        yield from _metrics(found, good, bad)
    text, kind = RESULTS[found.result]
    signed = "signed" if run.signed else "not signed"
    yield f"  Result: {style(text, kind)}. Statement, {signed}: {safe(run.statement)}"


def _environment(found: Comparison, good: str, attention: str) -> Iterator[str]:
    if not found.known:
        yield f"  {attention} environment: the one of the run is not known here (no statement), so it is not compared"
    elif not found.differs:
        yield f"  {good} environment: engine, platform, numerics, BLAS, processor as in the run"
    for text in found.differs:
        yield f"  {attention} environment differs: {safe(text.replace(' -> ', ' → '))}"


def _metrics(found: Comparison, good: str, bad: str) -> Iterator[str]:
    """How many metrics differ, and those that differ by more than their band."""
    beyond = [one for one in found.metrics if not one.within]
    sources = " or ".join(sorted({one.source for one in found.metrics}))
    within = f"{len(found.metrics) - len(beyond)} within their band ({sources})"
    yield f"  {bad if beyond else good} {len(found.metrics)} of {count(found.compared, 'metric')} differ, {within}"
    for one in beyond[:MOST_SHOWN]:
        values = f"{_number(one.expected)} → {_number(one.found)}, band {one.band:.3g} ({one.source})"
        yield f"      {safe(one.table)} {one.metric} ({safe(one.family)}): {values}"
    if any(one.source == "numerical" for one in beyond) and found.differs:
        yield "      Counts jump where a tie falls the other way; `avatar-gitops noise` measures how much is chance."


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.10g}"
