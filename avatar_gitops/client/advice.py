"""Advice on parameters, asked for as the official client does: a set of its own with one job, deleted afterwards."""

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
from avatar_gitops.ports import Clock
from avatar_gitops.spec import emit
from avatar_gitops.wire import documents as wire
from avatar_gitops.wire.advice import TableAdvice, read_advice
from avatar_gitops.wire.documents import Document, DocumentKind
from avatar_gitops.wire.models import ORIGINAL_SCHEMA, JobResponse, JobStatus, ResultKind

PARAMETERS: Final = "advice_parameters"
DESCRIBED: Final = frozenset({DocumentKind.METADATA, DocumentKind.SCHEMA})
FIRST_PAUSE: Final = 0.2
LONGEST_PAUSE: Final = 5.0


class Adviser(Gateway):
    """A server that is asked for advice; nothing of it stays there but the uploaded data."""

    def __init__(self, base_url: str, api_key: str, *, root: Path, clock: Clock, verify: bool = True) -> None:
        super().__init__(Transport(base_url, api_key, clock=clock, verify=verify), root, verify=verify)
        self._clock = clock

    def advise(self, desired: DesiredSet) -> Mapping[str, Advised]:
        """Advice by table. Raises RemoteRefused when the server gives none."""
        self.upload(desired)
        documents = emit.documents(document.to_plain() for document in _documents(desired))
        set_id = str(api.put_set(self._http, desired.name, documents).set_name)
        name = self._launched(set_id)
        try:
            job = self._finished(name, desired)
            urls = api.result_urls(self._http, job.name).get(ResultKind.ADVICE, [])
            files = self._objects.download(ResultKind.ADVICE, urls)
            return dict(advice for file in files for advice in _read(file.content, desired.name))
        finally:
            with suppress(RemoteRefused, RemoteUnavailable):  # what is left is ignored by every command
                api.delete_jobs(self._http, [name])

    def _launched(self, set_id: str) -> str:
        def send() -> str:
            return api.create_job(self._http, set_id, PARAMETERS, ()).name

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


def _documents(desired: DesiredSet) -> Iterator[Document]:
    """What the tables are, without what is to be done with them."""
    yield from (document for document in to_documents(desired, {}) if document.kind in DESCRIBED)
    spec = wire.AdviceSpec(
        schema_=ORIGINAL_SCHEMA,
        advice={"advisor_type": ["parameters"]},
        results=wire.Results(volume=RESULTS_VOLUME, path="advice"),
    )
    yield Document(kind=DocumentKind.ADVICE, metadata=wire.Name(name=PARAMETERS), spec=spec.to_plain())


def _read(content: bytes, name: str) -> Iterator[tuple[str, Advised]]:
    try:
        for table, advice in read_advice(json.loads(content)):
            yield table, _advised(advice)
    except (ValueError, KeyError, AttributeError, TypeError, ValidationError):
        raise RemoteRefused(f"the advice on {name} has another form than this client knows") from None


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
