"""Training with seeded global states that are afterwards as they were before."""

from __future__ import annotations

import logging
import os
import random
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

from cardio_core.compute.devices import Device

_CUBLAS = "CUBLAS_WORKSPACE_CONFIG"


@contextmanager
def reproducible(seed: int, device: Device) -> Iterator[None]:
    """Seed Python, numpy and torch, and ask torch for deterministic kernels, within a block.

    Parameters
    ----------
    seed : int
        Between 0 and 2**32 - 1.
    device : Device
        Its generator is seeded and restored too.

    Notes
    -----
    Operations without a deterministic kernel still run (``warn_only``): on a GPU two runs may then
    differ in the last digits. On a CPU they do not, because everything runs in one thread.
    """
    python, legacy = random.getstate(), np.random.get_state()  # noqa: NPY002  a global one is meant
    was_deterministic = torch.are_deterministic_algorithms_enabled()
    was_warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    was_benchmark = torch.backends.cudnn.benchmark
    workspace = os.environ.get(_CUBLAS)
    gpus = [device.index or 0] if device.kind == "cuda" else []
    with torch.random.fork_rng(devices=gpus):
        try:
            random.seed(seed)
            np.random.seed(seed)  # noqa: NPY002  for layers and augmentations that use it
            torch.manual_seed(seed)
            # cuBLAS is deterministic with this workspace only; it is read when a handle is made.
            os.environ.setdefault(_CUBLAS, ":4096:8")
            torch.use_deterministic_algorithms(True, warn_only=True)
            torch.backends.cudnn.benchmark = False
            yield
        finally:
            random.setstate(python)
            np.random.set_state(legacy)  # noqa: NPY002
            torch.use_deterministic_algorithms(was_deterministic, warn_only=was_warn_only)
            torch.backends.cudnn.benchmark = was_benchmark
            if workspace is None:
                os.environ.pop(_CUBLAS, None)


@contextmanager
def quiet() -> Iterator[None]:
    """Silence Lightning's banners, tips and warnings within a block."""
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric")]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"lightning(_utilities)?\.")
        warnings.filterwarnings("ignore", message=r".*does not have a deterministic implementation")
        try:
            for logger in loggers:
                logger.setLevel(logging.ERROR)
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
