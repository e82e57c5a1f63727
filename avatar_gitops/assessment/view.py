"""The view model of the documents: what a template sees, as plain JSON, with the JSON Schema of it.

`document` is the whole text in blocks, ready to be laid out; `facts` are the figures behind it, for a template that
writes its own sentences. Every format's template sees the same.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Literal

from avatar_gitops.assessment.document import Block, Document, Picture, printable
from avatar_gitops.assessment.facts import AssessmentFacts, FigureFacts
from avatar_gitops.assessment.risk import Conclusion, Level

Kind = Literal["technical", "pia"]

FORMAT: Final = "avatar-gitops/report-facts"
VERSION: Final = "1.0"
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


@dataclass(slots=True, frozen=True)
class ReportView:
    """Everything a template sees of one document."""

    kind: Kind
    document: Document
    facts: AssessmentFacts


def plain(view: ReportView) -> dict[str, Any]:
    """The view as JSON values; every block says its kind, pictures are SVG texts."""
    document = asdict(replace(view.document, blocks=()))
    document["blocks"] = [_tagged(block) for block in view.document.blocks]
    content: dict[str, Any] = _printable(
        {"kind": view.kind, "document": document, "facts": facts_to_plain(view.facts)["facts"]}
    )
    return content


def facts_to_plain(facts: AssessmentFacts) -> dict[str, Any]:
    """The facts as JSON values, with the names of pictures in the place of their bytes."""
    content = asdict(replace(facts, tables=tuple(replace(table, figures=()) for table in facts.tables)))
    for table, said in zip(facts.tables, content["tables"], strict=True):
        said["figures"] = [
            {"kind": figure.kind, "subject": figure.subject, "file": figure.file(table.name)}
            for figure in table.figures
        ]
    told = {"format": FORMAT, "version": VERSION, "facts": content}
    found: dict[str, Any] = json.loads(json.dumps(told, default=dict))
    return found


def facts_from_plain(content: Mapping[str, Any], picture: Callable[[str], bytes | None]) -> AssessmentFacts:
    """The facts that `facts_to_plain` wrote; `picture` gives the bytes of a named one, None when it is not there.

    Raises:
        ValueError: the content is not what was written, or is of another version.
    """
    from pydantic import TypeAdapter

    if content.get("format") != FORMAT or str(content.get("version", "")).split(".")[0] != VERSION.split(".")[0]:
        raise ValueError(f"not {FORMAT} of version {VERSION}")
    told = dict(content["facts"])
    told["tables"] = [dict(table) for table in told["tables"]]
    figures = [table.pop("figures", []) for table in told["tables"]]
    facts: AssessmentFacts = TypeAdapter(AssessmentFacts).validate_python(told)
    tables = tuple(
        replace(table, figures=tuple(_figures(listed, picture)))
        for table, listed in zip(facts.tables, figures, strict=True)
    )
    return replace(facts, tables=tables)


def _figures(listed: list[dict[str, str]], picture: Callable[[str], bytes | None]) -> list[FigureFacts]:
    found = ((said, picture(said["file"])) for said in listed)
    return [FigureFacts(said["kind"], png, said["subject"]) for said, png in found if png is not None]


def schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of the view, generated from the classes it is made of."""
    from pydantic import TypeAdapter

    made = TypeAdapter(ReportView).json_schema(mode="serialization")
    definitions = made["$defs"]
    for name in _names(Block):
        _tag(definitions[name], name)
    for name in ("Picture", "Drawing"):
        text = {"type": "string", "title": "Svg", "description": "The picture as SVG text."}
        properties = {key: said for key, said in definitions[name]["properties"].items() if key != "png"}
        definitions[name] = {**definitions[name], "properties": {**properties, "svg": text}}
        definitions[name]["required"] = sorted(definitions[name]["properties"])
    figure = definitions["FigureFacts"]
    figure["properties"] = {name: {"type": "string"} for name in ("kind", "subject", "file")}
    figure["required"] = ["kind", "subject", "file"]
    return {
        "$schema": DIALECT,
        "$id": "urn:avatar-gitops:schema:report:v1",
        **made,
        "title": "View model of report templates of avatar-gitops, version 1",
    }


def schema_text() -> str:
    """The schema as it is published: the same bytes for the same classes."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def statements_schema_text() -> str:
    """The schema of `pia.json`, whose SHA-256 signatures are bound to."""
    text = {"type": "string", "minLength": 1}
    statement = {"type": "object", "properties": {"id": text, "text": text}, "required": ["id", "text"]}
    properties = {
        "format": {"const": "avatar-gitops/pia"},
        "version": {"const": VERSION},
        "set": text,
        "level": {"enum": [level.value for level in Level]},
        "conclusion": {"enum": [conclusion.value for conclusion in Conclusion]},
        "statements": {"type": "array", "minItems": 1, "items": {**statement, "additionalProperties": False}},
    }
    content = {
        "$schema": DIALECT,
        "$id": "urn:avatar-gitops:schema:statements:v1",
        "title": "Statements of an assessment (pia.json) of avatar-gitops, version 1",
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _names(union: Any) -> list[str]:
    return [member.__name__ for member in union.__args__]


def _tag(definition: dict[str, Any], name: str) -> None:
    definition["properties"] = {"kind": {"const": name, "type": "string"}, **definition["properties"]}
    definition["required"] = sorted(definition["properties"])
    definition["additionalProperties"] = False


def _tagged(block: Block) -> dict[str, object]:
    if isinstance(block, Picture):
        told = {name: value for name, value in asdict(block).items() if name != "png"}
        return {"kind": "Picture", **told, "svg": _as_svg(block)}
    return {"kind": type(block).__name__, **asdict(block)}


def _printable(value: Any) -> Any:
    if isinstance(value, str):
        return printable(value) if not value.startswith("<svg ") else value
    if isinstance(value, dict):
        return {key: _printable(item) for key, item in value.items()}
    return [_printable(item) for item in value] if isinstance(value, list | tuple) else value


def _as_svg(picture: Picture) -> str:
    """The picture inside an SVG text: JSON holds no bytes, and a typst template reads SVG from a string."""
    width, height = picture.size
    on_paper = "{:.2f}pt {:.2f}pt".format(*picture.printed).split()
    data = base64.b64encode(picture.png).decode("ascii")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{on_paper[0]}" height="{on_paper[1]}"'
        f' viewBox="0 0 {width} {height}">'
        f'<image width="{width}" height="{height}" href="data:image/png;base64,{data}"/></svg>'
    )
