"""The page on clusters: what it shows is what is stored, and its scripts are scripts."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "clusters.md").read_text(encoding="utf-8")


def test_the_page_tells_the_stored_study_in_which_nothing_differs(of_benchmarks):
    study = of_benchmarks("cluster")
    stored = json.loads(study.STORED.read_text(encoding="utf-8"))
    assert study.text_of(stored) in PAGE
    assert stored["differing"] == []
    assert 0 < stored["killed_after_fits"] < stored["fits"]
    assert stored["workers_left"] == 1


@pytest.mark.parametrize("script", re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL))
def test_the_batch_scripts_are_bash(script):
    assert script.startswith("#!/bin/bash\n#SBATCH")
    done = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.slow
def test_the_job_script_of_the_workers_is_what_the_page_promises(tmp_path):
    pytest.importorskip("dask_jobqueue", reason="dask-jobqueue is not installed")
    (script,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "workers.py").write_text(script, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "workers.py", "address.txt", "4", "/shared/me", "--show"],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    assert lines[0].startswith("#!")
    assert "#SBATCH -t 04:00:00" in lines
    assert "#SBATCH --requeue" in lines
    assert "export CARDIO_CACHE=/shared/me/cache" in lines
    (worker,) = [line for line in lines if "dask_worker" in line]
    assert worker.startswith("/shared/me/cardio/.venv/bin/python ")
    assert "--nthreads 1" in worker
    assert "--lifetime 230m" in worker
    assert not (tmp_path / "address.txt").exists()
