"""Where a request comes from: the peer's address, or what a trusted proxy says about it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from avatar_gitops.errors import UsageError

PROXIES: Final = "AVATAR_TRUSTED_PROXIES"
UNKNOWN: Final = "unknown"

Network = IPv4Network | IPv6Network


def trusted_proxies(environment: Mapping[str, str] = os.environ) -> tuple[Network, ...]:
    """Networks whose `X-Forwarded-For` is believed, from AVATAR_TRUSTED_PROXIES; none unless it is set.

    Raises:
        UsageError: the variable is not a list of addresses and networks.
    """
    parts = [part.strip() for part in environment.get(PROXIES, "").split(",")]
    try:
        return tuple(ip_network(part) for part in parts if part)
    except ValueError:
        raise UsageError(
            f"{PROXIES} is not a list of addresses and networks.",
            hint=f"Separate them by commas, as in {PROXIES}=127.0.0.1,10.0.0.0/8.",
        ) from None


def caller_address(peer: str | None, forwarded: Sequence[str], trusted: Sequence[Network]) -> str:
    """The address nearest to us that no trusted proxy has; `forwarded` are the `X-Forwarded-For` headers, in order.

    An IPv6 caller is named by its /64 network, because whoever has one address of it has them all.
    """
    hops = [hop.strip() for header in forwarded for hop in header.split(",")]
    found = _address(peer or "")
    while found is not None and hops and _within(found, trusted):
        further = _address(hops.pop())
        if further is None:
            break
        found = further
    if found is None:
        return UNKNOWN
    if isinstance(found, IPv6Address):
        return str(ip_network((found, 64), strict=False))
    return str(found)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a host of this name or address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


def _within(address: IPv4Address | IPv6Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks)
