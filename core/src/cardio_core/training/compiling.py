"""Whether torch.compile can be used here."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys

from cardio_core.compute.devices import Device

COMPILERS = ("g++", "clang++", "c++", "cl")


def why_not_compiled(device: Device) -> str | None:
    """Return what torch.compile lacks on a device, as a clause; None where it can be used.

    On a CPU torch writes C++ and needs a compiler (that of ``CXX``, or one on the path), on a GPU
    it writes Triton and needs that package.
    """
    if sys.platform == "win32":
        return "torch.compile is not tried on Windows"
    if device.kind == "cuda":
        return None if importlib.util.find_spec("triton") else "the package triton is not installed"
    wanted = [os.environ["CXX"]] if os.environ.get("CXX") else COMPILERS
    if any(shutil.which(name) for name in wanted):
        return None
    return f"there is no C++ compiler ({', '.join(wanted)})"
