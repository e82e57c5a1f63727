"""The documents of one set of the platform, read part by part into the draft of a run spec."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Any, Final

from avatar_gitops.spec.documents import PlatformDocument
from avatar_gitops.spec.models import API_VERSION, SET_NAME_PATTERN, ColumnTag, Job, PrivacyMetrics, SignalMetrics
from avatar_gitops.spec.nodes import Path
from avatar_gitops.spec.transfer import Draft, Notebook, Place
from avatar_gitops.wire.stated import STATED, STATED_FIELDS, stated

SPEC: Final = ("spec",)
TABLES: Final = ("spec", "tables")
NOTHING_TO_RUN: Final = frozenset({"AvatarVolume", "AvatarAdviceParameters"})
PROCESSORS: Final = "avatarization_processors_parameters"
METHODS: Final = {"avatarization": (), "avatarization_open_dp": ("open_dp",), "avatarization_fast_dp": ("fast_dp",)}
DP_FIELDS: Final = frozenset(
    {"epsilon", "preprocess_budget_ratio", "mechanism", "gmm_n_components", "histogram_n_bins", "bounds_percentile"}
    | {"delta", "unit", "rows", "bins"}
)
PIA: Final = {
    "datarecipient": "data_recipient",
    "data_type": "data_type",
    "datasubject": "data_subject",
    "sensitivity_level": "sensitivity_level",
}
SAYS_NOTHING: Final = (None, "unknown", "Undefined")
OUR_MARKS: Final = "avatar-gitops/"
CLIENT_MARKS: Final = frozenset({"client_type", "client_version"})
COLUMN_FIELDS: Final = ("type", "value_type", "primary_key", "identifier", "time_series_time", "drop")
METRICS: Final = {
    Job.PRIVACY_METRICS: tuple(PrivacyMetrics.model_fields),
    Job.SIGNAL_METRICS: tuple(SignalMetrics.model_fields),
}
GEOMETRY: Final = tuple(SignalMetrics.model_fields)


class SetReader:
    """The documents of one set, read in the order in which their parts need each other."""

    def __init__(self, documents: Collection[PlatformDocument]) -> None:
        self.book = Notebook()
        self.draft = Draft({"apiVersion": API_VERSION, "kind": "AvatarRun", "metadata": {}})
        self.files: dict[tuple[str, str], str] = {}
        self.display_name = ""
        self._places = [Place(document, (), document.data, self.book) for document in documents]
        self._jobs: set[Job] = {Job.STANDARD}

    def read(self, jobs: Collection[str]) -> None:
        """Read all documents; what they say is in the draft afterwards, what was not read in the notes."""
        self._jobs |= {job for job in Job if job in jobs}
        steps: tuple[tuple[str, Callable[[Place], None]], ...] = (
            ("AvatarMetadata", self._metadata),
            ("AvatarSchema", self._schema),
            ("AvatarMetadata", self._stated),
            ("AvatarParameters", self._parameters),
            ("AvatarPrivacyMetricsParameters", self._privacy),
            ("AvatarSignalMetricsParameters", self._signal),
            ("AvatarReportParameters", self._report),
        )
        for kind, step in steps:
            for place in self._places:
                if place.document.kind == kind:
                    step(place)
        self._say_jobs()
        known = {kind for kind, _ in steps}
        for place in self._places:
            if place.document.kind in known:
                for key in ("kind", "metadata", "spec"):
                    place.get(key)
                place.get("metadata").get("name")
                self.book.unread(place)
            elif place.document.kind not in NOTHING_TO_RUN:
                self.book.add(f"documents of the kind {place.document.kind} cannot be said in a spec", place)

    def name_it(self, name: str) -> None:
        """Give the spec its name."""
        if chosen := name or self.display_name:
            self.draft.data["metadata"]["name"] = chosen

    def _put(self, path: Path, at: Place, value: Any = None) -> None:
        said = at.used() if value is None else value
        at.used()
        before = self.draft.get(path)
        if before is None:
            self.draft.put(path, said, at)
        elif before != said:
            self.book.add(f"{at} says something else than a document before it, which counts", at)

    def _metadata(self, place: Place) -> None:
        spec = place.get("spec")
        name = spec.get("display_name")
        if name.value is not None:
            if re.match(SET_NAME_PATTERN, name.text()):
                self.display_name = name.text()
                self.draft.put(("metadata", "name"), self.display_name, name)
            else:
                self.book.add(f"{name} cannot be the name of a set", name)
        for theirs, ours in PIA.items():
            said = spec.get("pia_metadata").get(theirs)
            if said.value not in SAYS_NOTHING:
                self._put((*SPEC, "pia", ours), said)
        annotations = place.get("annotations")
        for key in annotations.value if isinstance(annotations.value, dict) else ():
            if key.startswith(OUR_MARKS) or key in CLIENT_MARKS:
                annotations.get(key)

    def _stated(self, place: Place) -> None:
        """What a spec of ours stated, which the platform has no place for."""
        at = place.get("annotations").get(STATED)
        said = stated({STATED: at.value} if isinstance(at.value, str) else {})
        for field in STATED_FIELDS:
            if (text := getattr(said, field)) is not None:
                self._put(("metadata", field) if field == "owner" else (*SPEC, "pia", field), at, text)
        for table, columns in said.direct_identifiers.items():
            for column in columns if self.draft.has((*TABLES, table)) else ():
                self._put((*TABLES, table, "columns", column, "tag"), at, ColumnTag.IDENTIFIER.value)

    def _schema(self, place: Place) -> None:
        spec = place.get("spec")
        given = spec.get("schema_ref").value is not None or place.document.name.endswith("_avatarized")
        for table in spec.get("tables").entries():
            name = table.get("name").text()
            if not name:
                self.book.add(f"{table} has no name and was left out", table)
            elif given:
                self._given_avatars(name, table)
            elif self.draft.has((*TABLES, name)):
                self.book.add(f"table `{name}` is described twice; the first description counts", table)
            else:
                self._table(name, table)

    def _given_avatars(self, name: str, table: Place) -> None:
        data = table.get("avatars_data")
        data.get("auto"), data.get("volume")
        file = data.get("file")
        if file.value is not None:
            self._file(name, "avatars", file)
        table.get("name")
        # The avatarized schema repeats what the original one says about columns and links.
        for key in ("columns", "links", "individual_level"):
            table.get(key).used()

    def _file(self, name: str, role: str, file: Place) -> None:
        self.files[name, role] = file.text()
        at: Path = (*TABLES, name, role)
        self.draft.mark(at, file.document.locate(file.path), file.document.locate_key(file.path))

    def _table(self, name: str, table: Place) -> None:
        path: Path = (*TABLES, name)
        self.draft.put(path, {}, table)
        data = table.get("data")
        data.get("volume")
        file = data.get("file")
        if file.value is not None:
            self._file(name, "source", file)
        control = table.get("holdout_data")
        control.get("volume")
        if control.get("file").value is not None:
            self._file(name, "holdout", control.get("file"))
        person = table.get("individual_level")
        if person.value is not None and person.value is not True:
            self._put((*path, "individual_level"), person)
        links = table.get("links")
        if any(True for _ in links.entries()):
            self._put((*path, "links"), links)
        for column in table.get("columns").entries():
            field_name = column.get("field").text()
            if field_name:
                self._column((*path, "columns", field_name), column)
            else:
                self.book.add(f"{column} names no column and was left out", column)

    def _column(self, path: Path, column: Place) -> None:
        if self.draft.has(path):
            self.book.add(f"column `{path[-1]}` is described twice; the first description counts", column)
            column.used()
            return
        for key in COLUMN_FIELDS:
            said = column.get(key)
            if said.value is not None and said.value is not False:
                self._put((*path, key), said)
        for key in ("pseudonymization", "public"):
            said = column.get(key)
            if said.value is not None:
                self._put((*path, key), said)

    def _parameters(self, place: Place) -> None:
        spec = place.get("spec")
        spec.get("schema")
        for method, inside in METHODS.items():
            for name, record in spec.get(method).items():
                self._method(name, record, inside)
        self._shared(spec)
        figures = spec.get("compute_figures")
        if figures.value is False:
            self._put((*SPEC, "results", "compute_figures"), figures)

    def _method(self, table: str, record: Place, inside: Path) -> None:
        path: Path = (*TABLES, table, "avatarization")
        if not self.draft.has((*TABLES, table)):
            self.book.add(f"{record} is about a table that the schema does not have", record)
        elif (table, "avatars") in self.files:
            self.book.add(f"{record} never ran, because the avatars of table `{table}` are given", record)
        elif self.draft.has(path):
            self.book.add(f"{record} is a second method for table `{table}`; the first counts", record)
        else:
            self.draft.put(path, {}, record)
            for key in inside:
                self.draft.put((*path, key), {}, record)
            for key, said in record.items():
                self._setting((*path, *inside, key) if inside and key in DP_FIELDS else (*path, key), key, said)
        record.used()

    def _series(self, spec: Place) -> None:
        for table, record in spec.get("time_series").items():
            path: Path = (*TABLES, table)
            if not self.draft.has(path):
                self.book.add(f"{record} is about a table that the schema does not have", record)
            for key, said in record.items() if self.draft.has(path) else ():
                value = self._meaning(key, said)
                if isinstance(value, dict):
                    known = {name: item for name, item in value.items() if item is not None}
                    value = {"projection_type" if name == "type" else name: item for name, item in known.items()}
                if value:
                    self._put((*path, "time_series", key), said, value)

    def _setting(self, path: Path, key: str, said: Place) -> None:
        value = self._meaning(key, said)
        if key == PROCESSORS and isinstance(value, list):
            ours = [one for one in value if isinstance(one, dict) and "kind" in one]
            rest = [one for one in value if one not in ours]
            value = rest if rest or not ours else None
            if ours:
                self._put((*path[:3], "processors"), said, ours)
        if value is not None:
            self._put(path, said, value)

    def _meaning(self, key: str, said: Place) -> Any:
        """A setting of a table as a spec says it, None when it says nothing."""
        value = said.used()
        if not isinstance(value, dict):
            return value
        if key == "imputation":
            return {name: item for name, item in value.items() if name != "return_data_imputed" or item is not False}
        if key == "data_augmentation":
            name = "should_anonymize_original_table"
            return {other: item for other, item in value.items() if other != name or item is not True}
        if key != "exclude_variables":
            return value
        if not value.get("variable_names"):
            return None
        if "replacement_strategy" not in value:
            self.book.add(f"{said} names no replacement_strategy; the platform's default is row_order", said)
        return {"replacement_strategy": "row_order"} | value

    def _shared(self, spec: Place) -> None:
        """Series, seed and form of results, which each document repeats."""
        self._series(spec)
        if spec.get("seed").value is not None:
            self._put((*SPEC, "seed"), spec.get("seed"))
        results = spec.get("results")
        results.get("volume"), results.get("path")
        for key in ("format", "name_template", "max_distribution_plots"):
            if results.get(key).value is not None:
                self._put((*SPEC, "results", key), results.get(key))

    def _privacy(self, place: Place) -> None:
        self._metrics(place, Job.PRIVACY_METRICS)

    def _signal(self, place: Place) -> None:
        self._metrics(place, Job.SIGNAL_METRICS)

    def _metrics(self, place: Place, job: Job) -> None:
        self._jobs.add(job)
        spec = place.get("spec")
        spec.get("schema"), spec.get("avatarization_ref")
        records = dict(spec.get(job.value).items())
        for table, record in records.items():
            if not self.draft.has((*TABLES, table)):
                self.book.add(f"{record} is about a table that the schema does not have", record)
        for table in self.draft.get(TABLES) or ():
            self._record(table, records.get(table), spec, job)
        self._shared(spec)

    def _record(self, table: str, record: Place | None, spec: Place, job: Job) -> None:
        """Settings of one table; those that follow the anonymization are not repeated."""
        followed = self.draft.get((*TABLES, table, "avatarization")) or {}
        unsaid = [key for key in GEOMETRY if key in followed]
        for key in METRICS[job]:
            said = record.get(key) if record is not None else None
            value = self._meaning(key, said) if said is not None and said.value is not None else None
            if said is None or value is None:
                continue
            if key in unsaid:
                unsaid.remove(key)
            if value != followed.get(key):
                self._put((*TABLES, table, job.value, key), said, value)
        if unsaid:
            names = ", ".join(unsaid)
            self.book.add(
                f"{job.value} of table `{table}` says nothing about {names}; in a spec it follows `avatarization`",
                record or spec,
            )

    def _report(self, place: Place) -> None:
        spec = place.get("spec")
        kind = spec.get("report_type")
        is_pia = kind.text() == "pia"
        self._jobs |= {Job.PRIVACY_METRICS, Job.SIGNAL_METRICS, Job.REPORT_PIA if is_pia else Job.REPORT}
        if kind.value not in (None, "basic", "pia"):
            self.book.add(f"{kind} is a kind of report that is not known", kind)
        form = spec.get("output_format")
        if form.value is not None and not is_pia:
            self._put((*SPEC, "results", "report_format"), form)
        elif form.value not in (None, "docx"):
            self.book.add(f"{form} is not possible; an impact assessment is always DOCX", form)
        language = spec.get("language")
        if language.value is not None:
            self._put((*SPEC, "pia", "language"), language)
        self._shared(spec)

    def _say_jobs(self) -> None:
        if self._jobs != set(Job) and self.draft.has(TABLES):
            self.draft.data["spec"]["jobs"] = [job.value for job in Job if job in self._jobs]
