"""Which build of torch is installed, told without importing it: that costs seconds."""

from __future__ import annotations

import ast
import ctypes
import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class TorchBuild:
    """What torch was built for.

    Version ``"2.13.0+cpu"``; `gpus` says for which kind of GPU, ``"cuda"`` or ``"hip"``; None for a
    CPU build.
    """

    version: str
    gpus: str | None

    def may_see_a_gpu(self) -> bool:
        """Whether it is worth asking torch for GPUs: False only where it could find none."""
        return self.gpus == "hip" or (self.gpus == "cuda" and _cuda_driver_loads())


def installed_torch() -> TorchBuild | None:
    """Return the build that is installed, read from torch's own ``version.py``; None if none is."""
    spec = importlib.util.find_spec("torch")
    if spec is None or spec.origin is None:
        return None
    text = Path(spec.origin).with_name("version.py").read_text(encoding="utf-8")
    said: dict[str, Any] = {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Constant):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            said[ast.unparse(target)] = node.value.value
    kinds = [kind for kind in ("cuda", "hip") if said.get(kind)]
    return TorchBuild(said["__version__"], kinds[0] if kinds else None)


def _cuda_driver_loads() -> bool:
    name = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True
