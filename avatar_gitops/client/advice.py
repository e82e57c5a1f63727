"""Advice on parameters and links, asked for as the official client does: a set of its own with one job, deleted
afterwards."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from avatar_gitops.client import api
from avatar_gitops.client.compile import RESULTS_VOLUME, to_documents
from avatar_gitops.client.gateway import Gateway
from avatar_gitops.client.refusals import clean
from avatar_gitops.client.transport import Transport
from avatar_gitops.errors import RemoteRefused, RemoteUnavailable
from avatar_gitops.plan.advice import Advised, AdvisedColumn
from avatar_gitops.plan.desired import DesiredSet
from avatar_gitops.plan.link_advice import AdvisedLinks, Ends
from avatar_gitops.ports import Clock
from avatar_gitops.spec import emit
from avatar_gitops.spec.models import LinkMethod
from avatar_gitops.wire import documents as wire
from avatar_gitops.wire.advice import TableAdvice, read_advice
from avatar_gitops.wire.documents import Document, DocumentKind
from avatar_gitops.wire.models import ORIGINAL_SCHEMA, JobResponse, JobStatus, ResultKind

DESCRIBED: Final = frozenset({DocumentKind.METADATA, DocumentKind.SCHEMA})
ON_PARAMETERS: Final = "parameters"
ON_LINKS: Final = "tables_links"
FIRST_PAUSE: Final = 0.2
LONGEST_PAUSE: Final = 5.0


class Adviser(Gateway):
    """A server that is asked for advice; nothing of it stays there but the uploaded data."""

    def __init__(self, base_url: str, api_key: str, *, root: Path, clock: Clock, verify: bool = True) -> None:
        super().__init__(Transport(base_url, api_key, clock=clock, verify=verify), root, verify=verify)
        self._clock = clock

    def advise(self, desired: DesiredSet) -> Mapping[str, Advised]:
        """Advice by table. Raises RemoteRefused when the server gives none."""
        return {table: _advised(said) for table, said in self._told(desired, ON_PARAMETERS)}

    def advise_links(self, desired: DesiredSet) -> AdvisedLinks:
        """Links between the tables, from the names of the keys that the set declares. A platform that does not know
        this advice, as older ones, gives none and says why.
        """
        try:
            told = list(self._told(desired, ON_LINKS))
        except RemoteRefused as refusal:
            return AdvisedLinks(refused=refusal.message)
        return AdvisedLinks(
            dict(link for table, said in told for link in _links(table, said, desired)),
            {
                (table, key.field): tuple(key.candidate_tables or ())
                for table, said in told
                for key in said.unlinked_foreign_keys or ()
                if table in desired.run.spec.tables
            },
        )

    def _told(self, desired: DesiredSet, topic: str) -> Iterator[tuple[str, TableAdvice]]:
        self.upload(desired)
        documents = emit.documents(document.to_plain() for document in _documents(desired, topic))
        set_id = str(api.put_set(self._http, desired.name, documents).set_name)
        name = self._launched(set_id, f"advice_{topic}")
        try:
            job = self._finished(name, desired)
            urls = api.result_urls(self._http, job.name).get(ResultKind.ADVICE, [])
            files = self._objects.download(ResultKind.ADVICE, urls)
        finally:
            with suppress(RemoteRefused, RemoteUnavailable):  # what is left is ignored by every command
                api.delete_jobs(self._http, [name])
        for file in files:
            yield from _read(file.content, desired.name)

    def _launched(self, set_id: str, parameters: str) -> str:
        def send() -> str:
            return api.create_job(self._http, set_id, parameters, ()).name

        def find() -> str | None:
            return next((job.name for job in api.list_jobs(self._http, set_id)), None)

        return self._http.once(send, find)

    def _finished(self, name: str, desired: DesiredSet) -> JobResponse:
        pause = FIRST_PAUSE
        while not (job := api.get_job(self._http, name)).done:
            self._clock.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
        if job.status is not JobStatus.FINISHED:
            raise RemoteRefused(f"{self.server} gave no advice on {desired.name}: {clean(job.exception)}")
        return job


def _documents(desired: DesiredSet, topic: str) -> Iterator[Document]:
    """What the tables are, without what is to be done with them."""
    for document in to_documents(desired, {}):
        if topic == ON_LINKS and document.kind == DocumentKind.SCHEMA:
            if document.metadata.name == ORIGINAL_SCHEMA:
                unlinked = {**document.spec, "check_links_between_tables": False}
                yield document.model_copy(update={"spec": unlinked})
        elif document.kind in DESCRIBED:
            yield document
    spec = wire.AdviceSpec(
        schema_=ORIGINAL_SCHEMA,
        advice={"advisor_type": [topic]},
        results=wire.Results(volume=RESULTS_VOLUME, path="advice"),
    )
    yield Document(kind=DocumentKind.ADVICE, metadata=wire.Name(name=f"advice_{topic}"), spec=spec.to_plain())


def _read(content: bytes, name: str) -> Iterator[tuple[str, TableAdvice]]:
    try:
        yield from read_advice(json.loads(content))
    except (ValueError, KeyError, AttributeError, TypeError, ValidationError):
        raise RemoteRefused(f"the advice on {name} has another form than this client knows") from None


def _links(table: str, said: TableAdvice, desired: DesiredSet) -> Iterator[tuple[Ends, tuple[LinkMethod, str]]]:
    """Links between keys that were named; an unknown method is the default one."""
    tables = desired.run.spec.tables
    for link in said.links or ():
        keys = [
            tables[name].columns.get(key)
            for name, key in ((table, link.field), (link.to.table, link.to.field))
            if name in tables
        ]
        if len(keys) == 2 and all(keys):
            method = LinkMethod(link.method) if link.method in set(LinkMethod) else LinkMethod.LINEAR_SUM_ASSIGNMENT
            yield Ends(table, link.field, link.to.table, link.to.field), (method, link.confidence or "")


def _advised(said: TableAdvice) -> Advised:
    imputation = said.imputation.model_dump(exclude_none=True) if said.imputation else {}
    return Advised(
        k=said.k,
        ncp=said.ncp,
        use_categorical_reduction=bool(said.use_categorical_reduction),
        imputation=imputation if "method" in imputation else {},
        reasons=said.reasons,
        columns=tuple(
            AdvisedColumn(
                name=column.label,
                type=column.dtype or "",
                unique=column.unique_number or 0,
                share=column.unique_proportion or 0.0,
                identifying=bool(column.is_identifying),
            )
            for column in (said.summary.stats if said.summary else ())
        ),
    )
