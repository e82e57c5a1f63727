"""A document as DOCX with real styles, marked header rows and a language; the same document gives the same bytes."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from avatar_gitops.assessment.document import (
    Bars,
    Bullets,
    Cell,
    Document,
    Drawing,
    Heading,
    Inline,
    Paragraph,
    Picture,
    Span,
    Table,
    code,
    plain,
    printable,
)
from avatar_gitops.assessment.templates import PACKAGED, TemplateProblem, Templates
from avatar_gitops.assessment.view import ReportView

if TYPE_CHECKING:
    from docx.document import Document as Word

FILLS: Final = {
    "none": None,
    "muted": "F2F2F2",
    "low": "D9F2E3",
    "moderate": "FFF3CC",
    "high": "FFD9B8",
    "very_high": "F8C9C9",
}
LANGUAGE_TAGS: Final = {"en": "en-GB", "fr": "fr-FR"}
_FIXED: Final = datetime(1980, 1, 1, tzinfo=UTC)
_LINE_CM: Final = 17.0
_PICTURE_CM: Final = 11.0  # a picture is no higher than that
_CM_PER_POINT: Final = 2.54 / 72
_CODE_FONT: Final = "Consolas"
STYLES: Final = ("Title", "Subtitle", "Heading 1", "Heading 2", "Heading 3", "List Bullet", "Table Grid")
_UNSOURCED: Final = (Heading, Bars, Picture, Drawing)


def to_docx(view: ReportView, templates: Templates = PACKAGED) -> bytes:
    """Word bytes; no clock, no macro, no external link.

    Raises:
        TemplateProblem: the project's own Word file cannot be read or has no style of a name that is needed.
    """
    import docx

    document, own = view.document, templates.find(view.kind, "docx")
    word = docx.Document() if own is None else _own(own)
    _tell(word, document)
    if own is None:
        _lay_out(word, document)
    word.add_paragraph(document.title, style="Title")
    for line in document.details:
        _write(word.add_paragraph(style="Subtitle"), line)
    for block, following in zip(document.blocks, (*document.blocks[1:], None), strict=True):
        _WRITERS[type(block)](word, block)
        if isinstance(block, Paragraph) and isinstance(following, Picture | Drawing):
            word.paragraphs[-1].paragraph_format.keep_with_next = True
        if not isinstance(block, _UNSOURCED) and block.source:
            _source(word, document.source_word, block.source)
    buffer = io.BytesIO()
    word.save(buffer)
    return _fixed_archive(buffer.getvalue())


def _own(path: Path) -> Word:
    """A Word file of the project with its styles, header, footer and page, and nothing of its text."""
    import docx

    try:
        word = docx.Document(str(path))
    except Exception as error:
        raise TemplateProblem(f"{path.as_posix()}: this is not a Word document ({type(error).__name__})") from None
    missing = [name for name in STYLES if name not in {style.name for style in word.styles}]
    if missing:
        raise TemplateProblem(
            f"{path.as_posix()}: the Word template has no style {', '.join(missing)}",
            hint="save it with Word or LibreOffice after using these styles once",
        )
    body = word.element.body
    for part in list(body):
        if not part.tag.endswith("}sectPr"):
            body.remove(part)
    return word


def _tell(word: Word, document: Document) -> None:
    """What programs read: title, language, and no date of now."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    tag = LANGUAGE_TAGS[document.language]
    properties = word.core_properties
    properties.title, properties.subject = document.title, document.subject
    properties.author = properties.last_modified_by = "avatar-gitops"
    properties.language = tag
    properties.comments = properties.keywords = properties.category = ""
    properties.created = properties.modified = _FIXED
    properties.revision = 1
    for part, name in ((word.styles.element, "w:lang"), (word.settings.element, "w:themeFontLang")):
        for lang in part.iter(qn(name)):
            lang.set(qn("w:val"), tag)
    defaults = word.styles.element.find(f"{qn('w:docDefaults')}/{qn('w:rPrDefault')}/{qn('w:rPr')}")
    if defaults is not None and defaults.find(qn("w:lang")) is None:
        lang = OxmlElement("w:lang")
        lang.set(qn("w:val"), tag)
        defaults.append(lang)


def _lay_out(word: Word, document: Document) -> None:
    """The packaged page: A4, sober styles, a footer with the page number."""
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Cm, Pt, RGBColor

    section = word.sections[0]
    section.page_width, section.page_height = Cm(21.0), Cm(29.7)
    section.left_margin = section.right_margin = section.top_margin = section.bottom_margin = Cm(2.0)
    word.styles["Normal"].font.size = Pt(10)
    for name in ("Title", "Subtitle", "Heading 1", "Heading 2", "Heading 3", "Normal"):
        style = word.styles[name]
        style.font.name = "Calibri"
        _drop_theme_fonts(style.element)
        if name != "Normal":
            style.font.color.rgb = RGBColor(0x1F, 0x2A, 0x37)
    word.styles["Title"].font.size = Pt(22)
    word.styles["Subtitle"].font.italic = False
    word.styles["Subtitle"].font.size = Pt(9)
    footer = section.footer.paragraphs[0]
    footer.alignment = WD_ALIGN_PARAGRAPH.CENTER
    footer.add_run(f"{document.footer} · {document.page_word} ")
    _page_number(footer)


def _drop_theme_fonts(style: Any) -> None:
    from docx.oxml.ns import qn

    for fonts in style.iter(qn("w:rFonts")):
        for name in [key for key in fonts.attrib if "Theme" in key]:
            del fonts.attrib[name]


