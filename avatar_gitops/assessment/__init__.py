"""Privacy impact assessment and technical report: risk derivation and documents, shared by server and command line.

Every function takes `AssessmentFacts`, writes in `facts.language`, and gives the same bytes for the same facts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

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

__all__ = [
    "AssessmentFacts",
    "Family",
    "FigureFacts",
    "MetricValue",
    "PiaContext",
    "Provenance",
    "TableFacts",
    "assess",
    "metric_facts",
    "parameter_facts",
    "pia_context",
    "pia_docx",
    "pia_markdown",
    "row_bucket",
    "technical_report",
]


def assess(facts: AssessmentFacts) -> Assessment:
    """Derive severity, likelihood, level and conclusion; every cell carries the inputs it comes from."""
    from avatar_gitops.assessment.risk import assess as derive

    return derive(facts)


def pia_markdown(facts: AssessmentFacts) -> str:
    """The privacy impact assessment as Markdown."""
    from avatar_gitops.assessment.markdown import to_markdown
    from avatar_gitops.assessment.pia import pia_document

    return to_markdown(pia_document(facts, assess(facts)))


def pia_docx(facts: AssessmentFacts) -> bytes:
    """The privacy impact assessment as a Word document; needs python-docx (extra `local`)."""
    from avatar_gitops.assessment.docx import to_docx
    from avatar_gitops.assessment.pia import pia_document

    return to_docx(pia_document(facts, assess(facts)))


def technical_report(facts: AssessmentFacts, output_format: Literal["pdf", "docx"] = "pdf") -> bytes:
    """The technical anonymization report; PDF needs typst and DOCX needs python-docx (extra `local`)."""
    from avatar_gitops.assessment.technical import technical_document

    document = technical_document(facts, assess(facts))
    if output_format == "docx":
        from avatar_gitops.assessment.docx import to_docx

        return to_docx(document)
    from avatar_gitops.assessment.pdf import to_pdf

    return to_pdf(document)
