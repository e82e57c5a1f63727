"""The releases of each source as people and machines read them: how many, to whom, which columns, how much epsilon."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

from avatar_gitops.plan.ledger import Ledger, Release, Source
from avatar_gitops.report.plan_markdown import escape
from avatar_gitops.report.values import Style, count, plain, safe, to_ascii
from avatar_gitops.spec.gates import number

HEAD: Final = ("WHEN", "SET", "TABLE", "RECIPIENT", "METHOD", "ROWS", "COLUMNS", "RUN")
NOTE: Final = (
    "Epsilon adds up by basic composition, as if all versions were about the same people. "
    "Which rows two releases have in common is not measured."
)
COLUMNS_SHOWN: Final = 6


def render(ledger: Ledger, *, style: Style = plain, ascii_only: bool = False) -> str:
    """One block per source: its addresses, the sums, a line per release."""
    sources = ledger.sources()
    if not sources:
        return "Nothing was released yet.\n"
    lines: list[str] = []
    for source in sources:
        lines += [style(", ".join(map(safe, source.names)), "bold"), *(f"  {line}" for line in _sums(source, ledger))]
        cells = [HEAD, *map(_cells, source.releases)]
        widths = [max(len(row[index]) for row in cells) for index in range(len(HEAD))]
        lines += ["", *(f"    {_line(row, widths)}" for row in cells), ""]
    text = "\n".join([*lines, NOTE]) + "\n"
    return to_ascii(text) if ascii_only else text


def markdown(ledger: Ledger) -> str:
    """The same for a document; text from outside cannot become markup."""
    lines = ["# Releases by source", ""]
    for source in ledger.sources():
        lines += [
            f"## {', '.join(map(escape, source.names))}",
            "",
            *(f"- {escape(line)}" for line in _sums(source, ledger)),
        ]
        lines += ["", "| " + " | ".join(HEAD) + " |", "|" + "---|" * len(HEAD)]
        lines += ["| " + " | ".join(map(escape, _cells(release))) + " |" for release in source.releases]
        lines.append("")
    return "\n".join([*lines, NOTE if ledger.releases else "Nothing was released yet."]) + "\n"


def to_json(ledger: Ledger) -> str:
    """The same as one JSON document."""
    content = {
        "format": "avatar-gitops/ledger",
        "version": "1.0",
        "composition": "basic",
        "limits": ledger.limits.model_dump(mode="json"),
        "sources": [_source(source) for source in ledger.sources()],
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _sums(source: Source, ledger: Ledger) -> Iterator[str]:
    limits, releases = ledger.limits, source.distinct
    versions = f" of {count(source.versions, 'version')} of the data" if source.versions > 1 else ""
    yield f"{count(len(releases), 'release')}{versions} to {', '.join(map(safe, source.recipients))}" + _over(
        len(releases) > limits.max_releases, limits.max_releases
    )
    yield _epsilon(source) + _over(source.epsilon > limits.max_epsilon, number(limits.max_epsilon))
    if len(releases) > 1:
        common = source.common
        more = f" and {len(common) - COLUMNS_SHOWN} more" if len(common) > COLUMNS_SHOWN else ""
        shown = ", ".join(map(safe, common[:COLUMNS_SHOWN])) + more
        yield f"{count(len(common), 'column')} in more than one release" + (f": {shown}" if common else "")


def _epsilon(source: Source) -> str:
    total = len(source.distinct)
    if source.unbounded == total:
        return "no release promises an epsilon"
    without = f"; {source.unbounded} of {total} promise none" if source.unbounded else ""
    return f"epsilon {number(source.epsilon)} in sum{without}"


def _over(over: bool, limit: object) -> str:
    return f" (more than {limit})" if over else ""


def _cells(release: Release) -> tuple[str, ...]:
    return (
        release.when[:10],
        release.set,
        safe(release.table),
        release.recipient,
        release.method,
        release.rows,
        str(len(release.columns)),
        release.run[:8],
    )


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()


def _source(source: Source) -> dict[str, Any]:
    return {
        "names": list(source.names),
        "versions": source.versions,
        "count": len(source.distinct),
        "recipients": list(source.recipients),
        "epsilon": source.epsilon,
        "without_epsilon": source.unbounded,
        "common_columns": list(source.common),
        "releases": [_release(release) for release in source.releases],
    }


def _release(release: Release) -> dict[str, Any]:
    return {
        "set": release.set,
        "table": release.table,
        "source": release.source,
        "when": release.when,
        "recipient": release.recipient,
        "method": release.method,
        "epsilon": release.epsilon,
        "rows": release.rows,
        "columns": list(release.columns),
        "data": release.data,
        "parameters": release.parameters,
        "avatars": release.avatars or None,
        "run": release.run,
        "commit": release.commit or None,
        "approved_by": list(release.approved_by),
    }
