"""Runs of every kind on one platform: finished, failed, running, of several tables, with names of all scripts."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from avatar_gitops.server.accounts import Account
from avatar_gitops.server.database import jobs, sets, text_of, writing
from avatar_gitops.wire.models import JobStatus
from tests.server.api import documents, join, people
from tests.server.site import Site
from tests.server.workshop import Plain, Workshop

FRENCH = "données_patientes"
ARABIC = "بيانات_المرضى"
LONG = "cohort-" + "of-a-name-that-has-no-end-" * 7
REPORTS = ("report", "report_pia")
METRICS = ("signal_metrics", "privacy_metrics")
CANARY = "canary-value-7f3a"


@dataclass(frozen=True)
class Story:
    """A user and the sets of their runs by name."""

    site: Site
    owner: Account
    workshop: Workshop
    runs: dict[str, str]
    jobs: dict[str, dict[str, str]]


def tell(site: Site, owner: Account) -> Story:
    """All runs."""
    workshop = Workshop(site.platform, owner)
    workshop.upload("people.csv", people(120))
    workshop.upload("other.csv", french(120))
    story = Story(site, owner, workshop, {}, {})
    launch(story, "finished", two_tables())
    launch(story, "failed", documents(avatarization={"people": {"k": 5000}}))
    workshop.work()
    launch(story, LONG, documents(), only=("standard",))
    launch(story, "running", documents())
    change(site.engine, story.jobs["running"]["standard"], status=JobStatus.PENDING, progress=0.46)
    return story


def launch(story: Story, name: str, text: str, only: tuple[str, ...] = ()) -> None:
    """A set with its jobs, queued."""
    shop = story.workshop
    set_id = story.runs[name] = shop.put_set(text, name)
    made = story.jobs[name] = {"standard": shop.launch(set_id, "standard")}
    if only:
        return
    made |= {metrics: shop.launch(set_id, metrics, [made["standard"]]) for metrics in METRICS}
    made |= {report: shop.launch(set_id, report, [made[metrics] for metrics in METRICS]) for report in REPORTS}


def change(engine: sa.Engine, job: str, **values: Any) -> None:
    """Let a job be as if a worker had said so."""
    with writing(engine) as connection:
        connection.execute(jobs.update().where(jobs.c.name == job).values(**values))


def french(rows: int) -> bytes:
    """The table of `people` with French column names, and a value that must never be seen."""
    head, *lines = people(rows, 3).decode().splitlines()
    columns = head.replace("age", "âge").replace("sector", "région_d'origine")
    marked = [f"{line.rpartition(',')[0]},{CANARY if number % 3 else 'non'}" for number, line in enumerate(lines)]
    return "\n".join([columns, *marked, ""]).encode()


def two_tables() -> str:
    """Two tables without links, whose parameters say much."""
    columns = [
        {"field": "âge", "type": "float", "public": {"lower": 0, "upper": 120}},
        {"field": "région_d'origine", "type": "category", "public": {"categories": [CANARY, "b"]}},
        {"field": "height", "drop": True},
    ]
    tables: list[Plain] = [
        {"name": FRENCH, "data": {"volume": "input", "file": "other.csv"}, "columns": columns},
        {"name": ARABIC, "data": {"volume": "input", "file": "people.csv"}},
    ]
    given = [{"name": table["name"], "avatars_data": {"auto": True}} for table in tables]
    avatarization: Plain = {
        FRENCH: {
            "k": 6,
            "ncp": 3,
            "column_weights": {"âge": 2.5},
            "exclude_variables": {"variable_names": ["weight"], "replacement_strategy": "coordinate_similarity"},
        },
        ARABIC: {"k": 5},
    }
    privacy = {FRENCH: {"known_variables": ["âge"], "target": "région_d'origine"}, ARABIC: {}}
    annotations = {"avatar-gitops/commit": "4f2a91c", "avatar-gitops/path": "configs/two.yaml"}
    pia = {"datarecipient": "opendata", "data_type": "health", "datasubject": "patients", "sensitivity_level": "High"}
    return join(
        [
            {**_document("Metadata", "m", {"display_name": "x", "pia_metadata": pia}), "annotations": annotations},
            _document("Schema", "schema", {"tables": tables}),
            _document("Schema", "schema_avatarized", {"tables": given, "schema_ref": "schema"}),
            _document("Parameters", "standard", {"schema": "schema", "avatarization": avatarization, "seed": 7}),
            _document(
                "PrivacyMetricsParameters",
                "privacy_metrics",
                {
                    "schema": "schema_avatarized",
                    "avatarization_ref": "standard",
                    "privacy_metrics": privacy,
                    "seed": 7,
                },
            ),
        ]
    )


def _document(kind: str, name: str, spec: Plain) -> Plain:
    return {"kind": f"Avatar{kind}", "metadata": {"name": name}, "spec": spec}


def many_runs(engine: sa.Engine, owner: Account, count: int) -> None:
    """Runs without results, each a minute older than the one before: enough for the list to have many pages."""
    now = datetime.now(UTC)
    outcomes = (JobStatus.FINISHED, JobStatus.FINISHED, JobStatus.ERROR, JobStatus.CANCELLED)
    with writing(engine) as connection:
        for number in range(count):
            started = text_of(now - timedelta(minutes=count - number))
            row = {"id": str(uuid.uuid4()), "user_id": owner.id, "created_at": started}
            documents_of_it = json.dumps({"kind": "AvatarMetadata", "metadata": {"name": "m"}, "spec": {}})
            name = f"cohort-{number:03}"
            connection.execute(sets.insert().values(**row, display_name=name, documents=documents_of_it))
            job = {"name": str(uuid.uuid4()), "user_id": owner.id, "set_id": row["id"], "created_at": started}
            job |= {"kind": "standard", "parameters_name": "standard", "status": outcomes[number % len(outcomes)]}
            ended = text_of(now - timedelta(minutes=count - number - 1))
            connection.execute(jobs.insert().values(**job, finished_at=ended))