def _page_number(paragraph: Any) -> None:
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    field = OxmlElement("w:fldSimple")
    field.set(qn("w:instr"), "PAGE")
    field.append(paragraph.add_run("1")._r)
    paragraph._p.append(field)


def _write(paragraph: Any, content: Inline) -> None:
    for span in content:
        run = paragraph.add_run(printable(span.text))
        run.bold = True if span.style == "strong" else None
        if span.style == "code":
            run.font.name = _CODE_FONT
            run.font.size = _points(8.5)


def _points(size: float) -> Any:
    from docx.shared import Pt

    return Pt(size)


def _heading(word: Word, block: Heading) -> None:
    _write(word.add_heading(level=block.level), block.content)


def _paragraph(word: Word, block: Paragraph) -> None:
    paragraph = word.add_paragraph()
    _write(paragraph, block.content)
    fill = FILLS[block.tone]
    if fill:
        _shade(paragraph._p.get_or_add_pPr(), fill)


def _bullets(word: Word, block: Bullets) -> None:
    for item in block.items:
        _write(word.add_paragraph(style="List Bullet"), item)


def _source(word: Word, source_word: str, source: Inline) -> None:
    from docx.shared import RGBColor

    paragraph = word.add_paragraph()
    _write(paragraph, (Span(f"{source_word} "), *source))
    for run in paragraph.runs:
        run.font.size = _points(8)
        run.font.color.rgb = RGBColor(0x59, 0x5F, 0x69)


def _table(word: Word, block: Table) -> None:
    from docx.shared import Cm

    table = word.add_table(rows=0, cols=len(block.header), style="Table Grid")
    table.autofit = False
    for column, width in zip(table.columns, block.widths, strict=True):
        column.width = Cm(_LINE_CM * width / sum(block.widths))
    _describe(table, block.summary)
    header = tuple(Cell(tuple(_strong(part)), "muted") for part in block.header)
    for number, row in enumerate((header, *block.rows)):
        _row(table.add_row(), row, block.widths, is_header=number == 0)
    word.add_paragraph().paragraph_format.space_after = _points(4)


def _strong(content: Inline) -> Inline:
    return tuple(Span(span.text, "strong") for span in content)


def _row(target: Any, row: tuple[Cell, ...], widths: tuple[int, ...], *, is_header: bool) -> None:
    from docx.oxml import OxmlElement
    from docx.shared import Cm

    properties = target._tr.get_or_add_trPr()
    properties.append(OxmlElement("w:cantSplit"))
    if is_header:
        properties.append(OxmlElement("w:tblHeader"))
    for slot, cell, width in zip(target.cells, row, widths, strict=True):
        slot.width = Cm(_LINE_CM * width / sum(widths))
        paragraph = slot.paragraphs[0]
        paragraph.paragraph_format.space_after = _points(0)
        _write(paragraph, cell.content)
        for run in paragraph.runs:
            run.font.size = _points(8 if run.font.name == _CODE_FONT else 9)
        fill = FILLS[cell.tone]
        if fill:
            _shade(slot._tc.get_or_add_tcPr(), fill)


def _shade(properties: Any, fill: str) -> None:
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    shade = OxmlElement("w:shd")
    for name, value in (("val", "clear"), ("color", "auto"), ("fill", fill)):
        shade.set(qn(f"w:{name}"), value)
    properties.append(shade)


def _describe(table: Any, summary: str) -> None:
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    for name in ("w:tblCaption", "w:tblDescription"):
        text = OxmlElement(name)
        text.set(qn("w:val"), printable(summary))
        table._tbl.tblPr.append(text)


def _bars(word: Word, block: Bars) -> None:
    rows = tuple(
        (Cell(code(name)), Cell(plain(label)), Cell(plain("█" * round(40 * value))))
        for name, label, value in zip(block.names, block.labels, block.values, strict=True)
    )
    _table(word, Table(block.summary, (*block.header, plain(block.legend)), rows, (30, 14, 56)))


def _picture(word: Word, block: Picture) -> None:
    width, height = block.printed
    _place(word, block, block.png, min(_LINE_CM, width * _CM_PER_POINT, _PICTURE_CM * width / height))


def _drawing(word: Word, block: Drawing) -> None:
    from avatar_gitops.assessment.pdf import svg_to_png

    _place(word, block, svg_to_png(block.svg), _LINE_CM)


def _place(word: Word, block: Picture | Drawing, png: bytes, width: float) -> None:
    """The picture with its caption, which stay on one page."""
    from docx.shared import Cm

    paragraph = word.add_paragraph()
    drawn = paragraph.add_run().add_picture(io.BytesIO(png), width=Cm(width))
    properties = drawn._inline.docPr
    properties.set("descr", printable(block.alt))
    properties.set("name", block.name)
    if block.caption:
        paragraph.paragraph_format.keep_with_next = True
        _write(word.add_paragraph(), block.caption)


_WRITERS: Final[dict[type, Callable[[Any, Any], None]]] = {
    Heading: _heading,
    Paragraph: _paragraph,
    Bullets: _bullets,
    Table: _table,
    Bars: _bars,
    Picture: _picture,
    Drawing: _drawing,
}


def _fixed_archive(data: bytes) -> bytes:
    """The same parts in a fixed order with a fixed date."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        names = sorted(source.namelist(), key=lambda name: (name != "[Content_Types].xml", name))
        for name in names:
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o600 << 16
            info.create_system = 3
            archive.writestr(info, source.read(name), compresslevel=6)
    return target.getvalue()
