"""Posting to webhooks, against a real HTTP server on this machine."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator

import pytest

from avatar_gitops.client.webhooks import MAX_BODY_BYTES, Target, post
from tests.support.http import StillClock
from tests.support.webhooks import Receiver, receiving


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


def test_a_message_is_posted_as_json_with_its_id(receiver: Receiver) -> None:
    assert post(Target(receiver.url), b'{"text": "hello"}', "id-1", clock=StillClock()) == ""
    ((path, headers, body),) = receiver.got
    assert path == "/hook/zqsecretx"
    assert body == b'{"text": "hello"}'
    assert headers["content-type"] == "application/json"
    assert headers["x-avatar-gitops-delivery"] == "id-1"
    assert "x-avatar-gitops-signature" not in headers


def test_a_key_signs_the_body(receiver: Receiver) -> None:
    body = b'{"text": "hello"}'
    assert post(Target(receiver.url, b"key"), body, "id-1", clock=StillClock()) == ""
    said = receiver.got[0][1]["x-avatar-gitops-signature"]
    assert said == "sha256=" + hmac.new(b"key", body, hashlib.sha256).hexdigest()


def test_trouble_that_may_pass_is_tried_again_and_then_told(receiver: Receiver) -> None:
    clock = StillClock()
    receiver.answers = [503, 429]
    assert post(Target(receiver.url), b"{}", "id-1", clock=clock) == ""
    assert clock.slept == [1.0, 3.0]
    assert [headers["x-avatar-gitops-delivery"] for _, headers, _ in receiver.got] == ["id-1"] * 3

    receiver.answers = [503] * 3
    assert post(Target(receiver.url), b"{}", "id-1", clock=clock) == "status 503"
    assert len(receiver.got) == 6


@pytest.mark.parametrize("status", [400, 404, 410])
def test_a_refusal_is_not_repeated(receiver: Receiver, status: int) -> None:
    receiver.answers = [status]
    assert post(Target(receiver.url), b"{}", "id-1", clock=StillClock()) == f"status {status}"
    assert len(receiver.got) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(receiver: Receiver, status: int) -> None:
    receiver.answers = [status]
    assert "redirects are not followed" in post(Target(receiver.url), b"{}", "id-1", clock=StillClock())
    assert [path for path, _, _ in receiver.got] == ["/hook/zqsecretx"]


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://hooks.example.org/zqsecretx", "http:// is only for this machine"),
        ("ftp://hooks.example.org/zqsecretx", "no address"),
        ("zqsecretx", "no address"),
        ("", "no address"),
    ],
)
def test_an_address_that_is_not_safe_is_refused_without_a_connection(url: str, why: str) -> None:
    assert why in post(Target(url), b"{}", "id-1", clock=StillClock())


def test_nobody_there_is_told_without_the_address() -> None:
    clock = StillClock()
    target = Target("http://127.0.0.1:9/hook/zqsecretx", b"zqkeyx")
    assert post(target, b"{}", "id-1", clock=clock) == "no connection"
    assert len(clock.slept) == 2
    assert "zq" not in repr(target)
    assert target.host == "127.0.0.1"


def test_a_message_has_a_limit(receiver: Receiver) -> None:
    assert post(Target(receiver.url), b"x" * (MAX_BODY_BYTES + 1), "id-1", clock=StillClock()) != ""
    assert receiver.got == []
