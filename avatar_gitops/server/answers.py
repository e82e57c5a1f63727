"""What the API document says of answers: the bodies of refusals, and which of them an operation may give.

Refusals that follow from how an operation is made (no key, an unreadable body, a fault of the server) are added to the
document by `openapi`; an operation names those that only it knows.
"""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel, Field


class Refusal(BaseModel):
    """Body of most refusals: one sentence that says what, where, why and how to mend it."""

    detail: str


class ExpiredDetail(BaseModel):
    """The form in which old clients recognise that they have to refresh their token."""

    message: str


class Unauthenticated(BaseModel):
    """Body of a 401: no credential, an invalid one, or an access token that has expired (the object form)."""

    detail: str | ExpiredDetail


class Fault(BaseModel):
    """One fault of a request: its place, and what is wrong there; never the value."""

    loc: list[str | int]
    msg: str
    type: str


class Invalid(BaseModel):
    """Body of a 422: a sentence, or a list of faults of the query or the body."""

    detail: str | list[Fault]


class TooMany(BaseModel):
    """Body of a 429; `retry_after` is the same whole number of seconds as in the header."""

    detail: str
    retry_after: int = Field(ge=1)


class Message(BaseModel):
    """What is said when there is nothing else to say."""

    message: str


RETRY_AFTER: Final = {
    "Retry-After": {"description": "Whole seconds to wait.", "schema": {"type": "integer", "minimum": 1}}
}
MEANINGS: Final[dict[int, tuple[type[BaseModel], str]]] = {
    400: (Refusal, "The request cannot be understood."),
    401: (Unauthenticated, "Not signed in: no credential, or one that is not valid."),
    403: (Refusal, "The caller may not do this."),
    404: (Refusal, "There is no such object, or it is somebody else's."),
    409: (Refusal, "The state of the object does not allow this."),
    413: (Refusal, "The body is too large."),
    422: (Invalid, "The query or the body is not valid."),
    429: (TooMany, "Too many requests; wait as long as the header says."),
    500: (Refusal, "internal error"),
    501: (Refusal, "This platform does not offer this."),
}


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The part of an operation's description that says which refusals it may answer with."""
    described: dict[int | str, dict[str, Any]] = {}
    for status in statuses:
        model, meaning = MEANINGS[status]
        described[status] = {"model": model, "description": meaning}
        if status == 429:
            described[status]["headers"] = RETRY_AFTER
    return described


def answers(model: Any, *statuses: int) -> dict[str, Any]:
    """Arguments of a route whose 200 has that form and which may refuse with those statuses.

    The answer itself is sent as the function makes it: what old clients get is not always what the model of today says.
    """
    described = {200: {"model": model, "description": "Done."}, **refusals(*statuses)}
    return {"response_model": None, "responses": described}
