"""What time takes away, by a clock that is given: results read as gone, originals are removed, jobs stay on record."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from avatar_gitops.server.database import inputs, objects, reading, results, upload_parts, uploads
from avatar_gitops.server.expiry import clean_up, expire
from avatar_gitops.server.faults import ApiFault
from avatar_gitops.server.multipart import begin_upload
from avatar_gitops.server.objects import NO_DETAILS
from tests.server.api import documents, people
from tests.server.workshop import Workshop, open_workshop
from tests.support.grounds import Ground

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def fresh(tmp_path: Path, ground: Ground) -> Iterator[Workshop]:
    with open_workshop(tmp_path / "state", ground) as made:
        made.upload("people.csv", people(60))
        yield made


def rows(workshop: Workshop, table: sa.Table) -> int:
    with reading(workshop.platform.engine) as connection:
        return int(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


def test_what_is_old_is_gone_and_says_so(fresh: Workshop) -> None:
    storage, name = fresh.platform.storage, fresh.run(documents())["name"]
    begin_upload(storage, fresh.account.id, "3650d/half.csv", "text/csv", NO_DETAILS)
    before = fresh.files(name)
    clean_up(storage, datetime.now(UTC) - HOUR)
    assert fresh.files(name) == before
    clean_up(storage, datetime.now(UTC) + HOUR)
    with pytest.raises(ApiFault) as fault:
        fresh.listing(name)
    assert (fault.value.status, fault.value.detail) == (404, f"Results file for job '{name}' not found")
    assert fresh.job(name)["status"] == "finished"
    for table in (objects, results, inputs, uploads, upload_parts):
        assert rows(fresh, table) == 0, table.name
    assert list(storage.blobs.names()) == []


def test_originals_stay_while_a_job_of_their_set_is_not_over(fresh: Workshop) -> None:
    name = fresh.launch(fresh.put_set(documents()), "standard")
    expire(fresh.platform.storage, datetime.now(UTC) + DAY)
    assert rows(fresh, inputs) == 1
    fresh.work()
    assert fresh.job(name)["status"] == "finished"
    expire(fresh.platform.storage, datetime.now(UTC) + DAY)
    assert rows(fresh, inputs) == 0
    assert list(fresh.platform.storage.blobs.names()) == []
