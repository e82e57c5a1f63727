"""The promise of differential privacy as documents state it: unit, measure, epsilon, delta, and what is public."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from avatar_gitops.assessment.text import bare

GUARANTEE: Final = "differential_privacy"
"""Key of the promise in the metadata of a run and of its metrics."""

KINDS: Final = {"bounds of ": "bounds", "categories of ": "categories"}
COMPLETE: Final = " has no missing values"
SCALE: Final = ((1.0, 1), (5.0, 2), (10.0, 3))
"""Epsilon up to which a promise counts as this vulnerability; 4 beyond.

Bands up to 1 ("strong"), up to 10 ("reasonable") and beyond ("weak to none") are those of Ponomareva et al., How to
DP-fy ML, JAIR 77 (2023); the middle one is cut at 5, above which the OpenDP library warns.
"""
WHOLE: Final = {"names and types of the columns": "schema", "number of rows": "rows"}


@dataclass(slots=True, frozen=True)
class Guarantee:
    """What was promised for one table. `public` and `learned` are pairs of a kind of knowledge and a column."""

    epsilon: float
    declared: float
    delta: float
    pure: bool
    rows_per_person: int
    public: tuple[tuple[str, str], ...]
    learned: tuple[tuple[str, str], ...]
    library: str


def promised_vulnerability(said: Guarantee) -> int:
    """1 to 4 by `SCALE`; what stands in place of a measured vulnerability."""
    return next((step for epsilon, step in SCALE if said.epsilon <= epsilon), 4)


def certainty(said: Guarantee) -> float:
    """The largest share in [0.5, 1] of even cases in which a guess whether one person took part can be right.

    (e^epsilon + delta) / (1 + e^epsilon), from the region of tests of Kairouz, Oh and Viswanath, ICML 2015.
    """
    doubt = math.exp(-said.epsilon)
    return min(1.0, (1 + said.delta * doubt) / (1 + doubt))


def promise_numbers(said: Guarantee, language: str) -> tuple[str, str]:
    """Epsilon and delta as they are written everywhere."""
    epsilon, delta = float(f"{said.epsilon:.6g}"), float(f"{said.delta:.3g}")
    return bare(epsilon, language), bare(delta, language)


def guarantee_facts(said: object) -> Guarantee | None:
    """The promise in the metadata of a metrics entry; None when there is none or it cannot be read."""
    if not isinstance(said, Mapping):
        return None
    numbers = [said.get(name) for name in ("epsilon", "declared", "delta")]
    rows = said.get("rows_per_person")
    finite = [float(n) for n in numbers if isinstance(n, int | float) and not isinstance(n, bool) and math.isfinite(n)]
    if len(finite) < len(numbers) or not isinstance(rows, int):
        return None
    library = said.get("library")
    return Guarantee(
        epsilon=finite[0],
        declared=finite[1],
        delta=finite[2],
        pure=said.get("rho") is None,
        rows_per_person=rows,
        public=tuple(_known(said.get("public"))),
        learned=tuple(_known(said.get("learned"))),
        library=library if isinstance(library, str) else "opendp",
    )


def _known(said: Any) -> Iterator[tuple[str, str]]:
    """Texts of the engine as pairs; a text of another form is left out."""
    for text in said if isinstance(said, list | tuple) else ():
        if not isinstance(text, str):
            continue
        if text in WHOLE:
            yield WHOLE[text], ""
        for prefix, kind in KINDS.items():
            if text.startswith(prefix):
                yield kind, text.removeprefix(prefix)
                break
        else:
            if text.endswith(COMPLETE):
                yield "complete", text.removesuffix(COMPLETE)
