"""What a platform of the tests stands on: its state folder alone, or PostgreSQL and a bucket."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from unittest import mock

if TYPE_CHECKING:
    from tests.support.buckets import Buckets
    from tests.support.postgres import Cluster


@dataclass(slots=True, frozen=True)
class Ground:
    """Services for new platforms; without any they keep everything in their state folders."""

    postgres: Cluster | None = None
    buckets: Buckets | None = None

    @contextmanager
    def new(self) -> Iterator[dict[str, str]]:
        """The environment of a new platform."""
        if self.postgres is None or self.buckets is None:
            yield {}
            return
        with self.postgres.database() as url:
            places = {"AVATAR_GITOPS_DATABASE": url.render_as_string(), "AVATAR_GITOPS_BUCKET": self.buckets.new()}
            yield {**places, **self.buckets.environment}


@contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """These variables for what is started or opened inside."""
    with mock.patch.dict(os.environ, variables):
        yield
