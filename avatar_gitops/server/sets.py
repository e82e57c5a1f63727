"""The documents of a set: validation at upload, lookup by name, defaults for documents that clients leave out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from avatar_gitops.server.faults import ApiFault
from avatar_gitops.server.yaml_reading import read_documents
from avatar_gitops.wire import documents as wire
from avatar_gitops.wire.documents import Document, DocumentKind
from avatar_gitops.wire.models import AVATARIZED_SCHEMA, JobKind

DISPLAY_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,200}")
MAXIMUM_NAME_BYTES: Final = 200
UNWRITABLE: Final = re.compile(r"[#\x00-\x1f\x7f]|%[0-9A-Fa-f]{2}")

SPEC_MODELS: Final[Mapping[str, type[BaseModel]]] = {
    DocumentKind.METADATA: wire.MetadataSpec,
    DocumentKind.SCHEMA: wire.SchemaSpec,
    DocumentKind.PARAMETERS: wire.ParametersSpec,
    DocumentKind.PRIVACY_METRICS: wire.MetricsSpec,
    DocumentKind.SIGNAL_METRICS: wire.MetricsSpec,
    DocumentKind.REPORT: wire.ReportSpec,
    DocumentKind.ADVICE: wire.AdviceSpec,
}
JOB_KINDS: Final[Mapping[str, JobKind]] = {
    DocumentKind.PARAMETERS: JobKind.STANDARD,
    DocumentKind.PRIVACY_METRICS: JobKind.PRIVACY_METRICS,
    DocumentKind.SIGNAL_METRICS: JobKind.SIGNAL_METRICS,
    DocumentKind.REPORT: JobKind.REPORT,
    DocumentKind.ADVICE: JobKind.ADVICE,
}
NOT_OFFERED: Final = frozenset(
    {
        "AvatarDatabase",
        "AvatarSharedEntity",
        "AvatarSchemaDiscoveryParameters",
        "AvatarExtractParameters",
        "AvatarRegenerateParameters",
        "AvatarReferenceParameters",
    }
)
# Clients launch these jobs even when the set they sent has no such document.
WELL_KNOWN: Final[Mapping[str, DocumentKind]] = {
    "privacy_metrics": DocumentKind.PRIVACY_METRICS,
    "signal_metrics": DocumentKind.SIGNAL_METRICS,
    "report": DocumentKind.REPORT,
    "report_pia": DocumentKind.REPORT,
}
METHODS: Final = ("avatarization", "avatarization_open_dp", "avatarization_fast_dp")


@dataclass(slots=True, frozen=True)
class SetDocuments:
    """The documents of one set, in the order they came."""

    documents: tuple[Document, ...]

    def of_kind(self, *kinds: DocumentKind) -> list[Document]:
        """The documents of these kinds."""
        return [document for document in self.documents if document.kind in kinds]

    def find(self, name: str, kinds: Iterable[str]) -> Document | None:
        """The document with that name among these kinds."""
        wanted = set(kinds)
        for document in self.documents:
            if document.metadata.name == name and document.kind in wanted:
                return document
        return None

    def schema(self, name: str) -> wire.SchemaSpec | None:
        """A schema by name."""
        found = self.find(name, [DocumentKind.SCHEMA])
        return None if found is None else wire.SchemaSpec.model_validate(found.spec)

    def parameters(self, name: str) -> Document | None:
        """The parameters document that a job of this name runs, made up with defaults where clients may omit it."""
        found = self.find(name, JOB_KINDS)
        kind = WELL_KNOWN.get(name)
        if found is not None or kind is None:
            return found
        return Document(kind=kind, metadata=wire.Name(name=name), spec=self._default_spec(name, kind))

    def _default_spec(self, name: str, kind: DocumentKind) -> dict[str, Any]:
        if kind is DocumentKind.REPORT:
            is_pia = name == "report_pia"
            return {"report_type": "pia" if is_pia else "basic", "output_format": "docx" if is_pia else "pdf"}
        standard = self.find("standard", [DocumentKind.PARAMETERS])
        shared: dict[str, Any] = {"schema": AVATARIZED_SCHEMA}
        if standard is not None:
            seed = standard.spec.get("seed")
            shared |= {"avatarization_ref": "standard"} | ({} if seed is None else {"seed": seed})
        return shared

    def pia(self) -> wire.PiaMetadata:
        """What the impact assessment is calibrated by; unknown values are the strictest."""
        for document in self.of_kind(DocumentKind.METADATA):
            found = wire.MetadataSpec.model_validate(document.spec).pia_metadata
            if found is not None:
                return found
        return wire.PiaMetadata()


def check_display_name(name: str) -> None:
    """Refuse names that cannot be part of a URL path.

    Raises:
        ApiFault: 422.
    """
    if not DISPLAY_NAME.fullmatch(name) or set(name) == {"."}:
        raise ApiFault(422, "A set name has 1 to 200 letters, digits, underscores, hyphens and dots.")


def read_set(text: str, *, bucket: str) -> SetDocuments:
    """The documents of a set after every structural check.

    Raises:
        ApiFault: 422 with the first fault found; checks that need the data are left to the jobs.
    """
    found = parsed_set(text)
    if not found.documents:
        raise ApiFault(422, "The set has no documents.")
    _check_unique(found)
    for document in found.documents:
        _check_document(found, document, bucket)
    return found


@lru_cache(maxsize=16)
def parsed_set(text: str) -> SetDocuments:
    """The documents of a set without the checks, which were made when it was stored.

    Remembered, because every job of a run asks again and a wide table makes long documents.

    Raises:
        ApiFault: 422 when the text is no list of documents.
    """
    plain = read_documents(text.encode())
    return SetDocuments(tuple(_document(item, number) for number, item in enumerate(plain, start=1)))


def _document(item: Any, number: int) -> Document:
    try:
        document = Document.model_validate(item)
    except ValidationError as error:
        raise ApiFault(422, f"Document {number}: {_first_problem(error)}") from None
    if document.kind in NOT_OFFERED:
        raise ApiFault(422, f"Document {number}: this platform does not offer the kind {document.kind!r}.")
    return document


def _check_unique(found: SetDocuments) -> None:
    seen: set[tuple[str, str]] = set()
    for document in found.documents:
        key = (document.kind, document.metadata.name)
        if key in seen:
            raise ApiFault(422, f"The set has two documents {key[1]!r} of kind {key[0]!r}.")
        seen.add(key)


def _check_document(found: SetDocuments, document: Document, bucket: str) -> None:
    model = SPEC_MODELS.get(document.kind)
    if model is None:
        if document.kind == DocumentKind.VOLUME:
            _check_volume(document, bucket)
        return
    try:
        spec = model.model_validate(document.spec)
    except ValidationError as error:
        problem = _first_problem(error, "spec")
        raise ApiFault(422, f"{document.kind} {document.metadata.name!r}: {problem}") from None
    match spec:
        case wire.SchemaSpec():
            _check_schema(found, document.metadata.name, spec)
        case wire.ParametersSpec():
            maps = {name: getattr(spec, name) or {} for name in (*METHODS, "time_series")}
            _check_tables(found, document, spec.schema_, maps)
            _check_one_method(document, maps)
        case wire.MetricsSpec():
            names = ("privacy_metrics", "signal_metrics", "time_series")
            _check_tables(found, document, spec.schema_, {name: getattr(spec, name) or {} for name in names})
        case wire.AdviceSpec():
            _check_tables(found, document, spec.schema_, {})


def _check_volume(document: Document, bucket: str) -> None:
    url = str(document.spec.get("url", ""))
    if url.rstrip("/") != f"s3://{bucket}" and not url.startswith(f"s3://{bucket}/"):
        raise ApiFault(422, f"AvatarVolume {document.metadata.name!r}: the URL lies outside your storage.")


def _check_schema(found: SetDocuments, name: str, spec: wire.SchemaSpec) -> None:
    names = [table.name for table in spec.tables]
    for table in names:
        if not table or UNWRITABLE.search(table) or len(table.encode()) > MAXIMUM_NAME_BYTES:
            raise ApiFault(
                422,
                f"Schema {name!r}: the table name {table!r} cannot be part of a result file name;"
                f" use at most {MAXIMUM_NAME_BYTES} bytes, without '#', '%' before two hexadecimal digits,"
                " and control characters.",
            )
        if names.count(table) > 1:
            raise ApiFault(422, f"Schema {name!r} has two tables called {table!r}.")
    if not any(table.individual_level is not False for table in spec.tables):
        raise ApiFault(
            422,
            f"Schema '{name}' does not have any individual_level table defined."
            " At least one table must hold one row per person.",
        )
    if spec.schema_ref is not None and found.find(spec.schema_ref, [DocumentKind.SCHEMA]) is None:
        raise ApiFault(422, f"Schema {name!r} refers to the schema {spec.schema_ref!r}, which is not in the set.")
    _check_links(name, spec, set(names))


def _check_links(name: str, spec: wire.SchemaSpec, tables: set[str]) -> None:
    for table in spec.tables:
        for link in table.links or []:
            if link.to.table not in tables:
                raise ApiFault(
                    422, f"Schema {name!r}: table {table.name!r} has a link to {link.to.table!r}, which is missing."
                )


def _check_tables(
    found: SetDocuments, document: Document, schema_name: str, maps: Mapping[str, Mapping[str, Any]]
) -> None:
    label = f"{document.kind} {document.metadata.name!r}"
    schema = found.schema(schema_name)
    if schema is None:
        raise ApiFault(422, f"{label} refers to the schema {schema_name!r}, which is not in the set.")
    known = {table.name for table in schema.tables}
    for field, records in maps.items():
        for table in records:
            if table not in known:
                raise ApiFault(422, f"{label}: {field} names the table {table!r}, which the schema does not have.")


def _check_one_method(document: Document, maps: Mapping[str, Mapping[str, Any]]) -> None:
    tables = [table for method in METHODS for table in maps[method]]
    for table in tables:
        if tables.count(table) > 1:
            raise ApiFault(
                422, f"{document.kind} {document.metadata.name!r}: table {table!r} has more than one method."
            )


def _first_problem(error: ValidationError, prefix: str = "") -> str:
    """Where and what, without the offending value."""
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    parts = [str(part) for part in (prefix, *first["loc"]) if part != ""]
    if "augmentation_strategy" in parts:  # what follows may be a modality, a value of the data
        parts = parts[: parts.index("augmentation_strategy") + 1]
    place = ".".join(parts)
    return f"{place}: {first['msg']}" if place else str(first["msg"])
