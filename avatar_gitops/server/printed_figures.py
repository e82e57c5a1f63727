"""Figures of the platform as a report prints them: in its language, smaller, and without the title that it captions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from avatar_gitops.assessment.facts import Language
from avatar_gitops.assessment.text import typeset
from avatar_gitops.engine.figures.model import PlotKind
from avatar_gitops.engine.figures.render import to_png

SERIES: Final = (PlotKind.RAW_SERIES, PlotKind.NORMALIZED_SERIES)
_SERIES_HEIGHT: Final = 190  # three figures on a page
_FRENCH: Final = tuple(
    (re.compile(said), french)
    for said, french in (
        (r"originals", "originaux"),
        (r"avatars", "avatars"),
        (r"originals, %", "originaux, %"),
        (r"correlation", "corrélation"),
        (r"difference", "différence"),
        (r"% of the axis", "% de l'axe"),
        (r"axis (\d)", r"axe \1"),
        (r"axis (\d) \((.+) % of inertia\)", r"axe \1 (\2 % de l'inertie)"),
        (
            r"Originals: share of rows per cell, cells with at least (\d+) rows\. Avatars: points\.",
            r"Originaux : part des lignes par case, cases d'au moins \1 lignes. Avatars : points.",
        ),
        (
            r"(.+) % of the originals are in cells with fewer than (\d+) of them and are not drawn\.",
            r"\1 % des originaux sont dans des cases de moins de \2 d'entre eux et ne sont pas dessinés.",
        ),
        (
            r"Columns with more than (.+) % of the inertia of an axis\.",
            r"Colonnes de plus de \1 % de l'inertie d'un axe.",
        ),
        (
            r"Bands: middle 50 % and 80 % of the originals\. Thick: means \(dashed: originals\)\.",
            "Bandes : 50 % et 80 % centraux des originaux. Traits épais : moyennes (en tirets : originaux).",
        ),
        (r"Thin: some avatars\.", "Traits fins : quelques avatars."),
        (r"Too few people for bands\.", "Trop peu de personnes pour des bandes."),
        (r"standard deviations from the mean", "écarts-types autour de la moyenne"),
        (r"share of each series", "part écoulée de chaque série"),
    )
)
# What a legend shows are words of the data of a figure, which stay as they are.
_LEGENDS: Final = {
    "of": "datum.label == 'originals' ? 'originaux' : datum.label",
    "axis": "replace(datum.label, 'axis', 'axe')",
}


def printed(kind: PlotKind, spec: Mapping[str, Any], language: Language) -> bytes:
    """The PNG picture of a figure, under its notes; column names and numbers of the data are not touched."""
    title, content = spec["title"], {name: part for name, part in spec.items() if name != "title"}
    notes = list(title.get("subtitle", []))
    if kind in SERIES:
        content = {**content, "height": _SERIES_HEIGHT, "config": {**spec["config"], "legend": {"orient": "top"}}}
    if language == "fr":
        notes = [in_french(note) or note for note in notes]
        # the axes of raw series have names of columns
        content = _translated(content, words=kind is not PlotKind.RAW_SERIES)
    if notes:
        content["title"] = {"text": notes, "anchor": "start", "fontWeight": "normal", "fontSize": 11}
    return to_png(content, "fr-FR" if language == "fr" else "en-US")


def in_french(text: str) -> str | None:
    """A title, note or label of a figure in French; None when it is not known."""
    for said, french in _FRENCH:
        found = said.fullmatch(text)
        if found:
            return typeset(re.sub(r"(\d)\.(\d)", r"\1,\2", found.expand(french)), "fr")
    return None


def _translated(part: Any, *, words: bool) -> Any:
    if isinstance(part, list):
        return [_translated(item, words=words) for item in part]
    if not isinstance(part, Mapping):
        return part
    found = {name: said if name == "data" else _translated(said, words=words) for name, said in part.items()}
    if words and isinstance(found.get("title"), str):
        found["title"] = in_french(found["title"]) or found["title"]
    for channel in ("color", "strokeDash"):
        label = _LEGENDS.get(found.get(channel, {}).get("field", "")) if isinstance(found.get(channel), dict) else None
        if label:
            found[channel] = {**found[channel], "legend": {"labelExpr": label}}
    return found
