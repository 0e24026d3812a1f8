"""One smoke run a plugin gives the same numbers in one thread or two, one process or more.

With ``CARDIO_STORE=1`` the slow test of this file makes the stored result anew: what the two runs
took, and the digest of their numbers, on a day.
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

import cardio_core as cardio

STORED = Path(__file__).parent / "stored" / "smoke_numbers.json"
NUMBERS = ("metrics.json", "predictions.csv", "splits.json")
CODE = "from cardio_core.cli.main import main; main()"
SETTINGS = ((2, "local:2"), (1, "local:1"))
"""Threads in the user's environment, and executor: as most have it, and the least there is."""

PLUGINS = {
    "ecg_transfer": "crt_response",
    "spect_polar": "crt_response",
    "mmode_septal_flash": "septal_flash",
    "echo_cmr": "wma",
}


def numbers_of(run: Path) -> str:
    joined = b"".join((run / name).read_bytes() for name in NUMBERS)
    return hashlib.sha256(joined).hexdigest()


def smoke(plugin: str, task: str, out: Path, n_threads: int, executor: str) -> dict[str, object]:
    threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"))
    environment = os.environ | {name: str(n_threads) for name in threads}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-c", CODE, "run", "--plugin", plugin, "--task", task, "--smoke",
         "--device", "cpu", "--executor", executor, "--out", str(out)],
        env=environment | {"CARDIO_CACHE": str(out.with_suffix(".cache"))},
        check=True,
        capture_output=True,
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"threads": n_threads, "executor": executor, "processor_s": round(used)}


@pytest.mark.slow
@pytest.mark.parametrize(("plugin", "task"), PLUGINS.items(), ids=PLUGINS)
def test_a_smoke_run_gives_the_same_numbers_however_it_is_computed(plugin, task, tmp_path):
    outs = [tmp_path / str(number) for number in range(len(SETTINGS))]
    runs = [smoke(plugin, task, out, *how) for out, how in zip(outs, SETTINGS, strict=True)]
    numbers = [numbers_of(out) for out in outs]
    opened = cardio.open(outs[0])
    x, y = opened.plot_roc().lines[0].get_data()
    (auc,) = opened.metrics.query(
        "metric == 'auc' and protocol == 'honest' and subgroup == '' and versus == ''"
        " and model == @opened.manifest.primary and target == @opened.manifest.targets[0].name"
    )["value"]
    assert np.trapezoid(y, x) == pytest.approx(auc, abs=1e-6)
    if os.environ.get("CARDIO_STORE"):
        stored = json.loads(STORED.read_text()) if STORED.exists() else {}
        made = datetime.now(UTC).date().isoformat()
        stored[plugin] = {"task": task, "made": made, "runs": runs, "numbers": numbers}
        STORED.write_text(json.dumps(stored, indent=1, sort_keys=True) + "\n")
    assert json.loads((outs[0] / "metrics.json").read_text())
    assert numbers[0] == numbers[1]
