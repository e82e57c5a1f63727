"""The figures of a run: interactive in a frame that can reach nothing, and as pictures for pages without scripts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fastapi.responses import HTMLResponse, Response

from avatar_gitops.server.faults import ApiFault
from avatar_gitops.server.naming import FIGURE, unescaped
from avatar_gitops.server.web.files import ResultLine, find_file, list_files, read_result
from avatar_gitops.server.web.run import open_run
from avatar_gitops.server.web.security import FIGURE_POLICY
from avatar_gitops.server.web.visit import Visit
from avatar_gitops.server.web.words import FIGURE_WORDS
from avatar_gitops.wire.models import ResultKind


@dataclass(slots=True, frozen=True)
class FigureLine:
    """A figure with the words for somebody who does not see it: its title and the notes under it."""

    file: ResultLine
    table: str
    kind: str
    title: str
    notes: tuple[str, ...]

    @property
    def about(self) -> str:
        return FIGURE_WORDS.get(self.kind, "Figure")

    @property
    def alternative(self) -> str:
        """The text in place of the picture."""
        parts = [self.about, *(part for part in (self.title, *self.notes) if part)]
        return f"{'. '.join(parts)}. Table {self.table}."


def show(visit: Visit) -> Response:
    """The figures of one table; of the first when the address names none."""
    run = open_run(visit)
    found = [line for line in list_files(visit, run.id) if line.kind == ResultKind.FIGURES and line.blob is not None]
    tables = list(dict.fromkeys(_parts(line)[0] for line in found))
    wanted = visit.asked("table")
    table = wanted if wanted in tables else next(iter(tables), "")
    shown = [_figure(visit, line) for line in found if _parts(line)[0] == table]
    return visit.page("run_figures.html", run=run, tables=tables, table=table, figures=shown)


def page(visit: Visit) -> Response:
    """The page of a figure, for a frame of ours; opened by itself it is in the same sandbox."""
    from avatar_gitops.engine.figures.render import to_page

    line = _found(visit)
    title = line.filename.removesuffix(FIGURE)
    headers = {"Content-Security-Policy": FIGURE_POLICY, "X-Frame-Options": "SAMEORIGIN"}
    return HTMLResponse(to_page(read_result(visit, line), title, fitted=True), headers=headers)


def picture(visit: Visit) -> Response:
    """The figure as a PNG picture."""
    from avatar_gitops.engine.figures.render import to_png

    return Response(to_png(read_result(visit, _found(visit))), media_type="image/png")


def _found(visit: Visit) -> ResultLine:
    line = find_file(visit)
    if line.kind != ResultKind.FIGURES:
        raise ApiFault(404, "There is no such figure.")
    return line


def _figure(visit: Visit, line: ResultLine) -> FigureLine:
    table, kind = _parts(line)
    words = tuple(_words(read_result(visit, line).get("title")))
    return FigureLine(line, table, kind, words[0] if words else "", words[1:])


def _words(title: Any) -> Iterator[str]:
    """Title and notes of a Vega-Lite document."""
    said = title if isinstance(title, dict) else {"text": title}
    for part in (said.get("text"), said.get("subtitle")):
        for line in part if isinstance(part, list) else [part]:
            if isinstance(line, str) and line:
                yield line.rstrip(".")


def _parts(line: ResultLine) -> tuple[str, str]:
    """Table and kind in the name of a figure's document, `{table}.{kind}[-n].vl.json`."""
    table, _, kind = line.filename.removesuffix(FIGURE).partition(".")
    head, _, number = kind.rpartition("-")
    return unescaped(table), head if head and number.isdecimal() else kind
