"""The files of a run: what there is, downloads, and a confirmation before what links avatars to people is given out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

import sqlalchemy as sa
from fastapi.responses import Response, StreamingResponse

from avatar_gitops.server import jobs as job_store
from avatar_gitops.server.database import jobs, objects, reading, results
from avatar_gitops.server.faults import ApiFault
from avatar_gitops.server.naming import unescaped
from avatar_gitops.server.requests import as_uuid, note
from avatar_gitops.server.result_json import read_json
from avatar_gitops.server.web.documents import run_yaml
from avatar_gitops.server.web.run import open_run
from avatar_gitops.server.web.visit import Visit
from avatar_gitops.server.web.words import FILE_GROUPS, KIND_WORDS, SENSITIVE_MEANINGS
from avatar_gitops.wire.models import SENSITIVE_RESULTS, ResultKind

CONFIRMED: Final = "yes"
GONE: Final = "The file was removed."
TABLE_MARKS: Final = (".shuffled-", ".unshuffled-", ".projections.", ".report.", ".advice.")


@dataclass(slots=True, frozen=True)
class ResultLine:
    """One result file of a run; `blob` is None once its retention is over."""

    job: str
    position: int
    kind: str
    key: str
    blob: str | None
    size: int
    content_type: str

    @property
    def filename(self) -> str:
        return self.key.rpartition("/")[2]

    @property
    def table(self) -> str:
        """The table that the file is about, empty for a file about the whole run."""
        for mark in TABLE_MARKS:
            head, found, _ = self.filename.partition(mark)
            if found and head != "report":
                return unescaped(head)
        return ""

    @property
    def words(self) -> str:
        """What the file is."""
        if self.kind == ResultKind.REPORT:
            return "Privacy impact assessment" if ".pia." in self.filename else "Technical report"
        return KIND_WORDS.get(self.kind, self.kind)

    @property
    def sensitive(self) -> bool:
        return self.kind in SENSITIVE_RESULTS


def list_files(visit: Visit, set_id: str) -> tuple[ResultLine, ...]:
    """Every result of the visitor's run in the order they were written, figures among them."""
    same = (objects.c.key == results.c.key) & (objects.c.bucket == jobs.c.user_id)
    query = (
        sa.select(results, objects.c.blob, objects.c.size, objects.c.content_type, jobs.c.sequence)
        .join_from(results, jobs, jobs.c.name == results.c.job)
        .join(objects, same, isouter=True)
        .where(jobs.c.set_id == set_id, jobs.c.user_id == visit.account.id, jobs.c.deleted_at.is_(None))
        .where(results.c.kind != ResultKind.ORIGINS)
        .order_by(jobs.c.sequence, results.c.position)
    )
    with reading(visit.platform.engine) as connection:
        return tuple(
            ResultLine(row.job, row.position, row.kind, row.key, row.blob, row.size or 0, row.content_type or "")
            for row in connection.execute(query)
        )


def find_file(visit: Visit) -> ResultLine:
    """The result that the path names.

    Raises:
        ApiFault: 404; 410 when its retention is over.
    """
    job, position = visit.path["job"], int(visit.path["position"])
    for line in list_files(visit, as_uuid(visit.path["set_id"], "This run")):
        if (line.job, line.position) == (job, position):
            if line.blob is None:
                raise ApiFault(410, GONE)
            return line
    raise ApiFault(404, "There is no such file.")


def read_result(visit: Visit, line: ResultLine) -> Any:
    """What a result file of JSON says.

    Raises:
        ApiFault: 410 when it was removed in this moment.
    """
    try:
        with visit.platform.storage.file(str(line.blob)) as path:
            return read_json(path)
    except FileNotFoundError:
        raise ApiFault(410, GONE) from None


def show(visit: Visit) -> Response:
    """The files in groups, the sensitive ones last and marked."""
    run = open_run(visit)
    found = list_files(visit, run.id)
    groups = [(group, [line for line in found if line.kind in group.kinds]) for group in FILE_GROUPS]
    return visit.page(
        "run_files.html",
        run=run,
        groups=[(group, lines) for group, lines in groups if lines],
        figures=sum(line.kind == ResultKind.FIGURES for line in found),
        warnings=_warnings(visit, found),
    )


def download(visit: Visit) -> Response:
    """A result file; for a sensitive one the page that asks first."""
    line = find_file(visit)
    if line.sensitive:
        return _ask(visit, line)
    return _send(visit, line)


def download_confirmed(visit: Visit) -> Response:
    """A sensitive result after its confirmation, which stands in the event log and in the audit log."""
    line = find_file(visit)
    if line.sensitive:
        if visit.form.get("confirmed") != CONFIRMED:
            return _ask(visit, line, missing=True)
        note(visit.request, visit.account, "download", ("result", line.job))
    return _send(visit, line)


def download_yaml(visit: Visit) -> Response:
    """The documents of the run, as `spec.from` and the official client's `from_yaml` take them."""
    run = open_run(visit)
    stored = job_store.set_text(visit.platform, visit.account, run.id)
    text = run_yaml(stored, run.documents, [job["parameters_name"] for job in run.jobs])
    headers = {"Content-Disposition": _attachment(f"{run.name}.yaml")}
    return Response(text, media_type="application/yaml", headers=headers)


def _ask(visit: Visit, line: ResultLine, *, missing: bool = False) -> Response:
    return visit.page(
        "file_confirm.html",
        status=422 if missing else 200,
        run=open_run(visit),
        line=line,
        meaning=SENSITIVE_MEANINGS[line.kind],
        missing=missing,
    )


def _send(visit: Visit, line: ResultLine) -> Response:
    try:
        pieces = visit.platform.storage.blobs.read(str(line.blob), 0, line.size)
    except FileNotFoundError:
        raise ApiFault(410, GONE) from None
    headers = {"Content-Disposition": _attachment(line.filename), "Content-Length": str(line.size)}
    return StreamingResponse(pieces, media_type=line.content_type or "application/octet-stream", headers=headers)


def _attachment(filename: str) -> str:
    """RFC 6266: the name in full, and one in ASCII for what cannot read it."""
    plain = "".join(sign if sign.isascii() and sign.isprintable() and sign not in '"\\' else "_" for sign in filename)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"


def _warnings(visit: Visit, found: tuple[ResultLine, ...]) -> list[tuple[str, str]]:
    """What the run itself says to be sensitive about its deliverables, by table."""
    said: list[tuple[str, str]] = []
    for line in found:
        if line.kind != ResultKind.RUN_METADATA or line.blob is None or "avatarize" not in line.filename:
            continue
        facts: dict[str, Any] = read_result(visit, line)
        for table, about in facts.get("tables", {}).items():
            said += [(table, str(text)) for text in about.get("sensitive", ())]
    return said
