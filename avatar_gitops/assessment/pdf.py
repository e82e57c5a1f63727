"""A document as PDF through typst, from memory and bundled fonts only; the same document gives the same bytes."""

from __future__ import annotations

import json
from dataclasses import asdict
from importlib.resources import files
from typing import Literal

from avatar_gitops.assessment.document import Block, Document


def to_pdf(document: Document) -> bytes:
    """Tagged PDF bytes (PDF/UA-1); no network, no system font, no clock."""
    pages = compile_pages(document, "pdf")
    return pages[0]


def compile_pages(document: Document, output_format: Literal["pdf", "png"]) -> list[bytes]:
    """One PDF, or one picture for each page."""
    import typst

    template = files("avatar_gitops.assessment").joinpath("templates/document.typ").read_bytes()
    made = typst.compile(
        template,
        format=output_format,
        ignore_system_fonts=True,
        sys_inputs={"document": as_json(document)},
        timestamp=0,
        ppi=80.0,
        pdf_standards=["ua-1"] if output_format == "pdf" else [],
    )
    return made if isinstance(made, list) else [made]


def as_json(document: Document) -> str:
    """The model as the template reads it; every block says its kind."""
    model = asdict(document)
    model["blocks"] = [_tagged(block) for block in document.blocks]
    return json.dumps(model, ensure_ascii=False, sort_keys=True)


def _tagged(block: Block) -> dict[str, object]:
    return {"kind": type(block).__name__, **asdict(block)}
