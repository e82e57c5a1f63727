"""Builds the compiled kernels of the engine into the package, when there is a C compiler to do it.

Without one, or when it fails, the package is pure Python and the engine takes its portable path: the
same results, later.
`AVATAR_GITOPS_BUILD=portable` skips the compiler, `AVATAR_GITOPS_BUILD=compiled` makes its failure the build's failure
(for wheels that are published). `CC` names the compiler.
"""

from __future__ import annotations

import os
import platform
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

KERNELS = "avatar_gitops/engine/kernels"
LIBRARY = f"{KERNELS}/libavatar.so"
# no fused operations and no reordering: the same bits on every machine and in the portable path
FLAGS = ("-std=c11", "-O3", "-fPIC", "-ffp-contract=off", "-fno-math-errno")
AVX2 = ("-mavx2", "-mfma", "-mbmi", "-mbmi2", "-mpopcnt")
AVX512 = (*AVX2, "-mavx512f", "-mavx512dq", "-mavx512vl")


class KernelsHook(BuildHookInterface[Any]):
    """Compile before files are collected, and name the platform of the wheel."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        wanted = os.environ.get("AVATAR_GITOPS_BUILD", "")
        target = Path(self.root) / LIBRARY
        target.unlink(missing_ok=True)
        if wanted == "portable":
            return
        try:
            compile_kernels(Path(self.root) / KERNELS, target)
        except (OSError, subprocess.CalledProcessError) as problem:
            if wanted == "compiled":
                raise
            why = getattr(problem, "stderr", "") or str(problem)
            self.app.display_warning(f"The kernels were not compiled; the engine takes its portable path. {why}")
            return
        build_data["artifacts"].append(f"/{LIBRARY}")
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"


def compile_kernels(sources: Path, target: Path) -> None:
    """Compile every instruction set that this platform can have, and put the library in place in one step."""
    compiler = shlex.split(os.environ.get("CC", "")) or [_compiler()]
    arch: list[str] = []
    variants: dict[str, tuple[str, ...]] = {"plain": ()}
    if sys.platform == "darwin":
        arch = shlex.split(os.environ.get("ARCHFLAGS", ""))
    if platform.machine().lower() in ("x86_64", "amd64") and sys.maxsize > 2**32 and not arch:
        variants |= {"avx2": AVX2, "avx512": AVX512}
    plain_only = () if len(variants) > 1 else ("-DPLAIN_ONLY",)
    with tempfile.TemporaryDirectory() as folder:
        objects = []

        def run(*arguments: str) -> None:
            command = [*compiler, *arch, *arguments]
            subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - the builder's compiler

        units = [("build", ()), ("columns", ()), *(("search", (f"-DVARIANT={v}", *f)) for v, f in variants.items())]
        for number, (name, flags) in enumerate(units):
            objects.append(f"{folder}/{number}.o")
            run(*FLAGS, *plain_only, *flags, "-c", str(sources / f"{name}.c"), "-o", objects[-1])
        made = Path(folder) / target.name
        run("-shared", *objects, "-o", str(made), "-lm")
        beside = target.with_suffix(".new")
        shutil.copy(made, beside)
        beside.replace(target)


def _compiler() -> str:
    for name in ("cc", "gcc", "clang"):
        if found := shutil.which(name):
            return found
    raise OSError("There is no C compiler (cc, gcc or clang).")
