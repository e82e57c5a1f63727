"""Privacy impact assessment and technical report: risk derivation and documents, shared by server and command line.

Every function takes `AssessmentFacts`, writes in `facts.language`, and gives the same bytes for the same facts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from avatar_gitops.assessment.approval import ApprovalFacts, GateFacts, SignatureFacts
from avatar_gitops.assessment.catalogue import Family
from avatar_gitops.assessment.facts import (
    AssessmentFacts,
    FigureFacts,
    MetricValue,
    PiaContext,
    Provenance,
    TableFacts,
    metric_facts,
    parameter_facts,
    pia_context,
    row_bucket,
)

if TYPE_CHECKING:
    from avatar_gitops.assessment.risk import Assessment
    from avatar_gitops.assessment.templates import Templates
    from avatar_gitops.assessment.view import Kind, ReportView

Format = Literal["pdf", "docx", "markdown"]

__all__ = [
    "ApprovalFacts",
    "AssessmentFacts",
    "Family",
    "FigureFacts",
    "Format",
    "GateFacts",
    "MetricValue",
    "PiaContext",
    "Provenance",
    "SignatureFacts",
    "TableFacts",
    "assess",
    "metric_facts",
    "parameter_facts",
    "pia_context",
    "pia_docx",
    "pia_markdown",
    "render",
    "report_view",
    "row_bucket",
    "technical_report",
]


def assess(facts: AssessmentFacts) -> Assessment:
    """Derive severity, likelihood, level and conclusion; every cell carries the inputs it comes from."""
    from avatar_gitops.assessment.risk import assess as derive

    return derive(facts)


def report_view(kind: Kind, facts: AssessmentFacts) -> ReportView:
    """The view model of a document: its whole text in blocks, and the facts behind it."""
    from avatar_gitops.assessment.view import ReportView as View

    if kind == "pia":
        from avatar_gitops.assessment.pia import pia_document as document
    else:
        from avatar_gitops.assessment.technical import technical_document as document
    return View(kind, document(facts, assess(facts)), facts)


def render(view: ReportView, output_format: Format, templates: Templates | None = None, folder: str = "") -> bytes:
    """A document as bytes; PDF needs typst, DOCX python-docx and typst (extra `local`).

    `templates` are the project's own; `folder` is where a Markdown document finds its pictures.

    Raises:
        TemplateProblem: a template of the project is wrong; says file and line.
        ImportError: the library of the format is not installed.
    """
    from avatar_gitops.assessment.templates import PACKAGED

    used = templates or PACKAGED
    if output_format == "markdown":
        from avatar_gitops.assessment.markdown import to_markdown

        return to_markdown(view, used, folder).encode()
    if output_format == "docx":
        from avatar_gitops.assessment.docx import to_docx

        return to_docx(view, used)
    from avatar_gitops.assessment.pdf import to_pdf

    return to_pdf(view, used)


def pia_markdown(facts: AssessmentFacts) -> str:
    """The privacy impact assessment as Markdown."""
    return render(report_view("pia", facts), "markdown").decode()


def pia_docx(facts: AssessmentFacts) -> bytes:
    """The privacy impact assessment as a Word document."""
    return render(report_view("pia", facts), "docx")


def technical_report(facts: AssessmentFacts, output_format: Literal["pdf", "docx"] = "pdf") -> bytes:
    """The technical anonymization report."""
    return render(report_view("technical", facts), output_format)
