"""Another S3 implementation as a real HTTP server in a process of its own: moto, kept by many, apart from our code."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

PROGRAM = """
import sys
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
"""


@dataclass(slots=True, frozen=True)
class Buckets:
    """A running S3 server."""

    endpoint: str

    @property
    def environment(self) -> dict[str, str]:
        """How a client finds it."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": "eu-west-3",
            "AWS_ACCESS_KEY_ID": "tests",
            "AWS_SECRET_ACCESS_KEY": "tests-secret",
        }

    def client(self) -> Any:
        """AWS's own client of it."""
        import boto3

        keys = {"aws_access_key_id": "tests", "aws_secret_access_key": "tests-secret"}
        return boto3.client("s3", endpoint_url=self.endpoint, region_name="eu-west-3", **keys)

    def new(self) -> str:
        """URL of a new bucket and a prefix in it."""
        name = f"platform-{uuid.uuid4().hex[:12]}"
        self.client().create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-3"})
        return f"s3://{name}/some/prefix"

    def keys(self, url: str) -> set[str]:
        """All keys in the bucket of a URL."""
        pages = self.client().get_paginator("list_objects_v2").paginate(Bucket=url.split("/")[2])
        return {item["Key"] for page in pages for item in page.get("Contents", [])}


@contextmanager
def s3_server() -> Iterator[Buckets]:
    """Start the server; it ends with its standard input."""
    command = [sys.executable, "-W", "ignore", "-c", PROGRAM]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        assert port, "the S3 server of the tests did not start: make .venv/.dev"
        yield Buckets(f"http://127.0.0.1:{port}")
        process.stdin.close()
        process.wait()
