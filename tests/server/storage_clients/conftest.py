"""A client of boto3, the bucket of its user, and a key that nobody has used."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.server.api import Api
from tests.server.storage_clients.boto import boto


@pytest.fixture
def s3(admin: Api) -> Iterator[Any]:
    client = boto(admin)
    yield client
    client.close()


@pytest.fixture
def bucket(admin: Api) -> str:
    return admin.bucket


@pytest.fixture
def key() -> str:
    return f"clients/{uuid.uuid4().hex}"
