"""Organizations: each has users of its own, and nothing of one is visible to another."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import sqlalchemy as sa

from avatar_gitops.server.database import now_text, organizations, reading, users, writing


@dataclass(slots=True, frozen=True)
class Organization:
    """An organization; one that is older than names is called by its id."""

    id: str
    name: str
    users: int = 0


class NameTaken(Exception):
    """Another organization has this name."""


def add_organization(connection: sa.Connection, name: str) -> str:
    """Add an organization inside a transaction; returns its id.

    Raises:
        NameTaken: there is one of this name.
    """
    if connection.execute(sa.select(organizations.c.id).where(organizations.c.name == name)).first() is not None:
        raise NameTaken
    row = {"id": str(uuid.uuid4()), "name": name, "created_at": now_text()}
    connection.execute(organizations.insert().values(**row))
    return row["id"]


def create_organization(engine: sa.Engine, name: str) -> Organization:
    """Add an organization.

    Raises:
        NameTaken: there is one of this name.
    """
    with writing(engine) as connection:
        return Organization(add_organization(connection, name), name)


def list_organizations(engine: sa.Engine) -> list[Organization]:
    """All organizations by name, with the number of their users."""
    members = sa.select(users.c.organization_id, sa.func.count().label("users")).group_by(users.c.organization_id)
    with reading(engine) as connection:
        counted = {row.organization_id: row.users for row in connection.execute(members)}
        named = {row.id: row.name for row in connection.execute(sa.select(organizations))}
    found = [Organization(key, named.get(key, key), counted.get(key, 0)) for key in {*named, *counted}]
    return sorted(found, key=lambda organization: (organization.name, organization.id))
