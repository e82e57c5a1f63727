"""Routes about database connections, which this platform does not offer: lists are empty, everything else says so."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Path

from avatar_gitops.server.answers import answers, refusals
from avatar_gitops.server.faults import ApiFault
from avatar_gitops.server.requests import CurrentAccount
from avatar_gitops.wire.models import ConnectionEngines, ConnectionPresets, Connections

NOT_OFFERED: Final = (
    "This platform does not offer database connections (see GET /capabilities)."
    " Export the tables to CSV or Parquet files and upload those."
)
Name = Annotated[str, Path(description="Name of a connection")]
Said = Annotated[Any, Body()]

router = APIRouter(tags=["connections"])


@router.get("/connections", **answers(Connections))
def connections(_account: CurrentAccount) -> dict[str, Any]:
    """No connection."""
    return {"connections": []}


@router.get("/connections/engines", **answers(ConnectionEngines))
def engines(_account: CurrentAccount) -> dict[str, Any]:
    """No kind of database."""
    return {"engines": []}


@router.get("/connections/presets", **answers(ConnectionPresets))
def presets(_account: CurrentAccount) -> dict[str, Any]:
    """No sample database."""
    return {"presets": []}


@router.post("/connections/presets", status_code=501, responses=refusals(501))
@router.post("/connections/test", status_code=501, responses=refusals(501))
def not_offered(_account: CurrentAccount, _said: Said = None) -> None:
    """Not offered: nothing is connected to, and nothing is stored."""
    raise ApiFault(501, NOT_OFFERED)


@router.put("/connections/{name}", status_code=501, responses=refusals(501))
def create(_account: CurrentAccount, name: Name, _said: Said = None) -> None:
    """Not offered: nothing is stored."""
    raise ApiFault(501, NOT_OFFERED)


@router.patch("/connections/{name}", status_code=404, responses=refusals(404))
@router.post("/connections/{name}/sample", status_code=404, responses=refusals(404))
def unknown(_account: CurrentAccount, name: Name, _said: Said = None) -> None:
    """There is no connection of any name."""
    raise ApiFault(404, f"There is no connection {name!r}. {NOT_OFFERED}")


@router.delete("/connections/{name}", status_code=404, responses=refusals(404))
@router.post("/connections/{name}/test", status_code=404, responses=refusals(404))
def unknown_without_body(_account: CurrentAccount, name: Name) -> None:
    """There is no connection of any name."""
    unknown(_account, name)
