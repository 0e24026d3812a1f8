"""What the tests of `cardio stats` share: a cohort, its file, and the command line."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cardio_core.cli.main import main


def crt_cohort(n: int = 80) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    response = rng.integers(0, 2, n)
    qrs = rng.normal(155, 20, n) + 12 * response
    lvef = rng.normal(28, 6, n)
    risk = 1 / (1 + np.exp(-(0.04 * (qrs - 160) + 0.3 * rng.normal(size=n))))
    table = pd.DataFrame(
        {
            "patient": np.arange(n) // 2,
            "arm": np.where(rng.random(n) < 0.5, "ON", "OFF"),
            "sex": np.where(rng.random(n) < 0.6, "M", "F"),
            "response": response,
            "qrs_ms": qrs.round(1),
            "lvef_pct": lvef.round(1),
            "lvef_cmr_pct": (lvef + rng.normal(1, 3, n)).round(1),
            "risk": risk.round(4),
        }
    )
    table.loc[rng.choice(n, 5, replace=False), "qrs_ms"] = np.nan
    table.loc[rng.choice(n, 4, replace=False), "lvef_pct"] = np.nan
    return table


@pytest.fixture(scope="session")
def cohort() -> Any:
    """Return a function that makes a made-up cohort, two rows a patient."""
    return crt_cohort


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "cohort.csv"
    crt_cohort().to_csv(path, index=False)
    return path


class Ran:
    """What one command printed, with its exit code and the code of the error that ended it."""

    def __init__(self, code: int, out: str, err: str, fault: str) -> None:
        self.code, self.out, self.err, self.fault = code, out, err, fault


@pytest.fixture
def cardio(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    def run(command: list[str], path: Path | None = None, *more: str) -> Ran:
        words = [str(path) if word == "FILE" else word for word in command]
        monkeypatch.setattr(sys, "argv", ["cardio", "stats", *words, *map(str, more)])
        capsys.readouterr()
        code, fault = 0, ""
        try:
            main()
        except SystemExit as done:
            code, fault = int(done.code or 0), getattr(done.__context__, "code", "")
        printed = capsys.readouterr()
        return Ran(code, printed.out, printed.err, fault)

    return run
