"""Random streams that depend on what is drawn, never on who draws it or in which order."""

from __future__ import annotations

import hashlib

import numpy as np


def stream(seed: int, label: str, stage: str, chunk: int = 0) -> np.random.Generator:
    """The generator of one stage of one table: a Philox counter keyed by a hash of its four names."""
    return np.random.Generator(np.random.Philox(key=stream_key(seed, label, stage, chunk)))


def stream_key(seed: int, label: str, stage: str, chunk: int = 0) -> int:
    """The key of that stream (128 bits), for draws that address the counter themselves."""
    name = f"{seed}\x1f{label}\x1f{stage}\x1f{chunk}".encode()
    return int.from_bytes(hashlib.blake2b(name, digest_size=16).digest())
