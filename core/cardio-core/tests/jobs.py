"""Devices and jobs that tell of the process that does them; sent by value to any worker."""

from __future__ import annotations

from cardio_core.compute.devices import Device
from cardio_core.testing.searching import HUNG_AFTER_S

TWO_CPUS = tuple(Device("cpu", i, "CPU", "32", "test") for i in range(2))
ONE_CPU = (Device("cpu", None, "CPU", "32", "test"),)


def waiter(folder, n_jobs):
    """Job 0 ends after all others, however slow the machine is."""

    limit_s = HUNG_AFTER_S

    def job(number, device=None):
        import os
        import time
        from pathlib import Path

        give_up = time.monotonic() + limit_s
        while number == 0 and len(list(Path(folder).iterdir())) < n_jobs - 1:
            if time.monotonic() > give_up:
                break
            time.sleep(0.01)
        Path(folder, str(number)).touch()
        return number, None if device is None else device.index, os.getpid()

    return job


def threads():
    def job(_, device=None):
        import os

        import cv2
        import numpy as np
        import torch
        from threadpoolctl import threadpool_info

        np.ones((2, 2)) @ np.ones((2, 2))
        pools = [pool["num_threads"] for pool in threadpool_info()]
        own = [torch.get_num_threads(), cv2.getNumThreads()]
        return {*pools, *own}, os.environ["OMP_WAIT_POLICY"]

    return job
