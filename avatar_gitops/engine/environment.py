"""What this process computes with: interpreter, numerics, kernels, processor. Names and versions, no host, no path.

Equal environments give equal bytes for equal data, parameters and seed. Of what may differ, the number of threads and
the instruction set of the compiled kernels change nothing (tests hold that); another version of a library, and other
kernels of the BLAS, may change the last bits of a projection.
"""

from __future__ import annotations

import functools
import hashlib
import platform
import re
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from avatar_gitops.engine.kernels import library

_LIBRARIES: Final = ("numpy", "scipy", "pyarrow", "pykdtree", "opendp", "Faker")
_PACKAGE: Final = "avatar-gitops"
_EXTRAS: Final = ("local", "dp")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_EXTRA: Final = re.compile(r"""extra\s*==\s*["']([\w-]+)["']""")


@functools.cache
def environment() -> dict[str, Any]:
    """The environment as plain data; the caller must not change it."""
    return {
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "platform": " ".join(filter(None, (sys.platform, platform.machine(), *platform.libc_ver()))),
        "libraries": {name: version for name in _LIBRARIES if (version := _version(name))},
        "blas": _blas(),
        "kernels": _kernels(),
        "processor": _processor(),
        "distributions": dict(sorted(_distributions())),
    }


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _blas() -> list[dict[str, Any]]:
    """The libraries of linear algebra of NumPy and SciPy; the engine runs them on one thread."""
    import scipy.linalg  # noqa: F401 - importing loads what is asked for here
    from threadpoolctl import threadpool_info

    found = [
        {
            "name": str(said["internal_api"]),
            "version": str(said.get("version") or "unknown"),
            "architecture": str(said.get("architecture") or "unknown"),
            "threads": 1,
        }
        for said in threadpool_info()
        if said["user_api"] == "blas"
    ]
    unique = {tuple(entry.values()): entry for entry in found}
    return [unique[key] for key in sorted(unique)]


def _kernels() -> dict[str, str]:
    loaded = library.kernels()
    if loaded is None:
        return {"variant": "portable", "digest": ""}
    content = Path(loaded.functions._name).read_bytes()
    return {"variant": loaded.variant, "digest": f"sha256:{hashlib.sha256(content).hexdigest()}"}


def _processor() -> list[str]:
    """Instruction sets beyond the baseline that NumPy found, as it names them."""
    import numpy as np

    shown: Any = np.show_config(mode="dicts")
    return sorted(map(str, (shown or {}).get("SIMD Extensions", {}).get("found", ())))


def _distributions() -> Iterator[tuple[str, str]]:
    """The package, what it requires with its extras for the engine, and what that requires, as installed here."""
    waiting, seen = [_PACKAGE], set[str]()
    while waiting:
        name = waiting.pop()
        try:
            found = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        known = _normal(name)
        if known in seen:
            continue
        seen.add(known)
        yield known, found.version
        extras = _EXTRAS if known == _PACKAGE else ()
        waiting += [needed for text in found.requires or () if (needed := _needed(text, extras))]


def _needed(requirement: str, extras: tuple[str, ...]) -> str:
    """The name in a requirement; empty when it is one of an extra that does not count."""
    asked = _EXTRA.search(requirement)
    name = _NAME.match(requirement)
    return name[0] if name and (asked is None or asked[1] in extras) else ""


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
