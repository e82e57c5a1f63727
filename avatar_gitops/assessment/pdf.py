"""A document as PDF through typst, from memory and bundled fonts only; the same document gives the same bytes."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Literal

from avatar_gitops.assessment.templates import PACKAGED, Templates, in_typst
from avatar_gitops.assessment.view import ReportView, plain

Format = Literal["pdf", "png"]

SVG_PAGE: Final = b"""\
#set page(width: auto, height: auto, margin: 0pt)
#image(bytes(sys.inputs.svg), format: "svg", width: 17cm)
"""


def to_pdf(view: ReportView, templates: Templates = PACKAGED) -> bytes:
    """PDF bytes; no clock, no package. A template of the project sees the templates and pictures of its folder only.

    The file is accessible (PDF/UA-1) and set in bundled fonts. A name in a script that these fonts lack is set in the
    fonts of the machine, without the accessibility mark if they lack it too.

    Raises:
        TemplateProblem: the project's own template does not compile.
    """
    import typst

    own = templates.find(view.kind, "typ")
    with TemporaryDirectory() as folder:
        copied = None
        if own is not None:
            templates.copy(Path(folder))
            copied = Path(folder, own.name)
        try:
            return compile_pages(view, "pdf", own=copied, is_accessible=True)[0]
        except typst.TypstError:
            pass
        try:
            return compile_pages(view, "pdf", own=copied, ignore_system_fonts=False)[0]
        except typst.TypstError as error:
            if own is None or copied is None:
                raise
            raise in_typst(own, copied, error) from None


def compile_pages(
    view: ReportView,
    output_format: Format,
    *,
    own: Path | None = None,
    ignore_system_fonts: bool = True,
    is_accessible: bool = False,
) -> list[bytes]:
    """One PDF, or one picture for each page; `own` is a template of the project, which may read files beside it."""
    import typst

    more: dict[str, Any] = {}
    source: bytes | str = files("avatar_gitops.assessment").joinpath("templates/document.typ").read_bytes()
    if own is not None:
        source, more = str(own), {"root": str(own.parent)}
    made = typst.compile(
        source,
        format=output_format,
        ignore_system_fonts=ignore_system_fonts,
        sys_inputs=inputs(view),
        timestamp=0,
        ppi=80.0,
        pdf_standards=["ua-1"] if is_accessible else [],
        **more,
    )
    return made if isinstance(made, list) else [made]


def svg_to_png(svg: str) -> bytes:
    """A drawing as a PNG picture in bundled fonts, for formats that hold no SVG."""
    import typst

    made = typst.compile(
        SVG_PAGE, format="png", ignore_system_fonts=True, sys_inputs={"svg": svg}, timestamp=0, ppi=150.0
    )
    return bytes(made[0] if isinstance(made, list) else made)


def inputs(view: ReportView) -> dict[str, str]:
    """The view as the template reads it: `sys.inputs.document` and `sys.inputs.facts` are JSON texts."""
    content = plain(view)
    return {name: json.dumps(content[name], ensure_ascii=False, sort_keys=True) for name in ("document", "facts")}
