"""Cross-checks of gates: unknown metrics, demands that point the wrong way, bounds that nothing can meet or miss."""

from __future__ import annotations

from collections.abc import Iterator

from avatar_gitops.diagnostics import Diagnostic, Severity
from avatar_gitops.spec.gates import METRICS, Direction, Gate, Metric, Unit, as_natural, number, parse_gate
from avatar_gitops.spec.models import AvatarRun
from avatar_gitops.spec.nodes import Path
from avatar_gitops.spec.parse import Parsed
from avatar_gitops.spec.wording import near


def check_gates(parsed: Parsed[AvatarRun], run: AvatarRun) -> Iterator[Diagnostic]:
    """Findings about the gates of one run."""
    for name, text in run.spec.gates.items():
        metric = METRICS.get(name)
        if metric is None:
            yield _unknown(parsed, name)
            continue
        gate = parse_gate(name, text)
        if metric.direction is not gate.direction:
            yield _wrong_way(parsed, metric, gate)
        else:
            yield from _bound(parsed, metric, gate)


def _unknown(parsed: Parsed[AvatarRun], name: str) -> Diagnostic:
    path: Path = ("spec", "gates", name)
    guess = near(name, list(METRICS))
    return Diagnostic(
        code="X013",
        message=f"`{name}` is not a metric",
        span=parsed.locate_key(path),
        path=path,
        label=f"did you mean `{guess}`?" if guess else "",
        note="" if guess else f"metrics: {', '.join(METRICS)}",
        fix=f"rename it to `{guess}`" if guess else "",
    )


def _wrong_way(parsed: Parsed[AvatarRun], metric: Metric, gate: Gate) -> Diagnostic:
    path: Path = ("spec", "gates", metric.name)
    better = "higher" if metric.direction is Direction.HIGHER else "lower"
    worse = "at most" if metric.direction is Direction.HIGHER else "at least"
    message = f"this gate asks for {worse} {number(gate.bound)}, but {better} `{metric.name}` is better"
    why = "the gate would pass the worst results and stop the best"
    fix = f'write "{metric.direction} {number(gate.bound)}"'
    if metric.score:
        kind = "the change of correlations in percent" if metric.unit is Unit.PERCENT else "a distance"
        message = f"`{metric.name}` is {kind} here: 0 is equal, lower is better"
        shown = gate.bound if 1 < gate.bound <= 100 else 70.0
        natural = number(as_natural(metric, shown))
        why = f"the platform shows a score from 0 to 100 instead; its {number(shown)} is {natural} here"
        fix = f'write "<= {natural}"' if shown == gate.bound else f'write a largest {metric.unit}, such as "<= 0.1"'
    return Diagnostic("X014", message, parsed.locate(path), path=path, label=metric.meaning, why=why, fix=fix)


def _bound(parsed: Parsed[AvatarRun], metric: Metric, gate: Gate) -> Iterator[Diagnostic]:
    path: Path = ("spec", "gates", metric.name)
    top = metric.largest
    higher = metric.direction is Direction.HIGHER
    never = higher and top is not None and (gate.bound > top or (gate.bound == top and gate.operator == ">"))
    never = never or (not higher and (gate.bound < 0 or (gate.bound == 0 and gate.operator == "<")))
    always = (higher and gate.bound < 0) or (not higher and top is not None and gate.bound >= top)
    if never or always:
        fix = ""
        if metric.score and gate.bound > 1 and metric.unit is not Unit.PERCENT:
            fix = (
                f"write the distance: a score of {number(gate.bound)} is {number(as_natural(metric, gate.bound))} here"
            )
        yield Diagnostic(
            code="X015",
            message=f"this gate {'never' if never else 'always'} passes",
            span=parsed.locate(path),
            path=path,
            label=metric.meaning,
            why=f"`{metric.name}` lies between 0 and {number(top)}" if top else f"`{metric.name}` is never negative",
            fix=fix or "choose a bound inside that range",
        )
    elif higher and metric.unit is Unit.PERCENT and 0 < gate.bound <= 1:
        yield Diagnostic(
            code="X015",
            severity=Severity.WARNING,
            message=f"`{metric.name}` is in percent, so this gate asks for {number(gate.bound)} %",
            span=parsed.locate(path),
            path=path,
            fix=f'write "{gate.operator} {number(gate.bound * 100)}" if a share was meant',
        )
