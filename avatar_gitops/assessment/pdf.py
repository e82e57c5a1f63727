"""A document as PDF through typst, from memory and bundled fonts only; the same document gives the same bytes."""

from __future__ import annotations

import base64
import json
from dataclasses import asdict, replace
from importlib.resources import files
from typing import Any, Literal

from avatar_gitops.assessment.document import Block, Document, Picture, printable


def to_pdf(document: Document) -> bytes:
    """PDF bytes; no network, no clock.

    The file is accessible (PDF/UA-1) and set in bundled fonts. A name in a script that these fonts lack is set in the
    fonts of the machine, without the accessibility mark if they lack it too.
    """
    import typst

    try:
        return compile_pages(document, "pdf", is_accessible=True)[0]
    except typst.TypstError:
        return compile_pages(document, "pdf", ignore_system_fonts=False)[0]


def compile_pages(
    document: Document,
    output_format: Literal["pdf", "png"],
    *,
    ignore_system_fonts: bool = True,
    is_accessible: bool = False,
) -> list[bytes]:
    """One PDF, or one picture for each page."""
    import typst

    template = files("avatar_gitops.assessment").joinpath("templates/document.typ").read_bytes()
    made = typst.compile(
        template,
        format=output_format,
        ignore_system_fonts=ignore_system_fonts,
        sys_inputs={"document": as_json(document)},
        timestamp=0,
        ppi=80.0,
        pdf_standards=["ua-1"] if is_accessible else [],
    )
    return made if isinstance(made, list) else [made]


def as_json(document: Document) -> str:
    """The model as the template reads it; every block says its kind."""
    model = asdict(replace(document, blocks=()))
    model["blocks"] = [_tagged(block) for block in document.blocks]
    return json.dumps(_printable(model), ensure_ascii=False, sort_keys=True)


def _printable(value: Any) -> Any:
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {key: _printable(item) for key, item in value.items()}
    return [_printable(item) for item in value] if isinstance(value, list | tuple) else value


def _tagged(block: Block) -> dict[str, object]:
    if isinstance(block, Picture):
        return {"kind": "Picture", "alt": block.alt, "svg": _as_svg(block)}
    return {"kind": type(block).__name__, **asdict(block)}


def _as_svg(picture: Picture) -> str:
    """The picture inside an SVG text: JSON holds no bytes, and the template can read SVG from a string."""
    width, height = picture.size
    data = base64.b64encode(picture.png).decode("ascii")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">'
        f'<image width="{width}" height="{height}" href="data:image/png;base64,{data}"/></svg>'
    )
