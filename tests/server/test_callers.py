"""Whom a request is counted against, with and without proxies."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from avatar_gitops.errors import UsageError
from avatar_gitops.server.callers import PROXIES, caller_address, is_loopback, trusted_proxies

LOCAL = (ip_network("127.0.0.0/8"), ip_network("10.0.0.0/8"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "found"),
    [
        ("127.0.0.1", [], "127.0.0.1"),
        ("127.0.0.1", ["203.0.113.5"], "203.0.113.5"),
        ("127.0.0.1", ["1.1.1.1, 203.0.113.5, 10.0.0.3"], "203.0.113.5"),  # the first one can be invented by the caller
        ("127.0.0.1", ["1.1.1.1", "203.0.113.5"], "203.0.113.5"),
        ("203.0.113.9", ["1.1.1.1"], "203.0.113.9"),  # nobody who may say so
        ("127.0.0.1", ["nonsense"], "127.0.0.1"),
        ("127.0.0.1", ["1.1.1.1, nonsense"], "127.0.0.1"),
        ("::ffff:127.0.0.1", ["203.0.113.5"], "203.0.113.5"),
        ("2001:db8:1:2:3:4:5:6", [], "2001:db8:1:2::/64"),
        ("fe80::1%eth0", [], "fe80::/64"),
        (None, [], "unknown"),
        ("unix", ["203.0.113.5"], "unknown"),
    ],
)
def test_the_nearest_address_that_no_trusted_proxy_has_counts(
    peer: str | None, forwarded: list[str], found: str
) -> None:
    assert caller_address(peer, forwarded, LOCAL) == found


def test_without_trusted_proxies_what_a_caller_says_is_ignored() -> None:
    assert caller_address("127.0.0.1", ["203.0.113.5"], ()) == "127.0.0.1"


def test_proxies_come_from_the_environment() -> None:
    assert trusted_proxies({}) == ()
    assert trusted_proxies({PROXIES: "127.0.0.0/8, 10.0.0.0/8"}) == LOCAL
    for text in ("localhost", "127.0.0.1/8", "10.0.0.0/99"):
        with pytest.raises(UsageError, match=PROXIES):
            trusted_proxies({PROXIES: text})


@pytest.mark.parametrize(
    ("host", "only_here"),
    [
        ("127.0.0.1", True),
        ("127.1.2.3", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.0.2.1", False),
        ("example.org", False),
        ("", False),
    ],
)
def test_only_loopback_is_loopback(host: str, only_here: bool) -> None:
    assert is_loopback(host) is only_here
