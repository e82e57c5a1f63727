"""The documents of a published run, from its facts: statements to sign, assessment in three formats, pictures.

The same facts lie beside them as `report-facts.json`, from which `avatar-gitops report` renders again.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from avatar_gitops.assessment import AssessmentFacts, render, report_view
from avatar_gitops.assessment.document import pictures
from avatar_gitops.assessment.statements import FILE as STATEMENTS
from avatar_gitops.assessment.statements import digest, statements_json
from avatar_gitops.assessment.templates import PACKAGED, TemplateProblem, Templates
from avatar_gitops.assessment.view import facts_from_plain, facts_to_plain
from avatar_gitops.plan.outcome import Artifact
from avatar_gitops.spec.project import Project
from avatar_gitops.workspace.inputs import local_path

FACTS: Final = "report-facts.json"
PICTURES: Final = "pictures"


def report_documents(facts: AssessmentFacts, templates: Templates = PACKAGED) -> Iterator[Artifact]:
    """Every document about a run, in a fixed order.

    Raises TemplateProblem when a template of the project is wrong.
    """
    content = statements_json(facts)
    facts = replace(facts, statements=digest(content))
    yield Artifact(STATEMENTS, content)
    yield Artifact(FACTS, (json.dumps(facts_to_plain(facts), indent=2, ensure_ascii=False) + "\n").encode())
    view = report_view("pia", facts)
    yield Artifact("pia.md", render(view, "markdown", templates, PICTURES))
    for name, picture in pictures(view.document).items():
        yield Artifact(f"{PICTURES}/{name}", picture)
    for table in facts.tables:
        for figure in table.figures:
            yield Artifact(f"{PICTURES}/{figure.file(table.name)}", figure.png)
    with contextlib.suppress(ImportError):  # the lean install has no document libraries; the Markdown says the same
        yield Artifact("pia.docx", render(view, "docx", templates))
        yield Artifact("pia.pdf", render(view, "pdf", templates))


def read_facts(content: bytes, picture: Callable[[str], bytes | None]) -> AssessmentFacts:
    """The facts in a `report-facts.json`; `picture` gives the bytes of a file in `pictures/`.

    Raises:
        ValueError: it was not written by this program, or by a version that this one does not know.
    """
    found = json.loads(content)
    if not isinstance(found, Mapping):
        raise ValueError("no object")
    return facts_from_plain(found, picture)


def earlier_facts(contents: Mapping[str, bytes]) -> AssessmentFacts | None:
    """The facts among the artifacts of a run; None when there are none that can be read."""
    try:
        return read_facts(contents.get(FACTS, b""), lambda name: contents.get(f"{PICTURES}/{name}"))
    except (ValueError, KeyError, TypeError):
        return None


def project_templates(root: Path, project: Project, given: Path | None = None) -> Templates:
    """The templates asked for on the command line, else those of the project, else the packaged ones.

    Raises TemplateProblem when there is no such folder, or when that of the project file leaves the project.
    """
    said = project.spec.reports.templates
    folder = given
    if given is None and said is not None:
        folder = local_path(root, said)
        if folder is None:
            raise TemplateProblem(
                "`spec.reports.templates` leaves the project", hint="name a folder inside the project"
            )
    if folder is not None and root.resolve().is_relative_to(folder.resolve()):
        raise TemplateProblem(
            "the folder of templates holds the whole project, and with it data",
            hint="put the templates into a folder of their own",
        )
    return Templates(folder)
