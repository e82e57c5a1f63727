"""Organizations: each has users of its own, and nothing of one is visible to another."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from avatar_gitops.server.database import now_text, organizations, reading, users, writing

LONGEST_NAME: Final = 200


@dataclass(slots=True, frozen=True)
class Organization:
    """An organization; one that is older than names is called by its id."""

    id: str
    name: str
    users: int = 0


class NameTaken(Exception):
    """Another organization has this name."""


def normal_name(name: str) -> str:
    """The name without spaces around it.

    Raises:
        ValueError: it is empty, long, or has characters that cannot be printed.
    """
    text = name.strip()
    if not text or len(text) > LONGEST_NAME or not text.isprintable():
        raise ValueError(f"The name of an organization has 1 to {LONGEST_NAME} printable characters.")
    return text


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
        ValueError: the name cannot be one.
    """
    text = normal_name(name)
    with writing(engine) as connection:
        return Organization(add_organization(connection, text), text)


def delete_organization(engine: sa.Engine, organization_id: str) -> bool:
    """Remove an organization; returns whether it could be, because nobody is in it."""
    members = sa.select(users.c.id).where(users.c.organization_id == organization_id).limit(1)
    with writing(engine) as connection:
        if connection.execute(members).first() is not None:
            return False
        connection.execute(organizations.delete().where(organizations.c.id == organization_id))
        return True


def list_organizations(engine: sa.Engine) -> list[Organization]:
    """All organizations by name, with the number of their users."""
    members = sa.select(users.c.organization_id, sa.func.count().label("users")).group_by(users.c.organization_id)
    with reading(engine) as connection:
        counted = {row.organization_id: row.users for row in connection.execute(members)}
        named = {row.id: row.name for row in connection.execute(sa.select(organizations))}
    found = [Organization(key, named.get(key, key), counted.get(key, 0)) for key in {*named, *counted}]
    return sorted(found, key=lambda organization: (organization.name, organization.id))
