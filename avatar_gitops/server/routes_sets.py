"""Routes about sets: the documents that say what a run is."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from avatar_gitops.server import jobs as job_store
from avatar_gitops.server.answers import answers, refusals
from avatar_gitops.server.events import record_read
from avatar_gitops.server.faults import ApiFault
from avatar_gitops.server.requests import CurrentAccount, CurrentAgent, CurrentPlatform, as_uuid, small_body
from avatar_gitops.server.sets import DISPLAY_NAME, check_display_name
from avatar_gitops.server.yaml_reading import MAXIMUM_BYTES
from avatar_gitops.wire.models import SetCreated

YAML: Final = "application/yaml"
TEXT: Final = "text/plain"
EXAMPLE: Final = """kind: AvatarSchema
metadata:
  name: schema
spec:
  tables:
  - name: people
    data:
      volume: input
      file: register.csv

---
kind: AvatarParameters
metadata:
  name: standard
spec:
  schema: schema
  avatarization:
    people:
      k: 10
  results:
    volume: results
    path: standard
"""
DOCUMENTS: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            YAML: {"schema": {"type": "string", "description": "YAML documents, at most 4 MiB"}, "example": EXAMPLE}
        },
    }
}
AS_YAML: Final[dict[str, Any]] = {
    "response_class": Response,
    "responses": {
        200: {"description": "The documents as they were stored.", "content": {YAML: {"schema": {"type": "string"}}}},
        **refusals(404),
    },
}
AS_TEXT: Final[dict[str, Any]] = {
    "response_class": Response,
    "responses": {200: {"description": "One document.", "content": {TEXT: {"schema": {"type": "string"}}}}},
}
SetName = Annotated[str, Path(description="Display name", json_schema_extra={"pattern": f"^{DISPLAY_NAME.pattern}$"})]
SetId = Annotated[str, Path(description="UUID of a set")]

router = APIRouter(tags=["sets"])


@router.put("/resources/{display_name}", openapi_extra=DOCUMENTS, **answers(SetCreated, 422))
async def put_set(
    request: Request, platform: CurrentPlatform, account: CurrentAccount, display_name: SetName
) -> dict[str, str]:
    """A new set with the documents of the body; earlier sets of the same name stay as they are."""
    check_display_name(display_name)
    text = _text(await small_body(request, MAXIMUM_BYTES))
    set_id = await run_in_threadpool(job_store.create_set, platform, account, display_name, text)
    return {"set_name": set_id, "display_name": display_name}


@router.post("/resources/{set_id}", openapi_extra=DOCUMENTS, **answers(SetCreated, 404, 422))
async def extend_set(
    request: Request, platform: CurrentPlatform, account: CurrentAccount, set_id: SetId
) -> dict[str, str]:
    """Add documents to a set; the whole must stay valid."""
    known = as_uuid(set_id, f"Set '{set_id}'")
    added = _text(await small_body(request, MAXIMUM_BYTES))
    name = await run_in_threadpool(job_store.extend_set, platform, account, known, added)
    return {"set_name": known, "display_name": name}


@router.get("/resources/volume", **AS_TEXT)
def volume(
    platform: CurrentPlatform, account: CurrentAccount, volume_name: str = "input", purpose: str = "input"
) -> Response:
    """An AvatarVolume document for clients of the first generation."""
    area = "" if purpose == "input" else "/results"
    url = f"{platform.input_url(account.id)}{area}"
    name = volume_name if volume_name.isidentifier() and volume_name.isascii() else "input"
    text = f"kind: AvatarVolume\nmetadata:\n  name: {name}\nspec:\n  url: {url}\n"
    return Response(text, media_type=TEXT)


@router.get("/resources/{set_id}", **AS_YAML)
def get_set(platform: CurrentPlatform, account: CurrentAccount, agent: CurrentAgent, set_id: SetId) -> Response:
    """The documents as they were stored, byte for byte."""
    known = as_uuid(set_id, f"Set '{set_id}'")
    text = job_store.set_text(platform, account, known)
    record_read(platform.engine, account.id, "resource", known)
    return Response(agent.adapt_documents(text), media_type=YAML)


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        raise ApiFault(422, "The body is not UTF-8 text.") from None
