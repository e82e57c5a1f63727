"""Models of `signoffs/NAME.yaml`: who signed the assessment of a set, in a form that is reviewed in git."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field

from avatar_gitops.spec.models import Day, Model, SetName, Text

FOLDER: Final = "signoffs"

Role = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
StatementDigest = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]


class SignatureEntry(Model):
    """One decision of one person; `statement` is the SHA-256 of the `pia.json` that was read, `run` its run.

    The last entry of a person in a role counts, as long as `statement` is the digest of what is published.
    """

    person: Text
    role: Role
    date: Day
    decision: Literal["approved", "refused"]
    statement: StatementDigest
    run: str = ""
    note: Text | None = None


class SignOffsMetadata(Model):
    """The set whose assessment is signed."""

    name: SetName


class SignOffs(Model):
    """Every decision about the assessment of one set, the oldest first."""

    apiVersion: Literal["avatar-gitops/v1"]  # noqa: N815 - the field's name in Kubernetes-style documents
    kind: Literal["SignOffs"]
    metadata: SignOffsMetadata
    signatures: list[SignatureEntry] = []
