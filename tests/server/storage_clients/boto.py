"""boto3 as the storage is driven with it, and what its refusals say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.server.api import Api

MIB = 1 << 20


def config(**more: Any) -> Any:
    from botocore.config import Config

    return Config(signature_version="s3v4", s3={"addressing_style": "path"}, retries={"max_attempts": 1}, **more)


def boto(api: Api, **more: Any) -> Any:
    import boto3

    keys = api.credentials()
    return boto3.client(
        "s3",
        endpoint_url=f"{api.base_url}/storage",
        region_name="eu-west-3",
        aws_access_key_id=keys["access_key_id"],
        aws_secret_access_key=keys["secret_access_key"],
        config=config(**more),
    )


def code(call: Callable[..., Any], **arguments: Any) -> tuple[int, str]:
    """Status and code of a refusal."""
    from botocore.exceptions import ClientError

    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["ResponseMetadata"]["HTTPStatusCode"], caught.value.response["Error"]["Code"]


def body(s3: Any, bucket: str, key: str, **more: Any) -> bytes:
    return bytes(s3.get_object(Bucket=bucket, Key=key, **more)["Body"].read())
