"""A small client of the platform for its tests: plain HTTP, no code shared with the product's own client."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import httpx
from obstore.store import S3Store

COLUMNS = ("age", "weight", "height", "sector", "smoker")


@cache
def people(rows: int, seed: int = 0) -> bytes:
    """A CSV table with numbers and categories that depend on each other."""
    import random

    chance = random.Random(seed)
    lines = [",".join(COLUMNS)]
    for _ in range(rows):
        height = chance.gauss(170, 9)
        weight = (height - 100) * chance.uniform(0.8, 1.2)
        sector = chance.choice(["north", "south", "east", "west"])
        smoker = "yes" if chance.random() < 0.3 else "no"
        lines.append(f"{chance.randint(18, 90)},{weight:.1f},{height:.1f},{sector},{smoker}")
    return ("\n".join(lines) + "\n").encode()


def documents(table: str = "people", file: str = "people.csv", **spec: Any) -> str:
    """The documents of a default run of one table; `spec` overrides parts of AvatarParameters."""
    parameters = {"schema": "schema", "avatarization": {table: {"k": 5}}, "seed": 11, **spec}
    annotations = {"avatar-gitops/spec-digest": "sha256:0123abcd"}
    made = [
        {**_document("AvatarMetadata", "avatar-metadata-x", {"display_name": "x"}), "annotations": annotations},
        _document("AvatarSchema", "schema", {"tables": [_table(table, data={"volume": "input", "file": file})]}),
        _document(
            "AvatarSchema",
            "schema_avatarized",
            {"tables": [_table(table, avatars_data={"auto": True})], "schema_ref": "schema"},
        ),
        _document("AvatarParameters", "standard", parameters),
    ]
    return join(made)


def join(made: Sequence[Mapping[str, Any]]) -> str:
    """A YAML stream; JSON is YAML."""
    return "\n---\n".join(json.dumps(document) + "\n" for document in made)


def _document(kind: str, name: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    return {"kind": kind, "metadata": {"name": name}, "spec": spec}


def _table(name: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, **fields}


@dataclass(slots=True)
class Api:
    """One signed-in user of one server."""

    base_url: str
    key: str = field(repr=False)
    agent: str = "tests"
    http: httpx.Client = field(init=False)
    _known: dict[str, Any] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        headers = {"Authorization": f"api-key-v1 {self.key}", "User-Agent": self.agent}
        # No certificates to load: the servers of the tests speak plain HTTP.
        self.http = httpx.Client(base_url=f"{self.base_url}/api", headers=headers, timeout=30, verify=False)

    def __enter__(self) -> Api:
        return self

    def __exit__(self, *_error: object) -> None:
        self.http.close()

    def get(self, path: str, **query: Any) -> Any:
        """The JSON of a successful GET."""
        response = self.http.get(path, params=query)
        assert response.status_code == 200, response.text
        return response.json()

    @property
    def area(self) -> str:
        """`<bucket>/<prefix>` of the upload area."""
        if "area" not in self._known:
            self._known["area"] = str(self.get("/upload_url")).removeprefix("s3://")
        return str(self._known["area"])

    @property
    def bucket(self) -> str:
        return self.area.partition("/")[0]

    def credentials(self) -> dict[str, str]:
        """The storage key pair."""
        if "keys" not in self._known:
            url = f"{self.base_url}/api/access?url=s3://{self.area}/x"
            self._known["keys"] = self.get("/access", url=url)["credentials"]
        return dict(self._known["keys"])

    def store(self, bucket: str | None = None) -> S3Store:
        """An S3 client for the user's bucket, or for another one."""
        keys = self.credentials()
        return S3Store(
            bucket or self.bucket,
            endpoint=f"{self.base_url}/storage",
            region="us-east-1",
            access_key_id=keys["access_key_id"],
            secret_access_key=keys["secret_access_key"],
            virtual_hosted_style_request=False,
            client_options={"allow_http": True},
        )

    def upload(self, file: str, content: bytes) -> None:
        """Put an input file."""
        self.store().put(f"{self.area.partition('/')[2]}/{file}", content)

    def put_set(self, text: str, name: str = "x") -> str:
        """Create a set; returns its UUID."""
        response = self.http.put(f"/resources/{name}", content=text, headers={"Content-Type": "application/yaml"})
        assert response.status_code == 200, response.text
        return str(response.json()["set_name"])

    def launch(self, set_id: str, parameters: str, parents: Sequence[str] = ()) -> str:
        """Queue a job; returns its name."""
        body = {"set_name": set_id, "parameters_name": parameters, "depends_on": [f"/jobs/{p}" for p in parents]}
        response = self.http.post("/jobs", json=body)
        assert response.status_code == 200, response.text
        assert "location" not in response.headers
        return str(response.json()["name"])

    def launch_all(self, set_id: str) -> dict[str, str]:
        """The five jobs of a default run, as the official client launches them."""
        names = {"standard": self.launch(set_id, "standard")}
        for metrics in ("signal_metrics", "privacy_metrics"):
            names[metrics] = self.launch(set_id, metrics, [names["standard"]])
        both = [names["privacy_metrics"], names["signal_metrics"]]
        return names | {report: self.launch(set_id, report, both) for report in ("report", "report_pia")}

    def job(self, name: str) -> dict[str, Any]:
        """A job; connection errors are retried as the official client does."""
        deadline = time.monotonic() + 60
        while True:
            try:
                found: dict[str, Any] = self.get(f"/jobs/{name}")
                return found
            except httpx.TransportError:
                assert time.monotonic() < deadline, "the server did not come back"
                time.sleep(0.05)

    def wait(self, name: str) -> dict[str, Any]:
        """The job after its end."""
        deadline = time.monotonic() + 60
        while not (found := self.job(name))["done"]:
            assert time.monotonic() < deadline, found
        return found

    def files(self, name: str) -> dict[str, bytes]:
        """Every result file of a job by file name."""
        listing = self.get(f"/results/{name}")
        store, found = self.store(), {}
        for urls in listing.values():
            for url in urls:
                key = url.partition("?url=")[2].removeprefix(f"s3://{self.bucket}/")
                found[key.rpartition("/")[2]] = bytes(store.get(key).bytes())
        return found
