"""Measured noise as text and JSON: mean and spread of each metric, and how far two runs may differ by chance."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from avatar_gitops.plan.compare import rank
from avatar_gitops.plan.noise import NoiseBand, Spread, tolerance
from avatar_gitops.report.values import Style, count, number, plain, safe, to_ascii

HEAD: Final = ("", "mean", "± sd", "two runs differ by")
TOO_FEW: Final = "not known, too few runs"


def render(band: NoiseBand, *, style: Style = plain, ascii_only: bool = False) -> str:
    """One set: a row for each metric."""
    about = f"{count(len(band.seeds), 'seed')}, engine {safe(band.engine) or 'unknown'}"
    lines = [f"{style(safe(band.set), 'bold')}   {about}"]
    rows = list(_rows(band))
    widths = [max(len(row[index]) for row in (HEAD, *rows)) for index in range(len(HEAD))]
    for row in (HEAD, *rows):
        text = "  " + "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        lines.append(style(text, "bold") if row is HEAD else text)
    text = "\n".join(lines) + "\n"
    return to_ascii(text.replace("±", "+/-")) if ascii_only else text


def _rows(band: NoiseBand) -> Iterator[tuple[str, ...]]:
    several = len(band.metrics) > 1
    for table in sorted(band.metrics):
        for metric in sorted(band.metrics[table], key=rank):
            one = band.metrics[table][metric]
            name = f"{safe(table)}.{safe(metric)}" if several else safe(metric)
            yield name, number(one.mean), number(one.sd), _tolerance(one)


def _tolerance(one: Spread) -> str:
    found = tolerance(one)
    return TOO_FEW if found is None else f"up to {number(found)}"


def as_data(band: NoiseBand, path: str) -> dict[str, Any]:
    """One set as plain JSON data; `tolerance` is the largest difference of two runs that chance explains."""
    return {
        "set": band.set,
        "path": path,
        "engine": band.engine,
        "seeds": list(band.seeds),
        "metrics": {
            table: {
                metric: {"mean": one.mean, "sd": one.sd, "n": one.n, "tolerance": tolerance(one)}
                for metric, one in metrics.items()
            }
            for table, metrics in band.metrics.items()
        },
    }


def to_json(sets: list[dict[str, Any]]) -> str:
    """The whole answer as one document."""
    return json.dumps({"format": "avatar-gitops/noise", "version": "1.0", "sets": sets}, indent=2, ensure_ascii=False)
