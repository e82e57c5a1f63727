"""From a spec file and what lies below it to its runs: layers merged, matrix expanded, each run checked in full."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from avatar_gitops.diagnostics import Diagnostic
from avatar_gitops.spec.layers import EVERY_TABLE, TABLES, stack
from avatar_gitops.spec.matrix import MATRIX, NAME, PLACEHOLDER, expand, has_matrix
from avatar_gitops.spec.models import API_VERSION, AvatarRun
from avatar_gitops.spec.nodes import Document, Path
from avatar_gitops.spec.parse import Parsed, examine, has_errors, ordered
from avatar_gitops.spec.structure import check_structure

FROM: Final[Path] = ("spec", "from")
MAKING: Final = ("from", "matrix")
"""Keys of `spec` that make the runs and are in none of them."""


@dataclass(frozen=True, slots=True)
class MadeRun:
    """One run of a spec; `parsed.document` says for each value where it was written.

    `matrix` are the paths of values that the matrix gave, `start` is the file that the spec starts from.
    """

    parsed: Parsed[AvatarRun]
    matrix: frozenset[Path] = frozenset()
    start: str = ""


def starts_from(spec: Document) -> str | None:
    """The file that a spec says it starts from."""
    found = _spec(spec.data).get("from")
    return found if isinstance(found, str) and found else None


def make_runs(
    spec: Document, found: Iterable[Diagnostic], defaults: Sequence[Document], start: Document | None
) -> tuple[MadeRun, ...]:
    """The runs of a spec in the order of its matrix, at least one; `found` is what its reading brought up.

    When the matrix or `from` itself is wrong, only that is reported: nobody knows what the runs would be.
    """
    own = [*_own_findings(spec), *_every_table(spec)]
    if has_errors(own):
        return (MadeRun(Parsed(spec.file, None, ordered([*found, *own]), spec)),)
    merged = stack(defaults, start, spec) if defaults or start is not None else spec
    many = has_matrix(merged)
    if starts_from(merged) or "matrix" in _spec(merged.data):
        left_out = ("from",) if many else MAKING
        merged = replace(merged, data=_without(merged.data, left_out))
    file = start.file if start is not None else ""
    if not many:
        return (MadeRun(_without_braces(examine(merged, found, AvatarRun, "run")), start=file),)
    variants, problems = expand(merged)
    if not variants:
        return (MadeRun(Parsed(spec.file, None, ordered([*found, *problems]), merged)),)
    return tuple(
        MadeRun(_pointed(examine(variant.document, found, AvatarRun, "run"), variant.paths), variant.paths, file)
        for variant in variants
    )


def _pointed(parsed: Parsed[AvatarRun], paths: frozenset[Path]) -> Parsed[AvatarRun]:
    """Findings about values of a matrix, without repairs that would change its keys to something else."""
    if not parsed.diagnostics:
        return parsed
    found = tuple(
        replace(finding, edit="") if any(path[: len(finding.path)] == finding.path for path in paths) else finding
        for finding in parsed.diagnostics
    )
    return replace(parsed, diagnostics=found)


def _without_braces(parsed: Parsed[AvatarRun]) -> Parsed[AvatarRun]:
    """A finding about braces in a name says what they need, instead of which letters a name may have."""
    wrong = next((one for one in parsed.diagnostics if one.path == NAME and one.code == "S006"), None)
    name = parsed.document.data["metadata"]["name"] if wrong and parsed.document else ""
    part = PLACEHOLDER.search(name)
    if wrong is None or part is None:
        return parsed
    text = f"`{part[0]}` in the name has no value: the spec has no `matrix`"
    fix = f"add `matrix: {{{part[1]}: […]}}` to `spec`, or remove the braces"
    better = replace(wrong, code="X065", message=text, label="", why="", fix=fix)
    return replace(parsed, diagnostics=tuple(better if one is wrong else one for one in parsed.diagnostics))


def _every_table(spec: Document) -> Iterator[Diagnostic]:
    """A finding when a spec uses the sign that means every table in defaults."""
    tables = _spec(spec.data).get("tables")
    path: Path = (*TABLES, EVERY_TABLE)
    if isinstance(tables, dict) and EVERY_TABLE in tables:
        yield Diagnostic(
            code="S006",
            message=f"`{EVERY_TABLE}` is no name for a table of a spec",
            span=spec.locate_key(path),
            path=path,
            why="it stands for every table, and only in defaults",
            fix="name the table, or write what holds for all in `_defaults.yaml`",
        )


def _own_findings(spec: Document) -> list[Diagnostic]:
    """What is wrong with the keys that make the runs, by the schema of a run that has nothing else."""
    making = {key: value for key, value in _spec(spec.data).items() if key in MAKING and value is not None}
    if not making:
        return []
    content = {"tables": {"t": {"source": "t"}}, **making}
    alone = {"apiVersion": API_VERSION, "kind": "AvatarRun", "metadata": {"name": "t"}, "spec": content}
    found = check_structure(replace(spec, data=alone), "run")
    return [finding for finding in found if finding.path[:2] in (MATRIX, FROM)]


def _without(data: dict[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    return {**data, "spec": {key: value for key, value in data["spec"].items() if key not in keys}}


def _spec(data: Any) -> dict[str, Any]:
    found = data.get("spec") if isinstance(data, dict) else None
    return found if isinstance(found, dict) else {}
