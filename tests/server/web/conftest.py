"""A platform with runs of every kind, and people who visit its pages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from avatar_gitops.server.accounts import Account
from tests.server.site import Site, open_site
from tests.server.web.story import Story, tell
from tests.server.web.visitor import Visitor

OWNER = "marie.dupont@example.org"


@pytest.fixture(scope="session")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """Told once; what a test changes it must launch itself."""
    with open_site(tmp_path_factory.mktemp("web") / "state") as made:
        yield tell(made, made.user(OWNER))


@pytest.fixture
def site(story: Story) -> Site:
    story.site.clock.now += 100_000  # no limit that another test has reached
    return story.site


@pytest.fixture
def owner(story: Story) -> Account:
    return story.owner


@pytest.fixture
def visitor(site: Site) -> Iterator[Visitor]:
    """Somebody who is not signed in."""
    made = Visitor(site)
    yield made
    made.http.close()


@pytest.fixture
def marie(visitor: Visitor) -> Visitor:
    """The owner of the runs, signed in."""
    assert visitor.sign_in(OWNER).heading == "Runs"
    return visitor
